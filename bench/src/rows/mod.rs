//! The rows, in the order in which they are measured.

mod again;
mod cost;
mod download;
mod history;
mod log;
mod runners;
mod snapshot;
mod start;
pub(crate) mod wrapper;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::contender::Contender;
use crate::numbers::{median, percentile, ratio, short};
use crate::ours::Ours;
use crate::release_server::ReleaseServer;
use crate::report::Bar;
use crate::{About, Bench};

pub(crate) const ABOUT: About = About {
    name: "supervise",
    title: "Benchmarks",
    file: "docs/benchmarks.md",
    note: "Each keeps the same child, a program that only says that it is up.",
    programs: &["runner-tray-supervisor", "runner-tray-keeper", "runnerctl"],
    rows: &[
        ("cost", cost::row),
        ("start", start::row),
        ("again", again::row),
        ("wrapper", wrapper::row),
        ("snapshot", snapshot::row),
        ("download", download::row),
        ("log", log::row),
        ("runners", runners::row),
        ("history", history::row),
    ],
};

/// As large as an agent of CircleCI's: an archive of some 20 MB.
const CHILD_SIZE: u64 = 50_000_000;

/// The child that all contenders keep.
fn child(folder: &Path) -> Result<PathBuf> {
    let child = folder.join("bench-child");
    crate::files::padded(&trials::program("bench-child"), &child, CHILD_SIZE)?;
    Ok(child)
}

/// All of them, ours first, each with so many children; none is started.
fn contenders(bench: &Bench, folder: &Path, children: usize) -> Result<Vec<Box<dyn Contender>>> {
    let child = child(folder)?;
    let server = ReleaseServer::start(&child, folder)?;
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Ours::new(&server, children)?)];
    all.extend(bench.peers.all(&child, children)?);
    Ok(all)
}

/// Times of each contender, in ms.
struct Times {
    names: Vec<&'static str>,
    times: Vec<Vec<f64>>,
}

impl Times {
    fn of(contenders: &[Box<dyn Contender>]) -> Self {
        let names = contenders.iter().map(|contender| contender.name()).collect();
        Self { names, times: contenders.iter().map(|_| Vec::new()).collect() }
    }

    fn add(&mut self, at: usize, ms: f64) {
        self.times[at].push(ms);
    }

    fn name(&self, at: usize) -> String {
        self.names[at].to_owned()
    }

    fn median(&self, at: usize) -> f64 {
        median(&self.times[at])
    }

    /// Median, 95th percentile, and how our median compares.
    fn cells(&self, at: usize) -> Vec<String> {
        vec![
            short(self.median(at)),
            short(percentile(&self.times[at], 95)),
            ratio(self.median(0), self.median(at)),
        ]
    }

    fn median_of(&self, name: &str) -> f64 {
        self.names.iter().position(|known| *known == name).map_or(0.0, |at| self.median(at))
    }

    /// Half of the better one of two, and not much more than a third.
    fn bars(&self, what: &str) -> Vec<Bar> {
        let better = self.median_of("supervisor").min(self.median_of("circus"));
        vec![
            Bar::new(
                format!("{what}: half of the better of supervisor and circus"),
                self.median(0),
                better / 2.0,
                "ms",
            ),
            Bar::new(
                format!("{what}: runit's and 30 ms"),
                self.median(0),
                self.median_of("runit") + 30.0,
                "ms",
            ),
        ]
    }
}
