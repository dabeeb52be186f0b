//! A clean-up off the loop: the helper asked as each user, and how far it is told.

use std::time::{Duration, Instant};

use cleanup::preset::{Choice, Done, Draft, FreeGoal, Group, Undo};
use cleanup::work::{Said, Work};
use host::Folders;
use jiff::Timestamp;
use protocol::{
    ApiError, Bytes, CleanupFailure, CleanupRuns, CleanupStage, CleanupWhy, RunnerName,
};
use supervisor_core::Event;
use tokio::sync::{oneshot, watch};

use super::around::Party;
use super::calls::CleanupCall;
use super::run::stopped;
use super::shown::{self, Of};
use super::trash::{Swept, Trashes};
use super::{begun, locks};
use crate::api::refusal;
use crate::hold::hold_until_stopped;
use crate::input::{Input, Loop};

const TELL_EVERY: Duration = Duration::from_millis(500);
const ANOTHER_ANSWER: &str = "it gave another answer";

/// What a clean-up needs off the loop.
pub(super) struct Job {
    pub(super) folders: Folders,
    pub(super) to_loop: Loop,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) why: CleanupWhy,
    pub(super) since: Timestamp,
}

impl Job {
    async fn ask(
        &self,
        user: Option<&str>,
        work: Work,
        stage: CleanupStage,
        of: Option<Bytes>,
        before: (u64, u64),
    ) -> Result<Said, String> {
        let mut told = Instant::now();
        self.tell(stage, before, of);
        super::helper::ask(&self.folders, user, work, self.stop.clone(), |entries, bytes| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.tell(stage, (before.0 + entries, before.1 + bytes), of);
            }
        })
        .await
        .map_err(|why| user.map_or_else(|| why.clone(), |user| format!("as {user}: {why}")))
    }

    fn tell(&self, stage: CleanupStage, (entries, bytes): (u64, u64), of: Option<Bytes>) {
        let (why, since, bytes) = (self.why, self.since, Bytes(bytes));
        self.to_loop.event(Event::CleanupAdvanced(CleanupRuns {
            why,
            stage,
            since,
            entries,
            bytes,
            of,
        }));
    }

    pub(super) async fn draft(
        &self,
        parties: Vec<Party>,
        choices: Vec<Choice>,
        goals: Vec<FreeGoal>,
    ) -> Drafted {
        let mut drafted = Drafted::default();
        for mut party in parties {
            let locks = locks::taken_off(&mut party);
            let choices = party.choices(&choices);
            if choices.is_empty() && (goals.is_empty() || party.around.runners.is_empty()) {
                continue;
            }
            // What is left out then was not looked at, which is no failure of its user's.
            if *self.stop.borrow() {
                break;
            }
            let Party { user, around, .. } = party;
            let work = Work::Draft { choices, around, goals: goals.clone() };
            let of = user.as_deref();
            match self.ask(of, work, CleanupStage::Measuring, None, (0, 0)).await {
                Ok(Said::Drafted { mut draft }) => {
                    locks::put_on(&mut draft, &locks);
                    drafted.parts.push((user, draft));
                }
                Ok(_) => drafted.failed.push(shown::not_looked_at(of, ANOTHER_ANSWER)),
                Err(why) => drafted.failed.push(shown::not_looked_at(of, &why)),
            }
        }
        drafted.stopped = *self.stop.borrow();
        drafted
    }

    /// What waits in the trashes for its end, and is not to be put back any more, goes for good.
    pub(super) async fn sweep(&self, trashes: Trashes) -> Swept {
        let Trashes { parties, choices, until, undoable } = trashes;
        let mut swept = Swept { undoable, ..Swept::default() };
        hold_until_stopped(&self.folders, "sweeping", self.stop.clone()).await;
        for party in parties {
            if *self.stop.borrow() {
                break;
            }
            let choices = party.choices(&choices);
            let Party { user, around, .. } = party;
            let work = Work::Sweep { choices, around, until };
            let (of, stop) = (user.as_deref(), self.stop.clone());
            match super::helper::ask(&self.folders, of, work, stop, |_, _| {}).await {
                Ok(Said::Swept { receipts }) => {
                    swept.receipts.extend(receipts.into_iter().map(|it| (user.clone(), it)));
                }
                Ok(_) => swept.failed.push(ANOTHER_ANSWER.to_owned()),
                Err(_) if *self.stop.borrow() => {}
                Err(why) => swept.failed.push(why),
            }
        }
        swept.stopped = *self.stop.borrow();
        swept
    }

    /// On disk before anything goes.
    pub(super) async fn begin(
        &self,
        runner: Option<RunnerName>,
        undo_until: Option<Timestamp>,
        at: Timestamp,
        parts: &[(Option<String>, Draft)],
    ) {
        let of = Of { runner, undo_until, ..Of::all(self.why) };
        let (planned, folders) = (shown::planned(of, at, parts), self.folders.clone());
        let saved = tokio::task::spawn_blocking(move || begun::save(&folders, &planned)).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, "were it killed, this clean-up would leave no receipt");
        }
    }

    /// As each user; what one fails at does not keep the others from their part. What may be done only
    /// while no task runs is left where one began since.
    pub(super) async fn carry_out(
        &self,
        parts: Vec<(Option<String>, Draft)>,
        undo: Undo,
        at: Timestamp,
    ) -> Carried {
        let bytes =
            |draft: &Draft| draft.groups.iter().filter_map(|group| group.bytes).sum::<u64>();
        let of = Some(Bytes(parts.iter().map(|(_, draft)| bytes(draft)).sum()));
        let mut carried = Carried { at, ..Carried::default() };
        let mut before = (0, 0);
        for (user, draft) in parts {
            for mut draft in one_by_one(draft) {
                let is_idle_only = draft.groups.iter().any(|group| group.idle_only);
                if *self.stop.borrow() {
                    carried.stopped = true;
                    continue;
                }
                if is_idle_only && !self.is_idle().await {
                    carried.left.extend(draft.groups.into_iter().map(|group| group.title));
                    continue;
                }
                let planned = bytes(&draft);
                let _locks = user.as_ref().map(|_| locks::hold(&mut draft));
                let work = Work::CarryOut { draft, undo, at: Some(at) };
                match self.ask(user.as_deref(), work, CleanupStage::Removing, of, before).await {
                    Ok(Said::Done { done }) => carried.done.push((user.clone(), done)),
                    Ok(_) => carried.failed.push(ANOTHER_ANSWER.to_owned()),
                    Err(why) => carried.failed.push(why),
                }
                before.1 += planned;
            }
        }
        carried.stopped |= *self.stop.borrow();
        carried
    }

    async fn is_idle(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.to_loop.send(Input::Cleanup(CleanupCall::IsIdle(reply)));
        answer.await.unwrap_or(false)
    }
}

