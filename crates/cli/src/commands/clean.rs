//! `runnerctl clean`: the plan, and its carrying out; what was done; and taking it back.

use client::{Client, ClientError};
use protocol::{
    AskPlan, Bytes, CarryOut, CleanupPlan, CleanupReceipt, CleanupStage, CleanupWhy, PlanGroup,
    RunnerName, WorkDirId,
};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::meanwhile::meanwhile;
use crate::print::Screen;
use crate::{clock, place, words};

/// Remove what tasks left behind, as planned
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Remove what tasks left behind. What goes is a list that is made first; `--dry-run` \
        shows that list and does nothing, and without it the same list is carried out. Without a \
        `--preset` or `--directory` it is what is switched on: see `runnerctl presets`.\n\n\
        Files are first set aside: for ten minutes `runnerctl clean --undo` puts them back. Where the \
        disk is nearly full they go at once. What a task works in is never touched.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// Show what would go and why, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do this preset alone; may be said again
    #[arg(long, value_name = "ID")]
    preset: Vec<String>,
    /// Remove this working directory, as `runnerctl workdirs` shows it; may be said again
    #[arg(long, value_name = "DIRECTORY")]
    directory: Vec<String>,
    /// Of this runner alone
    #[arg(long, value_name = "NAME")]
    runner: Option<RunnerName>,
    /// Show what the last clean-ups did
    #[arg(long, conflicts_with_all = ["dry_run", "preset", "directory", "runner", "undo", "stop"])]
    receipts: bool,
    /// How many receipts
    #[arg(long, value_name = "N", default_value_t = 20, requires = "receipts",
          value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Go on after this receipt, the last of an earlier list
    #[arg(long, value_name = "NUMBER", requires = "receipts")]
    before: Option<u64>,
    /// Put back what the last clean-up by hand removed, or the one with this number
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "0",
          conflicts_with_all = ["dry_run", "preset", "directory", "runner", "stop"])]
    undo: Option<u64>,
    /// End the clean-up that runs; what it has not begun stays
    #[arg(long, conflicts_with_all = ["dry_run", "preset", "directory", "runner"])]
    stop: bool,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl clean --dry-run
  runnerctl clean
  runnerctl clean --preset npm-cache --preset cargo-cache
  runnerctl clean --directory mini/20261123T120000.000Z-a1b2c3.4
  runnerctl clean --undo
  runnerctl clean --receipts --limit 5
  runnerctl clean --receipts --json";

/// Items of a group that are shown; `--json` has more.
const SHOWN: usize = 8;
/// More than tasks leave in the time in which one can be undone.
const MANY: u32 = 100;

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let mut screen = Screen::stdout();
    if args.stop {
        client.stop_cleanup().await?;
        return Ok(screen.say("No clean-up runs any more, or it is about to end.")?);
    }
    if let Some(receipt) = args.undo {
        return undo(&client, receipt, &args.shape, &mut screen).await;
    }
    if args.receipts {
        return receipts(&client, args.before, args.limit, &args.shape, &mut screen).await;
    }
    let asked = AskPlan {
        presets: (!args.preset.is_empty()).then_some(args.preset),
        directories: args.directory.into_iter().map(WorkDirId).collect(),
        runner: args.runner,
    };
    let plan = watched(&client, client.plan_cleanup(&asked)).await?;
    if args.dry_run {
        if args.shape.json {
            return Ok(screen.json(&plan)?);
        }
        return show(&plan, &mut screen);
    }
    if plan.entries == 0 && !args.shape.json {
        show(&plan, &mut screen)?;
        return if plan.failures.is_empty() { Ok(()) } else { Err(not_all()) };
    }
    let carry_out = CarryOut { plan: plan.id, presets: None };
    let receipt = watched(&client, client.clean_up(&carry_out)).await?;
    if args.shape.json {
        screen.json(&receipt)?;
    } else {
        tell(&receipt, &mut screen)?;
    }
    let stayed = receipt.failures.len() as u64 + receipt.more_failures;
    if stayed > 0 || receipt.cut_short.is_some() {
        return Err(not_all());
    }
    Ok(())
}

fn not_all() -> Failure {
    Failure::failed(
        "Not all of it could be removed.".to_owned(),
        "What stayed, and the way out, is above.",
    )
}

