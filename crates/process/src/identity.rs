//! Who a process is: pid, start time and boot together, since a pid alone is reused.

use std::fmt;
use std::io;
use std::process::Child;

use serde::{Deserialize, Serialize};

use crate::os;

/// A process number of this machine, 1 or more; on its own it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Pid(u32);

impl Pid {
    /// `None` for 0 (a whole process group to `kill`) and for what is beyond the kernel's range.
    pub fn new(raw: u32) -> Option<Self> {
        (raw != 0 && i32::try_from(raw).is_ok()).then_some(Self(raw))
    }

    pub fn own() -> Self {
        Self(std::process::id())
    }

    pub fn of_child(child: &Child) -> Self {
        Self(child.id())
    }

    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }

    pub(crate) fn raw(self) -> i32 {
        self.0.cast_signed()
    }

    pub(crate) fn rustix(self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(self.raw())
    }
}

impl From<rustix::process::Pid> for Pid {
    fn from(pid: rustix::process::Pid) -> Self {
        Self(pid.as_raw_pid().cast_unsigned())
    }
}

impl TryFrom<u32> for Pid {
    type Error = String;

    fn try_from(raw: u32) -> Result<Self, String> {
        Self::new(raw).ok_or_else(|| format!("{raw} is not a process number"))
    }
}

impl From<Pid> for u32 {
    fn from(pid: Pid) -> u32 {
        pid.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// When a process started, in the platform's own unit: clock ticks since boot on Linux
/// (proc(5), field 22 of stat), microseconds since 1970 on macOS (`pbi_start_tvsec/usec`).
/// Good for telling two processes with one pid apart, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartTime(pub u64);

/// Which boot of the machine: `/proc/sys/kernel/random/boot_id`, or `kern.bootsessionuuid`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub String);

impl BootId {
    /// The boot that is running now.
    pub fn current() -> io::Result<Self> {
        os::boot_id()
    }
}

/// One process, told apart from every other that ever had its pid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: Pid,
    pub start: StartTime,
    pub boot: BootId,
}

impl ProcessId {
    /// The identity of the process that has `pid` now; an error of kind `NotFound` if none has.
    /// A zombie has an identity still.
    pub fn of(pid: Pid) -> io::Result<Self> {
        let Some(look) = os::look(pid)? else {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("no process {pid}")));
        };
        Ok(Self { pid, start: look.start, boot: BootId::current()? })
    }

    /// This process.
    pub fn own() -> io::Result<Self> {
        Self::of(Pid::own())
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pid)
    }
}

/// What can be said of a process by its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It runs, or is stopped.
    Alive,
    /// It ended: another boot, no such pid, another start time, or a zombie.
    Dead,
    /// The system does not say. Treat it as alive.
    Unknown,
}

/// Whether that very process still runs. A zombie is dead: some PID 1 never reap.
pub fn alive(id: &ProcessId) -> Liveness {
    let Ok(boot) = BootId::current() else { return Liveness::Unknown };
    if boot != id.boot {
        return Liveness::Dead;
    }
    match os::look(id.pid) {
        Ok(Some(look)) if look.start != id.start || look.is_dead() => Liveness::Dead,
        Ok(Some(_)) => Liveness::Alive,
        Ok(None) => Liveness::Dead,
        Err(_) => Liveness::Unknown,
    }
}
