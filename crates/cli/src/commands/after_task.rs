//! `runnerctl after-task`: what happens to the whole machine once no task runs any more.

use client::Detail;
use protocol::AfterTaskAct;

use crate::failure::Failure;
use crate::print::Screen;
use crate::{place, words};

/// Pause, quit, sleep or restart once no task runs any more
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Pause, quit, sleep or restart once no task runs any more.\n\n\
        No runner of this machine claims a task from then on. When the last one is over it is done, \
        once; the wish is gone before that, so that a restart does not bring another. A new wish \
        takes the place of an earlier one.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// What is done then, or `cancel` to take it back
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Every runner is paused until you resume it
    Pause,
    /// The supervisor ends
    Quit,
    /// The machine sleeps; it claims tasks again when it wakes
    Sleep,
    /// The machine restarts
    Restart,
    /// Nothing: claim tasks again
    Cancel,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl after-task sleep
  runnerctl after-task pause
  runnerctl after-task cancel";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let act = match args.what {
        What::Pause => Some(AfterTaskAct::Pause),
        What::Quit => Some(AfterTaskAct::Quit),
        What::Sleep => Some(AfterTaskAct::Sleep),
        What::Restart => Some(AfterTaskAct::Restart),
        What::Cancel => None,
    };
    let client = place::client()?;
    let mut screen = Screen::stdout();
    let Some(act) = act else {
        client.forget_after_task().await?;
        return Ok(screen.say("Nothing comes after the task.")?);
    };
    let before = client.snapshot(Detail::Plain).await?;
    client.after_task(act).await?;
    let busy: Vec<_> = before
        .runners
        .iter()
        .filter(|runner| runner.task.is_some())
        .map(|runner| runner.name.clone())
        .collect();
    let then = words::after_task(act);
    screen.say(if busy.is_empty() {
        format!("No task runs: {then} as soon as the agents have ended.")
    } else {
        format!("No more tasks are claimed. After those of {}: {then}.", words::list(&busy))
    })?;
    screen.say("To take it back: runnerctl after-task cancel")?;
    Ok(())
}
