//! Old tasks leave the history: those beyond an age, and of each runner those beyond a number. Never
//! one whose folder is still there, which would come back from it.

use std::collections::HashSet;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use protocol::TaskId;
use rusqlite::{Connection, params};
use serde::Deserialize;

use super::History;

/// How much of the past is kept; `[history]` in settings.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Keep {
    /// A task that ended longer ago than this is forgotten.
    pub(crate) days: u32,
    /// Of each runner.
    pub(crate) tasks: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { days: 400, tasks: 100_000 }
    }
}

/// So that nobody waits for it. What is left goes the next time, and a clock that is set wrongly for a
/// while costs no more than this.
const AT_ONCE: u32 = 1000;

pub(super) const TOO_OLD: &str =
    "SELECT id FROM task WHERE finished_ms < ?1 ORDER BY finished_ms LIMIT ?2";
pub(super) const TOO_MANY: &str = "SELECT id FROM task WHERE runner = ?1 \
     ORDER BY finished_ms DESC, id DESC LIMIT ?2 OFFSET ?3";

impl History {
    /// Forgets what is beyond `keep`, but for `needed`; how many that were.
    pub(crate) fn prune(
        &mut self,
        keep: Keep,
        needed: &HashSet<TaskId>,
        now: Timestamp,
    ) -> Result<usize> {
        let changes = self.connection.transaction()?;
        let mut ids = Vec::new();
        let age = SignedDuration::from_hours(i64::from(keep.days) * 24);
        if let Ok(oldest) = now.checked_sub(age) {
            let oldest = oldest.as_millisecond();
            ids.extend(first_column(&changes, TOO_OLD, params![oldest, AT_ONCE])?);
        }
        let runners = first_column(&changes, "SELECT DISTINCT runner FROM task", params![])?;
        for runner in runners {
            let many = params![runner, AT_ONCE, keep.tasks];
            ids.extend(first_column(&changes, TOO_MANY, many)?);
        }
        let mut forgotten = 0;
        for id in ids.iter().filter(|id| !needed.contains(&TaskId::from(id.as_str()))) {
            forgotten +=
                changes.prepare_cached("DELETE FROM task WHERE id = ?1")?.execute([id.as_str()])?;
        }
        changes.commit()?;
        if forgotten > 0 {
            self.give_back()?;
        }
        Ok(forgotten)
    }
}

impl History {
    /// Pages that nothing is in any more leave the file; as many as one pruning makes.
    fn give_back(&self) -> Result<()> {
        let mut statement = self.connection.prepare_cached("PRAGMA incremental_vacuum")?;
        let mut steps = statement.query([])?;
        while steps.next()?.is_some() {}
        Ok(())
    }
}

fn first_column(
    connection: &Connection,
    query: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement.query_map(values, |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
