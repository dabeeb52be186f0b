//! The keeper's loop: waits for signals, for the log to grow and for the agent to end. It wakes for
//! nothing else.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use process::{ExitWatch, ProcessId, Signal};
use run_dir::{End, RunDir};
use rustix::process::{WaitOptions, WaitStatus};

use crate::drains::Drains;
use crate::log_bound::LogBound;
use crate::signals::{STOPS, Signals};
use crate::wait::wait;

/// TERM, INT and HUP ask for a drain, USR1 to look at the directory again.
pub(crate) const KEPT_SIGNALS: [Signal; 5] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1, Signal::CHILD];

/// How the end of the agent is learnt.
pub(crate) enum Agent {
    /// It is our child and is reaped.
    Child(ProcessId),
    /// It was somebody else's child.
    Adopted(ProcessId, ExitWatch),
}

impl Agent {
    fn process(&self) -> &ProcessId {
        match self {
            Self::Child(process) | Self::Adopted(process, _) => process,
        }
    }

    /// A descriptor or a time at which to ask for the end; a child's comes as a signal.
    fn wake_up(&self) -> (Option<BorrowedFd<'_>>, Option<Duration>) {
        match self {
            Self::Child(_) => (None, None),
            Self::Adopted(_, watch) => match watch.fd() {
                Some(fd) => (Some(fd), None),
                None => (None, Some(Duration::from_secs(1))),
            },
        }
    }

    fn end(&self) -> Option<End> {
        match self {
            Self::Child(process) => reap(process),
            Self::Adopted(_, watch) => watch.has_ended().then_some(End::Unknown),
        }
    }
}

/// Keeps the agent until it ends, and says how it did.
pub(crate) fn keep(run: &RunDir, signals: &Signals, agent: &Agent) -> anyhow::Result<End> {
    let mut log = LogBound::of(run);
    let mut drains = Drains::of(run, agent.process());
    // What was written while no keeper looked.
    drains.look();
    loop {
        let came = signals.take();
        if let Some(end) = agent.end() {
            return Ok(end);
        }
        if came.iter().any(|signal| STOPS.contains(signal)) {
            drains.drain();
        }
        if came.contains(&Signal::USR1) || drains.due() == Some(Duration::ZERO) {
            drains.look();
        }
        log.look();

        let (exit, tick) = agent.wake_up();
        let fds: Vec<_> = [Some(signals.as_fd()), log.fd(), exit].into_iter().flatten().collect();
        let at_most = [drains.due(), log.due(), tick].into_iter().flatten().min();
        wait(&fds, at_most)?;
    }
}

/// Reaps every child that ended, adopted orphans too; the end of `agent` if it was among them.
fn reap(agent: &ProcessId) -> Option<End> {
    let mut end = None;
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if process::Pid::from(pid) == agent.pid {
            end = Some(how_it_ended(status));
        }
    }
    end
}

fn how_it_ended(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => End::Code(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Unknown,
    }
}
