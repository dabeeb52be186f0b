//! When clean-up begins by itself: once a week when no task runs, and when the disk is low. One at a
//! time; the weekly one gives way to a task.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use protocol::{CleanupRuns, CleanupWhy, Problem, ProblemCode, Weekly};

/// A clean-up that was asked for and of which nothing is heard was lost.
const UNHEARD: SignedDuration = SignedDuration::from_secs(30);
/// Tasks may come one after the other: a weekly run that gave way is not begun anew in each gap.
const WEEKLY_AGAIN: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug, Clone)]
pub(crate) struct Cleaning {
    zone: TimeZone,
    asked: Option<(CleanupWhy, Timestamp)>,
    runs: Option<CleanupRuns>,
    told_to_stop: bool,
    /// Since when the weekly run that was begun last was due: what it gave way at is still to be done.
    weekly_since: Option<Timestamp>,
    /// When a weekly run gave way to a task.
    gave_way: Option<Timestamp>,
    failed: Option<Problem>,
}

impl Default for Cleaning {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            asked: None,
            runs: None,
            told_to_stop: false,
            weekly_since: None,
            gave_way: None,
            failed: None,
        }
    }
}

impl Cleaning {
    pub(crate) fn in_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    pub(crate) fn advanced(&mut self, runs: CleanupRuns) {
        self.asked = None;
        self.runs = Some(runs);
    }

    /// What was measured is no clean-up: what the last one failed at is still so.
    pub(crate) fn measured(&mut self) {
        self.runs = None;
    }

    /// `failure`: in words, where it did not do what it should.
    pub(crate) fn ended(&mut self, failure: Option<String>, now: Timestamp) {
        self.asked = None;
        self.runs = None;
        self.told_to_stop = false;
        self.judged(failure, now);
    }

    /// The last clean-up is the one that counts.
    pub(crate) fn judged(&mut self, failure: Option<String>, now: Timestamp) {
        self.failed = failure.map(|why| Problem::of(ProblemCode::CleanupFailed, now).reading(why));
    }

    pub(crate) fn asks(&mut self, why: CleanupWhy, now: Timestamp) {
        self.asked = Some((why, now));
    }

    /// The weekly run that is due since then begins.
    pub(crate) fn begins_weekly(&mut self, since: Option<Timestamp>) {
        self.weekly_since = since;
        self.gave_way = None;
    }

    /// Until when a weekly run that gave way is not begun again.
    pub(crate) fn weekly_waits(&self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back puts nothing off.
        let gave_way = self.gave_way.filter(|at| *at <= now)?;
        gave_way.checked_add(WEEKLY_AGAIN).ok().filter(|until| *until > now)
    }

    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        let asked = self.asked.is_some_and(|(_, at)| at.duration_until(now).abs() < UNHEARD);
        self.runs.is_none() && !asked
    }

    /// The first time of the week after `since`.
    pub(crate) fn next(&self, weekly: Weekly, since: Timestamp) -> Option<Timestamp> {
        let day = Weekday::from_monday_one_offset(i8::try_from(weekly.day).ok()?).ok()?;
        let since = since.to_zoned_datetime(self.zone.clone());
        // The day itself counts, if its hour is still to come.
        let mut date = since.date();
        for _ in 0..8 {
            if date.weekday() == day {
                let at = date.at(i8::try_from(weekly.hour).ok()?, 0, 0, 0);
                let at = self.zone.to_timestamp(at).ok()?;
                if at > since.timestamp() {
                    return Some(at);
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    /// Tools clear away what a task may be about to use, so the weekly run ends where one begins. Since
    /// when it is due, still.
    pub(crate) fn gives_way(&mut self, task_runs: bool, now: Timestamp) -> Option<Timestamp> {
        let weekly = self.runs.as_ref().is_some_and(|runs| runs.why == CleanupWhy::Weekly);
        if !weekly || !task_runs || self.told_to_stop {
            return None;
        }
        self.told_to_stop = true;
        self.gave_way = Some(now);
        Some(self.weekly_since.unwrap_or(now))
    }

    pub(crate) fn shown(&self) -> Option<CleanupRuns> {
        self.runs.clone()
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        self.failed.clone()
    }
}
