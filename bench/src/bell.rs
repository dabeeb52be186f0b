//! Hears, at once, that a child is up: each child rings one bell. Never polls.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use process::{Pid, ProcessId};

/// Longer than the slowest contender takes for anything.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Bell {
    socket: UnixDatagram,
}

/// A child that has rung.
pub(crate) struct Rung {
    pub(crate) at: Instant,
    pub(crate) child: ProcessId,
}

impl Bell {
    /// In the folder that the children will have as HOME.
    pub(crate) fn hang(home: &Path) -> Result<Self> {
        let socket = UnixDatagram::bind(home.join("bell")).context("hanging up the bell")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket })
    }

    pub(crate) fn next(&self) -> Result<Rung> {
        let mut number = [0; 4];
        if let Err(error) = self.socket.recv(&mut number) {
            if error.kind() == ErrorKind::WouldBlock {
                bail!("no child came up within {} s", PATIENCE.as_secs());
            }
            return Err(error).context("listening for the bell");
        }
        let at = Instant::now();
        let pid = Pid::new(u32::from_le_bytes(number)).context("a child says its number")?;
        Ok(Rung { at, child: ProcessId::of(pid).context("a child rang and was gone")? })
    }

    pub(crate) fn several(&self, count: usize) -> Result<Vec<Rung>> {
        (0..count).map(|_| self.next()).collect()
    }
}
