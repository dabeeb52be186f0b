//! One runner: its settings, its runs, and what keeps it from having an agent.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use protocol::{Install, Problem, ProblemCode, RunId, RunnerState};

use crate::back_off::BackOff;
use crate::effect::Effect;
use crate::facts::{Phase, RunnerFacts};
use crate::problems;
use crate::rotation::Rotation;
use crate::run::Run;

const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
const REFUSED_WAIT: SignedDuration = SignedDuration::from_mins(5);
const INSTALL_WAIT: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Runner {
    pub(crate) facts: RunnerFacts,
    /// The settings name it. An unnamed one drains and is forgotten.
    pub(crate) in_settings: bool,
    pub(crate) release: Release,
    pub(crate) runs: BTreeMap<RunId, Run>,
    /// A start has been asked for and nothing has come of it yet.
    pub(crate) starting: bool,
    pub(crate) start_again: BackOff,
    pub(crate) install_again: BackOff,
    /// Only the user can lift it (no token).
    pub(crate) needs_user: bool,
    /// What went wrong with starting, until an agent settles.
    pub(crate) trouble: Option<Problem>,
    pub(crate) offline: Option<Problem>,
    pub(crate) claim_failed_at: Option<Timestamp>,
    pub(crate) probed_at: Option<Timestamp>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) shown: Option<(RunnerState, Timestamp)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Release {
    /// Nobody has looked yet.
    Unasked,
    Installing(Install),
    Ready(String),
    Failed(Problem),
    /// By the user's word, until the user wants it.
    Stopped(Problem),
}

impl Runner {
    pub(crate) fn new(facts: RunnerFacts) -> Self {
        Self {
            facts,
            in_settings: false,
            release: Release::Unasked,
            runs: BTreeMap::new(),
            starting: false,
            start_again: BackOff::new(LONGEST_WAIT),
            install_again: BackOff::new(LONGEST_WAIT),
            needs_user: false,
            trouble: None,
            offline: None,
            claim_failed_at: None,
            probed_at: None,
            rotation: None,
            shown: None,
        }
    }

    /// The run whose agent or task may live, the newest where there are several.
    pub(crate) fn live_run(&self, boot: &str) -> Option<&Run> {
        self.runs.values().rev().find(|run| run.is_live(boot))
    }

    /// The agent that runs was started as the settings have it now, and the server has answered a claim
    /// of it.
    pub(crate) fn is_proven(&self, boot: &str) -> bool {
        self.in_settings
            && self.live_run(boot).is_some_and(|run| {
                run.facts.runner.mark == self.facts.mark
                    && run.has_worked()
                    && run.refused.is_none()
            })
    }

    /// Nothing of it counts any more but its runs; named again, it begins anew.
    pub(crate) fn is_removed(&mut self) {
        let runs = std::mem::take(&mut self.runs);
        let starting = self.starting;
        *self = Self { runs, starting, ..Self::new(self.facts.clone()) };
    }

    /// A runner that was removed stays in sight until nothing of it lives and all is recorded.
    pub(crate) fn is_in_sight(&self, boot: &str) -> bool {
        self.in_settings
            || self.starting
            || self.live_run(boot).is_some()
            || self.runs.values().any(|run| !run.log_read)
    }

    /// Accounts, once, for how each run ended: what to tell, and how long to wait.
    pub(crate) fn judge_ended_runs(&mut self, boot: &str, now: Timestamp) {
        let mut runs = std::mem::take(&mut self.runs);
        for run in runs.values_mut() {
            let all_is_read = run.log_read || run.stray.is_some();
            if run.judged || run.phase(boot) != Phase::Over || !all_is_read {
                continue;
            }
            run.judged = true;
            // How an agent ended that had another token, or other settings, says nothing of the next.
            let is_current = run.facts.runner.mark == self.facts.mark;
            if !run.before_us && is_current {
                self.judge(run, boot, now);
            }
        }
        self.runs = runs;
    }

