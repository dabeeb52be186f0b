//! A clean-up off the loop: the helper asked as each user, and how far it is told.

use std::time::{Duration, Instant};

use cleanup::preset::{Choice, Done, Draft, FreeGoal, Undo};
use cleanup::work::{Said, Work};
use host::Folders;
use jiff::Timestamp;
use protocol::{Bytes, CleanupRuns, CleanupStage, CleanupWhy};
use supervisor_core::Event;
use tokio::sync::watch;

use super::around::Party;
use crate::input::Loop;

const TELL_EVERY: Duration = Duration::from_millis(500);

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
    ) -> Result<Vec<(Option<String>, Draft)>, String> {
        let mut parts = Vec::new();
        for Party { user, around } in parties {
            let work = Work::Draft { choices: choices.clone(), around, goals: goals.clone() };
            let said =
                self.ask(user.as_deref(), work, CleanupStage::Measuring, None, (0, 0)).await?;
            let Said::Drafted { draft } = said else { return Err("it gave another answer".into()) };
            parts.push((user, draft));
        }
        Ok(parts)
    }

    /// As each user; what one fails at does not keep the others from their part.
    pub(super) async fn carry_out(
        &self,
        parts: Vec<(Option<String>, Draft)>,
        undo: Undo,
    ) -> (Vec<(Option<String>, Done)>, Vec<String>) {
        let bytes =
            |draft: &Draft| draft.groups.iter().filter_map(|group| group.bytes).sum::<u64>();
        let of = Some(Bytes(parts.iter().map(|(_, draft)| bytes(draft)).sum()));
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        let mut before = (0, 0);
        for (user, draft) in parts {
            let planned = bytes(&draft);
            let work = Work::CarryOut { draft, undo };
            match self.ask(user.as_deref(), work, CleanupStage::Removing, of, before).await {
                Ok(Said::Done { done: part }) => done.push((user, part)),
                Ok(_) => failed.push("it gave another answer".into()),
                Err(why) => failed.push(why),
            }
            before.1 += planned;
        }
        (done, failed)
    }
}
