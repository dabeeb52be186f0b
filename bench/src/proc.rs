//! What processes cost, as `/proc` tells it: memory, CPU time and wake-ups. Only reads.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use process::{Pid, ProcessId};

use crate::numbers::whole;

/// In bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Proportional set size: shared pages divided by those who share them.
    pub(crate) pss: u64,
    /// What no file backs: heap, stacks, written data.
    pub(crate) anonymous: u64,
}

impl std::ops::Add for Memory {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { pss: self.pss + other.pss, anonymous: self.anonymous + other.anonymous }
    }
}

/// Of all of them together, by `/proc/PID/smaps_rollup`.
pub(crate) fn memory(of: &[ProcessId]) -> Result<Memory> {
    of.iter().try_fold(Memory::default(), |sum, process| {
        let path = format!("/proc/{process}/smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        Ok(sum
            + Memory { pss: kilobytes(&text, "Pss:")?, anonymous: kilobytes(&text, "Anonymous:")? })
    })
}

fn kilobytes(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context(name.to_owned())?;
    let number: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(number * 1024)
}

/// A process and all below it, itself first. One that ends meanwhile may be missing.
pub(crate) fn family(root: ProcessId) -> Vec<ProcessId> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(process) = all.get(next) {
        let below = children(process);
        all.extend(below);
        next += 1;
    }
    all
}

fn children(of: &ProcessId) -> Vec<ProcessId> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let read = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).ok();
    let texts: Vec<String> = threads.filter_map(read).collect();
    let pids = texts.iter().flat_map(|text| text.split_whitespace());
    pids.filter_map(|pid| ProcessId::of(Pid::new(pid.parse().ok()?)?).ok()).collect()
}

/// As `/proc/PID/comm` has it, 15 bytes at most.
pub(crate) fn program_of(process: &ProcessId) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// CPU time that all of them had so far, in ticks of the kernel's (proc(5), `stat`).
pub(crate) fn ticks(of: &[ProcessId]) -> u64 {
    let ticks = |process: &ProcessId| {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, fields) = text.rsplit_once(") ")?;
        let numbers = fields.split(' ').skip(11).take(2);
        Some(numbers.filter_map(|number| number.parse::<u64>().ok()).sum::<u64>())
    };
    of.iter().filter_map(ticks).sum()
}

/// What a group of processes did while it was watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effort {
    pub(crate) cpu: Duration,
    /// How often a thread of it went to sleep again: voluntary context switches.
    pub(crate) wake_ups: u64,
    /// Stretches of activity with at least a second of silence between them.
    pub(crate) moments: usize,
}

impl Effort {
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1000.0
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(250);
const SILENCE: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Watched {
    /// By thread: CPU time in ns and switches, when first and when last seen. One that ended keeps its last.
    threads: BTreeMap<(u32, u32), ([u64; 2], [u64; 2])>,
    active_at: Option<Instant>,
    moments: usize,
}

/// Watches all groups at the same time; looking wakes none of them.
pub(crate) fn watch(groups: &[Vec<ProcessId>], time: Duration) -> Vec<Effort> {
    let mut watched: Vec<Watched> = groups.iter().map(|_| Watched::default()).collect();
    let begun = Instant::now();
    let mut first = true;
    loop {
        for (group, seen) in groups.iter().zip(&mut watched) {
            seen.look(group, first);
        }
        if begun.elapsed() >= time {
            break;
        }
        first = false;
        trials::nap(LOOK_EVERY);
    }
    watched.iter().map(Watched::effort).collect()
}

impl Watched {
    fn look(&mut self, group: &[ProcessId], first: bool) {
        let mut active = false;
        for process in group {
            for (thread, now) in threads(process.pid.get()) {
                let start = if first { now } else { [0, 0] };
                let known =
                    self.threads.entry((process.pid.get(), thread)).or_insert((start, start));
                active |= known.1[1] != now[1];
                known.1 = now;
            }
        }
        if active {
            let now = Instant::now();
            if self.active_at.is_none_or(|at| now.duration_since(at) > SILENCE) {
                self.moments += 1;
            }
            self.active_at = Some(now);
        }
    }

    fn effort(&self) -> Effort {
        let sum =
            |what: usize| self.threads.values().map(|(first, last)| last[what] - first[what]).sum();
        Effort { cpu: Duration::from_nanos(sum(0)), wake_ups: sum(1), moments: self.moments }
    }
}

/// Of each thread its time on a CPU in ns (`schedstat`) and its voluntary switches (`status`).
fn threads(pid: u32) -> Vec<(u32, [u64; 2])> {
    let folder = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    folder
        .filter_map(|entry| {
            let cpu = fs::read_to_string(entry.path().join("schedstat")).ok()?;
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            let switches =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            let numbers = [cpu.split(' ').next()?.parse().ok()?, switches.trim().parse().ok()?];
            Some((entry.file_name().to_str()?.parse().ok()?, numbers))
        })
        .collect()
}

/// The part of all CPU time since the last call in which a CPU worked, 0 to 1.
pub(crate) struct Load {
    last: [u64; 2],
}

impl Load {
    pub(crate) fn begin() -> Self {
        Self { last: total_and_idle() }
    }

    pub(crate) fn since(&mut self) -> f64 {
        let now = total_and_idle();
        let total = now[0].saturating_sub(self.last[0]).max(1);
        let idle = now[1].saturating_sub(self.last[1]);
        self.last = now;
        1.0 - whole(idle.min(total)) / whole(total)
    }
}

fn total_and_idle() -> [u64; 2] {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> =
        first.split_whitespace().skip(1).take(8).filter_map(|n| n.parse().ok()).collect();
    // The fourth waits for nothing, the fifth for a disk.
    [ticks.iter().sum(), ticks.iter().skip(3).take(2).sum()]
}
