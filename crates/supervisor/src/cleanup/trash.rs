//! What was set aside: deleted after ten minutes, or put back before.

use std::path::Path;
use std::time::Duration;

use cleanup::preset::{Choice, Entries, Folders as Entry};
use cleanup::work::{Said, Work};
use jiff::SignedDuration;
use protocol::{Bytes, CleanupReceipt, CleanupWhy, Undone};
use supervisor_core::Event;

use super::around::{Party, kept_beside, presets};
use super::locks;
use super::run::{UNDO, busy, failure_of};
use super::shown::{self, MOST_FAILURES, moment_of};
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
        for party in &mut parties {
            party.named = party.around.runners.iter().map(|it| all_of(&it.work)).collect();
        }
        let Ok(settings) = &self.settings else { return };
        let (all, _) = presets(&settings.cleanup);
        let choices: Vec<Choice> = all.iter().map(super::Chosen::choice).collect();
        let Some(until) = now().checked_sub(UNDO).ok() else { return };
        let Some(job) = self.job(CleanupWhy::You) else {
            // Whoever cleans up just now is waited for.
            return self.sweep_later(UNDO);
        };
        parties.retain(|party| party.user.is_none() || !party.around.runners.is_empty());
        tokio::spawn(async move {
            let mut swept = Swept::default();
            for party in parties {
                let choices = party.choices(&choices);
                let Party { user, around, named: _ } = party;
                let work = Work::Sweep { choices, around, until };
                match super::helper::ask(
                    &job.folders,
                    user.as_deref(),
                    work,
                    job.stop.clone(),
                    |_, _| {},
                )
                .await
                {
                    Ok(Said::Swept { receipts }) => swept.receipts.extend(receipts),
                    Ok(_) => swept.failed.push("it gave another answer".to_owned()),
                    Err(why) => swept.failed.push(why),
                }
            }
            job.to_loop.send(Input::TrashSwept(swept));
        });
    }

    /// Receipts say what went for good.
    pub(crate) fn trash_swept(&mut self, swept: &Swept) {
        self.job_is_over();
        let mut failure = (!swept.failed.is_empty()).then(|| swept.failed.join("; "));
        for mut receipt in self.records.undoable_cleanups().unwrap_or_default() {
            if receipt.undo_until.is_some_and(|until| until > now()) {
                continue;
            }
            let is_known = swept.amend(&mut receipt);
            // Whose user could not be asked is asked again.
            if is_known || swept.failed.is_empty() {
                nothing_is_aside(&mut receipt);
                failure = failure.or_else(|| failure_of(&receipt));
                self.records.amend_cleanup(&receipt);
            }
        }
        // One that found nothing amiss says nothing of the last clean-up.
        if failure.is_some() {
            self.event(Event::CleanupEnded { failure });
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
        let (Some(receipt), Some(_)) = (known, due) else {
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
        let at = receipt.at;
        tokio::spawn(async move {
            let (mut count, mut not) = (0, Vec::new());
            let mut shut_for_all = roots.clone();
            for party in parties {
                // What went from a working directory lies with the kept ones.
                let kept = party.around.runners.iter().map(|runner| (&runner.kept).into());
                let roots: Vec<cleanup::Place> = roots.iter().cloned().chain(kept).collect();
                let (runners, _locks) =
                    locks::held_for(party.user.as_deref(), party.around.runners);
                let work = Work::PutBack { roots, at, runners };
                match super::helper::ask(
                    &job.folders,
                    party.user.as_deref(),
                    work,
                    job.stop.clone(),
                    |_, _| {},
                )
                .await
                {
                    Ok(Said::PutBack { put_back, not: some, shut }) => {
                        count += put_back;
                        not.extend(some);
                        shut_for_all.retain(|root| shut.contains(root));
                    }
                    Ok(_) => not.push("it gave another answer".to_owned()),
                    Err(why) => not.push(why),
                }
            }
            not.extend(shut_for_all.iter().map(|root| format!("{root}: it cannot be opened")));
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
        if undone.put_back == 0 && undone.not.is_empty() {
            return drop(reply.send(Err(refusal::error(
                409,
                "nothing-to-undo",
                format!("Nothing of clean-up {} was found in a trash.", receipt.id),
                "It is gone already, or somebody has moved the folder that it lay in.",
            ))));
        }
        // What did not come back may, until its time is over.
        if undone.not.is_empty() {
            let mut receipt = CleanupReceipt { undone: true, ..receipt.clone() };
            nothing_is_aside(&mut receipt);
            self.records.amend_cleanup(&receipt);
        }
        self.work_dirs(None, false, None);
        let _ = reply.send(Ok(undone));
    }
}

fn nothing_is_aside(receipt: &mut CleanupReceipt) {
    receipt.undo_until = None;
    for group in &mut receipt.groups {
        group.set_aside = None;
    }
}

/// What a sweep came to, of all users.
#[derive(Default)]
pub(crate) struct Swept {
    receipts: Vec<cleanup::Receipt>,
    /// In words, of users that could not be asked.
    failed: Vec<String>,
}

impl Swept {
    /// Adds what was freed and what could not be. False: nothing of that clean-up was there.
    fn amend(&self, receipt: &mut CleanupReceipt) -> bool {
        let at = receipt.at.as_second();
        let mut is_known = false;
        for swept in &self.receipts {
            let of_it = swept.items.iter().filter(|it| moment_of(&it.path) == Some(at));
            let freed: Vec<u64> = of_it.map(|item| item.freed).collect();
            if freed.is_empty() {
                continue;
            }
            is_known = true;
            receipt.freed.0 += freed.iter().sum::<u64>();
            receipt.more_failures += swept.more_failures;
        }
        receipt.failures.extend(shown::swept(receipt.at, &self.receipts));
        let hidden = receipt.failures.len().saturating_sub(MOST_FAILURES);
        receipt.failures.truncate(MOST_FAILURES);
        receipt.more_failures += hidden as u64;
        for volume in &mut receipt.volumes {
            let kept = kept_beside(Path::new(&volume.path));
            let is_of = |path: &Path| path == Path::new(&volume.path) || path == kept;
            let mut after = self.receipts.iter().flat_map(|swept| &swept.volumes);
            if let Some(after) = after.rfind(|it| is_of(&it.path)) {
                volume.free_after = Bytes(after.free_after);
            }
        }
        is_known
    }
}

fn all_of(folder: &Path) -> Entry {
    Entry {
        root: folder.to_string_lossy().into_owned(),
        names: vec!["*".into()],
        exactly: false,
        entries: Entries::All,
        lock: None,
    }
}

#[cfg(test)]
mod tests {
    use cleanup::{Failure, Fate, ItemReceipt, Place, Receipt, VolumeReceipt, Why};
    use jiff::Timestamp;

    use super::*;

    fn receipt(at: Timestamp) -> CleanupReceipt {
        let of = shown::Of {
            why: CleanupWhy::You,
            runner: None,
            task: None,
            seconds: 0,
            undo_until: None,
            cut_short: None,
        };
        let mut receipt = shown::receipt(of, at, &[]);
        receipt.volumes.push(protocol::VolumeReceipt {
            path: "/w/work".into(),
            total: Bytes(9),
            free_before: Bytes(1),
            free_after: Bytes(1),
        });
        receipt
    }

    fn swept(seconds: i64, freed: u64, failures: usize) -> Receipt {
        let batch = format!("/w/work.kept/{}/{seconds:010}-7-0.going", cleanup::TRASH);
        let failure = |number: usize| Failure {
            path: Place::from(format!("{batch}/0/{number}")),
            why: Why::Immutable,
            way_out: "chattr".into(),
        };
        Receipt {
            version: 1,
            at: Timestamp::UNIX_EPOCH,
            freed,
            removed: 1,
            items: vec![ItemReceipt {
                path: batch.as_str().into(),
                rule: "trash".into(),
                why: String::new(),
                planned: 0,
                freed,
                fate: Fate::Partly,
            }],
            volumes: vec![VolumeReceipt {
                path: "/w/work.kept".into(),
                total: 9,
                free_before: 1,
                free_after: 5,
            }],
            failures: (0..failures).map(failure).collect(),
            more_failures: 0,
        }
    }

    #[test]
    fn what_a_sweep_freed_and_could_not_delete_is_added_to_the_receipt_that_it_is_of() {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        let receipts = vec![swept(1_790_000_000, 7, 1), swept(1_790_000_001, 100, 2)];
        let swept = Swept { receipts, failed: Vec::new() };
        let mut of_it = receipt(at);
        assert!(swept.amend(&mut of_it));
        assert_eq!((of_it.freed, of_it.failures.len(), of_it.more_failures), (Bytes(7), 1, 0));
        assert_eq!(of_it.volumes[0].free_after, Bytes(5), "its trash lies beside it");
        assert!(failure_of(&of_it).is_some_and(|why| why.contains("A mark of the file system")));
        let mut other = receipt(Timestamp::from_second(1_790_000_002).unwrap());
        assert!(!swept.amend(&mut other));
        assert_eq!((other.freed, other.failures.len()), (Bytes(0), 0));
    }

    #[test]
    fn of_very_many_that_stayed_some_are_shown_and_all_are_counted() {
        let receipts = vec![swept(1_790_000_000, 0, MOST_FAILURES + 20)];
        let mut of_it = receipt(Timestamp::from_second(1_790_000_000).unwrap());
        Swept { receipts, failed: Vec::new() }.amend(&mut of_it);
        assert_eq!((of_it.failures.len(), of_it.more_failures), (MOST_FAILURES, 20));
    }
}
