//! Waiting for one of several descriptors, or for a time.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Blocks until one of the descriptors is readable or at its end, a signal comes, or the time is
/// over; says of each whether it is ready. No time: no wake-up without an event.
pub(crate) fn wait(fds: &[BorrowedFd<'_>], at_most: Option<Duration>) -> io::Result<Vec<bool>> {
    let at_most = at_most.and_then(|limit| Timespec::try_from(limit).ok());
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    match poll(&mut polled, at_most.as_ref()) {
        Ok(_) => Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect()),
        Err(Errno::INTR) => Ok(vec![false; fds.len()]),
        Err(error) => Err(error.into()),
    }
}
