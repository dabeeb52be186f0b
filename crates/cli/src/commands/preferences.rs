//! `runnerctl preferences`: what the owner chooses for the whole machine.

use protocol::{
    CleanupChange, CleanupPreference, KeepAwakeChange, NotificationChange, Preferences,
    PreferencesChange, Weekly, WhenCleanupFails,
};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::place;
use crate::print::Screen;

/// Show or change what holds for the whole machine
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show or change what holds for the whole machine: whether it stays awake while a task \
        runs, what notifications tell, and how the disk is kept from filling up.\n\n\
        They stand in the settings file too, under [keep_awake], [notifications] and [cleanup].",
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
        /// on or off; for battery-floor a number from 0 to 100; for the clean-up's what its help says
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
    /// With fewer GB free no task is claimed; 0 for never, `auto` for 10 GB or a twentieth of a
    /// small disk [at first: auto]
    StopBelow,
    /// With more GB free they are claimed again; `auto` for half as much again [at first: auto]
    GoOnAbove,
    /// Seconds that a task waits for the clean-up before it, at most [at first: 120]
    CleanLimit,
    /// What becomes of a task whose clean-up failed: go-on or fail-task [at first: go-on]
    CleanFails,
    /// End what a task leaves running [at first: off]
    EndLeftOvers,
    /// A time of the week for clean-up, such as sun-03, or off [at first: off]
    CleanWeekly,
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
    let mut clean = CleanupChange::default();
    match name {
        Name::KeepAwake => keep.on = Some(switch(value)?),
        Name::BatteryFloor => keep.battery_floor_percent = Some(percent(value)?),
        Name::NotifyProblems => tell.problems = Some(switch(value)?),
        Name::NotifyPauseEnded => tell.pause_ended = Some(switch(value)?),
        Name::NotifyTasks => tell.tasks = Some(switch(value)?),
        Name::StopBelow => clean.stop_below_gb = Some(mark(value)?),
        Name::GoOnAbove => clean.go_on_above_gb = Some(mark(value)?),
        Name::CleanLimit => clean.before_task_seconds = Some(seconds(value)?),
        Name::CleanFails => clean.when_it_fails = Some(when_it_fails(value)?),
        Name::EndLeftOvers => clean.end_left_overs = Some(switch(value)?),
        Name::CleanWeekly => clean.weekly = Some(weekly(value)?),
    }
    Ok(PreferencesChange {
        keep_awake: Some(keep).filter(|keep| *keep != KeepAwakeChange::default()),
        notifications: Some(tell).filter(|tell| *tell != NotificationChange::default()),
        cleanup: Some(clean).filter(|clean| *clean != CleanupChange::default()),
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

/// Whole GB; nothing: as it is without a word.
fn mark(value: &str) -> Result<Option<u32>, Failure> {
    if value == "auto" {
        return Ok(None);
    }
    let number = value.trim_end_matches("GB").trim_end_matches("gb").trim();
    number.parse().map(Some).map_err(|_| {
        Failure::usage(format!("'{value}' is no number of GB."), "Give a whole number, or auto.")
    })
}

fn seconds(value: &str) -> Result<u32, Failure> {
    let number = value.trim_end_matches('s').trim();
    number.parse().map_err(|_| {
        Failure::usage(format!("'{value}' is no number of seconds."), "Give one from 1 to 3600.")
    })
}

fn when_it_fails(value: &str) -> Result<WhenCleanupFails, Failure> {
    match value {
        "go-on" => Ok(WhenCleanupFails::GoOn),
        "fail-task" => Ok(WhenCleanupFails::FailTask),
        other => Err(Failure::usage(
            format!("'{other}' is neither go-on nor fail-task."),
            "Say go-on or fail-task.",
        )),
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn weekly(value: &str) -> Result<Option<Weekly>, Failure> {
    if value == "off" {
        return Ok(None);
    }
    let read = || {
        let (day, hour) = value.split_once('-')?;
        let day = DAYS.iter().position(|known| *known == day.to_ascii_lowercase())?;
        let hour = hour.parse().ok().filter(|hour| *hour < 24)?;
        Some(Weekly { day: u8::try_from(day + 1).ok()?, hour })
    };
    read().map(Some).ok_or_else(|| {
        Failure::usage(
            format!("'{value}' is no time of the week."),
            "Give a day and an hour, such as sun-03, or off.",
        )
    })
}

fn show(preferences: Preferences, shape: &Shape) -> Result<(), Failure> {
    let mut screen = Screen::stdout();
    if shape.json {
        return Ok(screen.json(&preferences)?);
    }
    let word = |on: bool| if on { "on" } else { "off" }.to_owned();
    let Preferences { keep_awake, notifications, cleanup } = preferences;
    let CleanupPreference {
        stop_below_gb,
        go_on_above_gb,
        before_task_seconds,
        when_it_fails,
        end_left_overs,
        weekly,
    } = cleanup;
    let gb = |mark: Option<u32>| mark.map_or_else(|| "auto".to_owned(), |gb| format!("{gb} GB"));
    let fails = match when_it_fails {
        WhenCleanupFails::GoOn => "go-on",
        WhenCleanupFails::FailTask => "fail-task",
    };
    let time = weekly.map_or_else(
        || "off".to_owned(),
        |at| {
            let day = DAYS.get(usize::from(at.day).saturating_sub(1)).copied().unwrap_or("mon");
            format!("{day}-{:02}", at.hour)
        },
    );
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
            row("stop-below", gb(stop_below_gb), "with less free no task is claimed"),
            row("go-on-above", gb(go_on_above_gb), "with more free they are claimed again"),
            row(
                "clean-limit",
                format!("{before_task_seconds} s"),
                "a task waits so long for its clean-up at most",
            ),
            row("clean-fails", fails.to_owned(), "what becomes of a task whose clean-up failed"),
            row("end-left-overs", word(end_left_overs), "end what a task leaves running"),
            row("clean-weekly", time, "clean up once a week, when no task runs"),
        ],
    )?;
    Ok(())
}
