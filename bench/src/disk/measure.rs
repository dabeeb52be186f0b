//! How long it takes to know the size of a tree.

use anyhow::Result;

use super::tools::{Tool, measuring};
use super::trees::{Tree, Yard};
use crate::Bench;
use crate::numbers::{median, ratio, short};
use crate::report::{Bar, Section, Table};

/// Below this, in ms, what is compared is the start of programs.
pub(crate) const SHORTEST: f64 = 20.0;

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(10, 3);
    let tools = measuring(bench)?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name).collect();
    let mut table = Table::new(
        &[&["", "entries"], &names[..], &["du -s / Runner Tray", "best other / Runner Tray"]]
            .concat(),
    );
    let (mut bars, mut notes) = (Vec::new(), Vec::new());
    let mut file_system = String::new();
    for tree in Tree::all(bench.quick) {
        let yard = Yard::new()?;
        file_system = yard.file_system();
        tree.make(&yard.tree())?;
        let entries = tools[0].run(&yard)?.number("entries").unwrap_or_default();
        notes.push(format!("{}: {}.", tree.name(), bench.quiet.wait()));
        // Once before, so that all of it is in memory.
        let _ = times(&tools, &yard, 1, false)?;
        let warm = times(&tools, &yard, rounds, false)?;
        line(&mut table, &mut bars, &tree.name(), entries, &warm);
        if matches!(tree, Tree::Small { .. }) && is_root() {
            let cold = times(&tools, &yard, bench.times(3, 1), true)?;
            line(&mut table, &mut bars, &format!("{}, cold", tree.name()), entries, &cold);
        }
    }
    Ok(Section {
        title: "Measuring".into(),
        how: format!(
            "{rounds} rounds by turns, medians in ms. Page cache: warm, all inodes are in memory; \"cold\": as root, before each time all that the\n\
             kernel keeps of files is dropped (`drop_caches`). File system: {file_system}. Runner Tray also tells when something was used last,\n\
             whose it is, and what a removal would free. A cargo target: of this project's `target/debug`\n\
             at most 20,000 files or 2 GB, copied; a node_modules: that of `ui`.\n\
             Full files: allocated by `fallocate`, not written. Bars are for trees for which `du` needs more than {SHORTEST} ms: below that\n\
             the start of a program is what is measured."
        ),
        table,
        notes,
        bars,
    })
}

fn line(table: &mut Table, bars: &mut Vec<Bar>, tree: &str, entries: f64, times: &[Vec<f64>]) {
    let medians: Vec<f64> = times.iter().map(|times| median(times)).collect();
    let (ours, du) = (medians[0], medians[1]);
    let best = medians[2..].iter().copied().fold(f64::INFINITY, f64::min);
    let mut cells = vec![tree.to_owned(), format!("{entries:.0}")];
    cells.extend(medians.iter().map(|ms| short(*ms)));
    cells.extend([ratio(du, ours), ratio(best, ours)]);
    table.line(cells);
    if du > SHORTEST {
        bars.push(Bar::new(format!("{tree}: 1/1.25 of du's time"), ours, du / 1.25, "ms"));
        bars.push(Bar::new(format!("{tree}: the best of diskus, dust, dua"), ours, best, "ms"));
    }
}

/// In ms, by tool.
fn times(tools: &[Tool], yard: &Yard, rounds: usize, cold: bool) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::new(); tools.len()];
    for round in 0..rounds {
        for turn in 0..tools.len() {
            let at = (round + turn) % tools.len();
            if cold {
                rustix::fs::sync();
                crate::files::write("/proc/sys/vm/drop_caches".as_ref(), "3")?;
            }
            times[at].push(tools[at].run(yard)?.ms);
        }
    }
    Ok(times)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
