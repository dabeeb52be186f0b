//! An alarm by the wall clock: it goes off at its time though the machine slept through it, and at
//! once when somebody sets the clock.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::os;

/// One alarm.
#[derive(Debug)]
pub struct Alarm(OwnedFd);

impl Alarm {
    /// None where the system has no such thing (macOS): the caller looks at the clock now and then.
    pub fn new() -> io::Result<Option<Self>> {
        Ok(os::new_alarm()?.map(Self))
    }

    /// Sets it to a moment, in seconds and nanoseconds since 1970; replaces the one before.
    pub fn set(&self, seconds: i64, nanoseconds: u32) -> io::Result<()> {
        os::set_alarm(self.0.as_fd(), seconds, nanoseconds)
    }

    /// Blocks until it goes off; for a thread of its own.
    pub fn wait(&self) {
        // What it says does not matter: how often, or that the clock was set.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn rings_within(alarm: &Alarm, seconds: i64) -> bool {
        let mut watched = [PollFd::new(alarm, PollFlags::IN)];
        poll(&mut watched, Some(&Timespec { tv_sec: seconds, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an alarm by the clock is tried by the clock")]
    fn it_goes_off_at_its_time_and_at_once_for_a_time_gone_by() {
        let Some(alarm) = Alarm::new().unwrap() else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        alarm.set(now - 100, 0).unwrap();
        assert!(rings_within(&alarm, 5));
        alarm.wait();
        assert!(!rings_within(&alarm, 0));
        alarm.set(now + 3600, 0).unwrap();
        assert!(!rings_within(&alarm, 0));
        alarm.set(now + 1, 0).unwrap();
        assert!(rings_within(&alarm, 20));
    }
}
