//! Whether a caller comes from a job, by all that can be known of its process: those it descends
//! from, what finished tasks are on record to have left behind, and what every job is told of itself.
//!
//! A hand-rail and no boundary: it keeps a job from changing its own runner by accident. One that
//! means to finds a way (another service of the same user, a clean environment and two forks after
//! its keeper has ended); only a job user of its own stands in that way.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use process::{BootId, Look, Pid, ProcessId, StartTime};
use run_dir::RunDir;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Outside,
    Job,
    /// Why it cannot be told.
    Unknown(&'static str),
}

/// A process, told apart from others that had its pid in this boot.
type Id = (Pid, StartTime);

/// What every job of CircleCI finds in its environment (CircleCI, "Built-in environment variables").
const TOLD_TO_JOBS: (&str, &str) = ("CIRCLECI", "true");
/// A parent may end between two looks; not for ever.
const TRIES: u32 = 10;
/// Deeper than any tree of processes that people make.
const DEEPEST: usize = 4096;

/// `runs` is the folder of all runs.
pub(crate) fn of(caller: Option<Pid>, runs: &Path) -> Origin {
    let Some(caller) = caller else {
        return Origin::Unknown("the system does not say which process it is");
    };
    let Some(line) = line_of(caller, process::look) else {
        return Origin::Unknown("its process has ended");
    };
    let Ok(of_jobs) = of_jobs(runs) else {
        return Origin::Unknown("the folder of runs cannot be read");
    };
    let is_told = process::environ(caller).is_some_and(|variables| {
        variables.iter().any(|(name, value)| {
            (name.as_os_str(), value.as_os_str())
                == (OsStr::new(TOLD_TO_JOBS.0), OsStr::new(TOLD_TO_JOBS.1))
        })
    });
    judge(&line, &of_jobs, is_told, || of_jobs.iter().any(has_hidden_descendants))
}

/// `jobs_hide` tells whether a job may have processes that the system hides from us.
fn judge(
    line: &Line,
    of_jobs: &HashSet<Id>,
    is_told: bool,
    jobs_hide: impl FnOnce() -> bool,
) -> Origin {
    if is_told || line.seen.iter().any(|id| of_jobs.contains(id)) {
        Origin::Job
    } else if line.seen.is_empty() {
        Origin::Unknown("the system hides its process")
    } else if line.ends_hidden && jobs_hide() {
        Origin::Unknown("the system hides whose child it is")
    } else {
        Origin::Outside
    }
}

/// A process and those above it, upwards.
#[derive(Debug, Default, PartialEq, Eq)]
struct Line {
    seen: Vec<Id>,
    /// The next one up is hidden from us, as another user's may be.
    ends_hidden: bool,
}

/// None where the process itself has ended.
fn line_of(pid: Pid, look: impl Fn(Pid) -> io::Result<Option<Look>>) -> Option<Line> {
    (0..TRIES).find_map(|_| climb(pid, &look))
}

/// None where one on the way has ended since: its child has another parent by now.
fn climb(pid: Pid, look: &impl Fn(Pid) -> io::Result<Option<Look>>) -> Option<Line> {
    let mut line = Line::default();
    let mut next = Some(pid);
    while let Some(pid) = next {
        let Ok(found) = look(pid) else {
            line.ends_hidden = true;
            break;
        };
        let found = found?;
        // A parent that is younger than its child is another one with the number of the first.
        let too_young = line.seen.last().is_some_and(|(_, child)| found.start > *child);
        if too_young || line.seen.len() > DEEPEST {
            return None;
        }
        line.seen.push((pid, found.start));
        next = found.parent;
    }
    Some(line)
}

/// All that jobs descend from: keepers (which on Linux take in what has lost its parent), agents,
/// wrappers, and what tasks left behind. What cannot be read of a run names nobody.
fn of_jobs(runs: &Path) -> io::Result<HashSet<Id>> {
    let boot = BootId::current()?;
    let mut found = HashSet::new();
    let mut add = |id: ProcessId| {
        if id.boot == boot {
            found.insert((id.pid, id.start));
        }
    };
    for entry in std::fs::read_dir(runs)? {
        let run = RunDir::at(entry?.path());
        run.keeper().written().map(|keeper| keeper.process).into_iter().for_each(&mut add);
        run.started().written().map(|agent| agent.process).into_iter().for_each(&mut add);
        for task in run.tasks().unwrap_or_default() {
            if let Some(finished) = task.finished().written() {
                finished.left_behind.into_iter().for_each(&mut add);
            } else if let Some(started) = task.started().written() {
                [started.front, started.guard, started.process].into_iter().for_each(&mut add);
            }
        }
    }
    Ok(found)
}

fn has_hidden_descendants(&(pid, start): &Id) -> bool {
    let lives = process::look(pid).is_ok_and(|look| look.is_some_and(|look| look.start == start));
    let hidden = |pid: &Pid| process::look(*pid).is_err();
    lives && process::tree(pid).map_or(true, |tree| tree.iter().any(hidden))
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