    fn judge(&mut self, run: &Run, boot: &str, now: Timestamp) {
        let verdict = problems::verdict_on(run, boot, now);
        let Some(problem) = verdict else {
            self.start_again.reset();
            return;
        };
        let settled = run.lived().is_some_and(|lived| lived >= crate::run::SETTLED);
        if settled {
            self.start_again.reset();
        }
        let refused = problem.code == ProblemCode::TokenRefused;
        let least = if refused { REFUSED_WAIT } else { SignedDuration::ZERO };
        if settled && !refused {
            // It worked until now, so its successor comes at once; only one that ends soon waits.
            self.start_again.failed_once();
        } else {
            self.start_again.failed(now, least);
        }
        self.trouble = Some(problem);
    }

    pub(crate) fn install_failed(
        &mut self,
        problem: Problem,
        wait: SignedDuration,
        now: Timestamp,
    ) {
        if matches!(self.release, Release::Stopped(_)) {
            return;
        }
        self.install_again.failed(now, wait.max(INSTALL_WAIT));
        self.release = Release::Failed(problem);
    }

    /// An installation is under way, or will be tried again, or begun once it is resumed.
    pub(crate) fn may_install(&self) -> bool {
        matches!(self.release, Release::Unasked | Release::Installing(_) | Release::Failed(_))
    }

    /// Does what the owner wants of installations: `stopped` is since when there is to be none.
    pub(crate) fn heed_stop(&mut self, stopped: Option<Timestamp>) -> Option<Effect> {
        match (stopped, &self.release) {
            (Some(since), Release::Unasked | Release::Installing(_) | Release::Failed(_)) => {
                let under_way = matches!(self.release, Release::Installing(_));
                self.release = Release::Stopped(problems::install_stopped(since));
                under_way.then(|| Effect::CallOff(self.facts.name.clone()))
            }
            (None, Release::Stopped(_)) => {
                self.install_again.reset();
                self.release = Release::Unasked;
                None
            }
            (Some(_), Release::Ready(_) | Release::Stopped(_))
            | (
                None,
                Release::Unasked | Release::Installing(_) | Release::Failed(_) | Release::Ready(_),
            ) => None,
        }
    }

    /// Now, and not when the back-off says.
    pub(crate) fn install_wanted(&mut self) {
        if matches!(self.release, Release::Failed(_)) {
            self.install_again.reset();
            self.release = Release::Unasked;
        }
    }

    /// What was installed, tried or refused there says nothing of the new place.
    pub(crate) fn releases_moved(&mut self) {
        self.install_again.reset();
        self.release = Release::Unasked;
    }

    /// The agent on disk is not what was installed. It is installed anew at once; one that is spoilt
    /// again before an agent has settled waits, as any installation that fails.
    pub(crate) fn agent_unusable(&mut self, problem: Problem, now: Timestamp) {
        self.starting = false;
        if self.install_again.failures() == 0 {
            self.install_again.failed_once();
        } else {
            self.install_again.failed(now, INSTALL_WAIT);
        }
        self.trouble = Some(problem.clone());
        self.release = Release::Failed(problem);
    }

    pub(crate) fn start_failed(&mut self, problem: Problem, now: Timestamp) {
        self.starting = false;
        self.needs_user = problem.code.waits_for_you();
        self.start_again.failed(now, SignedDuration::ZERO);
        self.trouble = Some(problem);
    }

    /// One failed claim is told in several lines; that with a status says most.
    pub(crate) fn claim_failed(&mut self, status: Option<u16>, why: String, now: Timestamp) {
        self.claim_failed_at = Some(now);
        let problem = problems::claim_failed(now, status, why);
        let is_news = self.offline.as_ref().is_none_or(|known| {
            status.is_some() && (known.code, &known.reading) != (problem.code, &problem.reading)
        });
        if is_news {
            let since = self.offline.take().filter(|known| known.code == problem.code);
            let since = since.map_or(now, |known| known.since);
            self.offline = Some(Problem { since, ..problem });
        }
    }

    /// A new token, or other settings, make old refusals void.
    pub(crate) fn is_changed(&mut self) {
        self.needs_user = false;
        self.start_again.reset();
        self.trouble = None;
    }
}
