//! Receipts of clean-ups in `history.sqlite`. A thousand of tasks are kept and as many others, so that
//! what goes before each task pushes no weekly one out.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use protocol::{CleanupReceipt, CleanupReceipts, TaskId};
use rusqlite::{OptionalExtension, params};

use super::{History, PageError, open_to_read};

const KEPT: i64 = 1000;
const LONGEST_PAGE: u32 = 100;
const USUAL_PAGE: u32 = 20;

impl History {
    /// Keeps a receipt; its id. One of a task that is there already stays as it is.
    pub(crate) fn cleanup(&self, receipt: &CleanupReceipt) -> Result<u64> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO cleanup (at_ms, task, undo_until_ms, receipt) \
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                receipt.at.as_millisecond(),
                receipt.task.as_ref().map(TaskId::as_str),
                receipt.undo_until.map(Timestamp::as_millisecond),
                serde_json::to_string(receipt)?,
            ])?;
        let id = self.connection.last_insert_rowid();
        self.connection
            .prepare_cached(
                "DELETE FROM cleanup WHERE (task IS NULL) = ?1 AND id <= \
                 (SELECT id FROM cleanup WHERE (task IS NULL) = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![receipt.task.is_none(), KEPT])?;
        Ok(u64::try_from(id)?)
    }

    /// Whether one of that moment is there, for whatever but a task.
    pub(crate) fn has_cleanup(&self, at: Timestamp) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM cleanup WHERE at_ms = ?1 AND task IS NULL")?
            .exists([at.as_millisecond()])?)
    }

    /// Puts another in its place.
    pub(crate) fn amend_cleanup(&self, receipt: &CleanupReceipt) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE cleanup SET undo_until_ms = ?2, receipt = ?3 WHERE id = ?1")?
            .execute(params![
                i64::try_from(receipt.id)?,
                receipt.undo_until.map(Timestamp::as_millisecond),
                serde_json::to_string(receipt)?,
            ])?;
        Ok(())
    }

    pub(crate) fn cleanup_of(&self, id: u64) -> Result<Option<CleanupReceipt>> {
        let found: Option<(i64, String)> = self
            .connection
            .prepare_cached("SELECT id, receipt FROM cleanup WHERE id = ?1")?
            .query_row([i64::try_from(id)?], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        found.map(|(id, text)| read(id, &text)).transpose()
    }

    /// Those of which something may be put back still.
    pub(crate) fn undoable_cleanups(&self) -> Result<Vec<CleanupReceipt>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, receipt FROM cleanup WHERE undo_until_ms IS NOT NULL")?;
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| row.map_err(Into::into).and_then(|(id, text)| read(id, &text))).collect()
    }
}

/// The newest first. No file is no receipt.
pub(crate) fn cleanups(
    path: &Path,
    before: Option<u64>,
    limit: Option<u32>,
) -> Result<CleanupReceipts, PageError> {
    let none = CleanupReceipts { receipts: Vec::new(), before: None };
    let Some(connection) = open_to_read(path)? else { return Ok(none) };
    // A file that an earlier release wrote has no place for them until one comes.
    let has = "SELECT count(*) FROM sqlite_schema WHERE name = 'cleanup'";
    let has: i64 =
        connection.query_row(has, [], |row| row.get(0)).context("reading the receipts")?;
    if has == 0 {
        return Ok(none);
    }
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE);
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let query = "SELECT id, receipt FROM cleanup WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(query).context("reading the receipts")?;
    let rows = statement
        .query_map(params![before, limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .context("reading the receipts")?;
    let receipts = rows
        .map(|row| row.map_err(Into::into).and_then(|(id, text)| read(id, &text)))
        .collect::<Result<Vec<_>>>()?;
    let is_full = receipts.len() == limit as usize;
    let before = receipts.last().filter(|_| is_full).map(|receipt| receipt.id);
    Ok(CleanupReceipts { receipts, before })
}

fn read(id: i64, text: &str) -> Result<CleanupReceipt> {
    let receipt: CleanupReceipt = serde_json::from_str(text).context("reading a receipt")?;
    Ok(CleanupReceipt { id: u64::try_from(id)?, ..receipt })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(second: i64, task: Option<&str>) -> CleanupReceipt {
        let at = Timestamp::from_second(second).unwrap();
        CleanupReceipt { task: task.map(TaskId::from), ..crate::cleanup::empty_receipt(at) }
    }

    #[test]
    fn receipts_are_paged_the_newest_first_and_those_of_a_task_come_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        assert!(cleanups(&path, None, None).unwrap().receipts.is_empty(), "no file is no receipt");
        let history = History::open(&path).unwrap();
        for second in 1..=3 {
            history.cleanup(&receipt(second, None)).unwrap();
        }
        history.cleanup(&receipt(4, Some("run.1"))).unwrap();
        history.cleanup(&receipt(5, Some("run.1"))).unwrap();
        let seconds = |page: &CleanupReceipts| -> Vec<i64> {
            page.receipts.iter().map(|receipt| receipt.at.as_second()).collect()
        };
        let first = cleanups(&path, None, Some(3)).unwrap();
        assert_eq!(seconds(&first), [4, 3, 2]);
        let rest = cleanups(&path, first.before, Some(3)).unwrap();
        assert_eq!((seconds(&rest), rest.before), (vec![1], None));
    }

    #[test]
    fn those_of_tasks_push_no_other_out_and_are_bounded_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        let history = History::open(&path).unwrap();
        let weekly = history.cleanup(&receipt(1, None)).unwrap();
        let at_once = history.connection.unchecked_transaction().unwrap();
        for n in 0..KEPT + 2 {
            history.cleanup(&receipt(2 + n, Some(&format!("run.{n}")))).unwrap();
        }
        at_once.commit().unwrap();
        assert!(history.cleanup_of(weekly).unwrap().is_some());
        let count = "SELECT count(*) FROM cleanup WHERE task IS NOT NULL";
        let of_tasks: i64 = history.connection.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(of_tasks, KEPT);
        let oldest = "SELECT min(task) FROM cleanup WHERE task IN ('run.0', 'run.1', 'run.2')";
        let oldest: String = history.connection.query_row(oldest, [], |row| row.get(0)).unwrap();
        assert_eq!(oldest, "run.2", "the newest stay");
    }

    #[test]
    fn what_may_be_put_back_is_known_until_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.sqlite")).unwrap();
        let until = Timestamp::from_second(600).ok();
        let id =
            history.cleanup(&CleanupReceipt { undo_until: until, ..receipt(1, None) }).unwrap();
        let mut known = history.undoable_cleanups().unwrap();
        assert_eq!(known.iter().map(|receipt| receipt.id).collect::<Vec<_>>(), [id]);
        let mut undone = known.remove(0);
        (undone.undo_until, undone.undone) = (None, true);
        history.amend_cleanup(&undone).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(history.has_cleanup(at(1)).unwrap() && !history.has_cleanup(at(2)).unwrap());
        assert!(history.undoable_cleanups().unwrap().is_empty());
        assert!(history.cleanup_of(id).unwrap().unwrap().undone);
        assert!(history.cleanup_of(99).unwrap().is_none());
    }
}
