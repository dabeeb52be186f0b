//! What the system shows of one process at one moment.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Pid, Signal, StartTime, os};

/// The scheduling state of a process, as far as anybody here asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Running, sleeping, or waiting for a device.
    Runs,
    /// Stopped by a signal or a debugger.
    Stopped,
    /// Ended and not yet reaped (Linux Z or X, macOS SZOMB).
    Zombie,
}

/// One look at a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// `None` for the first process of the machine or container.
    pub parent: Option<Pid>,
    pub start: StartTime,
    pub state: State,
    /// Threads that still run; a process whose first thread ended while others run looks like a
    /// zombie on Linux and is none.
    pub threads: u32,
    /// CPU time of the process and of the children it has reaped (Linux), or of itself (macOS).
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub rss: u64,
}

impl Look {
    /// Whether the process ended, reaped or not.
    pub fn is_dead(&self) -> bool {
        self.state == State::Zombie && self.threads <= 1
    }
}

/// Looks at the process that has `pid` now. `Ok(None)`: there is none. An error: the system hides it.
pub fn look(pid: Pid) -> io::Result<Option<Look>> {
    os::look(pid)
}

/// The real user id of a process; `Ok(None)`: there is no such process.
pub fn owner(pid: Pid) -> io::Result<Option<u32>> {
    os::owner(pid)
}

/// The name of the program that a process runs, for people; of another user's on Linux its first 15 bytes.
pub fn program(pid: Pid) -> Option<String> {
    os::program(pid)
}

/// The current directory of a process, where the system shows it (same user, or root).
pub fn cwd(pid: Pid) -> Option<PathBuf> {
    os::cwd(pid)
}

/// The environment a process was started with, where the system shows it (same user, or root;
/// macOS hides that of its own programs, Linux shows none of one that has not run yet). It holds secrets: look a
/// name up, never keep or log it.
pub fn environ(pid: Pid) -> Option<Vec<(OsString, OsString)>> {
    os::environ(pid)
}

/// Whether a signal was sent and not yet taken by the process. `None`: the system does not say.
pub fn signal_pending(pid: Pid, signal: Signal) -> Option<bool> {
    os::signal_pending(pid, signal)
}
