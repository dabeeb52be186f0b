//! `history.sqlite`: every finished task, once.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use protocol::{FinishedTask, HistoryPage, RunnerName, TaskId, TaskResult};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) struct History {
    connection: Connection,
}

const SCHEMA_VERSION: i64 = 1;
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
        link         TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS task_by_end ON task (finished_ms DESC, id DESC);
    CREATE INDEX IF NOT EXISTS task_by_runner ON task (runner, finished_ms DESC, id DESC);
";

/// Pages are at most this long.
const LONGEST_PAGE: u32 = 500;

impl History {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let at = || format!("opening the history {}", path.display());
        let connection = Connection::open(path).with_context(at)?;
        connection.busy_timeout(std::time::Duration::from_secs(2)).with_context(at)?;
        connection.pragma_update(None, "journal_mode", "WAL").with_context(at)?;
        connection.pragma_update(None, "synchronous", "FULL").with_context(at)?;
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .with_context(at)?;
        anyhow::ensure!(
            version <= SCHEMA_VERSION,
            "the history {} is from a newer Runner Tray (version {version}); install that one \
             again, or move the file away",
            path.display()
        );
        connection.execute_batch(SCHEMA).with_context(at)?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION).with_context(at)?;
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
             link = COALESCE(excluded.link, link)",
            task,
        )
    }

    fn insert(&self, verb: &str, conflict: &str, task: &FinishedTask) -> Result<()> {
        self.connection
            .prepare_cached(&format!(
                "{verb} INTO task (id, runner, finished_ms, started_ms, result, \
                 project, branch, job, build_number, link) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) {conflict}",
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

    /// Newest first; `before` is the last task of the page before.
    pub(crate) fn page(
        &self,
        runner: Option<&RunnerName>,
        before: Option<&TaskId>,
        limit: u32,
    ) -> Result<HistoryPage> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let from: Option<(i64, String)> = match before {
            None => None,
            Some(task) => self
                .connection
                .query_row(
                    "SELECT finished_ms, id FROM task WHERE id = ?1",
                    [task.as_str()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?,
        };
        let (from_ms, from_id) = from.unwrap_or((i64::MAX, String::new()));
        let mut statement = self.connection.prepare_cached(
            "SELECT id, runner, finished_ms, started_ms, result, project, branch, job, \
             build_number, link FROM task \
             WHERE (?1 IS NULL OR runner = ?1) AND (finished_ms, id) < (?2, ?3) \
             ORDER BY finished_ms DESC, id DESC LIMIT ?4",
        )?;
        let tasks: Vec<FinishedTask> = statement
            .query_map(params![runner.map(RunnerName::as_str), from_ms, from_id, limit], task_of)?
            .collect::<Result<_, _>>()?;
        let full = tasks.len() == limit as usize;
        let before = tasks.last().filter(|_| full).map(|task| task.id.clone());
        Ok(HistoryPage { tasks, before })
    }
}

fn task_of(row: &Row) -> rusqlite::Result<FinishedTask> {
    let time = |column| -> rusqlite::Result<Timestamp> {
        Ok(Timestamp::from_millisecond(row.get(column)?).unwrap_or(Timestamp::UNIX_EPOCH))
    };
    let id: String = row.get(0)?;
    let runner: String = row.get(1)?;
    let result: String = row.get(4)?;
    Ok(FinishedTask {
        id: TaskId::from(id.as_str()),
        runner: runner.try_into().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                1,
                rusqlite::types::Type::Text,
                Box::<protocol::NameError>::new(error),
            )
        })?,
        finished_at: time(2)?,
        started_at: time(3)?,
        // A result that a newer version knows is not lost, only not understood.
        result: serde_json::from_str(&result).unwrap_or(TaskResult::Unknown),
        project: row.get(5)?,
        branch: row.get(6)?,
        job: row.get(7)?,
        build_number: row.get(8)?,
        link: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(n: i64, runner: &str) -> FinishedTask {
        FinishedTask {
            id: TaskId::from(format!("run.{n}").as_str()),
            runner: runner.parse().unwrap(),
            project: Some("acme/web-app".into()),
            branch: None,
            job: None,
            build_number: None,
            link: None,
            started_at: Timestamp::from_second(n).unwrap(),
            finished_at: Timestamp::from_second(n + 5).unwrap(),
            result: TaskResult::Failed { exit_code: Some(3) },
        }
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_repeat() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.sqlite")).unwrap();
        for n in 0..25 {
            history.record(&task(n, if n % 2 == 0 { "even" } else { "odd" })).unwrap();
        }
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = history.page(None, before.as_ref(), 10).unwrap();
            seen.extend(page.tasks);
            before = page.before;
            if before.is_none() {
                break;
            }
        }
        let expected: Vec<_> =
            (0..25).rev().map(|n| task(n, if n % 2 == 0 { "even" } else { "odd" })).collect();
        assert_eq!(seen, expected);
        let odd = history.page(Some(&"odd".parse().unwrap()), None, 500).unwrap();
        assert_eq!(odd.tasks.len(), 12);
    }

    #[test]
    fn the_first_record_of_a_task_stays() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.sqlite")).unwrap();
        history.record(&task(1, "a")).unwrap();
        history.record(&FinishedTask { project: None, ..task(1, "a") }).unwrap();
        assert_eq!(history.page(None, None, 5).unwrap().tasks, [task(1, "a")]);
    }

    #[test]
    fn an_amended_task_keeps_what_was_known_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.sqlite")).unwrap();
        history.record(&task(1, "a")).unwrap();
        let late = FinishedTask { project: None, result: TaskResult::Succeeded, ..task(1, "a") };
        history.amend(&late).unwrap();
        let page = history.page(None, None, 5).unwrap();
        assert_eq!(page.tasks, [FinishedTask { result: TaskResult::Succeeded, ..task(1, "a") }]);
    }

    #[test]
    fn a_history_from_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = History::open(&path).err().unwrap().to_string();
        assert!(error.contains("newer"), "{error}");
    }
}
