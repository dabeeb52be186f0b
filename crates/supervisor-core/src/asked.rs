//! What a run's keeper was asked for: asked again while nothing came of it, and nothing that the user
//! has to say without his word.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use protocol::TaskId;

use crate::facts::{AgentSeen, LockSeen, TaskEnd, TaskFacts};
use crate::run::Run;

/// How long a keeper may take from drain.json to drain-sent.json.
pub(crate) const DRAIN_GRACE: SignedDuration = SignedDuration::from_secs(5);
/// How long an agent may take to end when it is told to and has nothing to do.
const LINGERS: SignedDuration = SignedDuration::from_secs(60);
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// When each was asked for last.
#[derive(Debug, Default, Clone)]
pub(crate) struct Asked {
    adopt: Option<Timestamp>,
    drain: Option<Timestamp>,
    drain_failed: Option<Timestamp>,
    /// It was asked to end, maybe before it began: that it never did is no failure then.
    to_end: bool,
    drain_again: Option<Timestamp>,
    /// The user's words, the newest of them, and when the keeper was last told of it.
    words: BTreeSet<TaskId>,
    cancel: Option<TaskId>,
    cancel_told: Option<Timestamp>,
}

impl Run {
    /// True the first time, and again when nothing came of it for a while.
    pub(crate) fn ask_adopt(&mut self, now: Timestamp) -> bool {
        ask(&mut self.asked.adopt, now)
    }

    pub(crate) fn ask_drain(&mut self, now: Timestamp) -> bool {
        // Once recorded it is done: only a proof of its loss may bring another.
        let asks = self.facts.drain.is_no()
            && !is_recent(self.asked.drain_failed, now)
            && ask(&mut self.asked.drain, now);
        self.asked.to_end |= asks;
        asks
    }

    pub(crate) fn told_to_end_before_it_began(&self) -> bool {
        self.asked.to_end && self.facts.agent == AgentSeen::NotStarted
    }

    /// Nobody heard it, so nothing drains for that.
    pub(crate) fn drain_failed(&mut self, now: Timestamp) {
        self.asked.drain = None;
        self.asked.drain_failed = Some(now);
    }

    /// A second task that starts after drain.json proves that the agent never got the signal; a
    /// first one may have been claimed in the same moment.
    pub(crate) fn ask_drain_again(&mut self, now: Timestamp) -> Option<Vec<TaskId>> {
        let proof = self.proof_of_loss()?;
        ask(&mut self.asked.drain_again, now).then_some(proof)
    }

    /// Holds until the signal was sent again, even where drain-lost.json is there: its keeper may
    /// have died before it looked.
    pub(crate) fn proof_of_loss(&self) -> Option<Vec<TaskId>> {
        let drained = self.facts.drain.yes().filter(|drained| !drained.sent)?;
        let proof: Vec<TaskId> = self
            .facts
            .tasks
            .iter()
            .filter(|task| task.number > drained.tasks_before)
            .map(|task| task.task.clone())
            .collect();
        (proof.len() >= 2).then_some(proof)
    }

    /// When it was told to stop claiming, and how many tasks it has begun since, where it goes on all
    /// the same.
    pub(crate) fn ignores_drain(&self, now: Timestamp) -> Option<(Timestamp, usize)> {
        let drained = self.facts.drain.yes().filter(|drained| drained.sent)?;
        let later = self.facts.tasks.iter().filter(|task| task.number > drained.tasks_before);
        let begun = later.count();
        let lingers = self.lingers_from().is_some_and(|from| from <= now);
        // A first one may have been claimed in the same moment.
        (begun >= 2 || lingers).then_some((drained.at, begun))
    }

    /// An agent that was told to end and has nothing to do has ended by then.
    pub(crate) fn lingers_from(&self) -> Option<Timestamp> {
        let drained = self.facts.drain.yes().filter(|drained| drained.sent)?;
        if self.current_task().is_some() || !self.facts.unrecorded_task.is_no() {
            return None;
        }
        let ended = self.facts.tasks.iter().filter_map(|task| match task.end {
            TaskEnd::Exited { at, .. } | TaskEnd::Lost { at } | TaskEnd::Unreadable { at } => {
                Some(at)
            }
            TaskEnd::Running | TaskEnd::Unknown => None,
        });
        ended.chain([drained.at]).max()?.checked_add(LINGERS).ok()
    }

    pub(crate) fn drain_unconfirmed(&self, now: Timestamp) -> Option<Timestamp> {
        let drained = self.facts.drain.yes().filter(|drained| !drained.sent)?;
        let late = drained.at.duration_until(now) >= DRAIN_GRACE || drained.at > now;
        late.then_some(drained.at)
    }

    /// Takes the user's word that this task ends.
    pub(crate) fn cancel(&mut self, task: &TaskId) {
        self.asked.words.insert(task.clone());
        if self.asked.cancel.as_ref() != Some(task) {
            self.asked.cancel = Some(task.clone());
            self.asked.cancel_told = None;
        }
    }

    /// The word that an earlier supervisor took stands, whatever becomes of its record.
    pub(crate) fn take_news(&mut self) {
        // Whoever could not be told may be there now.
        self.asked.drain_failed = None;
        if self.facts.lock != LockSeen::Held {
            // Whoever was asked is gone and may not have done it.
            self.asked.drain = None;
        }
        if let Some(recorded) = self.facts.cancel.yes() {
            self.asked.words.insert(recorded.task.clone());
            self.asked.cancel.get_or_insert_with(|| recorded.task.clone());
        }
    }

    pub(crate) fn was_asked_to_drain(&self) -> bool {
        self.asked.drain.is_some()
    }

    /// The task to be cancelled while it runs and nothing came of it, from this word or an earlier
    /// supervisor's.
    pub(crate) fn ask_cancel(&mut self, now: Timestamp) -> Option<TaskId> {
        let task = self.uncancelled()?.clone();
        ask(&mut self.asked.cancel_told, now).then_some(task)
    }

    pub(crate) fn uncancelled(&self) -> Option<&TaskId> {
        let task = self.asked.cancel.as_ref()?;
        let recorded = self.facts.cancel.yes();
        let sent = recorded.is_some_and(|cancel| cancel.task == *task && cancel.sent);
        let mut tasks = self.facts.tasks.iter();
        (!sent && tasks.any(|known| known.task == *task && known.may_run())).then_some(task)
    }

    pub(crate) fn cancelling(&self, task: &TaskId) -> bool {
        self.asked.words.contains(task)
    }

    /// A task that ended well before the signal was sent was not cancelled, whatever was asked.
    pub(crate) fn was_cancelled(&self, task: &TaskFacts) -> bool {
        let mut recorded = self.facts.cancel.yes().into_iter();
        let sent = recorded.any(|cancel| cancel.task == task.task && cancel.sent);
        let ended_well = matches!(task.end, TaskEnd::Exited { code: Some(0), .. });
        sent || self.cancelling(&task.task) && !ended_well
    }
}

fn ask(asked: &mut Option<Timestamp>, now: Timestamp) -> bool {
    let waiting = is_recent(*asked, now);
    if !waiting {
        *asked = Some(now);
    }
    !waiting
}

fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now && at.duration_until(now) < TRY_AGAIN)
}
