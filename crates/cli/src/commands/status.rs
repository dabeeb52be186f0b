//! `runnerctl status`: is it working, for whom, and if not, why.

use client::Detail;
use jiff::{Timestamp, ZonedDateTime};
use protocol::{Boundary, PauseReason, Problem, Runner, Snapshot, Task, Usage};

use crate::arguments::{Only, Shape};
use crate::failure::Failure;
use crate::print::{Screen, Tone};
use crate::{choose, clock, place, words};

/// Show what each runner does, who holds it, and what is wrong
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show what each runner does, who holds it, and what is wrong.\n\n\
        Each runner has its state, the reasons that hold a pause with their readings, its task, \
        its problems with a way out, and what stands between a job and your own files.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    only: Only,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl status
  runnerctl status --runner mac-mini-01
  runnerctl status --json | jq -r '.runners[] | [.name, .state] | @tsv'";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let mut snapshot = place::client()?.snapshot(Detail::Usage).await?;
    let shown = choose::some(&snapshot, args.only.runner.as_ref())?;
    snapshot.runners = shown.into_iter().cloned().collect();
    let mut screen = Screen::stdout();
    if args.shape.json {
        return Ok(screen.json(&snapshot)?);
    }
    Ok(show(&mut screen, &snapshot, &clock::now())?)
}

fn show(screen: &mut Screen, snapshot: &Snapshot, now: &ZonedDateTime) -> std::io::Result<()> {
    if !snapshot.problems.is_empty() {
        screen.line("  ", &[(Tone::Bad, "▲"), (Tone::Strong, "This machine")])?;
        problems(screen, &snapshot.problems, now)?;
        screen.blank()?;
    }
    if let Some(after) = &snapshot.after_task {
        let since = words::moment(after.since, now);
        screen.say(format!(
            "After the task {} (asked for {since}; runnerctl after-task cancel).",
            words::after_task(after.act)
        ))?;
        screen.blank()?;
    }
    if let Some(why) = snapshot.keep_awake.as_ref().and_then(|awake| awake.why_not.as_ref()) {
        screen.say(format!("The machine may sleep while a task runs. {why}"))?;
        screen.blank()?;
    }
    if snapshot.runners.is_empty() {
        screen.say("No runner is set up yet.")?;
        return screen.say(choose::SET_ONE_UP);
    }
    if snapshot.runners.len() > 1 {
        screen.say(counts(&snapshot.runners))?;
        screen.blank()?;
    }
    for (index, runner) in snapshot.runners.iter().enumerate() {
        if index > 0 {
            screen.blank()?;
        }
        show_runner(screen, runner, now)?;
    }
    Ok(())
}

/// "3 runners: 1 busy, 2 idle", by the order in which they are listed.
fn counts(runners: &[Runner]) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for runner in runners {
        let (_, word, _) = words::state(runner.state);
        match states.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => states.push((word, 1)),
        }
    }
    let states: Vec<String> =
        states.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    format!("{} runners: {}", runners.len(), states.join(", "))
}

