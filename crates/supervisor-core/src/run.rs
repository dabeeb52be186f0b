//! One run as the core sees it: the latest reading, what the log told, what was already asked for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use protocol::TaskId;

use crate::facts::{AgentSeen, ExitSeen, Heard, LockSeen, Processes, Read, RunFacts, TaskFacts};
use crate::task::Story;

/// An agent that has lived this long has settled: what went wrong before it is over.
pub(crate) const SETTLED: SignedDuration = SignedDuration::from_secs(60);
/// An agent that ends sooner than this ended "at start".
pub(crate) const AT_START: SignedDuration = SignedDuration::from_secs(30);
/// Without a line of its own, an agent counts as waiting for tasks after this long.
pub(crate) const SILENT_START: SignedDuration = SignedDuration::from_secs(10);
/// How long a keeper may take from drain.json to drain-sent.json.
pub(crate) const DRAIN_GRACE: SignedDuration = SignedDuration::from_secs(5);
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Cannot be told; treated as busy, never replaced.
    Unknown,
    /// A keeper holds the lock and has not started the agent yet.
    Starting,
    /// A keeper is in charge of an agent.
    Kept,
    /// The agent lives and has no keeper.
    Orphan,
    /// Neither keeper nor agent live.
    Over,
}

#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) facts: RunFacts,
    /// The log has been read to its end since the last reading.
    pub(crate) log_read: bool,
    pub(crate) log_tail: Option<String>,
    /// How it ended has been accounted for, once.
    pub(crate) judged: bool,
    /// It was over when this supervisor first saw it.
    pub(crate) before_us: bool,
    pub(crate) stories: BTreeMap<TaskId, Story>,
    pub(crate) heard_from: bool,
    pub(crate) claim_answered: bool,
    pub(crate) refused: Option<String>,
    asked_adopt: Option<Timestamp>,
    asked_drain: Option<Timestamp>,
    asked_drain_again: bool,
    asked_cancel: Option<TaskId>,
}

impl Run {
    pub(crate) fn new(facts: RunFacts, boot: &str) -> Self {
        let mut run = Self {
            facts,
            log_read: false,
            log_tail: None,
            judged: false,
            before_us: false,
            stories: BTreeMap::new(),
            heard_from: false,
            claim_answered: false,
            refused: None,
            asked_adopt: None,
            asked_drain: None,
            asked_drain_again: false,
            asked_cancel: None,
        };
        run.before_us = run.phase(boot) == Phase::Over;
        run
    }

    /// Takes a newer reading; an older one is late news and changes nothing.
    pub(crate) fn read_again(&mut self, facts: RunFacts) {
        if facts.reading <= self.facts.reading {
            return;
        }
        if facts.lock != LockSeen::Held {
            // Whoever was asked is gone and may not have done it.
            self.asked_drain = None;
        }
        self.log_read = false;
        self.facts = facts;
    }

    pub(crate) fn phase(&self, boot: &str) -> Phase {
        let facts = &self.facts;
        if facts.exit.yes().is_some() {
            return Phase::Over;
        }
        match (&facts.lock, &facts.agent) {
            (LockSeen::Unknown, _) | (_, AgentSeen::Unknown) => Phase::Unknown,
            (LockSeen::Held, AgentSeen::NotStarted) => Phase::Starting,
            (LockSeen::Held, AgentSeen::Started { .. }) => Phase::Kept,
            (LockSeen::Free, AgentSeen::NotStarted) => Phase::Over,
            (LockSeen::Free, AgentSeen::Started { boot: then, .. }) if then != boot => Phase::Over,
            (LockSeen::Free, AgentSeen::Started { alive, .. }) => match alive {
                Read::Yes(()) => Phase::Orphan,
                Read::No => Phase::Over,
                Read::Unknown => Phase::Unknown,
            },
        }
    }

    pub(crate) fn agent_pid(&self, boot: &str) -> Option<u32> {
        match (&self.facts.agent, self.phase(boot)) {
            (AgentSeen::Started { pid, .. }, Phase::Kept | Phase::Orphan) => Some(*pid),
            _ => None,
        }
    }

    /// The process table's word, whatever the lock says.
    pub(crate) fn agent_lives(&self) -> &Read<()> {
        match &self.facts.agent {
            AgentSeen::Started { alive, .. } => alive,
            AgentSeen::NotStarted => &Read::No,
            AgentSeen::Unknown => &Read::Unknown,
        }
    }

    pub(crate) fn agent_started_at(&self) -> Option<Timestamp> {
        match &self.facts.agent {
            AgentSeen::Started { at, .. } => Some(*at),
            AgentSeen::NotStarted | AgentSeen::Unknown => None,
        }
    }

