//! Calls that hold a runner, let it go, and end things. Each is idempotent: said twice is said once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::{CancelTask, Pause, PauseBy, RunnerName, Stopping};
use supervisor_core::Wish;

use super::Api;
use super::asked::{Body, Path};
use super::refusal::{self, Refused};
use crate::input::Input;

type Done = Result<StatusCode, Refused>;

/// It stands in every snapshot.
const LONGEST_NOTE: usize = 500;

pub(crate) async fn pause(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Body(wish): Body<Pause>,
) -> Done {
    let Pause { until, note } = wish;
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(refusal::bad_request(
            format!("The note is longer than {LONGEST_NOTE} characters."),
            "Say it shorter.",
        )
        .into());
    }
    let wish = Wish::Pause { runner, by: PauseBy::You, until, note, reading: None };
    api.to_loop.ask(|reply| Input::Wish(wish, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn resume(State(api): State<Api>, Path(runner): Path<RunnerName>) -> Done {
    let wish = Wish::Resume { runner, by: PauseBy::You };
    api.to_loop.ask(|reply| Input::Wish(wish, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn cancel(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Body(wish): Body<CancelTask>,
) -> Done {
    let CancelTask { task } = wish;
    api.to_loop.ask(|reply| Input::Wish(Wish::Cancel { runner, task }, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn want_install(State(api): State<Api>, Path(runner): Path<RunnerName>) -> Done {
    api.to_loop.ask(|reply| Input::Wish(Wish::Install { runner }, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn stop_install(State(api): State<Api>, Path(runner): Path<RunnerName>) -> Done {
    api.to_loop.ask(|reply| Input::Wish(Wish::StopInstall { runner }, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn stop(State(api): State<Api>) -> Result<Json<Stopping>, Refused> {
    Ok(Json(api.to_loop.ask(Input::Stop).await?))
}
