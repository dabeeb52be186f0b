//! A second process that goes on from here.
#![expect(unsafe_code, reason = "fork has no safe form")]

use std::io;

use crate::{Pid, os};

/// Which of the two a process is after [`fork`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The one that was there before; the other's number, to be reaped by it.
    Parent(Pid),
    Child,
}

/// Makes a copy of this process, in a process group of its own: what it costs to start a program and to find
/// its libraries is saved. The copy has every descriptor of this one; it drops those that tell their other
/// end by closing. An error, too, where this process has other threads, which the copy would not have.
pub fn fork() -> io::Result<Forked> {
    if !os::is_single_threaded() {
        return Err(io::Error::other("a process with several threads cannot be copied"));
    }
    // SAFETY: no other thread holds a lock that the copy could wait for.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // A process that was just made leads no session.
            rustix::process::setpgid(None, None)?;
            Ok(Forked::Child)
        }
        pid => {
            let pid = u32::try_from(pid).ok().and_then(Pid::new);
            Ok(Forked::Parent(pid.ok_or_else(|| io::Error::other("fork gave no number"))?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_several_threads_is_not_copied() {
        // A test runs in a thread beside the main one.
        let error = fork().unwrap_err();
        assert_eq!(error.to_string(), "a process with several threads cannot be copied");
    }
}
