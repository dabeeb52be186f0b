//! When to try again: soon at first, ever more seldom, never hopelessly late.

use jiff::{SignedDuration, Timestamp};

const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackOff {
    failures: u32,
    not_before: Option<Timestamp>,
    /// How far `not_before` may be away.
    wait: SignedDuration,
    longest: SignedDuration,
}

impl BackOff {
    pub(crate) fn new(longest: SignedDuration) -> Self {
        Self { failures: 0, not_before: None, wait: longest, longest }
    }

    /// One more failure: wait 1 s, 2 s, 4 s ... but never less than `least`, which may be a server's
    /// word, and is believed up to a day.
    pub(crate) fn failed(&mut self, now: Timestamp, least: SignedDuration) {
        let doubled = SignedDuration::from_secs(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        self.wait = doubled.min(self.longest).max(least.min(LONGEST_ASKED));
        self.not_before = Some(now.saturating_add(self.wait).unwrap_or(Timestamp::MAX));
    }

    /// A failure that is tried again at once; the next one waits.
    pub(crate) fn failed_once(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = None;
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// When to try; absent = at once. A clock that was set back does not stretch the wait.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Timestamp> {
        let at = self.not_before?;
        if at <= now {
            return None;
        }
        if now.duration_until(at) > self.wait {
            self.not_before = now.checked_add(self.wait).ok();
        }
        self.not_before
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut back_off = BackOff::new(SignedDuration::from_secs(300));
        let mut waits = Vec::new();
        for _ in 0..12 {
            back_off.failed(at(1000), SignedDuration::ZERO);
            waits.push(back_off.due(at(1000)).unwrap().as_second() - 1000);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn a_clock_set_back_does_not_stretch_the_wait() {
        let mut back_off = BackOff::new(SignedDuration::from_secs(300));
        back_off.failed(at(1_000_000), SignedDuration::ZERO);
        assert_eq!(back_off.due(at(0)), Some(at(1)));
        assert_eq!(back_off.due(at(1)), None);
    }

    #[test]
    fn a_server_that_asks_for_longer_gets_it_up_to_a_day() {
        let mut back_off = BackOff::new(SignedDuration::from_secs(300));
        back_off.failed(at(0), SignedDuration::from_hours(1));
        assert_eq!(back_off.due(at(0)), Some(at(3600)));
        back_off.failed(at(0), SignedDuration::from_hours(1000));
        assert_eq!(back_off.due(at(0)), Some(at(24 * 3600)));
    }
}
