//! `runnerctl preferences`: what the owner chooses for the whole machine.

use protocol::{KeepAwakeChange, NotificationChange, Preferences, PreferencesChange};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::place;
use crate::print::Screen;

/// Show or change what holds for the whole machine
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show or change what holds for the whole machine: whether it stays awake while a task \
        runs, and what notifications tell.\n\n\
        They stand in the settings file too, under [keep_awake] and [notifications].",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show all of them
    #[command(
        after_help = "Examples:\n  runnerctl preferences show\n  runnerctl preferences show --json"
    )]
    Show {
        #[command(flatten)]
        shape: Shape,
    },
    /// Change one
    #[command(
        after_help = "Examples:\n  runnerctl preferences set keep-awake off\n  runnerctl preferences set battery-floor 50\n  runnerctl preferences set notify-tasks on"
    )]
    Set {
        #[arg(value_enum, value_name = "NAME")]
        name: Name,
        /// on or off; for battery-floor a number from 0 to 100
        #[arg(value_name = "VALUE")]
        value: String,
        #[command(flatten)]
        shape: Shape,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Name {
    /// Stay awake while a task runs [at first: on]
    KeepAwake,
    /// On battery below this, in percent, sleep all the same [at first: 30]
    BatteryFloor,
    /// Tell of problems, and when they are over [at first: on]
    NotifyProblems,
    /// Tell when a pause ends by itself [at first: on]
    NotifyPauseEnded,
    /// Tell of every task that is over [at first: off]
    NotifyTasks,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl preferences show
  runnerctl preferences set keep-awake off
  runnerctl preferences set notify-tasks on";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let (preferences, shape) = match args.act {
        Act::Show { shape } => (place::client()?.preferences().await?, shape),
        Act::Set { name, value, shape } => {
            let change = change(name, &value)?;
            (place::client()?.prefer(&change).await?, shape)
        }
    };
    show(preferences, &shape)
}

fn change(name: Name, value: &str) -> Result<PreferencesChange, Failure> {
    let (mut keep, mut tell) = (KeepAwakeChange::default(), NotificationChange::default());
    match name {
        Name::KeepAwake => keep.on = Some(switch(value)?),
        Name::BatteryFloor => keep.battery_floor_percent = Some(percent(value)?),
        Name::NotifyProblems => tell.problems = Some(switch(value)?),
        Name::NotifyPauseEnded => tell.pause_ended = Some(switch(value)?),
        Name::NotifyTasks => tell.tasks = Some(switch(value)?),
    }
    Ok(PreferencesChange {
        keep_awake: Some(keep).filter(|keep| *keep != KeepAwakeChange::default()),
        notifications: Some(tell).filter(|tell| *tell != NotificationChange::default()),
    })
}

fn switch(value: &str) -> Result<bool, Failure> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(Failure::usage(format!("'{other}' is neither on nor off."), "Say on or off.")),
    }
}

fn percent(value: &str) -> Result<u8, Failure> {
    let percent = value.trim_end_matches('%').parse().ok().filter(|percent| *percent <= 100);
    percent.ok_or_else(|| {
        Failure::usage(format!("'{value}' is no percentage."), "Give a number from 0 to 100.")
    })
}

fn show(preferences: Preferences, shape: &Shape) -> Result<(), Failure> {
    let mut screen = Screen::stdout();
    if shape.json {
        return Ok(screen.json(&preferences)?);
    }
    let word = |on: bool| if on { "on" } else { "off" }.to_owned();
    let Preferences { keep_awake, notifications } = preferences;
    let row = |name: &str, value: String, words: &str| vec![name.into(), value, words.to_owned()];
    screen.table(
        &["NAME", "VALUE", ""],
        &[
            row("keep-awake", word(keep_awake.on), "stay awake while a task runs"),
            row(
                "battery-floor",
                format!("{} %", keep_awake.battery_floor_percent),
                "on battery below this, sleep all the same",
            ),
            row("notify-problems", word(notifications.problems), "tell of problems and their end"),
            row(
                "notify-pause-ended",
                word(notifications.pause_ended),
                "tell when a pause ends by itself",
            ),
            row("notify-tasks", word(notifications.tasks), "tell of every task that is over"),
        ],
    )?;
    Ok(())
}
