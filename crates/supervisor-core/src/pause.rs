//! Who holds a pause: any number of reasons, each ended only by its own.

use jiff::Timestamp;
use protocol::{PauseBy, PauseReason};

/// Adds the reason, or brings the same holder's up to date.
pub(crate) fn hold(pauses: &mut Vec<PauseReason>, mut reason: PauseReason) {
    if let Some(held) = pauses.iter_mut().find(|held| held.by == reason.by) {
        reason.since = held.since;
        *held = reason;
    } else {
        pauses.push(reason);
    }
}

pub(crate) fn release(pauses: &mut Vec<PauseReason>, by: PauseBy) {
    pauses.retain(|held| held.by != by);
}

/// Drops what is past its deadline; true where something was.
pub(crate) fn expire(pauses: &mut Vec<PauseReason>, now: Timestamp) -> bool {
    let before = pauses.len();
    pauses.retain(|held| held.until.is_none_or(|until| now < until));
    pauses.len() < before
}

pub(crate) fn next_deadline(pauses: &[PauseReason]) -> Option<Timestamp> {
    pauses.iter().filter_map(|held| held.until).min()
}
