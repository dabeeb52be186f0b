//! Descriptors over an exec: taking over those we were given, and letting go of the others.
#![expect(unsafe_code, reason = "a descriptor number from the parent must be made an owned one")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Takes the descriptor that the parent passed under number `n` (3 or more) and marks it
/// close-on-exec. Call it once for a number.
pub fn inherited_fd(n: i32) -> io::Result<OwnedFd> {
    if n < 3 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{n} is not a descriptor number above the standard streams"),
        ));
    }
    // SAFETY: borrowed only to ask whether it is open; the answer may be EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(n) };
    fcntl_getfd(borrowed)
        .map_err(|error| io::Error::new(error.kind(), format!("descriptor {n} is not open")))?;
    // SAFETY: it is open, and nobody else in this process owns it: it came over exec.
    let fd = unsafe { OwnedFd::from_raw_fd(n) };
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Lets a child inherit the descriptor under the same number, or not. In a process with other
/// threads that spawn, theirs would inherit it as well.
pub fn keep_over_exec(fd: impl AsFd, keep: bool) -> io::Result<()> {
    fcntl_setfd(fd, if keep { FdFlags::empty() } else { FdFlags::CLOEXEC })?;
    Ok(())
}

/// The descriptors that this process was started with.
#[derive(Debug)]
pub struct Inherited(Vec<i32>);

impl Inherited {
    /// Call it before [`inherited_fd`] and before anything passes descriptors on.
    pub fn at_start() -> io::Result<Self> {
        let mut inherited = Vec::new();
        for entry in std::fs::read_dir("/dev/fd")? {
            let Some(fd) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // SAFETY: borrowed only to ask for its flags; the answer may be EBADF.
            let flags = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(fd) });
            // What came over exec is not close-on-exec; what std opens is.
            if fd > 2 && flags.is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC)) {
                inherited.push(fd);
            }
        }
        Ok(Self(inherited))
    }

    /// Closes them all except `kept`, and points the standard streams at /dev/null, so that whoever
    /// waits for an end of file at the other end is not kept waiting by us.
    pub fn let_go(self, kept: &[BorrowedFd<'_>]) -> io::Result<()> {
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        self.close_all_but(kept);
        Ok(())
    }

    /// Closes those above the standard streams except `kept`.
    pub fn close_all_but(self, kept: &[BorrowedFd<'_>]) {
        for fd in self.0 {
            if !kept.iter().any(|kept| kept.as_raw_fd() == fd) {
                // SAFETY: it came over exec and nobody here took it over, or it is in `kept`.
                unsafe { libc::close(fd) };
            }
        }
    }
}
