//! How far an installation is: bytes, their rate, the time that is left. Told a few times a second,
//! whatever the line brings.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What is known of a download under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Once the manifest was read.
    pub version: Option<String>,
    /// Bytes of the archive that are here, those of earlier tries too.
    pub received: u64,
    /// Unknown where the server does not say.
    pub total: Option<u64>,
    /// Bytes a second over the last few seconds.
    pub rate: Option<u64>,
    pub left: Option<Duration>,
    /// It stands still for now.
    pub waits: Option<Waits>,
}

/// Why nothing comes, and how long until it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    pub why: String,
    pub wait: Duration,
}

const TOLD_EVERY: Duration = Duration::from_millis(250);
/// A rate is that of this last while.
const WHILE: Duration = Duration::from_secs(5);
/// From less than this no rate is told.
const ENOUGH: Duration = Duration::from_millis(500);

/// Keeps the pace and tells of it.
pub(crate) struct Report<'a> {
    tell: &'a mut (dyn FnMut(Progress) + Send),
    progress: Progress,
    told: Option<Instant>,
    /// When how many bytes were here.
    seen: VecDeque<(Instant, u64)>,
}

impl<'a> Report<'a> {
    pub(crate) fn to(tell: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        Self { tell, progress: Progress::default(), told: None, seen: VecDeque::new() }
    }

    pub(crate) fn version(&mut self, version: &str) {
        self.progress.version = Some(version.to_owned());
    }

    /// An answer begins, with so many bytes here already.
    pub(crate) fn begins(&mut self, received: u64, total: Option<u64>) {
        self.seen.clear();
        self.progress = Progress {
            version: self.progress.version.take(),
            received,
            total,
            ..Progress::default()
        };
        self.seen.push_back((Instant::now(), received));
        self.tell();
    }

    pub(crate) fn received(&mut self, received: u64) {
        let now = Instant::now();
        self.progress.received = received;
        let is_last = self.progress.total == Some(received);
        if !is_last && self.told.is_some_and(|told| now - told < TOLD_EVERY) {
            return;
        }
        self.seen.push_back((now, received));
        while self.seen.len() > 2 && now - self.seen[1].0 > WHILE {
            self.seen.pop_front();
        }
        if let Some(&(since, then)) = self.seen.front() {
            self.progress.rate = rate(received - then, now - since);
        }
        let missing = self.progress.total.map(|total| total.saturating_sub(received));
        self.progress.left = missing.zip(self.progress.rate).and_then(|(missing, rate)| {
            (rate > 0).then(|| Duration::from_secs(missing.div_ceil(rate)))
        });
        self.tell();
    }

    pub(crate) fn waits(&mut self, why: String, wait: Duration) {
        (self.progress.rate, self.progress.left) = (None, None);
        self.progress.waits = Some(Waits { why, wait });
        self.tell();
    }

    fn tell(&mut self) {
        self.told = Some(Instant::now());
        (self.tell)(self.progress.clone());
    }
}

/// Bytes a second, once there was time enough to tell.
fn rate(bytes: u64, time: Duration) -> Option<u64> {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    (time >= ENOUGH).then(|| bytes.saturating_mul(1000) / milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_once_there_was_time_enough() {
        assert_eq!(rate(1_000_000, Duration::from_millis(499)), None);
        assert_eq!(rate(1_000_000, Duration::from_millis(500)), Some(2_000_000));
        assert_eq!(rate(0, Duration::from_secs(5)), Some(0));
        assert_eq!(rate(u64::MAX, Duration::from_secs(1)), Some(u64::MAX / 1000));
    }

    #[test]
    fn the_first_and_the_last_byte_are_told_and_those_between_a_few_times_a_second() {
        let mut told = Vec::new();
        let mut tell = |progress| told.push(progress);
        let mut report = Report::to(&mut tell);
        report.version("3.1.11");
        report.begins(0, Some(1000));
        for received in 1..=1000 {
            report.received(received);
        }
        assert!(told.len() < 500, "{} times", told.len());
        assert_eq!((told[0].received, told[0].total), (0, Some(1000)));
        let last = told.last().unwrap();
        assert_eq!((last.received, last.version.as_deref()), (1000, Some("3.1.11")));
    }

    #[test]
    fn a_wait_is_told_with_its_reason_and_ends_with_the_next_answer() {
        let mut told = Vec::new();
        let mut tell = |progress: Progress| told.push(progress.waits);
        let mut report = Report::to(&mut tell);
        report.begins(0, None);
        report.waits("no answer".to_owned(), Duration::from_secs(2));
        report.begins(10, None);
        let waits = Waits { why: "no answer".to_owned(), wait: Duration::from_secs(2) };
        assert_eq!(told, [None, Some(waits), None]);
    }
}
