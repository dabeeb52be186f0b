//! How much memory it takes to measure and to remove a great many files.

use anyhow::{Context, Result};

use super::tools::{ours_measures, ours_removes};
use super::trees::{Tree, Yard};
use crate::Bench;
use crate::numbers::short;
use crate::report::{Bar, Section, Table};

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let counts: &[usize] = if bench.quick { &[25, 250] } else { &[250, 5000, 25_000] };
    let mut table = Table::new(&["files", "measure, MB", "remove, MB"]);
    let mut most = Vec::new();
    for &folders in counts {
        let tree = Tree::Small { folders };
        let yard = Yard::new()?;
        tree.make(&yard.tree())?;
        let mut sizes = Vec::new();
        for tool in [ours_measures(), ours_removes()] {
            let bytes = tool.run(&yard)?.number("memory").context("it says its memory")?;
            sizes.push(bytes / 1e6);
        }
        table.line([tree.name(), short(sizes[0]), short(sizes[1])]);
        most = sizes;
    }
    let bar = |what: &str, size: &f64| Bar::new(what, *size, 50.0, "MB");
    let names = ["memory, a million files measured", "memory, a million files removed"];
    Ok(Section {
        title: "Memory".into(),
        how: "The most that the program had in memory at once (`VmHWM`), its own code and libraries included.".into(),
        table,
        notes: Vec::new(),
        bars: names.into_iter().zip(&most).map(|(what, size)| bar(what, size)).collect(),
    })
}
