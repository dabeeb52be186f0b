//! One run as the core sees it: the latest reading, and what the log told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use protocol::TaskId;

use crate::asked::Asked;
use crate::facts::{AgentSeen, ExitSeen, Heard, Phase, Processes, Read, RunFacts, TaskFacts};
use crate::task::Story;
use crate::voices::Voices;

/// An agent that has lived this long has settled: what went wrong before it is over.
pub(crate) const SETTLED: SignedDuration = SignedDuration::from_secs(60);
/// An agent that ends sooner than this ended "at start".
pub(crate) const AT_START: SignedDuration = SignedDuration::from_secs(30);
/// Without a line of its own, an agent counts as waiting for tasks after this long.
const SILENT_START: SignedDuration = SignedDuration::from_secs(10);
/// A clock that was set back does not stretch it.
pub(crate) const LONGEST_PROOF: SignedDuration = SILENT_START;
/// With its first line only, after this long: a refused token ends it sooner.
const UNREFUSED_START: SignedDuration = SignedDuration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MayLive(pub(crate) bool);

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
    /// Its plan cannot be read any more, so all that is known is whether its agent may live.
    pub(crate) stray: Option<MayLive>,
    pub(crate) stories: BTreeMap<TaskId, Story>,
    voices: Voices,
    pub(crate) heard_from: bool,
    pub(crate) claim_answered: bool,
    pub(crate) refused: Option<String>,
    pub(crate) asked: Asked,
}

impl Run {
    pub(crate) fn new(facts: RunFacts, boot: &str) -> Self {
        let mut run = Self {
            facts,
            log_read: false,
            log_tail: None,
            judged: false,
            before_us: false,
            stray: None,
            stories: BTreeMap::new(),
            voices: Voices::default(),
            heard_from: false,
            claim_answered: false,
            refused: None,
            asked: Asked::default(),
        };
        run.before_us = run.phase(boot) == Phase::Over;
        run.take_news();
        run
    }

    /// Takes a newer reading; an older one is late news and changes nothing.
    pub(crate) fn read_again(&mut self, facts: RunFacts, boot: &str) {
        if facts.reading <= self.facts.reading {
            return;
        }
        self.log_read = false;
        self.stray = None;
        self.facts = facts;
        if !self.facts.has_unknowns() {
            let known: BTreeSet<&TaskId> = self.facts.tasks.iter().map(|task| &task.task).collect();
            self.stories.retain(|task, _| known.contains(task));
        }
        self.take_news();
        if self.phase(boot) != Phase::Over {
            // It was seen before its keeper had the lock: its end is yet to come.
            (self.judged, self.before_us) = (false, false);
        }
        self.hear_tasks();
    }

    /// Even where it is over already: we started it, so its end is to be accounted for.
    pub(crate) fn is_ours(&mut self) {
        if self.before_us {
            (self.judged, self.before_us) = (false, false);
        }
    }

    pub(crate) fn phase(&self, boot: &str) -> Phase {
        match self.stray {
            Some(MayLive(true)) => Phase::Unknown,
            Some(MayLive(false)) => Phase::Over,
            None => self.facts.phase(boot),
        }
    }

    /// Its agent or a task of it lives, or may for all that is known.
    pub(crate) fn is_live(&self, boot: &str) -> bool {
        let gone = self.stray == Some(MayLive(false));
        self.phase(boot) != Phase::Over || !gone && self.facts.may_run_task(boot)
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

    /// The drain has begun, or its keeper was asked for it: a new claim is not to be expected.
    pub(crate) fn was_told_to_drain(&self) -> bool {
        self.facts.drain.yes().is_some() || self.was_asked_to_drain()
    }

    /// It got so far as to be answered by the server.
    pub(crate) fn has_worked(&self) -> bool {
        self.claim_answered || !self.facts.tasks.is_empty()
    }

    /// Until then nobody can tell whether the agent waits for tasks or is about to end.
    pub(crate) fn unproven_until(&self) -> Option<Timestamp> {
        if self.claim_answered || !self.facts.tasks.is_empty() {
            return None;
        }
        let wait = if self.heard_from { UNREFUSED_START } else { SILENT_START };
        self.agent_started_at()?.checked_add(wait).ok()
    }

    pub(crate) fn settled(&self, now: Timestamp) -> bool {
        self.has_worked()
            || self.agent_started_at().is_some_and(|at| at.duration_until(now) >= SETTLED)
    }

    /// How long the agent lived, for a run that is over. Nothing where its end was not seen or the
    /// clock was set back.
    pub(crate) fn lived(&self) -> Option<SignedDuration> {
        let to = self.facts.exit.yes().map(ExitSeen::at)?;
        let lived = self.agent_started_at()?.duration_until(to);
        (!lived.is_negative()).then_some(lived)
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
            Heard::TaskNamed { .. } | Heard::StepStarted { .. } | Heard::StepEnded { .. } => {
                self.voices.hear(heard);
                self.hear_tasks();
            }
        }
    }

    fn hear_tasks(&mut self) {
        while let Some((task, heard)) = self.voices.next(&self.facts.tasks) {
            self.stories.entry(task).or_default().hear(heard);
        }
    }

    pub(crate) fn see_processes(&mut self, task: &TaskId, processes: Processes) {
        if self.facts.tasks.iter().any(|known| known.task == *task) {
            self.stories.entry(task.clone()).or_default().see(processes);
        }
    }
}
