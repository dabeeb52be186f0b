//! Waiting for what must come to be, with a deadline. Nothing here waits for luck.

use std::time::{Duration, Instant};

/// Far beyond what anything takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Returns once `holds`; panics with `what` when the deadline passes first.
#[track_caller]
pub fn until(deadline: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    until_some(deadline, what, || holds().then_some(()));
}

/// Whether it `holds` before the deadline passes.
pub(crate) fn holds_within(deadline: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    while !holds() {
        if Instant::now() >= end {
            return false;
        }
        nap(BETWEEN_LOOKS);
    }
    true
}

/// What `look` finds in the end; panics with `what` when the deadline passes first.
#[track_caller]
pub fn until_some<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain until {what}", deadline.as_secs());
        nap(BETWEEN_LOOKS);
    }
}

/// Between two looks, or a random moment: never in place of an event.
pub fn nap(time: Duration) {
    std::thread::park_timeout(time);
}
