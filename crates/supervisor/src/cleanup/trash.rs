//! What was set aside: deleted after ten minutes, or put back before.

use std::time::Duration;

use cleanup::preset::{Choice, Entries, Folders as Entry};
use cleanup::work::{Said, Work};
use jiff::SignedDuration;
use protocol::{Bytes, CleanupReceipt, CleanupWhy, Undone};

use super::around::{Party, presets};
use super::plan::as_named;
use super::run::{UNDO, busy};
use crate::api::refusal;
use crate::input::{Input, Reply};
use crate::supervisor::{Supervisor, now};

impl Supervisor {
    pub(crate) fn sweep_later(&self, wait: SignedDuration) {
        let to_loop = self.to_loop.clone();
        let wait = Duration::try_from(wait).unwrap_or_default();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            to_loop.send(Input::SweepTrash);
        });
    }

    /// What was set aside more than ten minutes ago goes for good, and what an earlier clean-up was
    /// killed at.
    pub(crate) fn sweep_trash(&mut self) {
        let Ok(mut parties) = self.parties(None) else { return };
        let Ok(settings) = &self.settings else { return };
        let (all, _) = presets(&settings.cleanup);
        let mut choices: Vec<Choice> = all.iter().map(super::Chosen::choice).collect();
        let entry = |path: &std::path::Path| Entry {
            root: path.to_string_lossy().into_owned(),
            names: vec!["*".into()],
            entries: Entries::All,
            lock: None,
        };
        let own = parties.iter().flat_map(|party| &party.around.runners).map(|it| entry(&it.work));
        choices.push(as_named(own.collect()));
        let Some(until) = now().checked_sub(UNDO).ok() else { return };
        let Some(job) = self.job(CleanupWhy::You) else {
            // Whoever cleans up just now is waited for.
            return self.sweep_later(UNDO);
        };
        parties.retain(|party| party.user.is_none() || !party.around.runners.is_empty());
        tokio::spawn(async move {
            let mut swept = Vec::new();
            for Party { user, around } in parties {
                let work = Work::Sweep { choices: choices.clone(), around, until };
                match super::helper::ask(
                    &job.folders,
                    user.as_deref(),
                    work,
                    job.stop.clone(),
                    |_, _| {},
                )
                .await
                {
                    Ok(Said::Swept { receipts }) => swept.extend(receipts),
                    Ok(_) => {}
                    Err(why) => tracing::warn!(why, "what was set aside could not be deleted"),
                }
            }
            job.to_loop.send(Input::TrashSwept(swept));
        });
    }

    /// Receipts say what went for good.
    pub(crate) fn trash_swept(&mut self, swept: &[cleanup::Receipt]) {
        self.job_is_over();
        for mut receipt in self.records.undoable_cleanups().unwrap_or_default() {
            if receipt.undo_until.is_some_and(|until| until > now()) {
                continue;
            }
            let of_it = swept.iter().flat_map(|swept| &swept.items).filter(|item| {
                let batch =
                    item.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let at = batch.split('-').next().and_then(|at| at.parse::<i64>().ok());
                at == Some(receipt.at.as_second())
            });
            let freed: u64 = of_it.map(|item| item.freed).sum();
            receipt.undo_until = None;
            receipt.freed = Bytes(receipt.freed.0 + freed);
            for volume in &mut receipt.volumes {
                let after = swept.iter().flat_map(|swept| &swept.volumes);
                if let Some(after) = after.rev().find(|it| it.path.to_string() == volume.path) {
                    volume.free_after = Bytes(after.free_after);
                }
            }
            self.records.amend_cleanup(&receipt);
        }
        let waits = self.records.undoable_cleanups().unwrap_or_default();
        if !waits.is_empty() {
            self.sweep_later(UNDO);
        }
        self.work_dirs(None, false, None);
    }

    pub(super) fn undo(&mut self, id: u64, reply: Reply<Undone>) {
        let known = self.records.cleanup_of(id);
        let due =
            known.as_ref().and_then(|receipt| receipt.undo_until).filter(|until| *until > now());
        let (Some(mut receipt), Some(_)) = (known, due) else {
            return drop(reply.send(Err(refusal::error(
                409,
                "nothing-to-undo",
                format!("Nothing of clean-up {id} can be put back."),
                "What is removed by hand can be put back for ten minutes.",
            ))));
        };
        let parties = match self.parties(None) {
            Ok(parties) => parties,
            Err(refused) => return drop(reply.send(Err(refused))),
        };
        let Some(job) = self.job(CleanupWhy::You) else {
            return drop(reply.send(Err(busy())));
        };
        let roots: Vec<cleanup::Place> = receipt
            .volumes
            .iter()
            .map(|volume| cleanup::Place::from(volume.path.as_str()))
            .collect();
        receipt.undone = true;
        receipt.undo_until = None;
        let at = receipt.at;
        tokio::spawn(async move {
            let (mut count, mut not) = (0, Vec::new());
            for party in parties {
                let work = Work::PutBack { roots: roots.clone(), at };
                match super::helper::ask(
                    &job.folders,
                    party.user.as_deref(),
                    work,
                    job.stop.clone(),
                    |_, _| {},
                )
                .await
                {
                    Ok(Said::PutBack { put_back, not: some }) => {
                        count += put_back;
                        not.extend(some);
                    }
                    Ok(_) => {}
                    Err(why) => not.push(why),
                }
            }
            let undone = Undone { put_back: count, not };
            job.to_loop.send(Input::PutBack(Box::new(receipt), undone, reply));
        });
    }

    pub(crate) fn put_back(
        &mut self,
        receipt: &CleanupReceipt,
        undone: Undone,
        reply: Reply<Undone>,
    ) {
        self.job_is_over();
        if undone.put_back > 0 {
            self.records.amend_cleanup(receipt);
        }
        self.work_dirs(None, false, None);
        let _ = reply.send(Ok(undone));
    }
}
