//! The server's side of `/control`: everything here is ours and has no counterpart at CircleCI.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use serde::Deserialize;

use super::queue::Names;
use super::refusal::Refusal;
use super::state::Shared;
use super::tls;
use crate::control::{
    Agent, Counts, Download, Fault, NewTask, OddArchive, OddManifest, Task, TaskNumber, TaskState,
    UserApi,
};
use crate::{Variant, random};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/control/tasks", get(tasks).post(enqueue))
        .route("/control/tasks/{number}", get(task))
        .route("/control/tasks/{number}/wait", get(wait))
        .route("/control/tasks/{number}/cancel", post(cancel))
        .route("/control/tasks/{number}/again", post(again))
        .route("/control/tasks/{number}/output", get(output))
        .route("/control/tasks/{number}/steps/{step}/output", get(step_output))
        .route("/control/counts", get(counts))
        .route("/control/agents", get(agents))
        .route("/control/hold", put(hold))
        .route("/control/variant", put(variant))
        .route("/control/user-api", put(user_api))
        .route("/control/faults", post(add_fault).delete(clear_faults))
        .route("/control/tokens", post(new_token))
        .route("/control/tokens/revoke", post(revoke))
        .route("/control/releases/current", put(current_release))
        .route("/control/releases/archive", put(odd_archive))
        .route("/control/releases/manifest", put(odd_manifest))
        .route("/control/downloads", get(downloads))
        .route("/control/https", post(tls::open))
        .route("/control/https/certificate", put(tls::show))
}

async fn enqueue(
    State(shared): State<Arc<Shared>>,
    Json(plan): Json<NewTask>,
) -> Result<(StatusCode, Json<TaskNumber>), Refusal> {
    let names = new_names().map_err(|error| Refusal::no_randomness(&error))?;
    let number = shared.change(|circle, now| {
        if !circle.classes.exists(&plan.resource_class) {
            return Err(Refusal::not_found(&plan.resource_class));
        }
        let number = circle.queue.next_number();
        let build_url = format!("{}/gh/{}/{number}", shared.web_url, plan.project);
        circle.queue.add(plan, names, build_url, now);
        Ok(number)
    });
    Ok((StatusCode::CREATED, Json(number.await?)))
}

fn new_names() -> std::io::Result<Names> {
    Ok(Names {
        token: random::hex(40)?,
        allocation: random::uuid()?,
        job_id: random::uuid()?,
        pipeline_id: random::uuid()?,
        workflow_id: random::uuid()?,
        revision: random::hex(20)?,
    })
}

async fn tasks(State(shared): State<Arc<Shared>>) -> Json<Vec<Task>> {
    Json(shared.look(|circle| circle.queue.tasks().cloned().collect()).await)
}

async fn find(shared: &Shared, number: TaskNumber) -> Result<Task, Refusal> {
    let found = shared.look(|circle| circle.queue.task(number).cloned()).await;
    found.ok_or_else(|| Refusal::not_found(&format!("task {number}")))
}

async fn task(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<TaskNumber>,
) -> Result<Json<Task>, Refusal> {
    find(&shared, number).await.map(Json)
}

#[derive(Deserialize)]
struct Until {
    state: TaskState,
    limit_ms: u64,
}

async fn wait(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<TaskNumber>,
    Query(until): Query<Until>,
) -> Result<Json<Task>, Refusal> {
    find(&shared, number).await?;
    let reached = shared.until(Duration::from_millis(until.limit_ms), |circle| {
        circle.queue.task(number).filter(|task| task.state >= until.state).cloned()
    });
    let Some(task) = reached.await else {
        let state = find(&shared, number).await?.state;
        let message = format!("task {number} is still {state:?} and not {:?}", until.state);
        return Err(Refusal(StatusCode::REQUEST_TIMEOUT, message));
    };
    Ok(Json(task))
}

async fn cancel(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<TaskNumber>,
) -> Result<(), Refusal> {
    let cancelled = shared.change(|circle, now| circle.queue.cancel(number, now)).await;
    cancelled.ok_or_else(|| Refusal::not_found(&format!("task {number}")))
}