async fn watched<T>(
    client: &Client,
    answer: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Failure> {
    meanwhile(client, answer, |snapshot| {
        let runs = snapshot.cleanup.as_ref()?;
        let verb = match runs.stage {
            CleanupStage::Measuring => "Measured",
            CleanupStage::Removing => "Removed",
            CleanupStage::Other => "Worked on",
        };
        let of = runs.of.filter(|of| of.0 > 0);
        let of = of.map(|of| format!(" of {}", words::size(of))).unwrap_or_default();
        Some(format!("{verb} {} entries, {}{of}", runs.entries, words::size(runs.bytes)))
    })
    .await
}

fn show(plan: &CleanupPlan, screen: &mut Screen) -> Result<(), Failure> {
    let (does, idle): (Vec<&PlanGroup>, Vec<&PlanGroup>) =
        plan.groups.iter().partition(|group| !group.items.is_empty());
    for group in does {
        let bytes = group.bytes.map_or_else(|| "size not known".to_owned(), words::size);
        screen.say(format!("{} ({}): {bytes}", group.title, group.preset))?;
        for item in group.items.iter().take(SHOWN) {
            let size = item.bytes.map_or_else(|| "-".to_owned(), words::size);
            screen.field(
                &size,
                crate::print::Tone::Plain,
                &format!("{}: {}", item.what, item.why),
            )?;
        }
        let hidden = group.items.len().saturating_sub(SHOWN) as u64 + group.more;
        if hidden > 0 {
            screen.field("", crate::print::Tone::Quiet, &format!("and {hidden} more"))?;
        }
        if let Some(note) = &group.note {
            screen.field("", crate::print::Tone::Quiet, note)?;
        }
        screen.blank()?;
    }
    for group in idle {
        let why = group.note.clone().unwrap_or_else(|| "Nothing has to go.".to_owned());
        screen.field(&group.preset, crate::print::Tone::Quiet, &why)?;
    }
    for failure in &plan.failures {
        screen.say(format!("Left out: {}. {} {}", failure.path, failure.why, failure.way_out))?;
    }
    screen.say(if plan.entries == 0 {
        "Nothing would go.".to_owned()
    } else {
        format!("{} entries would go, {}.", plan.entries, words::size(plan.bytes))
    })?;
    Ok(())
}

fn tell(receipt: &CleanupReceipt, screen: &mut Screen) -> Result<(), Failure> {
    let went: u64 = receipt.groups.iter().map(|group| group.went).sum();
    let until = receipt.undo_until.filter(|_| !receipt.undone);
    let aside =
        receipt.groups.iter().filter_map(|group| group.set_aside).filter(|_| until.is_some());
    let (entries, bytes) = aside.fold((0, 0), |(n, sum), it| (n + it.entries, sum + it.bytes.0));
    if let Some(until) = until {
        screen.say(format!(
            "{entries} entries, {}, are set aside. They go for good at {}.",
            words::size(Bytes(bytes)),
            words::moment(until, &clock::now())
        ))?;
        screen.say(format!("To put them back: runnerctl clean --undo {}", receipt.id))?;
    }
    if until.is_none() || went > entries {
        let gone = went.saturating_sub(entries);
        screen.say(format!("{gone} entries went, {} freed.", words::size(receipt.freed)))?;
    }
    for group in receipt.groups.iter().filter(|group| group.went + group.stayed > 0) {
        let stayed =
            if group.stayed > 0 { format!(", {} stayed", group.stayed) } else { String::new() };
        let words = format!("{}: {} went{stayed}", group.title, group.went);
        screen.field(&words::size(group.freed), crate::print::Tone::Plain, &words)?;
    }
    for volume in &receipt.volumes {
        screen.say(format!(
            "{}: {} free before, {} after.",
            volume.path,
            words::size(volume.free_before),
            words::size(volume.free_after)
        ))?;
    }
    for failure in &receipt.failures {
        screen.say(format!("Stayed: {}. {} {}", failure.path, failure.why, failure.way_out))?;
    }
    if receipt.more_failures > 0 {
        screen.say(format!("and {} more stayed.", receipt.more_failures))?;
    }
    if let Some(why) = &receipt.cut_short {
        screen.say(format!("It ended early: {why}"))?;
    }
    Ok(())
}

async fn receipts(
    client: &Client,
    before: Option<u64>,
    limit: u32,
    shape: &Shape,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let found = client.cleanup_receipts(before, Some(limit)).await?;
    if shape.json {
        return Ok(screen.json(&found)?);
    }
    if found.receipts.is_empty() {
        let none = if before.is_some() {
            "There are no earlier ones."
        } else {
            "Nothing was cleaned up yet."
        };
        return Ok(screen.say(none)?);
    }
    let now = clock::now();
    for receipt in &found.receipts {
        let why = match receipt.why {
            CleanupWhy::You => "by you".to_owned(),
            CleanupWhy::Weekly => "the weekly run".to_owned(),
            CleanupWhy::LowDisk => "the disk was nearly full".to_owned(),
            CleanupWhy::BeforeTask => match &receipt.runner {
                Some(runner) => format!("before a task of {runner}"),
                None => "before a task".to_owned(),
            },
            CleanupWhy::Rest => "the rest of earlier ones".to_owned(),
            CleanupWhy::Other => "by a newer version".to_owned(),
        };
        let undone = if receipt.undone { ", put back" } else { "" };
        screen.say(format!(
            "{}  {}  {why}{undone}",
            receipt.id,
            words::moment(receipt.at, &now)
        ))?;
        tell(receipt, screen)?;
        screen.blank()?;
    }
    if let Some(before) = found.before {
        screen.say(format!("Earlier ones: the same with --before {before}"))?;
    }
    Ok(())
}

async fn undo(
    client: &Client,
    receipt: u64,
    shape: &Shape,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let number = if receipt > 0 {
        receipt
    } else {
        let last = client.cleanup_receipts(None, Some(MANY)).await?.receipts;
        let last = last.into_iter().find(|receipt| receipt.undo_until.is_some());
        last.map(|receipt| receipt.id).ok_or_else(|| {
            Failure::failed(
                "There is nothing to put back.".to_owned(),
                "What is removed by hand can be put back for ten minutes.",
            )
        })?
    };
    let undone = client.undo_cleanup(number).await?;
    if shape.json {
        screen.json(&undone)?;
    } else {
        screen.say(format!("{} entries are back.", undone.put_back))?;
        for why in &undone.not {
            screen.say(format!("Not put back: {why}"))?;
        }
    }
    if undone.not.is_empty() {
        return Ok(());
    }
    Err(Failure::failed("Not all of it could be put back.".to_owned(), "Why is above."))
}
