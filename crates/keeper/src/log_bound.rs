//! Keeps agent.log within its limit, by having it moved aside when it is beyond. It must never keep
//! the keeper from its other duties.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use process::GrowthWatch;
use run_dir::{RunDir, TokenMark};

use crate::note::note;

/// At most one look in this time, however busy the log is; a log that begins to grow, or was beyond its
/// limit, is looked at sooner, and then ever more seldom.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
const SOONEST: Duration = Duration::from_millis(20);
/// Where the system does not tell of writes.
const TICK: Duration = Duration::from_secs(10);
/// For a run whose plan cannot be read.
const LIMIT: u64 = 20 * 1024 * 1024;

pub(crate) struct LogBound<'run> {
    run: &'run RunDir,
    limit: u64,
    mark: Option<TokenMark>,
    watch: Option<GrowthWatch>,
    next_look: Instant,
    pause: Duration,
}

impl<'run> LogBound<'run> {
    pub(crate) fn of(run: &'run RunDir) -> Self {
        let plan = run.plan().written();
        if let Err(error) = run.finish_log_cut() {
            note(run, format_args!("agent.log could not be moved aside: {error}"));
        }
        Self {
            run,
            limit: plan.as_ref().map_or(LIMIT, |plan| plan.log_limit),
            mark: plan.and_then(|plan| plan.token_mark),
            watch: process::growth_watch(&run.agent_log()),
            next_look: Instant::now(),
            pause: SOONEST,
        }
    }

    /// Readable when the log grew; nothing to wait for while it is too early for a look.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        if self.next_look > Instant::now() {
            return None;
        }
        self.watch.as_ref().map(AsFd::as_fd)
    }

    /// How long until [`Self::look`] or [`Self::fd`] is of use again without an event.
    pub(crate) fn due(&self) -> Option<Duration> {
        let left = self.next_look.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Cuts the log if it is too long and it is time to look.
    pub(crate) fn look(&mut self) {
        if self.due().is_some() {
            return;
        }
        let size = |run: &RunDir| fs::metadata(run.agent_log()).map_or(0, |there| there.len());
        let grew = match &self.watch {
            Some(watch) => watch.clear(),
            None => true,
        };
        let is_beyond = size(self.run) > self.limit;
        if is_beyond && let Err(error) = self.run.cut_agent_log(self.mark.as_ref(), self.limit) {
            note(self.run, format_args!("agent.log could not be moved aside: {error}"));
        }
        if is_beyond || !grew {
            self.pause = SOONEST;
        }
        if grew {
            let pause = if self.watch.is_some() { self.pause } else { TICK };
            self.next_look = Instant::now() + pause;
            self.pause = (self.pause * 2).min(BETWEEN_LOOKS);
        }
    }
}
