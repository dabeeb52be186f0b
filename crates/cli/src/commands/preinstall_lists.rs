//! `runnerctl preinstall import` and `export`: lists of packages that other programs read.

use std::io::Read;
use std::path::PathBuf;

use client::Client;
use protocol::{AskExport, AskImport, PreinstallFormat};

use super::preinstall::Named;
use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;

/// Make a preset of your own from a Brewfile or a list for apt
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Make a preset of your own from a Brewfile or a list for apt. Nothing in the file is run, \
        and nothing is installed. Packages that no item is of become items of yours, in the settings file. \
        A preset that came from a list is replaced; one that you wrote is not.",
    after_help = "Examples:\n  runnerctl preinstall import Brewfile --preset web\n  runnerctl preinstall import - --format apt-list --preset web < packages.txt"
)]
pub(crate) struct Import {
    /// The file, or - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The id of the preset: lower-case letters, digits and -
    #[arg(long, value_name = "ID")]
    preset: String,
    /// What the file is; absent: a Brewfile where it looks like one
    #[arg(long, value_enum)]
    format: Option<Written>,
    #[command(flatten)]
    shape: Shape,
}

/// Print items as a Brewfile, a list for apt or an Ansible playbook
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runnerctl preinstall export brewfile ios > Brewfile\n  runnerctl preinstall export ansible essentials node > playbook.yml\n  runnerctl preinstall export apt-list node --json"
)]
pub(crate) struct Export {
    /// What to print
    #[arg(value_enum)]
    format: Written,
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    Brewfile,
    /// A package a line
    AptList,
    /// Export only
    Ansible,
}

impl From<Written> for PreinstallFormat {
    fn from(written: Written) -> Self {
        match written {
            Written::Brewfile => Self::Brewfile,
            Written::AptList => Self::AptList,
            Written::Ansible => Self::Ansible,
        }
    }
}

pub(super) async fn import(
    client: &Client,
    args: Import,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let Import { file, preset, format, shape } = args;
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&file)
    };
    let text = text.map_err(|error| {
        Failure::failed(format!("{} cannot be read: {error}.", file.display()), "")
    })?;
    let format = format.map_or_else(|| guessed(&text), PreinstallFormat::from);
    let done = client.import_preinstall(&AskImport { format, text, preset }).await?;
    if shape.json {
        return Ok(screen.json(&done)?);
    }
    let (id, items) = (&done.preset.id, &done.preset.items);
    screen.say(format!("The preset {id} has {} items: {}.", items.len(), items.join(", ")))?;
    if !done.new.is_empty() {
        screen.say(format!("New items of yours: {}.", done.new.join(", ")))?;
    }
    for why in &done.left_out {
        screen.say(why)?;
    }
    Ok(screen.say(format!("To install what is missing: runnerctl preinstall install {id}"))?)
}

fn guessed(text: &str) -> PreinstallFormat {
    let is_brew = |line: &str| {
        ["brew ", "cask ", "tap ", "mas "].iter().any(|word| line.trim_start().starts_with(word))
    };
    if text.lines().any(is_brew) { PreinstallFormat::Brewfile } else { PreinstallFormat::AptList }
}

pub(super) async fn export(
    client: &Client,
    args: Export,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let named = args.named.asked(client, None).await?;
    let asked =
        AskExport { format: args.format.into(), items: named.items, presets: named.presets };
    let done = client.export_preinstall(&asked).await?;
    if args.shape.json {
        return Ok(screen.json(&done)?);
    }
    screen.text(&done.text)?;
    let mut notes = Screen::stderr();
    for why in &done.left_out {
        notes.say(why)?;
    }
    Ok(())
}
