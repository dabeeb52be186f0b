//! Trying again: soon at first, ever more seldom, and never sooner than the server asked for. What a
//! second try cannot mend is not tried a second time.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::ReleaseError;

/// How much trouble a download puts up with before it gives up for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries in a row that brought nothing worth the name.
    pub tries: usize,
    /// Before the second try; each further wait is twice as long.
    pub first_wait: Duration,
    /// A server that asks for a longer wait than this (`Retry-After`) is given up on for now.
    pub longest_wait: Duration,
    /// Without a single byte.
    pub silence: Duration,
    /// Whoever brings fewer bytes than this within `silence` is too slow.
    pub least: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            silence: Duration::from_mins(1),
            least: 64 << 10,
        }
    }
}

/// The tries of one download.
pub(crate) struct Tries {
    patience: Patience,
    waits: ExponentialBackoff,
    furthest: u64,
}

impl Tries {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, waits: waits(patience), furthest: 0 }
    }

    /// How long to wait before the next try; the error itself where there is to be none.
    pub(crate) fn after(
        &mut self,
        error: ReleaseError,
    ) -> Result<(Duration, String), ReleaseError> {
        if !error.may_pass() {
            return Err(error);
        }
        let asked = error.retry_after().unwrap_or_default();
        match self.waits.next() {
            Some(wait) if asked <= self.patience.longest_wait => {
                Ok((wait.max(asked), error.to_string()))
            }
            Some(_) | None => Err(error),
        }
    }

    /// So many bytes are here. Further than ever, by something worth the name, makes the tries count
    /// anew.
    pub(crate) fn reached(&mut self, bytes: u64) {
        if bytes >= self.furthest.saturating_add(self.patience.least) {
            self.furthest = bytes;
            self.waits = waits(self.patience);
        }
    }
}

fn waits(patience: Patience) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(patience.first_wait)
        .with_max_delay(patience.longest_wait)
        .with_max_times(patience.tries.saturating_sub(1))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, retry_after: Option<u64>) -> ReleaseError {
        let retry_after = retry_after.map(Duration::from_secs);
        ReleaseError::Status { url: "https://x.example".to_owned(), status, retry_after }
    }

    fn seconds(tries: &mut Tries, error: ReleaseError) -> Option<f32> {
        tries.after(error).ok().map(|(wait, _)| wait.as_secs_f32())
    }

    #[test]
    fn waits_double_and_end() {
        let mut tries = Tries::new(Patience::default());
        let waits: Vec<_> = (0..4).map(|_| seconds(&mut tries, status(503, None))).collect();
        assert_eq!(waits, [Some(0.5), Some(1.0), Some(2.0), None]);
    }

    #[test]
    fn a_try_that_came_further_makes_the_next_ones_count_anew() {
        let patience = Patience { tries: 2, least: 100, ..Patience::default() };
        let mut tries = Tries::new(patience);
        let mut trouble_at = |bytes| {
            tries.reached(bytes);
            seconds(&mut tries, status(503, None))
        };
        assert_eq!(trouble_at(0), Some(0.5));
        assert_eq!(trouble_at(99), None, "a few bytes are not worth it");
        assert_eq!(trouble_at(100), Some(0.5));
        assert_eq!(trouble_at(150), None);
        assert_eq!(trouble_at(100), None, "a server that begins anew each time gets nowhere");
        assert_eq!(trouble_at(200), Some(0.5));
    }

    #[test]
    fn the_servers_own_wait_is_kept_and_one_too_long_is_for_later() {
        let mut tries = Tries::new(Patience::default());
        assert_eq!(seconds(&mut tries, status(429, Some(7))), Some(7.0));
        let error = tries.after(status(429, Some(3600))).unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_hours(1)));
    }

    #[test]
    fn what_a_second_try_cannot_mend_is_not_tried_again() {
        let mut tries = Tries::new(Patience::default());
        for refused in [400, 401, 403, 404, 409, 410] {
            assert_eq!(seconds(&mut tries, status(refused, None)), None, "{refused}");
        }
    }
}
