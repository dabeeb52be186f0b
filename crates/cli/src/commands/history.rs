//! `runnerctl history`: the tasks that are over, newest first.

use client::HistoryQuery;
use jiff::ZonedDateTime;
use protocol::{FinishedTask, TaskId};

use crate::arguments::{Only, Shape};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{clock, place, words};

/// List the tasks that are over, newest first
#[derive(Debug, clap::Args)]
#[command(
    long_about = "List the tasks that are over, newest first.\n\n\
        The result is what this machine saw; CircleCI has the last word.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    only: Only,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on after this task, the last of an earlier list
    #[arg(long, value_name = "TASK_ID")]
    before: Option<TaskId>,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl history
  runnerctl history --limit 100 --json | jq -r '.tasks[] | [.project, .result.outcome] | @tsv'";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let query = HistoryQuery {
        runner: args.only.runner.as_ref(),
        before: args.before.as_ref(),
        limit: Some(args.limit),
    };
    let page = place::client()?.history(query).await?;
    let mut screen = Screen::stdout();
    if args.shape.json {
        return Ok(screen.json(&page)?);
    }
    if page.tasks.is_empty() {
        return Ok(screen.say("No task has finished here yet.")?);
    }
    let now = clock::now();
    screen.table(
        &["FINISHED", "RUNNER", "PROJECT", "BRANCH", "JOB", "BUILD", "TOOK", "RESULT"],
        &page.tasks.iter().map(|task| row(task, &now)).collect::<Vec<_>>(),
    )?;
    if let Some(before) = page.before {
        screen.blank()?;
        screen.say(format!("Earlier ones: runnerctl history --before {before}"))?;
    }
    Ok(())
}

fn row(task: &FinishedTask, now: &ZonedDateTime) -> Vec<String> {
    vec![
        words::moment(task.finished_at, now),
        task.runner.to_string(),
        words::known(task.project.as_deref()).to_owned(),
        words::known(task.branch.as_deref()).to_owned(),
        words::known(task.job.as_deref()).to_owned(),
        words::known(task.build_number.as_deref()).to_owned(),
        words::between(task.started_at, task.finished_at),
        words::result(task.result),
    ]
}
