//! `runnerctl preinstall`: what jobs need of this machine, looked at and installed.

use client::Client;
use protocol::{
    AskPreinstall, ItemChecked, ItemState, Preinstall, PreinstallHow, PreinstallPlan, RunnerName,
};

use super::{preinstall_lists, preinstall_progress, preinstall_report};
use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::{Screen, Tone};
use crate::{place, words};

/// See what jobs need of this machine, and install what is missing
#[derive(Debug, clap::Args)]
#[command(
    long_about = "See what jobs need of this machine, and install what is missing.\n\n\
        A name is a preset's, or an item's: `runnerctl preinstall list` has them all. Checks see the PATH \
        and the user that jobs have. What is there is never upgraded unless you say `--upgrade`, and \
        while something is installed no task is claimed.\n\n\
        Items and presets of your own stand in the settings file as [[preinstall.item]] and \
        [[preinstall.preset]].",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl preinstall list
  runnerctl preinstall check
  runnerctl preinstall plan essentials node
  runnerctl preinstall install essentials node
  runnerctl preinstall report > software.md
  runnerctl preinstall export ansible essentials > playbook.yml";

/// What is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// A preset, or an item where no preset has that name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// This item, though a preset has its name; may be said again
    #[arg(long, value_name = "ID")]
    item: Vec<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// List items and presets, and how each comes onto this machine
    #[command(
        after_help = "Examples:\n  runnerctl preinstall list\n  runnerctl preinstall list --json"
    )]
    List {
        #[command(flatten)]
        shape: Shape,
    },
    /// Look which of them are there; exits with 1 if one that was named is not
    #[command(
        after_help = "Examples:\n  runnerctl preinstall check\n  runnerctl preinstall check node --item git"
    )]
    Check {
        #[command(flatten)]
        named: Named,
        /// As this runner's jobs find them
        #[arg(long, value_name = "NAME")]
        runner: Option<RunnerName>,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show what would be installed: commands, sizes, and what needs an admin or you
    #[command(
        after_help = "Examples:\n  runnerctl preinstall plan essentials\n  runnerctl preinstall plan node --upgrade --json"
    )]
    Plan {
        #[command(flatten)]
        named: Named,
        /// As this runner's jobs find them
        #[arg(long, value_name = "NAME")]
        runner: Option<RunnerName>,
        /// Also install anew what is too old
        #[arg(long)]
        upgrade: bool,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show the plan and carry it out; exits with 1 if one that was named is not there then
    #[command(
        long_about = "Show the plan and carry it out; exits with 1 if one that was named is not there then. \
            At a terminal it asks first, unless you say `--yes` or `--json`. Where a step needs an admin it is run by `sudo -n`, which asks for \
            no password. It goes on in the supervisor though this command ends; a second one changes \
            nothing.",
        after_help = "Examples:\n  runnerctl preinstall install essentials\n  runnerctl preinstall install node --verbose\n  runnerctl preinstall install --cancel"
    )]
    Install {
        #[command(flatten)]
        named: Named,
        /// As this runner's jobs find them
        #[arg(long, value_name = "NAME")]
        runner: Option<RunnerName>,
        /// Also install anew what is too old
        #[arg(long)]
        upgrade: bool,
        /// Show what the tools write
        #[arg(long, short)]
        verbose: bool,
        /// Begin without asking
        #[arg(long, short)]
        yes: bool,
        /// End the installation that runs, after what it is at
        #[arg(long, conflicts_with_all = ["names", "item", "runner", "upgrade", "verbose", "yes"])]
        cancel: bool,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show what the last installation came to; exits with 1 if not all of it is there
    #[command(
        after_help = "Examples:\n  runnerctl preinstall last\n  runnerctl preinstall last --json"
    )]
    Last {
        #[command(flatten)]
        shape: Shape,
    },
    Report(preinstall_report::Args),
    Import(preinstall_lists::Import),
    Export(preinstall_lists::Export),
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let mut screen = Screen::stdout();
    match args.act {
        Act::List { shape } => list(&client, &shape, &mut screen).await,
        Act::Check { named, runner, shape } => {
            let asked = named.asked(&client, runner).await?;
            check(&client, asked, &shape, &mut screen).await
        }
        Act::Plan { named, runner, upgrade, shape } => {
            let asked = AskPreinstall { upgrade, ..named.asked(&client, runner).await? };
            let plan = planned(&client, &asked).await?;
            if shape.json {
                return Ok(screen.json(&plan)?);
            }
            show(&plan, &mut screen)
        }
        Act::Install { cancel: true, shape, .. } => {
            client.cancel_preinstall().await?;
            if shape.json {
                return Ok(screen.json(&serde_json::json!({}))?);
            }
            Ok(screen.say("No installation runs any more, or it ends after what it is at.")?)
        }
        Act::Install { named, runner, upgrade, verbose, yes, cancel: false, shape } => {
            let asked = AskPreinstall { upgrade, ..named.asked(&client, runner).await? };
            let plan = planned(&client, &asked).await?;
            if !shape.json {
                show(&plan, &mut screen)?;
                if !yes && !plan.steps.is_empty() && !preinstall_progress::agreed().await? {
                    screen.say("Nothing was installed.")?;
                    return Err(Failure::Told);
                }
            }
            preinstall_progress::install(&client, plan, verbose, &shape, &mut screen).await
        }
        Act::Last { shape } => preinstall_progress::last(&client, &shape, &mut screen).await,
        Act::Report(args) => preinstall_report::run(&client, args, &mut screen).await,
        Act::Import(args) => preinstall_lists::import(&client, args, &mut screen).await,
        Act::Export(args) => preinstall_lists::export(&client, args, &mut screen).await,
    }
}

