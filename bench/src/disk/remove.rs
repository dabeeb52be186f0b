//! How long it takes to remove a tree, and until its name is free.

use anyhow::{Result, ensure};

use super::measure::SHORTEST;
use super::tools::removing;
use super::trees::{Tree, Yard};
use crate::Bench;
use crate::numbers::{median, percentile, ratio, short};
use crate::report::{Bar, Section, Table};

/// Many small files, and a deep tree.
pub(crate) fn small(bench: &Bench) -> Result<Section> {
    let [small, _, _, deep, ..] = Tree::all(bench.quick);
    row(bench, "Removing: small files", &[small, deep], bench.times(3, 1))
}

/// What developers have.
pub(crate) fn real(bench: &Bench) -> Result<Section> {
    let trees = [Tree::NodeModules, Tree::CargoTarget];
    row(bench, "Removing: real trees", &trees, bench.times(2, 1))
}

pub(crate) fn large(bench: &Bench) -> Result<Section> {
    row(bench, "Removing: large files", &[Tree::Sparse, Tree::Full], bench.times(5, 1))
}

fn row(bench: &Bench, title: &str, trees: &[Tree], rounds: usize) -> Result<Section> {
    let tools = removing(bench)?;
    let mut table = Table::new(&[
        "",
        "Runner Tray",
        "rm -rf",
        "rmz",
        "rm / Runner Tray",
        "Runner Tray / rmz",
        "name free, ms",
    ]);
    let (mut bars, mut notes) = (Vec::new(), Vec::new());
    let mut free = Vec::new();
    for &tree in trees {
        let yard = Yard::new()?;
        let mut times = vec![Vec::new(); tools.len()];
        let mut free_here = Vec::new();
        notes.push(format!("{}: {}.", tree.name(), bench.quiet.wait()));
        for round in 0..rounds {
            for turn in 0..tools.len() {
                let at = (round + turn) % tools.len();
                tree.make(&yard.tree())?;
                let done = tools[at].run(&yard)?;
                ensure!(!yard.tree().exists(), "{} left something", tools[at].name);
                times[at].push(done.ms);
                free_here.extend(done.number("name_free_us").map(|us| us / 1000.0));
                // What is still to be written of this one is not the next one's to wait for.
                rustix::fs::sync();
            }
        }
        let medians: Vec<f64> = times.iter().map(|times| median(times)).collect();
        let [ours, rm, rmz] = medians[..] else { continue };
        let worst = percentile(&free_here, 100);
        free.push(worst);
        table.line([
            tree.name(),
            short(ours),
            short(rm),
            short(rmz),
            ratio(rm, ours),
            ratio(ours, rmz),
            short(worst),
        ]);
        if rm > SHORTEST {
            bars.push(Bar::new(
                format!("{}: 1/1.5 of rm's time", tree.name()),
                ours,
                rm / 1.5,
                "ms",
            ));
            bars.push(Bar::new(
                format!("{}: 1.05 of rmz's time", tree.name()),
                ours,
                rmz * 1.05,
                "ms",
            ));
        }
    }
    bars.push(Bar::new(
        format!("{title}: name free again, the longest"),
        percentile(&free, 100),
        5.0,
        "ms",
    ));
    Ok(Section {
        title: title.into(),
        how: format!(
            "{rounds} rounds by turns, medians in ms; the tree is made anew for each, then `sync`. Page cache: warm, all inodes are in memory\n\
             as after a task. Runner Tray's time has all of it: the rename, the list for an undo, the removal of both. \"Name free\": until a task\n\
             could make a folder of that name again, the longest of all rounds. The plan, a list of one folder, was made before. Bars as above."
        ),
        table,
        notes,
        bars,
    })
}
