//! Finding the processes of a trial by the one thing all of them have: the path of its own folder,
//! in their arguments or their environment.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use process::{Pid, ProcessId};

/// A process that was found, and what it says it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    pub id: ProcessId,
    pub arguments: String,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.arguments)
    }
}

/// All living processes that name `mark` in their arguments or environment; never this one.
pub(crate) fn that_name(mark: &str) -> Vec<Found> {
    if Path::new("/proc/self/stat").exists() { in_proc(mark) } else { in_ps(mark) }
}

fn in_proc(mark: &str) -> Vec<Found> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let arguments = read("cmdline");
        if !holds(&arguments, mark) && !holds(&read("environ"), mark) {
            return None;
        }
        found(pid, String::from_utf8_lossy(&arguments).replace('\0', " "))
    })
    .collect()
}

/// Without `/proc` only the arguments are shown.
fn in_ps(mark: &str) -> Vec<Found> {
    let listed = Command::new("ps").args(["-axww", "-o", "pid=,args="]).output();
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let naming = listed.lines().filter(|line| line.contains(mark));
    naming
        .filter_map(|line| {
            let (pid, arguments) = line.trim_start().split_once(' ')?;
            found(pid.parse().ok()?, arguments.to_owned())
        })
        .collect()
}

fn found(pid: u32, arguments: String) -> Option<Found> {
    if pid == std::process::id() {
        return None;
    }
    let id = ProcessId::of(Pid::new(pid)?).ok()?;
    crate::is_alive(&id).then_some(Found { id, arguments })
}

fn holds(bytes: &[u8], mark: &str) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
}
