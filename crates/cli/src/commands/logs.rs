//! `runnerctl logs`: what the agent said, page by page; with `-f` for as long as one looks.

use std::time::Duration;

use client::{Client, ClientError, Detail, LogQuery};
use protocol::{LogPage, RunId, RunnerName};
use tokio::time::{Instant, sleep};

use super::log_search;
use crate::arguments::{Shape, Which};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, place, words};

/// Print the agent's log
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Print the agent's log: the last lines of the newest run, or what is asked for.\n\n\
        Tokens are taken out before it is shown, and on a terminal so is what would drive the \
        terminal. With --follow it goes on with the next run when this one ends.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Another run than the newest; a task of it, as `runnerctl history` names it, will do
    #[arg(long, value_name = "RUN", value_parser = run_of)]
    run: Option<RunId>,
    /// Go on printing what is written from now on; with --run until that run ends
    #[arg(short, long)]
    follow: bool,
    /// Begin with the last N lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    lines: u64,
    /// Begin with the first line that is kept
    #[arg(long, conflicts_with = "lines")]
    all: bool,
    /// Begin at a place, as --search and --json name it
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["lines", "all"])]
    from: Option<String>,
    /// Print the lines with this word and their places; in either case unless it has a capital letter
    #[arg(long, value_name = "WORD", conflicts_with_all = ["lines", "all", "follow"])]
    search: Option<String>,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl logs -n 50
  runnerctl logs -f -n 0                what is written from now on
  runnerctl logs --all --run 20261123T181047.123Z-4f2a9c
  runnerctl logs --search \"exit code\"   lines with these words, each with its place
  runnerctl logs --from 41943           on from such a place
  runnerctl logs --json | jq -r .text   one page a line";

/// How long a supervisor may be away, to be started anew, while its log is followed.
const AWAY: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// In bytes; the largest that the supervisor gives.
const PAGE: u32 = 1 << 20;

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let name = choose::one(&snapshot, args.which.runner.as_ref())?.name.clone();
    let mut out = Out { screen: Screen::stdout(), json: args.shape.json, run: None };
    if let Some(word) = &args.search {
        let from = begins_at(&args, &client, &name).await?;
        let asked = log_search::Asked { name: &name, word, run: args.run.as_ref(), from };
        return log_search::run(&client, &asked, &mut out.screen, out.json).await;
    }
    let mut page = written(&args, &client, &name, &mut out).await?;
    while args.follow && !(args.run.is_some() && page.ended && page.at_end) {
        page = wait_for_more(&args, &client, &name, &page.next).await?;
        if page.text.is_empty() {
            // The supervisor has waited already, but for a runner that has no run yet.
            sleep(BETWEEN_LOOKS).await;
        } else {
            out.show(&page)?;
        }
    }
    Ok(())
}

/// Shows what is written so far, and gives the last page of it.
async fn written(
    args: &Args,
    client: &Client,
    name: &RunnerName,
    out: &mut Out,
) -> Result<LogPage, Failure> {
    let run = args.run.as_ref();
    let from = begins_at(args, client, name).await?;
    let lines = from.is_none().then_some(args.lines);
    let first =
        LogQuery { run, from: from.as_deref(), lines, limit: Some(PAGE), ..LogQuery::default() };
    let mut page = client.logs(name, first).await?;
    // An agent may write faster than anybody reads.
    let end = page.end.clone().unwrap_or_default();
    loop {
        out.show(&page)?;
        // A page that leads nowhere is an end, whatever it says of itself.
        let is_last = page.at_end || page.next == page.from || page.next.is_empty();
        if is_last || is_at(&page.next, &end) {
            return Ok(page);
        }
        let from = page.next.clone();
        let query = LogQuery { run, from: Some(&from), limit: Some(PAGE), ..LogQuery::default() };
        page = client.logs(name, query).await?;
        if page.text.is_empty() && page.next == from {
            return Ok(page);
        }
    }
}

/// Whether one place is at another of its run, or behind it.
fn is_at(place: &str, other: &str) -> bool {
    fn taken_apart(place: &str) -> Option<(&str, u64)> {
        let (run, byte) = place.rsplit_once(':')?;
        Some((run, byte.parse().ok()?))
    }
    let places = taken_apart(place).zip(taken_apart(other));
    places.is_some_and(|((run, at), (of, end))| run == of && at >= end)
}

/// The place to begin at, where it is not so many lines before the end.
async fn begins_at(
    args: &Args,
    client: &Client,
    name: &RunnerName,
) -> Result<Option<String>, Failure> {
    let byte = match &args.from {
        Some(place) if place.contains(':') => return Ok(Some(place.clone())),
        Some(byte) if byte.parse::<u64>().is_ok() => byte.as_str(),
        Some(other) => {
            return Err(Failure::usage(
                format!("'{other}' is no place in a log."),
                "Give one as --search and --json show it, for example 41943.",
            ));
        }
        None if args.all => "0",
        None => return Ok(None),
    };
    let run = match &args.run {
        Some(run) => Some(run.clone()),
        None => client.logs(name, LogQuery { lines: Some(0), ..LogQuery::default() }).await?.run,
    };
    Ok(run.map(|run| format!("{run}:{byte}")))
}

/// The next page, as soon as there is one; a supervisor that is started anew meanwhile is waited for.
async fn wait_for_more(
    args: &Args,
    client: &Client,
    name: &RunnerName,
    from: &str,
) -> Result<LogPage, Failure> {
    // Where there is no run there is no place in it either.
    let from = Some(from).filter(|from| !from.is_empty());
    let query = LogQuery { run: args.run.as_ref(), from, wait: true, ..LogQuery::default() };
    let mut away_since: Option<Instant> = None;
    loop {
        let error = match client.logs(name, query).await {
            Ok(page) => return Ok(page),
            Err(error @ ClientError::Refused(_)) => return Err(error.into()),
            Err(error @ (ClientError::NotReachable { .. } | ClientError::Broken { .. })) => error,
        };
        let since = *away_since.get_or_insert_with(|| {
            // Only a word on the side; the log itself goes on.
            let _ = Screen::stderr().say("The supervisor went away; waiting for it to come back.");
            Instant::now()
        });
        if since.elapsed() >= AWAY {
            return Err(error.into());
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

/// Where pages are printed, with a word on the side where the log has a gap or goes on elsewhere.
struct Out {
    screen: Screen,
    json: bool,
    run: Option<RunId>,
}

impl Out {
    fn show(&mut self, page: &LogPage) -> std::io::Result<()> {
        if self.json {
            return self.screen.json_line(page);
        }
        if let (Some(before), Some(run)) = (&self.run, &page.run)
            && before != run
        {
            Screen::stderr().say(format!("The log goes on with run {run}."))?;
        }
        if page.missed.0 > 0 {
            let size = words::size(page.missed);
            Screen::stderr().say(format!("{size} of the log are not kept any more."))?;
        }
        self.run = page.run.clone().or(self.run.take());
        self.screen.text(&page.text)
    }
}

/// The run, or the run of a task: `RUN` or `RUN.N`.
fn run_of(text: &str) -> Result<RunId, String> {
    let is_task = |(run, number): &(&str, &str)| {
        run.contains('-') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let run = text.rsplit_once('.').filter(is_task).map_or(text, |(run, _)| run);
    if run.is_empty() { Err("a run has a name".to_owned()) } else { Ok(RunId::from(run)) }
}
