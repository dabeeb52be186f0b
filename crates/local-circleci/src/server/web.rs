//! Plain text for a person: the page behind a build link, where links point to this server.

use std::fmt::Write as _;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

use super::refusal::Refusal;
use super::state::Shared;
use crate::control::TaskNumber;

const STAND_IN: &str = "local-circleci, a stand-in for CircleCI\n";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(|| ready(STAND_IN)))
        .route("/gh/{organisation}/{repository}/{number}", get(build))
}

async fn build(
    State(shared): State<Arc<Shared>>,
    Path((_, _, number)): Path<(String, String, TaskNumber)>,
) -> Result<String, Refusal> {
    let task = shared.look(|circle| circle.queue.task(number).cloned()).await;
    let task = task.ok_or_else(|| Refusal::not_found("the build"))?;
    let ended = task.outcome.map_or_else(|| format!("{:?}", task.state), |it| it.to_string());
    let mut page = format!(
        "local-circleci (a stand-in for CircleCI)\n\n{} #{number} · {} on {} · {ended}\n",
        task.project, task.job, task.branch
    );
    for step in &task.steps {
        let output = shared.store.output(number, step.step);
        let _ = write!(page, "\n== {}\n{}", step.name, String::from_utf8_lossy(&output));
    }
    Ok(page)
}
