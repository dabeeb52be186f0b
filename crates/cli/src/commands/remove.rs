//! `runnerctl remove`: forgets a runner of this machine with its token; never a task, and never unasked.

use client::Detail;
use protocol::{Runner, RunnerName};
use serde_json::json;

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{ask, choose, place, token};

/// Remove a runner from this machine, and forget its token
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Remove a runner from this machine, and forget its token.\n\n\
        Its agent ends. Its logs and its working directory stay on this disk, and what it is at \
        CircleCI stays there: its resource class, and its token until you delete that. It is refused \
        while a task runs. On a terminal it asks first; elsewhere it does nothing without --yes.\n\n\
        --json prints {\"removed\", \"resource_class\", \"working_directory\"}.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// The runner, as `runnerctl status` shows it
    #[arg(value_name = "NAME")]
    runner: RunnerName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl remove mac-mini-01            says what goes, and asks
  runnerctl remove mac-mini-01 --yes
  runnerctl workdirs                      what it left on the disk";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let runner = choose::one(&snapshot, Some(&args.runner))?;
    if !args.yes {
        confirm(runner).await?;
    }
    let Runner { name, resource_class, working_directory, .. } = runner;
    client.remove(name).await?;
    let mut screen = Screen::stdout();
    if args.shape.json {
        return Ok(screen.json(&json!({
            "removed": name,
            "resource_class": resource_class,
            "working_directory": working_directory,
        }))?);
    }
    screen.say(format!("{name} is removed, and its token is forgotten."))?;
    Ok(screen.say(stays(runner))?)
}

/// Returns where somebody at a terminal says yes.
async fn confirm(runner: &Runner) -> Result<(), Failure> {
    let name = &runner.name;
    let goes = format!("{name} would be removed, its agent ended and its token forgotten.");
    if !token::can_prompt() {
        return Err(Failure::usage(
            format!("Nothing was done. {goes} {}", stays(runner)),
            format!("To remove it: runnerctl remove {name} --yes"),
        ));
    }
    let mut screen = Screen::stderr();
    screen.say(goes)?;
    screen.say(stays(runner))?;
    if ask::says_yes(&format!("Remove {name}?")).await? {
        return Ok(());
    }
    Err(Failure::failed("Nothing was done.", ""))
}

fn stays(Runner { resource_class, working_directory, .. }: &Runner) -> String {
    format!(
        "Its logs and its working directory {working_directory} stay on this disk; at CircleCI \
         {resource_class} and the token itself stay."
    )
}
