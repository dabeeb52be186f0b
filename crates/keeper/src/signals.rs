//! Signals as something to poll for: a handler sets a flag and writes to a pipe, no more.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use process::Signal;

/// What asks a process to stop. To a keeper: drain the agent.
pub(crate) const STOPS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// Signals that came and were not taken yet. Two of one kind may be taken as one, as with the
/// kernel's own.
pub(crate) struct Signals {
    wake: UnixStream,
    came: Vec<(Signal, Arc<AtomicBool>)>,
}

impl Signals {
    /// From now on these signals have no other effect on this process.
    pub(crate) fn listen(to: &[Signal]) -> io::Result<Self> {
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let mut came = Vec::new();
        for signal in to {
            let flag = Arc::new(AtomicBool::new(false));
            // The flag first: whoever is woken must find it set.
            signal_hook::flag::register(signal.as_raw(), Arc::clone(&flag))?;
            signal_hook::low_level::pipe::register(signal.as_raw(), write.try_clone()?)?;
            came.push((*signal, flag));
        }
        Ok(Self { wake, came })
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<Signal> {
        let mut bytes = [0_u8; 64];
        while matches!((&self.wake).read(&mut bytes), Ok(read) if read > 0) {}
        let came = self.came.iter().filter(|(_, flag)| flag.swap(false, Ordering::Relaxed));
        came.map(|(signal, _)| *signal).collect()
    }

    /// Takes what came; whether it asks this process to stop.
    pub(crate) fn stop_asked(&self) -> bool {
        self.take().iter().any(|signal| STOPS.contains(signal))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