async fn again(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<TaskNumber>,
) -> Result<(), Refusal> {
    let known = shared.change(|circle, _| circle.queue.hand_out_again(number)).await;
    known.ok_or_else(|| Refusal::not_found(&format!("task {number}")))
}

async fn output(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<TaskNumber>,
) -> Result<Vec<u8>, Refusal> {
    let task = find(&shared, number).await?;
    let outputs = task.steps.iter().map(|step| shared.store.output(number, step.step));
    Ok(outputs.flatten().collect())
}

async fn step_output(
    State(shared): State<Arc<Shared>>,
    Path((number, step)): Path<(TaskNumber, u32)>,
) -> Result<Vec<u8>, Refusal> {
    find(&shared, number).await?;
    Ok(shared.store.output(number, step))
}

#[derive(Deserialize)]
struct OfClass {
    #[serde(rename = "resource-class")]
    resource_class: String,
}

async fn counts(State(shared): State<Arc<Shared>>, Query(of): Query<OfClass>) -> Json<Counts> {
    Json(shared.look(|circle| circle.queue.counts(&of.resource_class)).await)
}

async fn agents(State(shared): State<Arc<Shared>>) -> Json<Vec<Agent>> {
    Json(shared.look(|circle| circle.agents.list(&circle.queue)).await)
}

#[derive(Deserialize)]
struct Hold {
    held: bool,
}

async fn hold(State(shared): State<Arc<Shared>>, Json(hold): Json<Hold>) {
    shared.change(|circle, _| circle.held = hold.held).await;
}

#[derive(Deserialize)]
struct Chosen {
    variant: String,
}

async fn variant(
    State(shared): State<Arc<Shared>>,
    Json(chosen): Json<Chosen>,
) -> Result<(), Refusal> {
    let checked = Variant::of_server(&chosen.variant);
    checked.map_err(|error| Refusal::bad_request(&error.to_string()))?;
    shared.change(|circle, _| circle.variant = chosen.variant).await;
    Ok(())
}

async fn user_api(State(shared): State<Arc<Shared>>, Json(spoken): Json<UserApi>) {
    shared.change(|circle, _| circle.user_api = spoken).await;
}

async fn add_fault(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) {
    shared.change(|circle, _| circle.faults.add(fault)).await;
}

async fn clear_faults(State(shared): State<Arc<Shared>>) {
    shared.change(|circle, _| circle.faults.clear()).await;
}

#[derive(Deserialize)]
struct NamedClass {
    resource_class: String,
}

async fn new_token(
    State(shared): State<Arc<Shared>>,
    Json(named): Json<NamedClass>,
) -> Result<Json<String>, Refusal> {
    let token = random::hex(40).map_err(|error| Refusal::no_randomness(&error))?;
    let for_class = token.clone();
    let add =
        shared.change(|circle, now| circle.classes.add(&named.resource_class, for_class, now));
    add.await;
    Ok(Json(token))
}

async fn revoke(State(shared): State<Arc<Shared>>, Json(named): Json<NamedClass>) {
    shared.change(|circle, _| circle.classes.revoke_all(&named.resource_class)).await;
}

#[derive(Deserialize)]
struct NamedRelease {
    version: String,
}

async fn current_release(
    State(shared): State<Arc<Shared>>,
    Json(named): Json<NamedRelease>,
) -> Result<(), Refusal> {
    if !shared.releases.has(&named.version) {
        return Err(Refusal::not_found(&format!("release {}", named.version)));
    }
    shared.change(|circle, _| circle.current_release = named.version).await;
    Ok(())
}

#[derive(Deserialize)]
struct Odd<T> {
    odd: Option<T>,
}

async fn odd_archive(State(shared): State<Arc<Shared>>, Json(odd): Json<Odd<OddArchive>>) {
    shared.change(|circle, _| circle.odd_archive = odd.odd).await;
}

async fn odd_manifest(State(shared): State<Arc<Shared>>, Json(odd): Json<Odd<OddManifest>>) {
    shared.change(|circle, _| circle.odd_manifest = odd.odd).await;
}

async fn downloads(State(shared): State<Arc<Shared>>) -> Json<Vec<Download>> {
    Json(shared.look(|circle| circle.downloads.clone()).await)
}
