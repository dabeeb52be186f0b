//! `runnerctl logs`: what the agent said, page by page; with `-f` for as long as one looks.

use std::collections::VecDeque;
use std::time::Duration;

use client::{Client, ClientError, Detail, LogQuery};
use protocol::{LogPage, RunnerName};
use tokio::time::{Instant, sleep};

use crate::arguments::{Shape, Which};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, place};

/// Print the agent's log
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Print the agent's log, the newest run's.\n\n\
        Tokens are taken out before it is shown, and on a terminal so is what would drive the \
        terminal. With --follow it goes on with the next run when this one ends.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Go on printing what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Begin with the last N lines
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl logs -n 50
  runnerctl logs -f -n 0                what is written from now on
  runnerctl logs --json | jq -r .text   one page a line";

/// How long a supervisor may be away, to be started anew, while its log is followed.
const AWAY: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let name = choose::one(&snapshot, args.which.runner.as_ref())?.name.clone();
    let mut screen = Screen::stdout();
    let mut next = written(&args, &client, &name, &mut screen).await?;
    if !args.follow {
        return Ok(());
    }
    loop {
        let page = wait_for_more(&client, &name, &next).await?;
        if page.text.is_empty() {
            // The supervisor has waited already, but for a runner that has no run yet.
            sleep(BETWEEN_LOOKS).await;
        } else {
            show(&args, &mut screen, &page)?;
        }
        next = page.next;
    }
}

/// Shows what is written so far, and gives where to go on.
async fn written(
    args: &Args,
    client: &Client,
    name: &RunnerName,
    screen: &mut Screen,
) -> Result<String, Failure> {
    let mut last_lines = args.lines.map(LastLines::new);
    let mut next: Option<String> = None;
    loop {
        let query = LogQuery { from: next.as_deref(), ..LogQuery::default() };
        let page = client.logs(name, query).await?;
        // A page that leads nowhere is an end, whatever it says of itself.
        let at_end = page.at_end || next.as_ref() == Some(&page.next) || page.next.is_empty();
        match &mut last_lines {
            None => show(args, screen, &page)?,
            Some(lines) => {
                lines.add(&page.text);
                if at_end {
                    show(args, screen, &LogPage { text: lines.text(), ..page.clone() })?;
                }
            }
        }
        if at_end {
            return Ok(page.next);
        }
        next = Some(page.next);
    }
}

fn show(args: &Args, screen: &mut Screen, page: &LogPage) -> std::io::Result<()> {
    if args.shape.json { screen.json_line(page) } else { screen.text(&page.text) }
}

/// The next page, as soon as there is one; a supervisor that is started anew meanwhile is waited for.
async fn wait_for_more(client: &Client, name: &RunnerName, from: &str) -> Result<LogPage, Failure> {
    // Where there is no run there is no place in it either.
    let from = Some(from).filter(|from| !from.is_empty());
    let query = LogQuery { from, limit: None, wait: true };
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

/// The end of a text that comes in pages of whole lines.
struct LastLines {
    most: usize,
    lines: VecDeque<String>,
}

impl LastLines {
    fn new(most: usize) -> Self {
        Self { most, lines: VecDeque::new() }
    }

    fn add(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            self.lines.push_back(line.to_owned());
            if self.lines.len() > self.most {
                self.lines.pop_front();
            }
        }
    }

    fn text(&mut self) -> String {
        self.lines.drain(..).collect()
    }
}
