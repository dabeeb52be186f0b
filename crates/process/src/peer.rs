//! Who is at the other end of a Unix socket.

use std::io;
use std::os::fd::AsFd;

use crate::{Pid, os};

/// The process that connected, as it was when it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    /// `None` where the system does not say. By now the pid may be another's.
    pub pid: Option<Pid>,
}

/// The peer of a connected Unix stream socket (std's or tokio's).
pub fn peer_of(stream: impl AsFd) -> io::Result<Peer> {
    os::peer_of(stream.as_fd())
}
