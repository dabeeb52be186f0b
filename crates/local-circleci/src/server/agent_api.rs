//! What runner and task agent call. Paths below `/api/v2` and `/api/v3` are CircleCI's; those below
//! `/api/local` are our own, because CircleCI publishes nothing about reporting a step.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::queue::{Record, Unheard};
use super::refusal::{Refusal, bearer};
use super::state::Shared;
use crate::control::TaskState;
use crate::wire::{
    ClaimRequest, Claimed, Download, Fail, StepEnd, StepStart, TaskConfig, TaskEnd, Unclaim, Wish,
};

/// A call for news of a cancel is answered at the latest after this.
const WISH_WAIT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/v3/runner/claim", post(claim))
        .route("/api/v3/runner/unclaim", post(unclaim))
        .route("/api/v2/tasks/download", get(download))
        .route("/api/v2/task/config", get(config))
        .route("/api/v2/task/event/fail", post(fail))
        .route("/api/v2/step/start", post(start_step))
        .route("/api/local/step/output", post(step_output))
        .route("/api/local/step/end", post(end_step))
        .route("/api/local/task/end", post(end_task))
        .route("/api/local/task/cancel", get(cancel_wish))
}

async fn claim(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(claim): Json<ClaimRequest>,
) -> Result<Response, Refusal> {
    let token = bearer(&headers)?;
    let claimed = shared.change(|circle, now| {
        let class = circle.classes.of_token(token).ok_or_else(Refusal::bad_token)?.to_owned();
        circle.agents.heard(&class, &claim, now);
        if circle.held {
            return Ok(None);
        }
        let claimed = circle.queue.claim(&class, &claim.name, now).map(|record| Claimed {
            task_token: record.names.token.clone(),
            agent_version: String::new(),
            resource_class: class.clone(),
            allocation: record.names.allocation.clone(),
            is_enterprise: false,
            warning: None,
        });
        if claimed.is_some() {
            circle.agents.used(&class, &claim.name, now);
        }
        Ok::<_, Refusal>(claimed)
    });
    Ok(match claimed.await? {
        Some(claimed) => Json(claimed).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn unclaim(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(unclaim): Json<Unclaim>,
) -> Result<(), Refusal> {
    let token = bearer(&headers)?;
    let back = shared.change(|circle, _| {
        circle.classes.of_token(token).ok_or_else(Refusal::bad_token)?;
        circle.queue.unclaim(&unclaim.task_token).map_err(|unheard| match unheard {
            Unheard::UnknownToken | Unheard::Ended => Refusal::not_found("the task"),
            Unheard::TooManyUnclaims => unheard.into(),
        })
    });
    back.await
}

#[derive(Deserialize)]
struct Platform {
    arch: String,
    os: String,
}

/// Whether CircleCI wants a token here is not known; none is asked for.
async fn download(
    State(shared): State<Arc<Shared>>,
    Query(platform): Query<Platform>,
) -> Result<Json<Download>, Refusal> {
    let Some(agent) = shared.releases.task_agent(&platform.os, &platform.arch) else {
        return Err(Refusal::not_found("a task agent for this platform"));
    };
    let url = format!("{}{}", shared.url, agent.path);
    let (checksum, version) = (agent.sha256.clone(), super::releases::TASK_AGENT.to_owned());
    let variant = shared.look(|circle| circle.variant.clone()).await;
    Ok(Json(Download { checksum, url, version, variant }))
}

async fn config(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Json<TaskConfig>, Refusal> {
    let token = bearer(&headers)?;
    let config = shared.look(|circle| {
        let Record { task, plan, names } = circle.queue.with_token(token)?;
        Ok::<_, Unheard>(TaskConfig {
            task_id: task.task_id.clone(),
            job_id: task.job_id.clone(),
            pipeline_id: names.pipeline_id.clone(),
            workflow_id: names.workflow_id.clone(),
            number: task.number.0,
            project: task.project.clone(),
            branch: task.branch.clone(),
            job: task.job.clone(),
            revision: names.revision.clone(),
            build_url: task.build_url.clone(),
            working_directory: plan.working_directory.clone(),
            environment: plan.environment.clone(),
            steps: plan.steps.clone(),
            variant: circle.variant.clone(),
        })
    });
    Ok(Json(config.await?))
}

async fn fail(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(fail): Json<Fail>,
) -> Result<(), Refusal> {
    let token = bearer(&headers)?;
    let message = STANDARD
        .decode(&fail.message)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Refusal::bad_request("message is not base64"))?;
    Ok(shared.change(|circle, now| circle.queue.fail(token, message, now)).await?)
}

async fn start_step(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(step): Json<StepStart>,
) -> Result<(), Refusal> {
    let token = bearer(&headers)?;
    Ok(shared.change(|circle, now| circle.queue.start_step(token, step, now)).await?)
}

async fn end_step(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(step): Json<StepEnd>,
) -> Result<(), Refusal> {
    let token = bearer(&headers)?;
    Ok(shared.change(|circle, now| circle.queue.end_step(token, &step, now)).await?)
}

#[derive(Deserialize)]
struct Piece {
    step: u32,
    offset: u64,
}

async fn step_output(
    State(shared): State<Arc<Shared>>,
    Query(piece): Query<Piece>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Refusal> {
    let token = bearer(&headers)?;
    let number = shared.look(|circle| Ok(circle.queue.with_token(token)?.task.number));
    let number = number.await.map_err(|unheard: Unheard| Refusal::from(unheard))?;
    shared
        .store
        .append_output(number, piece.step, piece.offset, &body)
        .map_err(|error| Refusal(StatusCode::INSUFFICIENT_STORAGE, error.to_string()))
}

async fn end_task(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(end): Json<TaskEnd>,
) -> Result<(), Refusal> {
    let token = bearer(&headers)?;
    Ok(shared.change(|circle, now| circle.queue.end(token, end.outcome, now)).await?)
}

/// Waits until the user wants the task cancelled, the task is over, or a while has passed.
async fn cancel_wish(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Json<Wish>, Refusal> {
    let token = bearer(&headers)?;
    let wish = shared.until(WISH_WAIT, |circle| match circle.queue.with_token(token) {
        Err(unheard) => Some(Err(unheard)),
        Ok(record) if record.task.cancel_wished => Some(Ok(Wish { cancel: true })),
        Ok(record) if record.task.state == TaskState::Finished => Some(Err(Unheard::Ended)),
        Ok(_) => None,
    });
    Ok(Json(wish.await.unwrap_or(Ok(Wish { cancel: false }))?))
}
