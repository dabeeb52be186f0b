//! The ways to act on a process: signal that very one, and bind oneself to others.

use std::io;

use rustix::process::{WaitOptions, getppid, kill_process, waitpid};

use crate::{Liveness, Pid, ProcessId, Signal, alive, os};

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Delivered,
    /// The process had ended; nobody was signalled.
    Gone,
}

/// Signals that very process, and never another one that got its pid. Never a group.
pub fn signal(id: &ProcessId, signal: Signal) -> io::Result<Sent> {
    os::signal(id, signal)
}

/// Checks the identity and then signals by pid: all that macOS and old kernels offer. The pid could
/// be reused between the two, in a window of microseconds.
pub(crate) fn check_then_kill(id: &ProcessId, signal: Signal) -> io::Result<Sent> {
    match alive(id) {
        Liveness::Dead => return Ok(Sent::Gone),
        Liveness::Unknown => {
            return Err(io::Error::other(format!("cannot tell whether process {id} still runs")));
        }
        Liveness::Alive => {}
    }
    let Some(pid) = id.pid.rustix() else { return Ok(Sent::Gone) };
    match kill_process(pid, signal) {
        Ok(()) => Ok(Sent::Delivered),
        Err(rustix::io::Errno::SRCH) => Ok(Sent::Gone),
        Err(error) => Err(error.into()),
    }
}

/// Takes the exit status of a child of this process, if that very one has ended: for children that
/// were started before this process became another program, which no handle knows of. Else nothing.
pub fn reap(id: &ProcessId) {
    let is_that_one = ProcessId::of(id.pid).is_ok_and(|there| there == *id);
    if is_that_one && alive(id) == Liveness::Dead {
        let _ = waitpid(id.pid.rustix(), WaitOptions::NOHANG);
    }
}

/// Waits for the end of a child, and reaps it. An error only where somebody else has reaped it.
pub fn wait_for_child(child: Pid) -> io::Result<()> {
    loop {
        match waitpid(child.rustix(), WaitOptions::empty()) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether descendants that lose their parent come to a process that asked for them.
pub const ORPHANS_COME: bool = os::ORPHANS_COME;

/// Descendants that lose their parent become children of this process, where [`ORPHANS_COME`].
pub fn become_subreaper() -> io::Result<()> {
    os::become_subreaper()
}

/// Has this process get `signal` when its parent dies (Linux; nothing on macOS). It survives an
/// exec, except of a set-user-id program. `Ok(false)`: `parent` was gone already.
pub fn die_with_parent(signal: Signal, parent: Pid) -> io::Result<bool> {
    os::die_with_parent(signal)?;
    Ok(getppid().map(Pid::from) == Some(parent))
}

/// While it lives, this process leaves no core file and nobody but root reads its memory (Linux;
/// nothing on macOS, where a core file must be asked for). An exec ends it, so it is not inherited,
/// unlike a limit; and a limit does not hold for a core that is piped to a program: core(5).
#[derive(Debug)]
pub struct NoCore(());

impl NoCore {
    /// Best effort: what it protects from is no reason not to run.
    pub fn from_now_on() -> Self {
        os::leave_cores(false);
        Self(())
    }
}

impl Drop for NoCore {
    fn drop(&mut self) {
        os::leave_cores(true);
    }
}

/// Makes this process the leader of a session of its own; it must not lead a group already.
pub fn setsid() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}
