//! The link between the two sides of a task wrapper: JSON lines over a socket pair. Its end tells
//! each side that the other died.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use process::ProcessId;
use run_dir::{TaskEnd, TaskNumber};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What the guard tells the front.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// The task agent is about to run. No number: its records could not be written. `spared` were left by
    /// a command of the owner's before it, and are not the task's.
    Running { task: Option<TaskNumber>, spared: Vec<ProcessId> },
    /// It has ended, and everything of ours with it.
    Over(TaskEnd),
}

/// What the front tells the guard: a signal for the task agent, by number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Forward(pub(crate) i32);

pub(crate) struct Link {
    stream: UnixStream,
    unread: Vec<u8>,
}

/// What a look at the link brought.
pub(crate) struct Came<T> {
    pub(crate) messages: Vec<T>,
    /// The other side is gone.
    pub(crate) closed: bool,
}

impl Link {
    pub(crate) fn over(stream: UnixStream) -> Self {
        Self { stream, unread: Vec::new() }
    }

    pub(crate) fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stream.write_all(&line)
    }

    /// Reads once; blocks when nothing is there.
    pub(crate) fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Came<T>> {
        let mut chunk = [0_u8; 1024];
        let read = match self.stream.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                return Ok(Came { messages: Vec::new(), closed: false });
            }
            // The other side died with words of ours unread.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error),
        };
        self.unread.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let mut messages = Vec::new();
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            messages.push(serde_json::from_slice(&line)?);
        }
        Ok(Came { messages, closed: read == 0 })
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