fn show_runner(screen: &mut Screen, runner: &Runner, now: &ZonedDateTime) -> std::io::Result<()> {
    let (shape, word, tone) = words::state(runner.state);
    screen.line(
        "  ",
        &[
            (tone, shape),
            (Tone::Strong, runner.name.as_str()),
            (Tone::Plain, runner.resource_class.as_str()),
            (tone, word),
        ],
    )?;
    let for_how_long = words::between(runner.state_since, now.timestamp());
    let headline = runner.headline.trim_end_matches('.');
    screen.field("now", Tone::Plain, &format!("{headline} (for {for_how_long})"))?;
    problems(screen, &runner.problems, now)?;
    if let Some(install) = &runner.install {
        screen.field("download", Tone::Plain, &words::download(install))?;
    }
    for reason in &runner.pause_reasons {
        screen.field("paused", Tone::Plain, &pause(reason, now))?;
    }
    if let Some(task) = &runner.task {
        show_task(screen, task, now)?;
    }
    if let Some(last) = runner.last_task.as_ref().filter(|_| runner.task.is_none()) {
        let finished = words::moment(last.finished_at, now);
        let project = words::known(last.project.as_deref());
        let result = words::result(last.result);
        screen.field("last task", Tone::Plain, &format!("{project}, {result}, {finished}"))?;
    }
    let version = words::known(runner.agent_version.as_deref());
    let agent = match runner.agent_pid {
        Some(pid) => format!("version {version}, pid {pid}"),
        None => format!("version {version}, not running"),
    };
    screen.field("agent", Tone::Plain, &agent)?;
    screen.field("works in", Tone::Plain, &runner.working_directory)?;
    let meaning = match &runner.boundary {
        Boundary::SameUser { meaning } => meaning.clone(),
        Boundary::JobUser { user, meaning } => format!("Job user {user}. {meaning}"),
        Boundary::Unknown => words::UNKNOWN_BOUNDARY.to_owned(),
    };
    screen.field("boundary", Tone::Plain, &meaning)
}

fn show_task(screen: &mut Screen, task: &Task, now: &ZonedDateTime) -> std::io::Result<()> {
    let so_far = words::between(task.started_at, now.timestamp());
    let ending = if task.cancelling { ", being cancelled" } else { "" };
    screen.field("task", Tone::Strong, &format!("{}, {so_far}{ending}", words::task(task)))?;
    screen.field("step", Tone::Plain, words::known(task.step.as_deref()))?;
    if let Some(link) = &task.link {
        screen.field("link", Tone::Plain, link)?;
    }
    screen.field("in", Tone::Plain, words::known(task.directory.as_deref()))?;
    if let Some(used) = &task.usage {
        screen.field("uses", Tone::Plain, &usage(used))?;
    }
    screen.field("task id", Tone::Plain, &task.id.to_string())
}

/// "5 processes, CPU 312 %, memory 3.4 GB".
fn usage(usage: &Usage) -> String {
    let processes = match usage.processes {
        1 => "1 process".to_owned(),
        several => format!("{several} processes"),
    };
    let cpu = match usage.cpu_percent {
        Some(percent) => format!("CPU {percent:.0} %"),
        None => format!("CPU {:.1} s so far", usage.cpu_seconds),
    };
    format!("{processes}, {cpu}, memory {}", words::size(usage.memory))
}

/// "by you since 16:58, until 17:30 (in 32 min)", and below it the reading and the note.
fn pause(reason: &PauseReason, now: &ZonedDateTime) -> String {
    let since = words::moment(reason.since, now);
    let until = reason.until.map(|until| {
        let left = words::left(until.duration_since(now.timestamp()));
        format!("{} (in {left})", words::moment(until, now))
    });
    let until = words::led_by(", until ", until.as_deref());
    let reading = words::led_by("\n", reason.reading.as_deref());
    let note = words::led_by("\n", reason.note.as_deref());
    format!("by {} since {since}{until}{reading}{note}", words::pause_by(reason.by))
}

/// What happened, why we think so, what to do: in that order.
fn problems(screen: &mut Screen, problems: &[Problem], now: &ZonedDateTime) -> std::io::Result<()> {
    for problem in problems {
        screen.field("problem", Tone::Bad, &problem.summary)?;
        let since = since(problem.since, now);
        let reading = match &problem.reading {
            Some(reading) => format!("{reading}; {since}"),
            None => since,
        };
        screen.field("", Tone::Plain, &reading)?;
        screen.field("", Tone::Plain, &problem.hint)?;
        if let Some(details) = &problem.details {
            screen.field("details", Tone::Quiet, details)?;
        }
    }
    Ok(())
}

fn since(since: Timestamp, now: &ZonedDateTime) -> String {
    format!("since {}", words::moment(since, now))
}
