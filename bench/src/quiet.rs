//! Waits for a machine on which nobody else works, so that a number is the contender's own; where it
//! waits in vain, the number says so.

use std::time::{Duration, Instant};

use crate::proc::Load;

/// Above this part of all CPU time somebody else works.
const BUSY: f64 = 0.12;
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 3;

pub(crate) struct Quiet {
    patience: Duration,
}

impl Quiet {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience }
    }

    /// Returns once the machine was quiet for some looks in a row, or patience is over; says which.
    pub(crate) fn wait(&self) -> String {
        let (begun, mut load, mut quiet) = (Instant::now(), Load::begin(), 0);
        loop {
            trials::nap(LOOK);
            let busy = load.since();
            quiet = if busy < BUSY { quiet + 1 } else { 0 };
            if quiet == LOOKS {
                return "the machine was quiet before".to_owned();
            }
            if begun.elapsed() > self.patience {
                return format!(
                    "OTHERS WORKED on the machine ({:.0} % of its CPU time, load {}): times are too long",
                    busy * 100.0,
                    load_average(),
                );
            }
        }
    }
}

/// The last minute's, as `/proc/loadavg` has it.
pub(crate) fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
