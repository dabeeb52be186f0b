//! `runnerctl pause`: claim no more tasks; the one that runs goes on to its end.

use client::Detail;
use protocol::Pause;

use crate::arguments::Which;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, clock, place, when, words};

/// Claim no more tasks; the running one goes on to its end
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Claim no more tasks; the running one goes on to its end.\n\n\
        Without --for or --until the pause lasts until you resume. A new pause takes the place of \
        your earlier one. Times are in this machine's time zone; the end is kept as one moment, so \
        that neither sleep nor a change of the clock moves it.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// How long: 15m, 1h30m, 2 days
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    duration: Option<String>,
    /// Until when: 17:30, "tomorrow 09:00", 2026-11-24T09:00
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why, for whoever looks at the status
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl pause
  runnerctl pause --for 1h30m
  runnerctl pause --until \"tomorrow 09:00\" --note \"giving a talk\"
  runnerctl pause --until 2026-11-24T09:00+01:00";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let now = clock::now();
    let until = match (&args.duration, &args.until) {
        (Some(duration), _) => Some(when::after(duration, &now)?),
        (None, Some(time)) => Some(when::until(time, &now)?),
        (None, None) => None,
    };
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let name = &choose::one(&snapshot, args.which.runner.as_ref())?.name;
    client.pause(name, &Pause { until, note: args.note }).await?;

    let mut screen = Screen::stdout();
    let end = match until {
        Some(until) => format!("until {}", words::moment(until, &now)),
        None => "until you resume it".to_owned(),
    };
    screen.say(format!("{name} claims no tasks {end}."))?;
    // What runs may have changed since the first look.
    let snapshot = client.snapshot(Detail::Plain).await?;
    if let Some(task) = choose::one(&snapshot, Some(name))?.task.as_ref() {
        let so_far = words::between(task.started_at, now.timestamp());
        screen.say(format!("Its task goes on to its end: {}, {so_far}.", words::task(task)))?;
    }
    Ok(())
}
