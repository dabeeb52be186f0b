//! Descriptors over an exec: taking over those we were given, and letting go of all others.
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

/// Closes every descriptor above the standard streams that is not in `keep` and points the
/// standard streams at /dev/null, so that whoever waits for an end of file at the other end is not
/// kept waiting by us. Descriptors that an object of this process owns must all be in `keep`.
pub fn close_all_but(keep: &[BorrowedFd<'_>]) -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    drop(null);
    let open: Vec<i32> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| *fd > 2) {
        if !keep.iter().any(|kept| kept.as_raw_fd() == fd) {
            // SAFETY: the caller owns no such descriptor (its contract); one that is closed
            // already (that of the listing itself) gives EBADF, which changes nothing.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}
