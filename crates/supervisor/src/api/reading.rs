//! Calls that only read.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::{AgentRelease, ConfigText, Health, HistoryPage, LogPage, RunnerName, TaskId};
use serde::Deserialize;
use tokio::sync::oneshot;

use super::Api;
use super::asked::{Path, Query};
use super::events::Detail;
use super::refusal::{self, Refused};
use crate::history::History;
use crate::input::Input;
use crate::logs;

type Answer<T> = Result<Json<T>, Refused>;

pub(crate) async fn health() -> Json<Health> {
    Json(Health {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        protocol: protocol::API_VERSION,
    })
}

pub(crate) async fn snapshot(State(api): State<Api>, Query(detail): Query<Detail>) -> Response {
    if detail.usage == 1 {
        let (done, sampled) = oneshot::channel();
        api.to_loop.send(Input::SampleNow(done));
        // Without a loop the last snapshot is the answer still.
        let _ = sampled.await;
    }
    let snapshot = api.snapshots.borrow().to_string();
    ([(header::CONTENT_TYPE, "application/json")], snapshot).into_response()
}

#[derive(Deserialize)]
pub(crate) struct HistoryQuery {
    runner: Option<RunnerName>,
    before: Option<TaskId>,
    limit: Option<u32>,
}

pub(crate) async fn history(
    State(api): State<Api>,
    Query(query): Query<HistoryQuery>,
) -> Answer<HistoryPage> {
    let page = tokio::task::spawn_blocking(move || {
        let history = History::open(&api.history)?;
        history.page(query.runner.as_ref(), query.before.as_ref(), query.limit.unwrap_or(50))
    });
    match page.await {
        Ok(Ok(page)) => Ok(Json(page)),
        Ok(Err(error)) => Err(refusal::failed(&format!("{error:#}")).into()),
        Err(error) => Err(refusal::failed(&error.to_string()).into()),
    }
}

pub(crate) async fn agents(State(api): State<Api>) -> Answer<Vec<AgentRelease>> {
    Ok(Json(api.to_loop.ask(Input::Agents).await?))
}

pub(crate) async fn config(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
) -> Answer<ConfigText> {
    Ok(Json(api.to_loop.ask(|reply| Input::Config(name, reply)).await?))
}

#[derive(Deserialize)]
pub(crate) struct LogQuery {
    from: Option<String>,
    limit: Option<u64>,
    /// `1`: where there is nothing yet, wait a while for more.
    #[serde(default)]
    wait: u8,
}

const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// A log tells of its own growth; that a run begins is looked for.
const LOOK_FOR_A_RUN: Duration = Duration::from_secs(1);

pub(crate) async fn logs(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Query(query): Query<LogQuery>,
) -> Answer<LogPage> {
    let from = match query.from.as_deref().map(logs::place) {
        Some(None) => {
            return Err(refusal::bad_request(
                "That is no place in a log.",
                "Pass `next` of the page before.",
            )
            .into());
        }
        Some(Some(place)) => Some(place),
        None => None,
    };
    let waited = tokio::time::Instant::now() + LONGEST_WAIT;
    loop {
        let (run, at) = from.clone().map_or((None, None), |(run, at)| (Some(run), Some(at)));
        let asked = run.clone();
        let name = name.clone();
        let source = api.to_loop.ask(|reply| Input::LogOf(name, run, reply)).await?;
        let may_wait = query.wait == 1 && tokio::time::Instant::now() < waited;
        let Some(source) = source else {
            if may_wait {
                tokio::time::sleep(LOOK_FOR_A_RUN).await;
                continue;
            }
            let next = query.from.clone().unwrap_or_default();
            return Ok(Json(LogPage { text: String::new(), next, at_end: true }));
        };
        let at = if asked.is_none_or(|asked| asked == source.run) { at } else { Some(0) };
        let limit = query.limit;
        let grows = logs::Grows::new(&source.path);
        let page = tokio::task::spawn_blocking(move || logs::page(&source, at, limit)).await;
        let page = page
            .map_err(|error| refusal::failed(&error.to_string()))?
            .map_err(|error| refusal::failed(&error.to_string()))?;
        let nothing = page.text.is_empty() && page.at_end;
        if !may_wait || !nothing {
            return Ok(Json(page));
        }
        // Woken by the log's own growth, and now and then for a new run.
        let _ = tokio::time::timeout(LOOK_FOR_A_RUN, grows.more()).await;
    }
}
