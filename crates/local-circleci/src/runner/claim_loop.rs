//! The claim loop: ask for work, run it, ask again; wait longer the longer there is none. One task
//! at a time, none once a signal has come.

use std::time::{Duration, Instant};

use crate::http::{Api, ApiError};
use crate::variant::Variant;
use crate::wire::{ClaimRequest, Claimed};

use super::calls::{Calls, in_go_words};
use super::config::Config;
use super::signals::Signals;
use super::spans::{Log, Span, Trace};
use super::task::{self, Cut, Surroundings};
use super::task_agent::TaskAgent;

/// Why the loop is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A drain, a single task or the idle time.
    Done,
    /// The drain was cut short.
    Forced,
    /// The token is not valid.
    Refused,
}

/// From circleci/ex `worker/worker.go`: 50 ms, doubled up to 5 s ([`Variant::max_backoff`]).
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Of so many polls without work, one is in the log.
const SAMPLE: u64 = 50;

pub(super) struct ClaimLoop<'a> {
    pub(super) config: &'a Config,
    pub(super) variant: &'a Variant,
    pub(super) api: &'a Api,
    pub(super) agent: &'a TaskAgent,
    pub(super) signals: &'a mut Signals,
    pub(super) log: &'a Log,
    pub(super) version: &'a str,
}

impl ClaimLoop<'_> {
    pub(super) fn run(&mut self) -> End {
        let mut wait = FIRST_WAIT;
        let mut idle_since = Instant::now();
        for poll in 0.. {
            self.signals.look(self.log);
            if self.signals.draining_since().is_some() {
                return End::Done;
            }
            std::thread::sleep(self.variant.sleep_before_claim);
            match self.claim(poll % SAMPLE == 0, wait) {
                Ok(Some(claimed)) => {
                    if let Some(end) = self.work(&claimed) {
                        return end;
                    }
                    idle_since = Instant::now();
                    wait = FIRST_WAIT;
                    continue;
                }
                Err(error) if error.status() == Some(401) => return End::Refused,
                Ok(None) | Err(_) => {}
            }
            let idle_left =
                self.config.idle_timeout.map(|it| it.saturating_sub(idle_since.elapsed()));
            if idle_left.is_some_and(|left| left.is_zero()) {
                return End::Done;
            }
            let _ = self.signals.wait(wait.min(idle_left.unwrap_or(wait)), self.log);
            wait = (wait * 2).min(self.variant.max_backoff);
        }
        End::Done
    }

    /// Runs one task; `Some` when the runner ends with it.
    fn work(&mut self, claimed: &Claimed) -> Option<End> {
        let surroundings = Surroundings {
            config: self.config,
            variant: self.variant,
            agent: self.agent,
            signals: self.signals,
            log: self.log,
            version: self.version,
        };
        match task::run(claimed, surroundings) {
            Some(Cut::SecondSignal | Cut::DrainTooLong) => Some(End::Forced),
            Some(Cut::RanTooLong) | None if self.config.single_task => Some(End::Done),
            Some(Cut::RanTooLong) | None => None,
        }
    }

    /// One call; three spans, unless there was no work and the sample passes them over.
    fn claim(&self, is_sampled: bool, wait: Duration) -> Result<Option<Claimed>, ApiError> {
        let trace = Trace::new();
        let turn = Span::start(&trace, "worker loop: claim: ").with("app.loop_name", "claim: ");
        let span =
            Span::start(&trace, "claim").with("app.loop_name", "claim: ").with("mode", "agent");
        let path = "/api/v3/runner/claim";
        let body = ClaimRequest {
            name: self.config.name.clone(),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            ip: "127.0.0.1".to_owned(),
            version: self.version.to_owned(),
        };
        let is_logged = is_sampled || self.log.has_debug();
        let mut calls = Calls::new(self.api, self.log, &trace);
        calls.skips_nothing_to_do = !is_logged;
        let reply = calls.post(path, &body);
        let answer = reply.and_then(|reply| match reply.status {
            204 => Ok(None),
            _ => reply.json::<Claimed>().map(Some),
        });
        let backoff = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        match &answer {
            Ok(Some(_)) => {
                span.end(self.log);
                turn.with("app.backoff_ms", 0).end(self.log);
            }
            Ok(None) if is_logged => {
                span.end(self.log);
                turn.with("app.backoff_ms", backoff).end(self.log);
            }
            Ok(None) => {}
            Err(error) => {
                let message = format!("unexpected error claiming task: {}", in_go_words(error));
                span.end_with_error(self.log, &message);
                turn.with("app.backoff_ms", backoff).end_with_error(self.log, &message);
            }
        }
        answer
    }
}
