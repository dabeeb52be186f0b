//! The history summed up by days or hours, counted in SQL. A task counts where it ended, and lends its
//! time where it ran.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use protocol::{HistorySpan, HistorySpans, RunnerName};
use rusqlite::{Connection, params};

use super::{PageError, open_to_read};

const MOST_DAYS: i32 = 800;

/// Which spans are asked for.
#[derive(Debug, Clone)]
pub(crate) enum Spans {
    /// Both included.
    Days(Date, Date),
    /// Of one day.
    Hours(Date),
}

/// No file is no task, and spans all the same.
pub(crate) fn spans(
    path: &Path,
    asked: &Spans,
    zone: Option<&str>,
    runner: Option<&RunnerName>,
) -> Result<HistorySpans, PageError> {
    let bad = |error: jiff::Error| PageError::NoSuchTime(error.to_string());
    let zone = zone.map_or_else(|| Ok(TimeZone::system()), TimeZone::get).map_err(bad)?;
    let mut spans = match asked {
        Spans::Days(from, to) => days(*from, *to, &zone)?,
        Spans::Hours(day) => hours(*day, &zone).map_err(bad)?,
    };
    let tz = zone.iana_name().map(str::to_owned);
    let Some(connection) = open_to_read(path)? else { return Ok(HistorySpans { tz, spans }) };
    fill(&connection, &mut spans, runner).context("reading the history")?;
    Ok(HistorySpans { tz, spans })
}

fn days(from: Date, to: Date, zone: &TimeZone) -> Result<Vec<HistorySpan>, PageError> {
    let bad = |error: jiff::Error| PageError::NoSuchTime(error.to_string());
    let count = from.until(to).map_err(bad)?.get_days() + 1;
    if !(1..=MOST_DAYS).contains(&count) {
        return Err(PageError::NoSuchTime(format!("from {from} to {to} are {count} days")));
    }
    let mut spans = Vec::new();
    let mut day = from;
    for _ in 0..count {
        let next = day.tomorrow().map_err(bad)?;
        let (begin, end) = (begin(day, zone).map_err(bad)?, begin(next, zone).map_err(bad)?);
        spans.push(span(day, None, begin, end));
        day = next;
    }
    Ok(spans)
}

/// Real hours from the day's begin on, named by the local clock.
fn hours(day: Date, zone: &TimeZone) -> Result<Vec<HistorySpan>, jiff::Error> {
    let end = begin(day.tomorrow()?, zone)?;
    let mut from = begin(day, zone)?;
    let mut spans = Vec::new();
    while from < end {
        let to = from.checked_add(SignedDuration::from_hours(1))?.min(end);
        let hour = u8::try_from(zone.to_datetime(from).hour()).ok();
        spans.push(span(day, hour, from, to));
        from = to;
    }
    Ok(spans)
}

/// Its midnight, or what comes next where the clocks leave that out.
fn begin(day: Date, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    zone.to_timestamp(day.at(0, 0, 0, 0))
}

fn span(day: Date, hour: Option<u8>, from: Timestamp, to: Timestamp) -> HistorySpan {
    HistorySpan {
        day: day.to_string(),
        hour,
        from,
        to,
        tasks: 0,
        succeeded: 0,
        failed: 0,
        cancelled: 0,
        lost: 0,
        unknown: 0,
        median_seconds: None,
        longest_seconds: None,
        lent_seconds: 0.0,
    }
}

const SPAN: &str = "WITH span AS MATERIALIZED \
    (SELECT key AS i, value ->> 0 AS a, value ->> 1 AS b FROM json_each(?1))";

/// Of those that ended in each span. Of an even number the median is the mean of the middle two.
const ENDED: &str = ", \
    ended AS (SELECT i, result ->> '$.outcome' AS outcome, max(finished_ms - started_ms, 0) AS took \
        FROM span CROSS JOIN task WHERE finished_ms >= a AND finished_ms < b \
        AND (?2 IS NULL OR runner = ?2)), \
    ranked AS (SELECT *, row_number() OVER (PARTITION BY i ORDER BY took) AS n, \
        count(*) OVER (PARTITION BY i) AS total FROM ended) \
    SELECT i, count(*), sum(outcome = 'succeeded'), sum(outcome = 'failed'), \
        sum(outcome = 'cancelled'), sum(outcome = 'lost'), \
        avg(CASE WHEN n IN ((total + 1) / 2, (total + 2) / 2) THEN took END) / 1000.0, \
        max(took) / 1000.0 FROM ranked GROUP BY i";

