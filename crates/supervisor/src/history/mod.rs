//! `history.sqlite`: every finished task, once. The supervisor alone writes it; whoever reads opens it
//! read-only. What is kept is bounded by age and by number, and so is its size: what was forgotten gives
//! its room back.

mod cleanups;
mod directories;
mod notices;
mod page;
mod prune;
mod spans;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use protocol::{FinishedTask, TaskId};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

pub(crate) use cleanups::cleanups;
pub(crate) use directories::{Chosen, chosen};
pub(crate) use notices::notices;
pub(crate) use page::{Asked, PageError, page, task};
pub(crate) use prune::Keep;
pub(crate) use spans::{Spans, spans};

/// The file, for its one writer.
pub(crate) struct History {
    connection: Connection,
}

/// 2: where a task worked.
const SCHEMA_VERSION: i64 = 2;
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS task (
        id           TEXT PRIMARY KEY,
        runner       TEXT NOT NULL,
        finished_ms  INTEGER NOT NULL,
        started_ms   INTEGER NOT NULL,
        result       TEXT NOT NULL,
        project      TEXT,
        branch       TEXT,
        job          TEXT,
        build_number TEXT,
        link         TEXT,
        directory    TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS task_by_end ON task (finished_ms DESC, id DESC);
    CREATE INDEX IF NOT EXISTS task_by_runner ON task (runner, finished_ms DESC, id DESC);
    CREATE INDEX IF NOT EXISTS task_by_project ON task (project, finished_ms DESC, id DESC);
    CREATE INDEX IF NOT EXISTS task_by_outcome
        ON task (result ->> '$.outcome', finished_ms DESC, id DESC);
    CREATE INDEX IF NOT EXISTS task_by_directory
        ON task (runner, directory) WHERE directory IS NOT NULL;
    CREATE TABLE IF NOT EXISTS notice (
        id      INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms   INTEGER NOT NULL,
        runner  TEXT,
        about   TEXT NOT NULL,
        title   TEXT NOT NULL,
        body    TEXT NOT NULL,
        offers  TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS cleanup (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms         INTEGER NOT NULL,
        task          TEXT UNIQUE,
        undo_until_ms INTEGER,
        receipt       TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS notices_seen (
        one   INTEGER PRIMARY KEY CHECK (one = 1),
        up_to INTEGER NOT NULL
    ) STRICT;
";
const FROM_1: &str = "ALTER TABLE task ADD COLUMN directory TEXT;";
/// Another one that has the file just now is done by then.
const PATIENCE: Duration = Duration::from_secs(2);

impl History {
    /// Makes the file where it is missing. One from a newer version is left alone.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let at = || format!("opening the history {}", path.display());
        let connection = Connection::open(path).with_context(at)?;
        connection.busy_timeout(PATIENCE).with_context(at)?;
        let version = check_version(&connection, path)?;
        if version == 0 {
            // Only of a file that has nothing yet: pages that become free can be given back.
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").with_context(at)?;
        }
        connection.pragma_update(None, "journal_mode", "WAL").with_context(at)?;
        connection.pragma_update(None, "synchronous", "FULL").with_context(at)?;
        // To write what is there already would wait for the disk, at every start.
        if version != SCHEMA_VERSION {
            let from_before = if version == 1 { FROM_1 } else { "" };
            let whole = format!(
                "BEGIN; {from_before} {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            );
            connection.execute_batch(&whole).with_context(at)?;
        }
        Ok(Self { connection })
    }

    /// Keeps the record that is there, if there is one.
    pub(crate) fn record(&self, task: &FinishedTask) -> Result<()> {
        self.insert("INSERT OR IGNORE", "", task)
    }

    /// Takes the place of the record that is there; what is not known any more stays known.
    pub(crate) fn amend(&self, task: &FinishedTask) -> Result<()> {
        self.insert(
            "INSERT",
            "ON CONFLICT (id) DO UPDATE SET result = excluded.result, \
             project = COALESCE(excluded.project, project), \
             branch = COALESCE(excluded.branch, branch), job = COALESCE(excluded.job, job), \
             build_number = COALESCE(excluded.build_number, build_number), \
             link = COALESCE(excluded.link, link), \
             directory = COALESCE(excluded.directory, directory)",
            task,
        )
    }

    fn insert(&self, verb: &str, conflict: &str, task: &FinishedTask) -> Result<()> {
        self.connection
            .prepare_cached(&format!(
                "{verb} INTO task (id, runner, finished_ms, started_ms, result, \
                 project, branch, job, build_number, link, directory) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) {conflict}",
            ))?
            .execute(params![
                task.id.as_str(),
                task.runner.as_str(),
                task.finished_at.as_millisecond(),
                task.started_at.as_millisecond(),
                serde_json::to_string(&task.result)?,
                task.project,
                task.branch,
                task.job,
                task.build_number,
                task.link,
                task.directory,
            ])?;
        Ok(())
    }

    pub(crate) fn has(&self, task: &TaskId) -> Result<bool> {
        let found = self
            .connection
            .prepare_cached("SELECT 1 FROM task WHERE id = ?1")?
            .query_row([task.as_str()], |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }
}

/// For a reader: it can change nothing, and makes no file. Nothing where there is none, or one that
/// its writer has not got further with than its name, as on a full disk.
fn open_to_read(path: &Path) -> Result<Option<Connection>> {
    if !path.try_exists().context("looking for the history")? {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let at = || format!("opening the history {}", path.display());
    let connection = Connection::open_with_flags(path, flags).with_context(at)?;
    connection.busy_timeout(PATIENCE).with_context(at)?;
    let version = check_version(&connection, path)?;
    Ok((version > 0).then_some(connection))
}

/// 0 until the schema is there.
fn check_version(connection: &Connection, path: &Path) -> Result<i64> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .with_context(|| format!("opening the history {}", path.display()))?;
    anyhow::ensure!(
        version <= SCHEMA_VERSION,
        "the history {} is from a newer Runner Tray (version {version}, this one knows \
         {SCHEMA_VERSION})",
        path.display()
    );
    Ok(version)
}
