//! `runnerctl cancel-task`: ends one task now. The only command that can, and never without `--yes`.

use client::Detail;
use protocol::{Runner, Task, TaskId};

use crate::arguments::Which;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, clock, place, words};

/// End a running task now; CircleCI shows it as failed
#[derive(Debug, clap::Args)]
#[command(
    long_about = "End a running task now; CircleCI shows it as failed.\n\n\
        This is the only command that ever stops a task, and only with --yes; without it nothing \
        happens but a word about what would. Afterwards the runner claims the next task, unless it \
        is paused.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// The task's id, as `runnerctl tasks` shows it
    #[arg(value_name = "TASK_ID")]
    task: TaskId,
    #[command(flatten)]
    which: Which,
    /// Confirm that the task is to end
    #[arg(long)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl tasks
  runnerctl cancel-task 20261123T165801Z-3f2a.2          says what would end
  runnerctl cancel-task 20261123T165801Z-3f2a.2 --yes    ends it";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let runners = choose::some(&snapshot, args.which.runner.as_ref())?;
    let Some((runner, task)) = running(&runners, &args.task) else {
        return Err(not_running(&runners, &args.task));
    };
    let so_far = words::between(task.started_at, clock::now().timestamp());
    if !args.yes {
        return Err(Failure::usage(
            format!(
                "Nothing was done. This would end {} (on {}, {so_far} so far), and CircleCI would \
                 show it as failed.",
                words::task(task),
                runner.name
            ),
            format!("To end it: runnerctl cancel-task {} --yes", task.id),
        ));
    }
    client.cancel(&runner.name, &task.id).await?;
    let mut screen = Screen::stdout();
    screen.say(format!(
        "{} (on {}, after {so_far}) is being ended.",
        words::task(task),
        runner.name
    ))?;
    Ok(())
}

fn running<'a>(runners: &[&'a Runner], id: &TaskId) -> Option<(&'a Runner, &'a Task)> {
    runners.iter().find_map(|runner| {
        runner.task.as_ref().filter(|task| task.id == *id).map(|task| (*runner, task))
    })
}

fn not_running(runners: &[&Runner], id: &TaskId) -> Failure {
    let ids: Vec<&TaskId> =
        runners.iter().filter_map(|runner| Some(&runner.task.as_ref()?.id)).collect();
    let hint = match ids.as_slice() {
        [] => "No task runs now; it may have finished: runnerctl history".to_owned(),
        ids => format!("Running now: {}", words::list(ids)),
    };
    Failure::failed(format!("No task '{id}' runs here."), hint)
}