    /// The task that runs, or may run for all that is known.
    pub(crate) fn current_task(&self) -> Option<&TaskFacts> {
        self.facts.tasks.iter().rev().find(|task| task.may_run())
    }

    /// The drain has begun or may have begun: a new claim is not to be expected.
    pub(crate) fn may_drain(&self) -> bool {
        !self.facts.drain.is_no() || self.asked_drain.is_some()
    }

    pub(crate) fn settled(&self, now: Timestamp) -> bool {
        self.claim_answered
            || !self.facts.tasks.is_empty()
            || self.agent_started_at().is_some_and(|at| at.duration_until(now) >= SETTLED)
    }

    /// How long the agent lived, for a run that is over. Nothing where the clocks make no sense.
    pub(crate) fn lived(&self) -> SignedDuration {
        match (self.agent_started_at(), self.facts.exit.yes().map(ExitSeen::at)) {
            (Some(from), Some(to)) => from.duration_until(to).max(SignedDuration::ZERO),
            _ => SignedDuration::ZERO,
        }
    }

    /// True the first time, and again when nothing came of it for a while.
    pub(crate) fn ask_adopt(&mut self, now: Timestamp) -> bool {
        ask(&mut self.asked_adopt, now)
    }

    pub(crate) fn ask_drain(&mut self, now: Timestamp) -> bool {
        // Once recorded it is done: only a proof of its loss may bring another.
        self.facts.drain.is_no() && ask(&mut self.asked_drain, now)
    }

    pub(crate) fn drain_failed(&mut self, now: Timestamp) {
        self.asked_drain = Some(now);
    }

    /// A second task that starts after drain.json proves that the agent never got the signal; a
    /// first one may have been claimed in the same moment.
    pub(crate) fn ask_drain_again(&mut self) -> Option<Vec<TaskId>> {
        let drained = self.facts.drain.yes()?;
        if drained.sent || drained.lost || self.asked_drain_again {
            return None;
        }
        let proof: Vec<TaskId> = self
            .facts
            .tasks
            .iter()
            .filter(|task| task.number > drained.tasks_before)
            .map(|task| task.task.clone())
            .collect();
        if proof.len() < 2 {
            return None;
        }
        self.asked_drain_again = true;
        Some(proof)
    }

    pub(crate) fn drain_unconfirmed(&self, now: Timestamp) -> Option<Timestamp> {
        let drained = self.facts.drain.yes().filter(|drained| !drained.sent)?;
        let late = drained.at.duration_until(now) >= DRAIN_GRACE || drained.at > now;
        late.then_some(drained.at)
    }

    /// True where the user's word is new.
    pub(crate) fn ask_cancel(&mut self, task: &TaskId) -> bool {
        let known = self.asked_cancel.as_ref() == Some(task) || !self.facts.cancel.is_no();
        self.asked_cancel = Some(task.clone());
        !known
    }

    pub(crate) fn cancelling(&self, task: &TaskId) -> bool {
        self.asked_cancel.as_ref() == Some(task)
            || self.facts.cancel.yes().is_some_and(|cancel| cancel.task == *task)
    }

    pub(crate) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::AgentStarted { .. } | Heard::ClaimFailed { .. } => self.heard_from = true,
            Heard::ClaimAnswered => {
                self.heard_from = true;
                self.claim_answered = true;
                self.refused = None;
            }
            Heard::TokenRefused { line } => self.refused = Some(line),
            Heard::TaskNamed { at, link } => {
                if let Some(story) = self.story_at(at) {
                    story.name(link);
                }
            }
            Heard::StepStarted { at, step } => {
                if let Some(story) = self.story_at(at) {
                    story.step = Some(step);
                }
            }
            Heard::StepEnded { at, failed, exit_code } => {
                if let Some(story) = self.story_at(at) {
                    story.step_ended(failed, exit_code);
                }
            }
        }
    }

    pub(crate) fn see_processes(&mut self, task: &TaskId, processes: Processes) {
        if self.facts.tasks.iter().any(|known| known.task == *task) {
            self.stories.entry(task.clone()).or_default().see(processes);
        }
    }

    /// The story of the task that ran then: a log that is read again from its beginning speaks of
    /// earlier tasks too. Log lines carry whole seconds.
    fn story_at(&mut self, at: Option<Timestamp>) -> Option<&mut Story> {
        let mut tasks = self.facts.tasks.iter().rev();
        let task = match at {
            Some(at) => tasks.find(|task| task.started_at.as_second() <= at.as_second())?,
            None => tasks.next()?,
        };
        Some(self.stories.entry(task.task.clone()).or_default())
    }
}

fn ask(asked: &mut Option<Timestamp>, now: Timestamp) -> bool {
    let waiting = asked.is_some_and(|at| at <= now && at.duration_until(now) < TRY_AGAIN);
    if !waiting {
        *asked = Some(now);
    }
    !waiting
}
