//! Notices in `history.sqlite`, and how far their reader has come. A thousand are kept.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use protocol::{Notice, NoticeAbout, Notices, NoticesSeen};
use rusqlite::{Connection, OptionalExtension, Row, params};
use supervisor_core::NewNotice;

use super::{History, PageError, open_to_read};

const KEPT: i64 = 1000;
const LONGEST_PAGE: u32 = 200;
const USUAL_PAGE: u32 = 50;

impl History {
    pub(crate) fn notice(&mut self, notice: &NewNotice) -> Result<NoticesSeen> {
        let changes = self.connection.transaction()?;
        changes
            .prepare_cached(
                "INSERT INTO notice (at_ms, runner, about, title, body, offers) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                notice.at.as_millisecond(),
                notice.runner.as_ref().map(protocol::RunnerName::as_str),
                serde_json::to_string(&notice.about)?,
                notice.title,
                notice.body,
                serde_json::to_string(&notice.offers)?,
            ])?;
        let oldest = changes.last_insert_rowid() - KEPT;
        changes.prepare_cached("DELETE FROM notice WHERE id <= ?1")?.execute([oldest])?;
        let seen = seen(&changes)?;
        changes.commit()?;
        Ok(seen)
    }

    /// Never back, and never beyond the newest.
    pub(crate) fn seen_notices(&mut self, up_to: u64) -> Result<NoticesSeen> {
        let newest = seen(&self.connection)?.newest;
        let up_to = i64::try_from(up_to.min(newest))?;
        self.connection.execute(
            "INSERT INTO notices_seen (one, up_to) VALUES (1, ?1) \
             ON CONFLICT (one) DO UPDATE SET up_to = max(up_to, excluded.up_to)",
            [up_to],
        )?;
        seen(&self.connection)
    }

    pub(crate) fn newest_notices(&mut self) -> Result<(NoticesSeen, Vec<Notice>)> {
        Ok((seen(&self.connection)?, read(&self.connection, 0, LONGEST_PAGE)?))
    }
}

/// No file is no notice.
pub(crate) fn notices(path: &Path, since: u64, limit: Option<u32>) -> Result<Notices, PageError> {
    let none = Notices { notices: Vec::new(), seen: NoticesSeen::default() };
    let Some(connection) = open_to_read(path)? else { return Ok(none) };
    // A file that an earlier release wrote has no place for them until one comes.
    let has = "SELECT count(*) FROM sqlite_schema WHERE name IN ('notice', 'notices_seen')";
    let has: i64 =
        connection.query_row(has, [], |row| row.get(0)).context("reading the notices")?;
    if has < 2 {
        return Ok(none);
    }
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE);
    Ok(Notices { notices: read(&connection, since, limit)?, seen: seen(&connection)? })
}

/// AUTOINCREMENT's own count stays where all notices are gone (<https://sqlite.org/autoinc.html>).
fn seen(connection: &Connection) -> Result<NoticesSeen> {
    let number = |query: &str| -> Result<u64> {
        let found: Option<i64> = connection.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(u64::try_from(found.unwrap_or_default()).unwrap_or_default())
    };
    Ok(NoticesSeen {
        newest: number("SELECT seq FROM sqlite_sequence WHERE name = 'notice'")?,
        seen: number("SELECT up_to FROM notices_seen")?,
    })
}

/// The newest first.
fn read(connection: &Connection, since: u64, limit: u32) -> Result<Vec<Notice>> {
    let query = "SELECT id, at_ms, runner, about, title, body, offers FROM notice WHERE id > ?1 \
                 ORDER BY id DESC LIMIT ?2";
    let since = i64::try_from(since).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(query).context("reading the notices")?;
    let rows = statement.query_map(params![since, limit], notice_of)?;
    rows.collect::<rusqlite::Result<_>>().context("reading the notices")
}

fn notice_of(row: &Row<'_>) -> rusqlite::Result<Notice> {
    let id: i64 = row.get(0)?;
    let runner: Option<String> = row.get(2)?;
    let (about, offers): (String, String) = (row.get(3)?, row.get(6)?);
    Ok(Notice {
        id: u64::try_from(id).unwrap_or_default(),
        at: Timestamp::from_millisecond(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH),
        runner: runner.and_then(|name| name.try_into().ok()),
        about: serde_json::from_str(&about).unwrap_or(NoticeAbout::Other),
        title: row.get(4)?,
        body: row.get(5)?,
        offers: serde_json::from_str(&offers).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(n: u64) -> NewNotice {
        NewNotice {
            at: Timestamp::from_second(i64::try_from(n).unwrap()).unwrap(),
            runner: Some("mini".parse().unwrap()),
            about: NoticeAbout::PauseEnded,
            title: format!("notice {n}"),
            body: "words".into(),
            offers: vec![protocol::NoticeOffer::Details],
        }
    }

    #[test]
    fn notices_are_kept_in_order_and_not_without_bounds_and_what_was_seen_stays_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        assert_eq!(notices(&path, 0, None).unwrap().notices, []);
        let mut history = History::open(&path).unwrap();
        let last = u64::try_from(KEPT).unwrap() + 5;
        for n in 1..=last {
            assert_eq!(history.notice(&new(n)).unwrap().newest, n);
        }
        let page = notices(&path, last - 2, None).unwrap();
        let ids: Vec<u64> = page.notices.iter().map(|notice| notice.id).collect();
        assert_eq!((ids, page.seen), (vec![last, last - 1], NoticesSeen { newest: last, seen: 0 }));
        assert_eq!(page.notices[0].title, format!("notice {last}"));
        let kept: i64 = history
            .connection
            .query_row("SELECT count(*) FROM notice", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, KEPT);
        assert_eq!(history.seen_notices(7).unwrap().seen, 7);
        assert_eq!(history.seen_notices(3).unwrap().seen, 7, "never back");
        assert_eq!(history.seen_notices(u64::MAX).unwrap().seen, last);
    }

    #[test]
    fn a_file_of_an_earlier_release_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        let old = Connection::open(&path).unwrap();
        old.execute_batch("CREATE TABLE task (id TEXT); PRAGMA user_version = 1").unwrap();
        assert_eq!(notices(&path, 0, None).unwrap().notices, []);
    }
}
