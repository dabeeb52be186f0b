//! One page of the history, newest first, by what is asked for. Each question is answered along one
//! index, however long the history is.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use protocol::{FinishedTask, HistoryPage, NameError, Outcome, RunnerName, TaskId, TaskResult};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::open_to_read;

/// Which tasks are asked for; what is absent does not matter.
#[derive(Debug, Default, Clone)]
pub(crate) struct Asked {
    pub(crate) runner: Option<RunnerName>,
    pub(crate) outcome: Option<Outcome>,
    /// By its whole name.
    pub(crate) project: Option<String>,
    /// That ended then or later.
    pub(crate) since: Option<Timestamp>,
    /// That ended before then.
    pub(crate) until: Option<Timestamp>,
    /// The last task of the page before.
    pub(crate) before: Option<TaskId>,
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error("there is no task {0} in the history")]
    NoSuchTask(TaskId),
    #[error("{0}")]
    NoSuchTime(String),
    #[error("{0:#}")]
    Unreadable(#[from] anyhow::Error),
}

/// Pages are at most this long.
const LONGEST_PAGE: u32 = 500;
const USUAL_PAGE: u32 = 50;

/// No file is no task.
pub(crate) fn page(path: &Path, asked: &Asked) -> Result<HistoryPage, PageError> {
    let Some(connection) = open_to_read(path)? else {
        return Ok(HistoryPage { tasks: Vec::new(), before: None });
    };
    // An empty name stands before every task that ended at that very moment.
    let mut from = (asked.until.map_or(i64::MAX, Timestamp::as_millisecond), String::new());
    if let Some(task) = &asked.before {
        let end = end_of(&connection, task)?;
        from = from.min(end.ok_or_else(|| PageError::NoSuchTask(task.clone()))?);
    }
    let limit = asked.limit.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE);
    let tasks = tasks(&connection, asked, from, limit)?;
    let full = tasks.len() == limit as usize;
    let before = tasks.last().filter(|_| full).map(|task| task.id.clone());
    Ok(HistoryPage { tasks, before })
}

/// One task by its name; none where it is not known, or no more.
pub(crate) fn task(path: &Path, id: &TaskId) -> Result<Option<FinishedTask>, PageError> {
    let Some(connection) = open_to_read(path)? else { return Ok(None) };
    let query = "SELECT id, runner, finished_ms, started_ms, result, project, branch, job, \
                 build_number, link, directory FROM task WHERE id = ?1";
    let found = connection.query_row(query, [id.as_str()], task_of).optional();
    Ok(found.context("reading the history")?)
}

fn end_of(connection: &Connection, task: &TaskId) -> anyhow::Result<Option<(i64, String)>> {
    let end = "SELECT finished_ms, id FROM task WHERE id = ?1";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    connection.query_row(end, [task.as_str()], row).optional().context("reading the history")
}

fn tasks(
    connection: &Connection,
    asked: &Asked,
    from: (i64, String),
    limit: u32,
) -> anyhow::Result<Vec<FinishedTask>> {
    let (query, values) = query(asked, from, limit);
    let read = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare(&query)?;
        statement.query_map(params_from_iter(values), task_of)?.collect()
    };
    read().context("reading the history")
}

/// The columns are those of [`task_of`].
pub(super) fn query(asked: &Asked, from: (i64, String), limit: u32) -> (String, Vec<Value>) {
    let mut query = String::from(
        "SELECT id, runner, finished_ms, started_ms, result, project, branch, job, build_number, \
         link, directory FROM task WHERE (finished_ms, id) < (?, ?)",
    );
    let mut values = vec![Value::from(from.0), Value::from(from.1)];
    let text = |text: &str| Value::from(text.to_owned());
    let equal = [
        ("project", asked.project.as_deref().map(text)),
        ("(result ->> '$.outcome')", asked.outcome.map(|outcome| text(outcome.as_str()))),
        ("runner", asked.runner.as_ref().map(|runner| text(runner.as_str()))),
    ];
    // Along the first, which says the most; `+` keeps the others' indices out of it.
    let mut along = "";
    for (column, value) in equal {
        let Some(value) = value else { continue };
        query.extend([" AND ", along, column, " = ?"]);
        values.push(value);
        along = "+";
    }
    if let Some(since) = asked.since {
        query.push_str(" AND finished_ms >= ?");
        values.push(Value::from(since.as_millisecond()));
    }
    query.push_str(" ORDER BY finished_ms DESC, id DESC LIMIT ?");
    values.push(Value::from(limit));
    (query, values)
}

fn task_of(row: &Row<'_>) -> rusqlite::Result<FinishedTask> {
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
                Box::<NameError>::new(error),
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
        directory: row.get(10)?,
    })
}
