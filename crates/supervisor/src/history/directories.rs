//! Directories that jobs chose for themselves, instead of the runner's working directory.

use std::path::{Path, PathBuf};

use anyhow::Context;
use protocol::{RunnerName, TaskId};

use super::open_to_read;
use super::page::PageError;

/// The most that are told: those that were used last.
const MOST: u32 = 100;

/// One of them, with the last task that worked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) runner: RunnerName,
    pub(crate) path: PathBuf,
    pub(crate) task: TaskId,
}

/// Of all runners, the last used first; whether they are still there is not asked.
pub(crate) fn chosen(history: &Path) -> Result<Vec<Chosen>, PageError> {
    let Some(connection) = open_to_read(history)? else { return Ok(Vec::new()) };
    // Of a group, `id` is that of the row with the maximum (SQLite, "Bare columns in an aggregate query").
    let query = "SELECT runner, directory, id, MAX(finished_ms) AS used FROM task \
                 WHERE directory IS NOT NULL GROUP BY runner, directory ORDER BY used DESC LIMIT ?1";
    let read = || -> rusqlite::Result<Vec<(String, String, String)>> {
        let mut statement = connection.prepare(query)?;
        statement.query_map([MOST], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    };
    let rows = read().context("reading the history")?;
    let chosen = rows.into_iter().filter_map(|(runner, path, task)| {
        let runner = runner.try_into().ok()?;
        Some(Chosen { runner, path: path.into(), task: TaskId::from(task.as_str()) })
    });
    Ok(chosen.collect())
}
