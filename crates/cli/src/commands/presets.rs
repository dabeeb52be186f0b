//! `runnerctl presets`: what clean-up can do, what of it is on, and how far it goes.

use protocol::{Bytes, Limits, Preset, PresetChange, Risk};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{place, words};

/// Show and switch what clean-up does
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show and switch what clean-up does. What is on is done by itself: before each task \
        where that is said, else in the weekly run and when the disk is nearly full, and never while a \
        task runs. By hand any of them can be run: `runnerctl clean --preset ID`.\n\n\
        Presets of your own stand in the settings file as [[cleanup.preset]].",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Switch one on or off, or say how far it goes
    #[command(
        long_about = "Switch one on or off, or say how far it goes.\n\n\
            Limits that are said take the place of all that hold: one that is not said has no say any \
            more. What holds then is told.",
        after_help = "Examples:\n  runnerctl presets set npm-cache on --at-most-gb 5\n  runnerctl presets set kept --keep-last 2 --unused-days 7\n  runnerctl presets set kept --usual-limits\n  runnerctl presets set fresh off"
    )]
    Set {
        #[arg(value_name = "ID")]
        id: String,
        /// on or off; absent: as it is
        #[arg(value_enum, value_name = "ON|OFF")]
        switch: Option<Switch>,
        /// The last so many stay
        #[arg(long, value_name = "NUMBER")]
        keep_last: Option<u32>,
        /// What was used within so many days stays
        #[arg(long, value_name = "DAYS")]
        unused_days: Option<u32>,
        /// Together they may have so many GB
        #[arg(long, value_name = "GB")]
        at_most_gb: Option<u32>,
        /// Its usual limits hold again
        #[arg(long, conflicts_with_all = ["keep_last", "unused_days", "at_most_gb"])]
        usual_limits: bool,
        #[command(flatten)]
        shape: Shape,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl presets
  runnerctl presets --json
  runnerctl presets set docker-images on --unused-days 14";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let mut screen = Screen::stdout();
    let Some(act) = args.act else {
        let found = client.presets().await?;
        if args.shape.json {
            return Ok(screen.json(&found)?);
        }
        let rows: Vec<Vec<String>> = found.presets.iter().map(row).collect();
        return Ok(screen.table(&["ID", "ON", "WHEN", "RISK", "WHAT STAYS", ""], &rows)?);
    };
    let Act::Set { id, switch, keep_last, unused_days, at_most_gb, usual_limits, shape } = act;
    let at_most = at_most_gb.map(|gb| Bytes(u64::from(gb) * 1_000_000_000));
    let limits = Limits { keep_last, unused_days, at_most };
    let change = PresetChange {
        on: switch.map(|switch| switch == Switch::On),
        limits: (usual_limits || limits != Limits::default()).then_some(limits),
    };
    if change == PresetChange::default() {
        return Err(Failure::usage(
            "Nothing is said of it.".to_owned(),
            "Say on or off, or a limit: runnerctl presets set --help",
        ));
    }
    let preset = client.change_preset(&id, &change).await?;
    if shape.json || args.shape.json {
        return Ok(screen.json(&preset)?);
    }
    screen.say(format!(
        "{} is {}{}.",
        preset.title,
        if preset.on { "on" } else { "off" },
        stays(preset.limits).map(|stays| format!("; what stays: {stays}")).unwrap_or_default()
    ))?;
    if let Some(why) = preset.not_here {
        screen.say(format!("It does nothing on this machine. {why}"))?;
    }
    Ok(())
}

fn row(preset: &Preset) -> Vec<String> {
    let risk = match preset.risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    };
    vec![
        preset.id.clone(),
        if preset.on { "on" } else { "off" }.to_owned(),
        if preset.before_task { "before a task" } else { "when idle" }.to_owned(),
        risk.to_owned(),
        stays(preset.limits).unwrap_or_else(|| "-".to_owned()),
        preset.not_here.clone().unwrap_or_else(|| preset.title.clone()),
    ]
}

/// In words; nothing where no limit has a say.
fn stays(limits: Limits) -> Option<String> {
    let Limits { keep_last, unused_days, at_most } = limits;
    let said = [
        keep_last.map(|keep| format!("the last {keep}")),
        unused_days.map(|days| format!("used within {days} days")),
        at_most.map(|bytes| format!("{} together", words::size(bytes))),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}
