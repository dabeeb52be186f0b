//! The moment that the core asked to be woken at, by the wall clock: through sleep, and whatever
//! somebody sets the clock to.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use host::Alarm;
use jiff::{SignedDuration, Timestamp};

use crate::input::{Input, Loop};
use crate::supervisor::now;

/// Without an alarm by the wall clock, the clock is looked at this often while a moment is awaited:
/// other timers do not count the time a machine sleeps.
const LONGEST_NAP: Duration = Duration::from_secs(30);

pub(crate) struct WakeUp {
    at: Option<Timestamp>,
    alarm: Option<Arc<Alarm>>,
}

impl WakeUp {
    pub(crate) fn new(to_loop: Loop) -> Self {
        let alarm = match Alarm::new() {
            Ok(alarm) => alarm.map(Arc::new),
            Err(error) => {
                tracing::warn!(%error, "no alarm by the wall clock: looking at it every 30 s");
                None
            }
        };
        let rings = alarm.clone().is_some_and(|alarm| {
            let ring = move || loop {
                alarm.wait();
                to_loop.send(Input::AlarmWentOff);
            };
            thread::Builder::new().stack_size(64 << 10).spawn(ring).is_ok()
        });
        Self { at: None, alarm: alarm.filter(|_| rings) }
    }

    pub(crate) fn set(&mut self, at: Option<Timestamp>) {
        self.at = at;
        let Some((at, alarm)) = at.zip(self.alarm.as_ref()) else { return };
        let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
        if let Err(error) = alarm.set(at.as_second(), nanoseconds) {
            tracing::warn!(%error, "the alarm cannot be set");
            self.alarm = None;
        }
    }

    /// How long the loop may wait at most, where no alarm wakes it.
    pub(crate) fn nap(&self) -> Option<Duration> {
        let at = self.at.filter(|_| self.alarm.is_none())?;
        let left = now().duration_until(at).max(SignedDuration::from_millis(5));
        Some(left.unsigned_abs().min(LONGEST_NAP))
    }
}
