//! Two events worth waiting for: a process that is not our child ends, and a file grows.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{Liveness, ProcessId, alive, os};

/// How often to look where the system offers no event.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Tells when a process has ended, child or not.
#[derive(Debug)]
pub struct ExitWatch {
    id: ProcessId,
    fd: Option<OwnedFd>,
}

impl ExitWatch {
    /// `Ok(None)`: it has ended already.
    pub fn of(id: &ProcessId) -> io::Result<Option<Self>> {
        let fd = os::exit_fd(id.pid)?;
        // Looked at after the descriptor is held, so that it can be of no other process.
        Ok(match alive(id) {
            Liveness::Dead => None,
            Liveness::Alive | Liveness::Unknown => Some(Self { id: id.clone(), fd }),
        })
    }

    /// Readable once the process has ended. `None`: ask [`Self::has_ended`] once a second.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    pub fn has_ended(&self) -> bool {
        alive(&self.id) == Liveness::Dead
    }

    /// Blocks until the process has ended or the time is over; whether it has ended.
    pub fn wait(&self, at_most: Option<Duration>) -> io::Result<bool> {
        let deadline = at_most.map(|limit| std::time::Instant::now() + limit);
        loop {
            if self.has_ended() {
                return Ok(true);
            }
            let left = deadline.map(|at| at.saturating_duration_since(std::time::Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(false);
            }
            // The descriptor is only the alarm clock; has_ended decides. Even with one, look now
            // and then: a process that shows up as ended late must not be waited for for ever.
            let limit = left
                .and_then(|left| Timespec::try_from(left).ok())
                .map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY));
            let mut fds: Vec<PollFd<'_>> = self
                .fd()
                .into_iter()
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                .collect();
            match poll(&mut fds, Some(&limit)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Readable when the watched file was written to.
#[derive(Debug)]
pub struct GrowthWatch(pub(crate) OwnedFd);

impl GrowthWatch {
    /// Takes what was announced so far, so that only later writes make it readable again; whether
    /// there was anything.
    pub fn clear(&self) -> bool {
        let mut events = [0_u8; 4096];
        let mut any = false;
        while matches!(rustix::io::read(&self.0, &mut events), Ok(read) if read > 0) {
            any = true;
        }
        any
    }
}

impl AsFd for GrowthWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Watches a file for writes. `None` where the system offers no cheap way (macOS, or no inotify
/// left): look every 10 seconds instead.
pub fn growth_watch(path: &Path) -> Option<GrowthWatch> {
    os::growth_watch(path)
}
