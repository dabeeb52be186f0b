//! `runnerctl preinstall report`: everything found, and what is otherwise since.

use std::path::{Path, PathBuf};

use client::Client;
use preinstall::{Change, difference, markdown};
use protocol::{RunnerName, SoftwareReport};

use super::preinstall_progress::watched;
use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;

/// Print everything found on this machine, as Markdown or JSON, or what changed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runnerctl preinstall report > software.md\n  runnerctl preinstall report --json > before.json\n  runnerctl preinstall report --since before.json\n  runnerctl preinstall report --since before.json --until after.json --json"
)]
pub(crate) struct Args {
    /// As this runner's jobs find it
    #[arg(long, value_name = "NAME")]
    runner: Option<RunnerName>,
    /// Print what is otherwise than in this report, a file that `--json` gave
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// In place of what is found now, this report
    #[arg(long, value_name = "FILE", requires = "since", conflicts_with = "runner")]
    until: Option<PathBuf>,
    #[command(flatten)]
    shape: Shape,
}

pub(super) async fn run(client: &Client, args: Args, screen: &mut Screen) -> Result<(), Failure> {
    let now = match &args.until {
        Some(file) => read(file)?,
        None => watched(client, client.software_report(args.runner.as_ref())).await?,
    };
    let Some(since) = &args.since else {
        if args.shape.json {
            return Ok(screen.json(&now)?);
        }
        return Ok(screen.text(&markdown(&now))?);
    };
    let found = difference(&read(since)?, &now);
    if args.shape.json {
        return Ok(screen.json(&found)?);
    }
    let mut rows = Vec::new();
    for (word, changes) in
        [("came", &found.came), ("went", &found.went), ("changed", &found.changed)]
    {
        rows.extend(changes.iter().map(|change| row(word, change)));
    }
    if rows.is_empty() {
        return Ok(screen.say("Nothing is otherwise.")?);
    }
    Ok(screen.table(&["", "WHAT", "BEFORE", "NOW"], &rows)?)
}

fn row(word: &str, change: &Change) -> Vec<String> {
    let said = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
    vec![word.to_owned(), change.title.clone(), said(&change.before), said(&change.after)]
}

fn read(file: &Path) -> Result<SoftwareReport, Failure> {
    let failed = |why: String| {
        Failure::failed(
            format!("{} is no report: {why}.", file.display()),
            "Give a file that `runnerctl preinstall report --json` printed.",
        )
    };
    let text = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}