impl Named {
    /// A name is a preset's before it is an item's.
    pub(super) async fn asked(
        self,
        client: &Client,
        runner: Option<RunnerName>,
    ) -> Result<AskPreinstall, Failure> {
        let Self { names, item: mut items } = self;
        let known = if names.is_empty() { None } else { Some(client.preinstall().await?) };
        let is_preset = |name: &String| {
            known.iter().flat_map(|known| &known.presets).any(|preset| preset.id == *name)
        };
        let (presets, rest): (Vec<String>, Vec<String>) = names.into_iter().partition(is_preset);
        items.extend(rest);
        Ok(AskPreinstall { items, presets, runner, upgrade: false })
    }
}

async fn planned(client: &Client, asked: &AskPreinstall) -> Result<PreinstallPlan, Failure> {
    if asked.items.is_empty() && asked.presets.is_empty() {
        return Err(Failure::usage(
            "Nothing was named.".to_owned(),
            "Name presets or items: `runnerctl preinstall list` has them all.",
        ));
    }
    preinstall_progress::watched(client, client.plan_preinstall(asked)).await
}

async fn list(client: &Client, shape: &Shape, screen: &mut Screen) -> Result<(), Failure> {
    let found = client.preinstall().await?;
    if shape.json {
        return Ok(screen.json(&found)?);
    }
    let rows: Vec<Vec<String>> = found
        .presets
        .iter()
        .map(|preset| vec![preset.id.clone(), preset.title.clone(), preset.items.join(" ")])
        .collect();
    screen.table(&["PRESET", "", "ITEMS"], &rows)?;
    screen.blank()?;
    screen.table(&["ITEM", "SIZE", "BY", ""], &items(&found))?;
    for why in &found.refused {
        screen.say(format!("Left out: {why}"))?;
    }
    Ok(())
}

fn items(found: &Preinstall) -> Vec<Vec<String>> {
    let row = |item: &protocol::PreinstallItem| {
        let by = match &item.how {
            PreinstallHow::Packages { by, names, .. } => format!("{by}: {}", names.join(" ")),
            PreinstallHow::Ours { .. } => "Runner Tray".to_owned(),
            PreinstallHow::Human { .. } => "by hand".to_owned(),
            PreinstallHow::Other => "-".to_owned(),
        };
        let size = item.size.map_or_else(|| "-".to_owned(), words::size);
        vec![item.id.clone(), size, by, item.what_for.clone()]
    };
    found.items.iter().map(row).collect()
}

async fn check(
    client: &Client,
    asked: AskPreinstall,
    shape: &Shape,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let named = !(asked.items.is_empty() && asked.presets.is_empty());
    let found = preinstall_progress::watched(client, client.check_preinstall(&asked)).await?;
    let all_there = found.items.iter().all(|item| item.state == ItemState::Present);
    if shape.json {
        screen.json(&found)?;
    } else {
        for item in &found.items {
            row(item, screen)?;
        }
        let there = found.items.iter().filter(|item| item.state == ItemState::Present).count();
        let (all, user) = (found.items.len(), &found.jobs.user);
        screen.say(format!("{there} of {all} are there for jobs that run as {user}."))?;
    }
    if named && !all_there { Err(Failure::Told) } else { Ok(()) }
}

/// A state is a shape, a word and a colour.
pub(super) fn row(item: &ItemChecked, screen: &mut Screen) -> std::io::Result<()> {
    let (shape, word, tone) = match item.state {
        ItemState::Present => ("✓", "there  ", Tone::Good),
        ItemState::TooOld => ("△", "too old", Tone::Warning),
        ItemState::TooNew => ("△", "too new", Tone::Warning),
        ItemState::Broken => ("▲", "broken ", Tone::Bad),
        ItemState::Missing => ("○", "missing", Tone::Accent),
        ItemState::Unknown => ("?", "unknown", Tone::Warning),
    };
    let id = format!("{:20}", item.id);
    screen.line(
        "  ",
        &[(tone, shape), (tone, word), (Tone::Strong, &id), (Tone::Plain, &item.reading)],
    )
}

fn show(plan: &PreinstallPlan, screen: &mut Screen) -> Result<(), Failure> {
    for (number, step) in plan.steps.iter().enumerate() {
        let size = step.size.map(|size| format!(", {}", words::size(size))).unwrap_or_default();
        let admin = if step.admin { ", as an admin" } else { "" };
        let user = step.as_user.as_ref().map(|user| format!(", as {user}")).unwrap_or_default();
        screen.say(format!("{}. {}{size}{admin}{user}", number + 1, step.title))?;
        screen.field("runs", Tone::Quiet, &step.command)?;
    }
    for left in &plan.left {
        screen.say(format!("Left: {} ({}). {}", left.item.title, left.item.reading, left.why))?;
    }
    by_hand(&plan.human, screen)?;
    let there = match plan.already.len() {
        1 => "1 is there".to_owned(),
        there => format!("{there} are there"),
    };
    screen.say(match plan.steps.len() {
        0 => format!("Nothing to install: {there}."),
        1 => format!("1 step, about {}; {there}.", words::size(plan.size)),
        steps => format!("{steps} steps, about {}; {there}.", words::size(plan.size)),
    })?;
    Ok(())
}

pub(super) fn by_hand(steps: &[protocol::HumanStep], screen: &mut Screen) -> std::io::Result<()> {
    for step in steps {
        screen.say(format!("By hand: {}", step.title))?;
        screen.field("do", Tone::Plain, &step.words)?;
        if let Some(link) = &step.link {
            screen.field("see", Tone::Quiet, link)?;
        }
    }
    Ok(())
}
