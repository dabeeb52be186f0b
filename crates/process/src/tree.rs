//! A process and its descendants, found from the top by asking each for its children.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Pid, cwd, os};

/// The children of a process; none if it is gone. Zombies are among them.
pub fn children(pid: Pid) -> io::Result<Vec<Pid>> {
    os::children(pid)
}

/// The process and all its descendants, parents before children. Children that appear during the
/// walk may be missed.
pub fn tree(root: Pid) -> io::Result<Vec<Pid>> {
    let mut found = vec![root];
    let mut seen = HashSet::from([root]);
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children(pid)?.into_iter().filter(|child| seen.insert(*child)));
        next += 1;
    }
    Ok(found)
}

/// Whether `pid` is a descendant of `ancestor`, or `ancestor` itself.
pub fn descends_from(pid: Pid, ancestor: Pid) -> io::Result<bool> {
    let mut seen = HashSet::new();
    let mut current = pid;
    while seen.insert(current) {
        if current == ancestor {
            return Ok(true);
        }
        let Some(parent) = os::look(current)?.and_then(|look| look.parent) else { break };
        current = parent;
    }
    Ok(false)
}

/// What a tree uses at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, including that of children which ended and were reaped within the tree (Linux).
    pub cpu: Duration,
    /// Resident memory in bytes; pages shared by two processes count twice.
    pub rss: u64,
    /// Processes that run.
    pub processes: u32,
    /// The current directory of the root, where the system shows it.
    pub cwd: Option<PathBuf>,
}

/// Measures a process and its descendants by reading only those.
pub fn usage(root: Pid) -> io::Result<Usage> {
    let mut usage = Usage { cwd: cwd(root), ..Usage::default() };
    for pid in tree(root)? {
        // One that ended since, or is hidden, does not spoil the sum of the others.
        let Ok(Some(look)) = os::look(pid) else { continue };
        usage.cpu += look.cpu;
        usage.rss += look.rss;
        usage.processes += u32::from(!look.is_dead());
    }
    Ok(usage)
}
