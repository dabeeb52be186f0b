//! Calls that only read.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use protocol::{AgentRelease, ConfigText, Health, HistoryPage, Outcome, RunnerName, TaskId};
use serde::Deserialize;
use tokio::sync::oneshot;

use super::Api;
use super::asked::{Path, Query};
use super::events::Detail;
use super::refusal::{self, Refused};
use crate::history::{self, Asked};
use crate::input::Input;

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
    result: Option<Outcome>,
    project: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<TaskId>,
    limit: Option<u32>,
}

pub(crate) async fn history(
    State(api): State<Api>,
    Query(query): Query<HistoryQuery>,
) -> Answer<HistoryPage> {
    let HistoryQuery { runner, result, project, since, until, before, limit } = query;
    let asked = Asked { runner, outcome: result, project, since, until, before, limit };
    let page = tokio::task::spawn_blocking(move || history::page(&api.history, &asked));
    match page.await {
        Ok(Ok(page)) => Ok(Json(page)),
        Ok(Err(error)) => Err(refusal::no_history(&error).into()),
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