/// What would be done as each user, and of whom nothing could be looked at.
#[derive(Clone, Default)]
pub(super) struct Drafted {
    pub(super) parts: Vec<(Option<String>, Draft)>,
    pub(super) failed: Vec<CleanupFailure>,
    /// Not all was looked at.
    pub(super) stopped: bool,
}

impl Drafted {
    /// Refused where it was stopped: a part of a plan is none; and where nobody's could be looked at.
    pub(super) fn or_why_not(self) -> Result<Self, ApiError> {
        if self.stopped {
            return Err(stopped("It was stopped; nothing was removed."));
        }
        match self.failed.first() {
            Some(first) if self.parts.is_empty() => {
                Err(refusal::failed(&format!("{} {}", first.why, first.way_out)))
            }
            Some(_) | None => Ok(self),
        }
    }
}

/// What a clean-up did, and why not more.
#[derive(Default)]
pub(super) struct Carried {
    /// Batches in the trashes are named by it.
    pub(super) at: Timestamp,
    pub(super) done: Vec<(Option<String>, Done)>,
    /// Titles of what was left since a task had begun.
    pub(super) left: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) stopped: bool,
}

impl Carried {
    /// Something that was begun may not be at its end.
    pub(super) fn is_cut(&self) -> bool {
        self.stopped || !self.failed.is_empty()
    }

    /// In words, where not all of it was begun.
    pub(super) fn cut_short(&self) -> Option<String> {
        if !self.failed.is_empty() {
            return Some(self.failed.join("; "));
        }
        if self.stopped {
            return Some("It was stopped.".to_owned());
        }
        let left = self.left.join(", ");
        (!left.is_empty()).then(|| {
            format!("A task began, so what is done only while none runs was left: {left}.")
        })
    }
}

/// What may go at any time together, and each part that may not by itself.
fn one_by_one(draft: Draft) -> Vec<Draft> {
    let Draft { version, made, groups } = draft;
    let (idle_only, others): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| group.idle_only && !group.is_empty());
    let others = (!others.is_empty()).then_some(others);
    let turns = others.into_iter().chain(idle_only.into_iter().map(|group| vec![group]));
    turns.map(|groups| Draft { version, made, groups }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_s_failure_is_told_beside_what_others_have_and_alone_it_is_the_answer() {
        let failed =
            vec![shown::not_looked_at(Some("ci"), "as ci: clean-up broke off: exit status: 1")];
        let draft = Draft { version: 1, made: Timestamp::UNIX_EPOCH, groups: Vec::new() };
        let both =
            Drafted { parts: vec![(None, draft)], failed: failed.clone(), ..Drafted::default() };
        let told = shown::plan("1".into(), Timestamp::UNIX_EPOCH, &both.or_why_not().unwrap());
        assert_eq!(told.failures, failed);
        assert_eq!(told.failures[0].path, "all of ci");
        assert_eq!(told.failures[0].why, "As ci: clean-up broke off: exit status: 1.");
        let why = Drafted { failed, ..Drafted::default() }.or_why_not().err().unwrap();
        assert_eq!((why.status, &*why.code), (500, "failed"));
        assert!(why.title.contains("As ci: ") && why.title.contains("runnerctl doctor"), "{why:?}");
    }

    #[test]
    fn what_was_looked_at_before_a_stop_is_no_plan() {
        let draft = Draft { version: 1, made: Timestamp::UNIX_EPOCH, groups: Vec::new() };
        let part = Drafted { parts: vec![(None, draft)], stopped: true, ..Drafted::default() };
        let refused = part.or_why_not().err().unwrap();
        assert_eq!((refused.status, &*refused.code), (409, "stopped"));
    }

    #[test]
    fn why_not_all_was_done_is_said_in_words() {
        let carried = |left: &[&str], failed: &[&str], stopped| {
            let words = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
            Carried { left: words(left), failed: words(failed), stopped, ..Carried::default() }
                .cut_short()
        };
        assert_eq!(carried(&[], &[], false), None);
        let left = carried(&["npm cache", "Docker images"], &[], false).unwrap();
        assert!(left.ends_with("was left: npm cache, Docker images."), "{left}");
        assert_eq!(carried(&["a"], &["as job: no"], true).as_deref(), Some("as job: no"));
        assert_eq!(carried(&["a"], &[], true).as_deref(), Some("It was stopped."));
    }
}
