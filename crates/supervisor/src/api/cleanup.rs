//! Calls about what tasks leave on the disk: working directories, presets, plans, receipts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::{
    AskPlan, CarryOut, CleanupPlan, CleanupReceipt, CleanupReceipts, MarkWorkDir, Preset,
    PresetChange, Presets, RunnerName, UndoCleanup, Undone, WorkDirs,
};
use serde::Deserialize;

use super::Api;
use super::asked::{Body, Path, Query};
use super::refusal::{self, Refused};
use crate::cleanup::CleanupCall;
use crate::history;
use crate::input::Input;
use crate::supervisor::now;

type Answer<T> = Result<Json<T>, Refused>;
type Done = Result<StatusCode, Refused>;

#[derive(Deserialize)]
pub(crate) struct WorkDirsQuery {
    runner: Option<RunnerName>,
    /// `1`: measure what was not measured yet.
    #[serde(default)]
    measure: u8,
}

pub(crate) async fn work_dirs(
    State(api): State<Api>,
    Query(WorkDirsQuery { runner, measure }): Query<WorkDirsQuery>,
) -> Answer<WorkDirs> {
    let measure = measure == 1;
    let call = |reply| Input::Cleanup(CleanupCall::WorkDirs { runner, measure, reply });
    Ok(Json(api.to_loop.ask(call).await?))
}

pub(crate) async fn mark(State(api): State<Api>, Body(mark): Body<MarkWorkDir>) -> Done {
    api.to_loop.ask(|reply| Input::Cleanup(CleanupCall::Mark(mark, reply))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn presets(State(api): State<Api>) -> Answer<Presets> {
    Ok(Json(api.to_loop.ask(|reply| Input::Cleanup(CleanupCall::Presets(reply))).await?))
}

pub(crate) async fn change_preset(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(change): Body<PresetChange>,
) -> Answer<Preset> {
    let call = |reply| Input::Cleanup(CleanupCall::ChangePreset(id, change, reply));
    Ok(Json(api.to_loop.ask(call).await?))
}

pub(crate) async fn plan(
    State(api): State<Api>,
    Body(asked): Body<AskPlan>,
) -> Answer<CleanupPlan> {
    Ok(Json(api.to_loop.ask(|reply| Input::Cleanup(CleanupCall::Plan(asked, reply))).await?))
}

/// Answered when it is done. It goes on where nobody waits for it.
pub(crate) async fn carry_out(
    State(api): State<Api>,
    Body(asked): Body<CarryOut>,
) -> Answer<CleanupReceipt> {
    Ok(Json(api.to_loop.ask(|reply| Input::Cleanup(CleanupCall::CarryOut(asked, reply))).await?))
}

pub(crate) async fn stop(State(api): State<Api>) -> Done {
    api.to_loop.ask(|reply| Input::Cleanup(CleanupCall::Stop(reply))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn undo(
    State(api): State<Api>,
    Body(UndoCleanup { receipt }): Body<UndoCleanup>,
) -> Answer<Undone> {
    Ok(Json(
        api.to_loop.ask(|reply| Input::Cleanup(CleanupCall::Undo(receipt, now(), reply))).await?,
    ))
}

#[derive(Deserialize)]
pub(crate) struct ReceiptsQuery {
    before: Option<u64>,
    limit: Option<u32>,
}

pub(crate) async fn receipts(
    State(api): State<Api>,
    Query(ReceiptsQuery { before, limit }): Query<ReceiptsQuery>,
) -> Answer<CleanupReceipts> {
    let read = move || history::cleanups(&api.history, before, limit);
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(found)) => Ok(Json(found)),
        Ok(Err(error)) => Err(refusal::no_history(&error).into()),
        Err(error) => Err(refusal::failed(&error.to_string()).into()),
    }
}
