//! When to stop, and how far it got: what a caller and the threads at work share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Asked between files; stopping leaves everything whole that was not begun.
#[derive(Debug, Default)]
pub struct Stop {
    asked: AtomicBool,
    at: OnceLock<Instant>,
}

impl Stop {
    /// Only when asked.
    pub fn never() -> Self {
        Self::default()
    }

    /// At the latest then.
    pub fn at(deadline: Instant) -> Self {
        let stop = Self::default();
        stop.at_the_latest(deadline);
        stop
    }

    /// Then too, if no moment was named before.
    pub fn at_the_latest(&self, deadline: Instant) {
        let _ = self.at.set(deadline);
    }

    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    pub fn is_asked(&self) -> bool {
        if self.asked.load(Ordering::Relaxed) {
            return true;
        }
        let over = self.at.get().is_some_and(|at| Instant::now() >= *at);
        if over {
            self.ask();
        }
        over
    }
}

/// How far it got; to be read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Files, folders and all else that was measured or removed.
    pub fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// Bytes on disk of those.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, entries: u64, bytes: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
