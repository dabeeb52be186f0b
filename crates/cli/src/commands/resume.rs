//! `runnerctl resume`: clears the user's own pause; other reasons hold until they end by themselves.

use client::Detail;
use protocol::{PauseBy, PauseReason};

use crate::arguments::Which;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, clock, place, words};

/// Claim tasks again, unless something other than you holds the runner
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl resume
  runnerctl resume --runner mac-mini-01";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let before = client.snapshot(Detail::Plain).await?;
    let runner = choose::one(&before, args.which.runner.as_ref())?;
    let name = &runner.name;
    client.resume(name).await?;

    let mut screen = Screen::stdout();
    let yours = runner.pause_reasons.iter().any(|reason| reason.by == PauseBy::You);
    let after = client.snapshot(Detail::Plain).await?;
    let others = &choose::one(&after, Some(name))?.pause_reasons;
    screen.say(match (yours, others.is_empty()) {
        (true, true) => format!("{name} claims tasks again."),
        (false, true) => format!("{name} was not paused."),
        (true, false) => format!("Your pause of {name} is over, but it is still paused:"),
        (false, false) => format!("{name} was not paused by you, but it is paused:"),
    })?;
    for reason in others {
        screen.say(format!("  by {}", held(reason)))?;
    }
    Ok(())
}

fn held(reason: &PauseReason) -> String {
    let until = reason.until.map(|until| words::moment(until, &clock::now()));
    let until = words::led_by(" until ", until.as_deref());
    let reading = words::led_by(": ", reason.reading.as_deref());
    format!("{}{until}{reading}", words::pause_by(reason.by))
}
