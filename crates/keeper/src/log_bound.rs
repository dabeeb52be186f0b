//! Keeps agent.log within its limit. The agent writes into the file itself, so the file is copied
//! aside (redacted) and cut to nothing in place; lines written between the two are lost.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use process::GrowthWatch;
use run_dir::{RunDir, TokenMark};

use crate::note::note;

/// At most one look in this time, however busy the log is.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
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
}

impl<'run> LogBound<'run> {
    pub(crate) fn of(run: &'run RunDir) -> Self {
        let plan = run.plan().written();
        Self {
            run,
            limit: plan.as_ref().map_or(LIMIT, |plan| plan.log_limit),
            mark: plan.and_then(|plan| plan.token_mark),
            watch: process::growth_watch(&run.agent_log()),
            next_look: Instant::now(),
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
        if size(self.run) > self.limit
            && let Err(error) = self.cut()
        {
            note(self.run, format_args!("agent.log could not be moved aside: {error}"));
        }
        if grew {
            let pause = if self.watch.is_some() { BETWEEN_LOOKS } else { TICK };
            self.next_look = Instant::now() + pause;
        }
    }

    /// Even if the copy fails (a full disk), the log is cut: what is bounded must stay so.
    fn cut(&self) -> io::Result<()> {
        let log = File::options().read(true).write(true).open(self.run.agent_log())?;
        let copied = self.copy(&log);
        log.set_len(0)?;
        copied
    }

    fn copy(&self, mut log: &File) -> io::Result<()> {
        let aside = self.run.agent_log_before();
        let options = &mut fs::OpenOptions::new();
        let mut aside = options.write(true).create(true).truncate(true).mode(0o600).open(aside)?;
        match &self.mark {
            Some(mark) => mark.copy_redacted(log, aside),
            None => io::copy(&mut log, &mut aside).map(drop),
        }
    }
}
