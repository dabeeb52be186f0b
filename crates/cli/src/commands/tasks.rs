//! `runnerctl tasks`: what runs now, one line each.

use client::Detail;
use jiff::Timestamp;
use protocol::{Runner, RunnerName, RunnerState, Task};
use serde::Serialize;

use crate::arguments::{Only, Shape};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, clock, place, words};

/// List the tasks that run now
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    only: Only,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl tasks
  runnerctl tasks --json | jq -r '.[].task.link'";

/// One entry of `--json`.
#[derive(Serialize)]
struct Running<'a> {
    runner: &'a RunnerName,
    task: &'a Task,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let snapshot = place::client()?.snapshot(Detail::Usage).await?;
    let runners = choose::some(&snapshot, args.only.runner.as_ref())?;
    let running: Vec<Running> = runners
        .iter()
        .filter_map(|runner| {
            runner.task.as_ref().map(|task| Running { runner: &runner.name, task })
        })
        .collect();
    let mut screen = Screen::stdout();
    if args.shape.json {
        return Ok(screen.json(&running)?);
    }
    if !running.is_empty() {
        let now = clock::now().timestamp();
        screen.table(
            &["RUNNER", "PROJECT", "BRANCH", "JOB", "STEP", "FOR", "TASK ID"],
            &running.iter().map(|running| row(running, now)).collect::<Vec<_>>(),
        )?;
    }
    let untold: Vec<&Runner> = runners
        .into_iter()
        .filter(|runner| runner.task.is_none() && runner.state == RunnerState::Unknown)
        .collect();
    for runner in &untold {
        screen.say(format!("Whether {} runs a task is not known.", runner.name))?;
    }
    if running.is_empty() && untold.is_empty() {
        screen.say("No task runs.")?;
    }
    Ok(())
}

fn row(Running { runner, task }: &Running, now: Timestamp) -> Vec<String> {
    vec![
        runner.to_string(),
        words::known(task.project.as_deref()).to_owned(),
        words::known(task.branch.as_deref()).to_owned(),
        words::known(task.job.as_deref()).to_owned(),
        words::known(task.step.as_deref()).to_owned(),
        words::between(task.started_at, now),
        task.id.to_string(),
    ]
}
