//! How costs grow with the number of finished tasks.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use client::HistoryQuery;
use protocol::TaskId;
use rusqlite::{Connection, params};

use crate::Bench;
use crate::numbers::{mb, median, short};
use crate::proc::memory;
use crate::report::{Section, Table};
use crate::rig::{RUNNER, Rig};

const PAGE: u32 = 50;
const SETTLE: Duration = Duration::from_secs(15);

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let counts: &[u32] = if bench.quick { &[100, 1000] } else { &[100, 1000, 10_000, 100_000] };
    let mut table = Table::new(&[
        "tasks",
        "file MB",
        "start until it answers, ms",
        "first page, ms",
        "a page in the middle, ms",
        "supervisor and keeper PSS MB",
    ]);
    let mut notes = Vec::new();
    for &count in counts {
        let mut rig = Rig::start("")?;
        rig.task("true");
        rig.stop_supervisor();
        let file = rig.place.folders().history_file();
        fill(&file, count).with_context(|| format!("filling {}", file.display()))?;
        notes.push(format!("With {count}: {}.", bench.quiet.wait()));
        let up = rig.start_supervisor();
        let first = paged(&rig, None)?;
        let middle = paged(&rig, Some(&task(count / 2 + PAGE / 2)))?;
        trials::nap(SETTLE);
        let size = memory(&rig.own()?)?;
        table.line([
            count.to_string(),
            short(mb(std::fs::metadata(&file)?.len())),
            short(up),
            short(first),
            short(middle),
            short(mb(size.pss)),
        ]);
    }
    Ok(Section {
        title: "Growth: tasks in the history".into(),
        how: format!(
            "One runner whose history has so many tasks of the last month. Pages have {PAGE} tasks, median of 50 calls of `GET /v1/history`."
        ),
        table,
        notes,
        bars: Vec::new(),
    })
}

fn task(number: u32) -> TaskId {
    TaskId::from(format!("bench.{number}").as_str())
}

/// In ms.
fn paged(rig: &Rig, before: Option<&TaskId>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let query = HistoryQuery { before, limit: Some(PAGE), ..HistoryQuery::default() };
        let page = rig.api.call(async |client| client.history(query).await)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        anyhow::ensure!(page.tasks.len() == PAGE as usize, "the page is not full");
    }
    Ok(median(&times))
}

/// The newest has the highest number.
#[expect(clippy::disallowed_methods, reason = "tasks of the last month end now")]
fn fill(file: &std::path::Path, count: u32) -> Result<()> {
    let mut history = Connection::open(file)?;
    let (now, month) = (jiff::Timestamp::now().as_millisecond(), 30 * 24 * 3_600_000_i64);
    let filling = history.transaction()?;
    {
        let mut insert = filling.prepare(
            "INSERT INTO task (id, runner, finished_ms, started_ms, result, project, branch, job, build_number, link) \
             VALUES (?1, ?2, ?3, ?4, ?5, 'acme/web-app', 'main', 'build-and-test', ?6, ?7)",
        )?;
        let result = serde_json::to_string(&protocol::TaskResult::Succeeded)?;
        for number in 0..count {
            let finished = now - month / i64::from(count) * i64::from(count - number);
            let link = format!("https://app.circleci.com/pipelines/github/acme/web-app/{number}");
            insert.execute(params![
                task(number).as_str(),
                RUNNER,
                finished,
                finished - 90_000,
                result,
                number.to_string(),
                link
            ])?;
        }
    }
    filling.commit()?;
    Ok(())
}