/// Of all that ran in each span; none takes longer than ?3.
const LENT: &str = " SELECT i, sum(min(finished_ms, b) - max(started_ms, a)) / 1000.0 \
    FROM span CROSS JOIN task WHERE finished_ms > a AND finished_ms < b + ?3 AND started_ms < b \
    AND started_ms < finished_ms AND (?2 IS NULL OR runner = ?2) GROUP BY i";

const LONGEST: &str = "SELECT max(finished_ms - started_ms) FROM task WHERE finished_ms > ?1";

fn fill(
    connection: &Connection,
    spans: &mut [HistorySpan],
    runner: Option<&RunnerName>,
) -> anyhow::Result<()> {
    let Some(first) = spans.first().map(|span| span.from.as_millisecond()) else { return Ok(()) };
    let pairs: Vec<(i64, i64)> =
        spans.iter().map(|span| (span.from.as_millisecond(), span.to.as_millisecond())).collect();
    let (pairs, runner) = (serde_json::to_string(&pairs)?, runner.map(RunnerName::as_str));
    let mut by_number: BTreeMap<i64, &mut HistorySpan> = (0_i64..).zip(spans).collect();
    let mut ended = connection.prepare(&format!("{SPAN}{ENDED}"))?;
    let mut rows = ended.query(params![pairs, runner])?;
    while let Some(row) = rows.next()? {
        let Some(span) = by_number.get_mut(&row.get(0)?) else { continue };
        (span.tasks, span.succeeded, span.failed) = (row.get(1)?, row.get(2)?, row.get(3)?);
        (span.cancelled, span.lost) = (row.get(4)?, row.get(5)?);
        let told = span.succeeded + span.failed + span.cancelled + span.lost;
        span.unknown = span.tasks.saturating_sub(told);
        (span.median_seconds, span.longest_seconds) = (row.get(6)?, row.get(7)?);
    }
    let longest: Option<i64> = connection.query_row(LONGEST, [first], |row| row.get(0))?;
    let mut lent = connection.prepare(&format!("{SPAN}{LENT}"))?;
    let mut rows = lent.query(params![pairs, runner, longest.unwrap_or_default().max(0) + 1])?;
    while let Some(row) = rows.next()? {
        if let Some(span) = by_number.get_mut(&row.get(0)?) {
            span.lent_seconds = row.get(1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use protocol::{FinishedTask, TaskId, TaskResult};

    use super::*;
    use crate::history::History;

    fn task(id: usize, runner: &str, from: &str, to: &str, result: TaskResult) -> FinishedTask {
        FinishedTask {
            id: TaskId::from(format!("run.{id}").as_str()),
            runner: runner.parse().unwrap(),
            project: None,
            branch: None,
            job: None,
            build_number: None,
            link: None,
            started_at: from.parse().unwrap(),
            finished_at: to.parse().unwrap(),
            result,
            directory: None,
        }
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are compared")]
    fn seconds(lent: f64) -> i64 {
        lent.round() as i64
    }

    const BERLIN: Option<&str> = Some("Europe/Berlin");

    #[test]
    fn days_are_local_and_a_task_over_midnight_lends_to_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        let history = History::open(&path).unwrap();
        let failed = TaskResult::Failed { exit_code: Some(1) };
        let tasks = [
            // 23:30 to 00:30 in Berlin.
            ("mini", "2026-11-22T22:30:00Z", "2026-11-22T23:30:00Z", TaskResult::Succeeded),
            ("mini", "2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z", failed),
            ("maxi", "2026-11-23T10:00:00Z", "2026-11-23T10:03:00Z", TaskResult::Lost),
            ("mini", "2026-11-23T11:00:00Z", "2026-11-23T11:00:30Z", TaskResult::Unknown),
        ];
        for (id, (runner, from, to, result)) in tasks.into_iter().enumerate() {
            history.record(&task(id, runner, from, to, result)).unwrap();
        }
        let asked = Spans::Days(date("2026-11-22"), date("2026-11-24"));
        let found = spans(&path, &asked, BERLIN, None).unwrap();
        assert_eq!(found.tz.as_deref(), BERLIN);
        let [before, day, after] = found.spans.try_into().unwrap();
        assert_eq!((before.tasks, seconds(before.lent_seconds)), (0, 1800));
        assert_eq!((day.tasks, day.succeeded, day.failed, day.lost, day.unknown), (4, 1, 1, 1, 1));
        assert_eq!((day.median_seconds, day.longest_seconds), (Some(120.0), Some(3600.0)));
        assert_eq!(seconds(day.lent_seconds), 1800 + 60 + 180 + 30);
        assert_eq!((after.tasks, after.median_seconds, after.lent_seconds), (0, None, 0.0));

        let mini = spans(&path, &asked, BERLIN, Some(&"mini".parse().unwrap())).unwrap();
        assert_eq!((mini.spans[1].tasks, mini.spans[1].median_seconds), (3, Some(60.0)));

        let by_hour = spans(&path, &Spans::Hours(date("2026-11-23")), BERLIN, None).unwrap().spans;
        let busy: Vec<(u8, u32, f64)> = by_hour
            .iter()
            .filter(|span| span.lent_seconds > 0.0)
            .map(|span| (span.hour.unwrap(), span.tasks, span.lent_seconds))
            .collect();
        assert_eq!(busy, [(0, 1, 1800.0), (11, 2, 240.0), (12, 1, 30.0)]);
    }

    #[test]
    fn where_the_clocks_change_a_day_has_23_or_25_hours() {
        let nowhere = Path::new("/nowhere/history.sqlite");
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-23", 24)] {
            let found = spans(nowhere, &Spans::Hours(date(day)), BERLIN, None).unwrap().spans;
            assert_eq!(found.len(), hours, "{day}");
            assert!(found.windows(2).all(|pair| pair[0].to == pair[1].from), "{day}");
        }
        let days = Spans::Days(date("2026-10-24"), date("2026-10-26"));
        let found = spans(nowhere, &days, BERLIN, None).unwrap().spans;
        assert_eq!(found[1].from.duration_until(found[1].to).as_hours(), 25);
    }

    #[test]
    fn what_cannot_be_counted_is_refused_with_its_reason() {
        let nowhere = Path::new("/nowhere/history.sqlite");
        for (from, to, zone, words) in [
            ("2026-11-24", "2026-11-23", None, "are 0 days"),
            ("2020-01-01", "2026-11-23", None, "days"),
            ("2026-11-23", "2026-11-23", Some("Mars/Olympus"), "Mars/Olympus"),
        ] {
            let asked = Spans::Days(date(from), date(to));
            let error = spans(nowhere, &asked, zone, None).unwrap_err();
            assert!(matches!(&error, PageError::NoSuchTime(why) if why.contains(words)), "{error}");
        }
    }

    #[test]
    fn a_hundred_thousand_tasks_are_summed_up_along_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        let history = History::open(&path).unwrap();
        // Four minutes each, one after the other: 277 days.
        history
            .connection
            .execute_batch(
                "INSERT INTO task (id, runner, finished_ms, started_ms, result) \
                 WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) \
                 SELECT 'run.' || i, 'mini', 1767225600000 + (i + 1) * 240000, \
                 1767225600000 + i * 240000, '{\"outcome\":\"succeeded\"}' FROM n",
            )
            .unwrap();
        let asked = Spans::Days(date("2026-01-01"), date("2026-11-23"));
        let found = spans(&path, &asked, Some("UTC"), None).unwrap().spans;
        assert_eq!(found.iter().map(|span| span.tasks).sum::<u32>(), 100_000);
        // Midnight is the end of one task, and belongs to the day that begins.
        assert_eq!((found[1].tasks, found[1].lent_seconds), (360, 86_400.0));
        for (query, values) in [(ENDED, 2), (LENT, 3)] {
            let plan = format!("EXPLAIN QUERY PLAN {SPAN}{query}");
            let mut statement = history.connection.prepare(&plan).unwrap();
            assert_eq!(statement.parameter_count(), values);
            let mut rows = statement.raw_query();
            let mut plan = String::new();
            while let Some(row) = rows.next().unwrap() {
                plan.push_str(&row.get::<_, String>(3).unwrap());
                plan.push('\n');
            }
            assert!(plan.contains("SEARCH task USING INDEX task_by_end"), "{plan}");
        }
    }
}
