//! Calls that read an agent's log. Files are read on threads of their own, so that the loop, which
//! only says where a log lies, never waits for a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::{LogPage, RunId, RunnerName};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Api;
use super::asked::{Path, Query};
use super::refusal::{self, Refused};
use crate::input::{Input, WhichRun};
use crate::log_grows::Grows;
use crate::log_search::search as look_for;
use crate::logs::{self, END, LogSource, Part, Unfinished};
use crate::word::{LONGEST_WORD, Word};

#[derive(Deserialize)]
pub(crate) struct LogQuery {
    /// This run and no other.
    run: Option<RunId>,
    from: Option<String>,
    before: Option<String>,
    /// So many lines before the end, and on from there.
    lines: Option<u64>,
    limit: Option<u64>,
    /// `1`: where there is nothing yet, wait a while for more.
    #[serde(default)]
    wait: u8,
}

const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// A log tells of its own growth; that a run begins or ends is looked for. A line that did not go on
/// for as long is shown as it is.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) async fn logs(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Query(query): Query<LogQuery>,
) -> Result<Response, Refused> {
    let asked = asked(&query)?;
    let alone = query.run.is_some();
    let waited = Instant::now() + LONGEST_WAIT;
    let mut unfinished = if query.wait == 1 { Unfinished::HeldBack } else { Unfinished::Shown };
    loop {
        let may_wait = query.wait == 1 && Instant::now() < waited;
        let Some((source, part)) = source(&api, &name, &asked).await? else {
            if may_wait {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            return Ok(json(nothing_yet(query.from.unwrap_or_default())));
        };
        let grows = Grows::new(&source.folder.agent_log());
        let page = off_the_loop(move || {
            let page = match logs::page(&source, part, query.limit, unfinished) {
                // Its keeper is in the midst of a cut; what is new is there after it.
                Err(error) if may_wait && error.kind() == std::io::ErrorKind::WouldBlock => {
                    return Ok((true, json(nothing_yet(String::new()))));
                }
                page => page?,
            };
            let nothing = page.text.is_empty() && page.at_end && !(page.ended && alone);
            Ok((nothing, json(page)))
        });
        let (nothing, page) = page.await?;
        if !may_wait || !nothing {
            return Ok(page);
        }
        // Woken by the log's own growth, and now and then for another run.
        unfinished = match tokio::time::timeout(LOOK, grows.more()).await {
            Ok(()) => Unfinished::HeldBack,
            Err(_) => Unfinished::Shown,
        };
    }
}

#[derive(Deserialize)]
pub(crate) struct SearchQuery {
    word: String,
    run: Option<RunId>,
    from: Option<String>,
    limit: Option<usize>,
}

/// Each keeps a processor busy; who comes later waits.
static SEARCHES: Semaphore = Semaphore::const_new(2);

pub(crate) async fn search(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Refused> {
    let word = Word::new(&query.word).ok_or_else(|| {
        refusal::bad_request(
            "That is no word to look for.",
            &format!("Give one of 1 to {LONGEST_WORD} bytes, without line breaks."),
        )
    })?;
    let place = query.from.as_deref().map(placed).transpose()?;
    let (which, from) = match (place, query.run) {
        (Some((run, _)), Some(named)) if run != named => return Err(in_another_run()),
        (Some((run, from)), _) => (WhichRun::Named(run), from),
        (None, Some(run)) => (WhichRun::Named(run), 0),
        (None, None) => (WhichRun::Newest, 0),
    };
    let source = api.to_loop.ask(|reply| Input::LogOf(name, which, reply)).await?;
    let Some(source) = source else {
        return Ok(json(protocol::LogSearch {
            run: None,
            found: Vec::new(),
            next: None,
            searched: protocol::Bytes(0),
        }));
    };
    // Whoever asked may be gone before the end: then this function is, and with it the guard.
    let gone = Gone::default();
    let asker = Arc::clone(&gone.0);
    let turn = SEARCHES.acquire().await;
    let found = off_the_loop(move || {
        let _turn = turn;
        look_for(&source, &word, from, query.limit, &asker).map(json)
    });
    let found = found.await;
    drop(gone);
    found
}

/// Set when nobody waits for the answer any more.
#[derive(Default)]
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Which run, and which part of it.
struct Asked {
    which: WhichRun,
    part: Part,
}

fn asked(query: &LogQuery) -> Result<Asked, Refused> {
    let from = query.from.as_deref().filter(|from| !from.is_empty());
    let (run, part) = match (from, query.before.as_deref(), query.lines) {
        (None, None, None) => (None, Part::Before(END)),
        (None, None, Some(lines)) => (None, Part::LastLines(lines)),
        (Some(from), None, None) => {
            let (run, byte) = placed(from)?;
            (Some(run), Part::From(byte))
        }
        (None, Some(before), None) => {
            let (run, byte) = placed(before)?;
            (Some(run), Part::Before(byte))
        }
        (_, _, _) => {
            let title = "More than one part of a log is asked for.";
            return Err(refusal::bad_request(title, "Give `from`, `before` or `lines`.").into());
        }
    };
    let which = match (&query.run, run, part) {
        (Some(named), Some(run), _) if *named != run => return Err(in_another_run()),
        (Some(named), _, _) => WhichRun::Named(named.clone()),
        (None, None, _) => WhichRun::Newest,
        (None, Some(run), Part::Before(_)) => WhichRun::OrBefore(run),
        (None, Some(run), Part::From(_) | Part::LastLines(_)) => WhichRun::OrAfter(run),
    };
    Ok(Asked { which, part })
}

/// The run that is asked for now, and which part of it. The part before a place in a run that is
/// gone is the end of the one before; from such a place on it is the beginning of the next.
async fn source(
    api: &Api,
    name: &RunnerName,
    asked: &Asked,
) -> Result<Option<(LogSource, Part)>, Refused> {
    let (name, which) = (name.clone(), asked.which.clone());
    let source = api.to_loop.ask(|reply| Input::LogOf(name, which, reply)).await?;
    Ok(source.map(|mut source| {
        if matches!(asked.which, WhichRun::Named(_)) {
            (source.previous, source.next) = (None, None);
        }
        let part = match &asked.which {
            WhichRun::OrAfter(run) if *run != source.run => Part::From(0),
            WhichRun::OrBefore(run) if *run != source.run => Part::Before(END),
            WhichRun::Newest
            | WhichRun::Named(_)
            | WhichRun::OrAfter(_)
            | WhichRun::OrBefore(_) => asked.part,
        };
        (source, part)
    }))
}

fn nothing_yet(next: String) -> LogPage {
    LogPage {
        text: String::new(),
        run: None,
        from: next.clone(),
        next,
        before: None,
        at_end: true,
        end: None,
        ended: false,
        missed: protocol::Bytes(0),
    }
}

fn placed(text: &str) -> Result<(RunId, u64), Refused> {
    let place = logs::place(text);
    place.ok_or_else(|| {
        let hint = "Pass a place as an answer gave it, for example `next` of the page before.";
        refusal::bad_request("That is no place in a log.", hint).into()
    })
}

fn in_another_run() -> Refused {
    let title = "The place is in another run than the one that is asked for.";
    refusal::bad_request(title, "Leave one of them out.").into()
}

async fn off_the_loop<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(read).await;
    let done = done.map_err(|error| refusal::failed(&error.to_string()))?;
    Ok(done.map_err(|error| refusal::failed(&error.to_string()))?)
}

fn json(answer: impl Serialize) -> Response {
    let body = serde_json::to_string(&answer).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
