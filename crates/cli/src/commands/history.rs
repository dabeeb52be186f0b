//! `runnerctl history`: the tasks that are over, newest first.

use client::HistoryQuery;
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use protocol::{FinishedTask, HistorySpan, Outcome, TaskId};

use crate::arguments::{Only, Shape};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{clock, place, since, words};

/// List the tasks that are over, newest first
#[derive(Debug, clap::Args)]
#[command(
    long_about = "List the tasks that are over, newest first.\n\n\
        The result is what this machine saw; CircleCI has the last word. Tasks are forgotten after \
        400 days, and of each runner the oldest beyond 100,000; both can be changed in the \
        settings, under [history].",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    only: Only,
    /// Show those that ended so
    #[arg(long, value_enum, value_name = "RESULT")]
    result: Option<Ended>,
    /// Show those of this project, by its whole name
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// Show those that ended since then: a time ago or a moment, for example 24h or 2026-11-01
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Show those that ended before then, said likewise
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on after this task, the last of an earlier list
    #[arg(long, value_name = "TASK_ID")]
    before: Option<TaskId>,
    /// Sum them up by days, or by the hours of one day; --since names the first day, or the one
    #[arg(long, value_enum, value_name = "SPAN", conflicts_with_all = ["result", "project", "until", "limit", "before"])]
    by: Option<By>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum By {
    /// The last two weeks, or since --since
    Day,
    /// Of today, or of the day of --since
    Hour,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Ended {
    Succeeded,
    Failed,
    Cancelled,
    Lost,
    Unknown,
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Succeeded => Self::Succeeded,
            Ended::Failed => Self::Failed,
            Ended::Cancelled => Self::Cancelled,
            Ended::Lost => Self::Lost,
            Ended::Unknown => Self::Unknown,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  runnerctl history
  runnerctl history --result failed --since \"7 days\"
  runnerctl history --project acme/web-app --since 2026-11-01
  runnerctl history --since 2026-11-23 --until 2026-11-24
  runnerctl history --by day
  runnerctl history --by hour --since 2026-11-23 --json
  runnerctl history --limit 100 --json | jq -r '.tasks[] | [.project, .result.outcome] | @tsv'";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let now = clock::now();
    let moment =
        |said: &Option<String>| said.as_deref().map(|text| since::since(text, &now)).transpose();
    let (since, until) = (moment(&args.since)?, moment(&args.until)?);
    if let Some(by) = args.by {
        return sums(&args, by, since, &now).await;
    }
    let query = HistoryQuery {
        runner: args.only.runner.as_ref(),
        result: args.result.map(Outcome::from),
        project: args.project.as_deref(),
        since,
        until,
        before: args.before.as_ref(),
        limit: Some(args.limit),
    };
    let page = place::client()?.history(query).await?;
    let mut screen = Screen::stdout();
    if args.shape.json {
        return Ok(screen.json(&page)?);
    }
    if page.tasks.is_empty() {
        let all = args.only.runner.is_none()
            && (args.result.is_none() && args.project.is_none())
            && (since.is_none() && until.is_none() && args.before.is_none());
        let none = if all {
            "No task has finished here yet."
        } else {
            "No task of that kind has finished here."
        };
        return Ok(screen.say(none)?);
    }
    screen.table(
        &["FINISHED", "RUNNER", "PROJECT", "BRANCH", "JOB", "BUILD", "TOOK", "RESULT"],
        &page.tasks.iter().map(|task| row(task, &now)).collect::<Vec<_>>(),
    )?;
    if let Some(before) = page.before {
        screen.blank()?;
        screen.say(format!("Earlier ones: the same with --before {before}"))?;
    }
    Ok(())
}

/// Days that are shown where none is named.
const USUAL_DAYS: i64 = 14;

async fn sums(
    args: &Args,
    by: By,
    since: Option<Timestamp>,
    now: &ZonedDateTime,
) -> Result<(), Failure> {
    let zone = now.time_zone();
    let named = since.map(|since| zone.to_datetime(since).date());
    let (client, runner) = (place::client()?, args.only.runner.as_ref());
    let tz = zone.iana_name();
    let today = now.date();
    let found = match by {
        By::Day => {
            let from = named.unwrap_or_else(|| today.saturating_sub((USUAL_DAYS - 1).days()));
            client.history_days(from, today, tz, runner).await?
        }
        By::Hour => client.history_hours(named.unwrap_or(today), tz, runner).await?,
    };
    let mut screen = Screen::stdout();
    if args.shape.json {
        return Ok(screen.json(&found)?);
    }
    let head = match by {
        By::Day => "DAY",
        By::Hour => "HOUR",
    };
    screen.table(
        &[head, "TASKS", "SUCCEEDED", "FAILED", "OTHER", "MEDIAN", "LONGEST", "LENT"],
        &found.spans.iter().map(sum).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn sum(span: &HistorySpan) -> Vec<String> {
    let name = span.hour.map_or_else(|| span.day.clone(), |hour| format!("{hour:02}:00"));
    let long = |seconds: Option<f64>| {
        let known = seconds.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
        known.map_or_else(|| "-".to_owned(), words::duration)
    };
    vec![
        name,
        span.tasks.to_string(),
        span.succeeded.to_string(),
        span.failed.to_string(),
        (span.cancelled + span.lost + span.unknown).to_string(),
        long(span.median_seconds),
        long(span.longest_seconds),
        long(Some(span.lent_seconds)),
    ]
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
