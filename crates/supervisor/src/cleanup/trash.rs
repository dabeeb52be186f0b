//! What was set aside: deleted after ten minutes, or put back before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanup::preset::{Choice, Done, Entries, Folders as Entry, GroupDone};
use cleanup::work::{Said, Work};
use cleanup::{Fate, Receipt};
use jiff::{SignedDuration, Timestamp};
use protocol::{Bytes, CleanupReceipt, CleanupWhy, Undone};
use supervisor_core::Event;
use tokio::task::AbortHandle;

use super::around::{Party, kept_beside, presets};
use super::left::has_trash;
use super::locks;
use super::run::{UNDO, busy, failure_of};
use super::shown::{self, MOST_FAILURES, Of, moment_of};
use crate::api::refusal;
use crate::input::{Input, Reply};
use crate::supervisor::{Supervisor, now};

impl Supervisor {
    pub(crate) fn sweep_later(&self, wait: SignedDuration) -> AbortHandle {
        let to_loop = self.to_loop.clone();
        let wait = Duration::try_from(wait).unwrap_or_default();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            to_loop.send(Input::SweepTrash);
        });
        timer.abort_handle()
    }

    /// In place of an earlier one: where a sweep leaves something each time, its repetitions do not add up.
    fn sweep_again(&mut self) {
        let next = self.sweep_later(UNDO);
        if let Some(earlier) = self.cleaning.sweeps_again.replace(next) {
            earlier.abort();
        }
    }

    /// The trashes of all users, and what in them is over.
    pub(super) fn trashes(&mut self) -> Option<Trashes> {
        let mut parties = self.parties(None).ok()?;
        let undoable = self.records.undoable_cleanups().unwrap_or_default();
        // The preset that named them may be gone since.
        let volumes = undoable.iter().flat_map(|receipt| &receipt.volumes);
        let mut told: Vec<PathBuf> = volumes.map(|volume| PathBuf::from(&volume.path)).collect();
        told.sort();
        told.dedup();
        for party in &mut parties {
            let works = party.around.runners.iter().map(|it| &it.work);
            let left = party.left.iter().filter(|it| has_trash(it));
            let left = left.flat_map(|it| [&it.work, &it.kept]);
            party.named = works.chain(left).chain(&told).map(|folder| all_of(folder)).collect();
        }
        parties.retain(|party| party.user.is_none() || !party.named.is_empty());
        let (all, _) = presets(&self.settings.as_ref().ok()?.cleanup);
        let choices = all.iter().map(super::Chosen::choice).collect();
        let undoable = undoable.iter().map(|receipt| receipt.at.as_second()).collect();
        Some(Trashes { parties, choices, until: now().checked_sub(UNDO).ok()?, undoable })
    }

    /// What was set aside more than ten minutes ago goes for good, and what an earlier clean-up was
    /// killed at, or cut short.
    pub(crate) fn sweep_trash(&mut self) {
        let Some(trashes) = self.trashes() else { return self.sweep_again() };
        let Some(job) = self.job(CleanupWhy::Rest) else {
            // Whoever cleans up just now is waited for.
            return self.sweep_again();
        };
        tokio::spawn(async move {
            let begun = std::time::Instant::now();
            let swept = job.sweep(trashes).await;
            let seconds = begun.elapsed().as_secs();
            job.to_loop.send(Input::TrashSwept(Swept { seconds, ..swept }));
        });
    }

    pub(crate) fn trash_swept(&mut self, swept: &Swept) {
        self.job_is_over();
        let mut failure = self.note_swept(swept);
        let of = Of { seconds: swept.seconds, ..Of::all(CleanupWhy::Rest) };
        let rest = shown::receipt(of, now(), &swept.rest());
        if rest.freed.0 > 0 || !rest.failures.is_empty() {
            failure = failure.or_else(|| failure_of(&rest));
            self.records.cleanup(&rest);
        }
        self.see_to_history();
        // One that found nothing amiss says nothing of the last clean-up.
        if failure.is_some() {
            self.event(Event::CleanupEnded { failure });
        }
        self.work_dirs(None, false, None);
    }

    /// Receipts that could be undone say what went for good. What still lies in a trash has its time. Why not
    /// all was done, in words.
    pub(super) fn note_swept(&mut self, swept: &Swept) -> Option<String> {
        let mut failure = (!swept.failed.is_empty()).then(|| swept.failed.join("; "));
        for receipt in self.records.undoable_cleanups().unwrap_or_default() {
            if receipt.undo_until.is_some_and(|until| until > now()) {
                continue;
            }
            let Some(noted) = swept.noted(&receipt) else { continue };
            if !swept.stopped {
                failure = failure.or_else(|| failure_of(&noted));
            }
            self.records.amend_cleanup(&noted);
        }
        let waits = self.records.undoable_cleanups().unwrap_or_default();
        if !waits.is_empty() || swept.leaves_some() {
            self.sweep_again();
        }
        failure
    }

    /// The receipt, where that could be put back at that moment.
    pub(super) fn undoable(&mut self, id: u64, at: Timestamp) -> Option<CleanupReceipt> {
        let known = self.records.cleanup_of(id)?;
        known.undo_until.is_some_and(|until| until > at).then_some(known)
    }

    pub(super) fn undo(&mut self, id: u64, asked: Timestamp, reply: Reply<Undone>) {
        let Some(receipt) = self.undoable(id, asked) else {
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
                // A user whose runners are gone may be gone, too: it is asked for what is its alone.
                if party.has_runners_no_more() && !party.left_something_in(&roots) {
                    continue;
                }
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

/// Where a sweep looks, and for what.
pub(super) struct Trashes {
    pub(super) parties: Vec<Party>,
    pub(super) choices: Vec<Choice>,
    /// What was set aside before goes.
    pub(super) until: Timestamp,
    /// Moments, in seconds, of clean-ups whose receipts tell of what becomes of it.
    pub(super) undoable: Vec<i64>,
}

/// What a sweep came to.
#[derive(Default)]
pub(crate) struct Swept {
    /// With the users that they are of.
    pub(super) receipts: Vec<(Option<String>, Receipt)>,
    /// In words, of users that could not be asked.
    pub(super) failed: Vec<String>,
    /// Not all were come to.
    pub(super) stopped: bool,
    pub(super) undoable: Vec<i64>,
    pub(super) seconds: u64,
}

impl Swept {
    fn receipts(&self) -> impl DoubleEndedIterator<Item = &Receipt> {
        self.receipts.iter().map(|(_, receipt)| receipt)
    }

    /// The receipt as it is after it; None: as it was.
    fn noted(&self, receipt: &CleanupReceipt) -> Option<CleanupReceipt> {
        let mut noted = receipt.clone();
        let is_known = self.amend(&mut noted);
        if self.stopped {
            // Some of it may lie there still: the next one comes to the rest.
            return is_known.then_some(noted);
        }
        // Whose user could not be asked is asked again.
        if !is_known && !self.failed.is_empty() {
            return None;
        }
        nothing_is_aside(&mut noted);
        Some(noted)
    }

    /// Adds what was freed and, at its end, what could not be. False: nothing of that clean-up was there.
    fn amend(&self, receipt: &mut CleanupReceipt) -> bool {
        let at = receipt.at.as_second();
        let mut is_known = false;
        for swept in self.receipts() {
            let went = swept.items.iter().filter(|item| item.fate != Fate::SetAside);
            let of_it = went.filter(|it| moment_of(&it.path) == Some(at));
            let freed: Vec<u64> = of_it.map(|item| item.freed).collect();
            if freed.is_empty() {
                continue;
            }
            is_known = true;
            receipt.freed.0 += freed.iter().sum::<u64>();
            if !self.stopped {
                receipt.more_failures += swept.more_failures;
            }
        }
        // The next one finds them once more.
        if !self.stopped {
            receipt.failures.extend(shown::swept(receipt.at, self.receipts()));
        }
        let hidden = receipt.failures.len().saturating_sub(MOST_FAILURES);
        receipt.failures.truncate(MOST_FAILURES);
        receipt.more_failures += hidden as u64;
        for volume in &mut receipt.volumes {
            let kept = kept_beside(Path::new(&volume.path));
            let is_of = |path: &Path| path == Path::new(&volume.path) || path == kept;
            let mut after = self.receipts().flat_map(|swept| &swept.volumes);
            if let Some(after) = after.rfind(|it| is_of(&it.path)) {
                volume.free_after = Bytes(after.free_after);
            }
        }
        is_known
    }

    /// What it deleted, or failed to, of which no receipt tells yet: clean-ups were cut short or killed at it.
    pub(super) fn rest(&self) -> Vec<(Option<String>, Done)> {
        let is_rest =
            |path: &Path| moment_of(path).is_none_or(|moment| !self.undoable.contains(&moment));
        let done = |(user, swept): &(Option<String>, Receipt)| {
            let mut of_it = swept.clone();
            of_it.items.retain(|item| item.fate != Fate::SetAside && is_rest(&item.path));
            of_it.failures.retain(|failure| is_rest(&failure.path));
            if self.stopped {
                // The next one finds them once more.
                of_it.failures.clear();
                of_it.more_failures = 0;
            }
            // That it was cut is no failure: it is repeated.
            for item in of_it.items.iter_mut().filter(|item| item.fate == Fate::Stopped) {
                item.fate = Fate::Partly;
            }
            of_it.freed = of_it.items.iter().map(|item| item.freed).sum();
            let group = GroupDone {
                preset: "trash".to_owned(),
                title: "What earlier clean-ups left".to_owned(),
                files: Some(of_it),
                steps: Vec::new(),
                left_out: Vec::new(),
                notes: Vec::new(),
            };
            let is_nothing = group.files.as_ref().is_none_or(|it| it.items.is_empty());
            let done = Done { version: 1, at: swept.at, groups: vec![group] };
            (!is_nothing).then(|| (user.clone(), done))
        };
        self.receipts.iter().filter_map(done).collect()
    }

    /// Something may still be put back, or was not come to: it is due later. What cannot be deleted is left to
    /// the next start and the next clean-up by itself.
    fn leaves_some(&self) -> bool {
        if self.stopped {
            return true;
        }
        let items = self.receipts().flat_map(|swept| &swept.items);
        items.into_iter().any(|item| matches!(item.fate, Fate::SetAside | Fate::Stopped))
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
#[path = "trash_tests.rs"]
mod tests;
