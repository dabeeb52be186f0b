//! What is to go into the history, until it is there: on a full disk, or where the file cannot be
//! used, that may take a while, and a restart finds it again in the run directories.

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use protocol::{CleanupReceipt, FinishedTask, Notice, NoticesSeen, TaskId};
use supervisor_core::NewNotice;

use crate::history::{History, Keep};

/// More are not kept in memory; the oldest go first.
const MOST_WAITING: usize = 1000;
/// Each may tell of a hundred failures.
const MOST_RECEIPTS: usize = 100;
/// The past is looked through for what is to be forgotten after so many records or so long.
const PRUNE_AFTER: u32 = 500;
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) struct Records {
    path: PathBuf,
    history: Option<History>,
    waiting: VecDeque<(FinishedTask, How)>,
    /// Of clean-ups, that wait as well.
    receipts: VecDeque<(CleanupReceipt, How)>,
    /// Why the history could not be used the last time; nothing where it could.
    trouble: Option<String>,
    since_pruned: u32,
    pruned_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// What is there stays.
    Record,
    /// It takes the place of what is there.
    Amend,
}

impl Records {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            history: None,
            waiting: VecDeque::new(),
            receipts: VecDeque::new(),
            trouble: None,
            since_pruned: 0,
            pruned_at: None,
        }
    }

    pub(crate) fn record(&mut self, task: FinishedTask) {
        self.add(task, How::Record);
    }

    pub(crate) fn amend(&mut self, task: FinishedTask) {
        self.add(task, How::Amend);
    }

    fn add(&mut self, task: FinishedTask, how: How) {
        if self.waiting.len() >= MOST_WAITING
            && let Some((task, _)) = self.waiting.pop_front()
        {
            tracing::warn!(task = %task.id, "waits no longer for the history");
        }
        self.waiting.push_back((task, how));
        self.write();
    }

    /// False also where nobody can tell.
    pub(crate) fn has(&mut self, task: &TaskId) -> bool {
        self.with(|history| history.has(task)).unwrap_or(false)
    }

    /// Whether it is there; nothing where nobody can tell.
    pub(crate) fn knows(&mut self, task: &TaskId) -> Option<bool> {
        if self.waiting.iter().any(|(waiting, _)| waiting.id == *task) {
            return Some(true);
        }
        self.with(|history| history.has(task))
    }

    /// Keeps a notice; none where that failed.
    pub(crate) fn notice(&mut self, notice: &NewNotice) -> Option<NoticesSeen> {
        self.with(|history| history.notice(notice))
    }

    pub(crate) fn seen_notices(&mut self, up_to: u64) -> Option<NoticesSeen> {
        self.with(|history| history.seen_notices(up_to))
    }

    /// The newest notices, and how far they have come; where there is no history there are none.
    pub(crate) fn notices(&mut self) -> Option<(NoticesSeen, Vec<Notice>)> {
        if !self.path.exists() {
            return Some((NoticesSeen::default(), Vec::new()));
        }
        self.with(History::newest_notices)
    }

    /// Keeps a receipt of a clean-up; its id, none where it has to wait.
    pub(crate) fn cleanup(&mut self, receipt: &CleanupReceipt) -> Option<u64> {
        self.write_receipts();
        if self.receipts.is_empty()
            && let Some(id) = self.with(|history| history.cleanup(receipt))
        {
            return Some(id);
        }
        self.receipt_waits(receipt, How::Record);
        None
    }

    fn receipt_waits(&mut self, receipt: &CleanupReceipt, how: How) {
        if self.receipts.len() >= MOST_RECEIPTS
            && let Some((lost, _)) = self.receipts.pop_front()
        {
            tracing::warn!(at = %lost.at, "a receipt waits no longer for the history");
        }
        self.receipts.push_back((receipt.clone(), how));
    }

    fn write_receipts(&mut self) {
        while let Some((receipt, how)) = self.receipts.front().cloned() {
            let written = self.with(|history| match how {
                How::Record => history.cleanup(&receipt).map(drop),
                How::Amend => history.amend_cleanup(&receipt),
            });
            if written.is_none() {
                return;
            }
            self.receipts.pop_front();
        }
    }

    /// Whether one of that moment is there, for whatever but a task; none where nobody can tell.
    pub(crate) fn has_cleanup(&mut self, at: Timestamp) -> Option<bool> {
        self.with(|history| history.has_cleanup(at))
    }

    pub(crate) fn amend_cleanup(&mut self, receipt: &CleanupReceipt) {
        self.receipt_waits(receipt, How::Amend);
        self.write_receipts();
    }

    /// None also where nobody can tell.
    pub(crate) fn cleanup_of(&mut self, id: u64) -> Option<CleanupReceipt> {
        self.with(|history| history.cleanup_of(id)).flatten().map(|it| self.as_amended(it))
    }

    /// With what waits to be written of it.
    fn as_amended(&self, receipt: CleanupReceipt) -> CleanupReceipt {
        let is_of_it = |(waits, how): &&(CleanupReceipt, How)| {
            matches!(how, How::Amend) && waits.id == receipt.id
        };
        let amended = self.receipts.iter().rev().find(is_of_it).map(|(it, _)| it.clone());
        amended.unwrap_or(receipt)
    }

    /// None where there is no history, or it cannot be used.
    pub(crate) fn undoable_cleanups(&mut self) -> Option<Vec<CleanupReceipt>> {
        if !self.path.exists() {
            return None;
        }
        let all = self.with(|history| history.undoable_cleanups())?;
        let all = all.into_iter().map(|it| self.as_amended(it));
        Some(all.filter(|it| it.undo_until.is_some()).collect())
    }

    /// Tries all that wait, in order.
    pub(crate) fn write(&mut self) {
        while let Some((task, how)) = self.waiting.front().cloned() {
            let written = self.with(|history| match how {
                How::Record => history.record(&task),
                How::Amend => history.amend(&task),
            });
            if written.is_none() {
                return;
            }
            self.since_pruned = self.since_pruned.saturating_add(1);
            self.waiting.pop_front();
        }
        self.write_receipts();
    }

    /// Why what waits does not get in.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Finds out whether the history can be used, where there is one.
    pub(crate) fn look(&mut self) {
        if self.path.exists() {
            self.with(|_| Ok(()));
        } else if self.waiting.is_empty() && self.receipts.is_empty() {
            self.trouble = None;
        }
    }

    pub(crate) fn is_prune_due(&self, now: Timestamp) -> bool {
        let waited = |at: Timestamp| at.duration_until(now).abs() >= PRUNE_EVERY;
        self.since_pruned >= PRUNE_AFTER || self.pruned_at.is_none_or(waited)
    }

    /// Forgets what is beyond `keep`, but for tasks that are still needed.
    pub(crate) fn prune(&mut self, keep: Keep, needed: &HashSet<TaskId>, now: Timestamp) {
        self.since_pruned = 0;
        self.pruned_at = Some(now);
        if !self.path.exists() {
            return;
        }
        if let Some(forgotten @ 1..) = self.with(|history| history.prune(keep, needed, now)) {
            tracing::info!(forgotten, "old tasks left the history");
        }
    }

    /// None where it failed. The file is opened anew then: somebody may have put another one there.
    fn with<T>(&mut self, act: impl FnOnce(&mut History) -> Result<T>) -> Option<T> {
        let open = || -> Result<T> {
            let history = match self.history.take() {
                Some(history) => history,
                None => History::open(&self.path)?,
            };
            act(self.history.insert(history))
        };
        match open() {
            Ok(done) => {
                self.trouble = None;
                Some(done)
            }
            Err(error) => {
                let words = format!("{error:#}");
                if self.trouble.as_deref() != Some(words.as_str()) {
                    tracing::warn!(error = words, "the history cannot be used");
                }
                self.history = None;
                self.trouble = Some(words);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::TaskResult;

    use super::*;
    use crate::history::{Asked, page};

    fn task(n: usize) -> FinishedTask {
        FinishedTask {
            id: TaskId::from(format!("run.{n}").as_str()),
            runner: "mini".parse().unwrap(),
            project: None,
            branch: None,
            job: None,
            build_number: None,
            link: None,
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::from_second(i64::try_from(n).unwrap()).unwrap(),
            result: TaskResult::Succeeded,
            directory: None,
        }
    }

    #[test]
    fn what_cannot_be_written_waits_and_not_without_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        std::fs::create_dir(&path).unwrap();
        let mut records = Records::new(path.clone());
        records.look();
        assert!(records.trouble().unwrap().contains("history.sqlite"));
        for n in 0..MOST_WAITING + 5 {
            records.record(task(n));
        }
        assert_eq!(records.waiting.len(), MOST_WAITING);
        assert!(!records.has(&task(7).id));

        std::fs::remove_dir(&path).unwrap();
        records.write();
        assert_eq!((records.trouble(), records.waiting.len()), (None, 0));
        assert!(records.has(&task(5).id) && !records.has(&task(4).id));
        let newest = page(&path, &Asked { limit: Some(1), ..Asked::default() }).unwrap().tasks;
        assert_eq!(newest, [task(MOST_WAITING + 4)]);
    }

    fn receipt(second: i64) -> CleanupReceipt {
        let at = Timestamp::from_second(second).unwrap();
        CleanupReceipt { freed: protocol::Bytes(7), ..crate::cleanup::empty_receipt(at) }
    }

    #[test]
    fn receipts_that_cannot_be_written_wait_too_and_come_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        std::fs::create_dir(&path).unwrap();
        let mut records = Records::new(path.clone());
        let most = i64::try_from(MOST_RECEIPTS).unwrap();
        for second in 0..most + 2 {
            assert_eq!(records.cleanup(&receipt(second)), None);
        }
        assert_eq!(records.receipts.len(), MOST_RECEIPTS);
        std::fs::remove_dir(&path).unwrap();
        let next = records.cleanup(&receipt(most + 2));
        assert!(next.is_some() && records.receipts.is_empty(), "{:?}", records.trouble());
        let page = crate::history::cleanups(&path, None, Some(3)).unwrap().receipts;
        let seconds: Vec<i64> = page.iter().map(|receipt| receipt.at.as_second()).collect();
        assert_eq!((page[0].id, seconds), (next.unwrap(), vec![most + 2, most + 1, most]));
        // Without another clean-up it comes in with all else that waits.
        let path = folder.path().join("another.sqlite");
        std::fs::create_dir(&path).unwrap();
        let mut records = Records::new(path.clone());
        assert_eq!(records.cleanup(&receipt(1)), None);
        std::fs::remove_dir(&path).unwrap();
        records.write();
        assert_eq!(records.has_cleanup(receipt(1).at), Some(true));
    }

    #[test]
    fn what_became_of_a_receipt_is_known_while_it_waits_to_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = Records::new(folder.path().join("history.sqlite"));
        let undo_until = Some(Timestamp::from_second(600).unwrap());
        let id = records.cleanup(&CleanupReceipt { undo_until, ..receipt(1) }).unwrap();
        assert_eq!(records.undoable_cleanups().unwrap().len(), 1);
        let swept = CleanupReceipt { id, freed: protocol::Bytes(20), ..receipt(1) };
        records.receipt_waits(&swept, How::Amend);
        assert_eq!(records.cleanup_of(id), Some(swept.clone()));
        assert_eq!(records.undoable_cleanups(), Some(Vec::new()));
        records.write();
        assert!(records.receipts.is_empty());
        assert_eq!(records.cleanup_of(id), Some(swept));
    }

    #[test]
    fn a_file_that_is_spoilt_or_put_aside_under_way_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        let mut records = Records::new(path.clone());
        records.record(task(1));
        drop(records.history.take());
        run_dir::write_atomically(&path, "no database at all ".repeat(100).as_bytes()).unwrap();
        records.record(task(2));
        let trouble = records.trouble().unwrap();
        assert!(
            trouble.contains("not a database") && trouble.contains("history.sqlite"),
            "{trouble}"
        );

        std::fs::rename(&path, folder.path().join("aside")).unwrap();
        records.write();
        assert_eq!(records.trouble(), None);
        assert!(records.has(&task(2).id));
    }

    #[test]
    fn the_past_is_looked_through_at_first_and_then_seldom() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = Records::new(folder.path().join("history.sqlite"));
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert!(records.is_prune_due(now));
        records.prune(Keep::default(), &HashSet::new(), now);
        assert!(!records.path.exists(), "where there is no history none is made");
        assert!(!records.is_prune_due(now) && records.is_prune_due(now + PRUNE_EVERY));
        // A clock that is set back does not put it off.
        assert!(records.is_prune_due(now - PRUNE_EVERY));
        for n in 0..usize::try_from(PRUNE_AFTER).unwrap() {
            records.record(task(n));
        }
        assert!(records.is_prune_due(now));
        records.prune(Keep { days: 400, tasks: 10 }, &HashSet::new(), now);
        assert!(!records.has(&task(1).id) && records.has(&task(495).id));
    }
}
