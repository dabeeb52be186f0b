//! Calls about the whole machine: preferences, what comes after the task, notices, days of the history,
//! a user for jobs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::civil::Date;
use protocol::{
    CheckJobUser, ConfigText, HistorySpans, JobUserCheck, Notices, Preferences, PreferencesChange,
    RunnerName, SeenNotices, WantAfterTask,
};
use serde::Deserialize;
use supervisor_core::Wish;

use super::Api;
use super::asked::{Body, Path, Query};
use super::refusal::{self, Refused};
use crate::history::{self, PageError, Spans};
use crate::input::Input;

type Answer<T> = Result<Json<T>, Refused>;
type Done = Result<StatusCode, Refused>;

pub(crate) async fn preferences(State(api): State<Api>) -> Answer<Preferences> {
    Ok(Json(api.to_loop.ask(Input::Preferences).await?))
}

pub(crate) async fn prefer(
    State(api): State<Api>,
    Body(change): Body<PreferencesChange>,
) -> Answer<Preferences> {
    Ok(Json(api.to_loop.ask(|reply| Input::Prefer(change, reply)).await?))
}

pub(crate) async fn want_after_task(
    State(api): State<Api>,
    Body(WantAfterTask { act }): Body<WantAfterTask>,
) -> Done {
    api.to_loop.ask(|reply| Input::Wish(Wish::AfterTask(act), reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn forget_after_task(State(api): State<Api>) -> Done {
    api.to_loop.ask(|reply| Input::Wish(Wish::ForgetAfterTask, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(crate) struct NoticesQuery {
    #[serde(default)]
    since: u64,
    limit: Option<u32>,
}

pub(crate) async fn notices(
    State(api): State<Api>,
    Query(NoticesQuery { since, limit }): Query<NoticesQuery>,
) -> Answer<Notices> {
    read(move || history::notices(&api.history, since, limit)).await
}

pub(crate) async fn seen_notices(
    State(api): State<Api>,
    Body(SeenNotices { up_to }): Body<SeenNotices>,
) -> Done {
    api.to_loop.ask(|reply| Input::SeenNotices(up_to, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(crate) struct DaysQuery {
    from: Date,
    to: Date,
    tz: Option<String>,
    runner: Option<RunnerName>,
}

pub(crate) async fn days(
    State(api): State<Api>,
    Query(DaysQuery { from, to, tz, runner }): Query<DaysQuery>,
) -> Answer<HistorySpans> {
    let asked = Spans::Days(from, to);
    read(move || history::spans(&api.history, &asked, tz.as_deref(), runner.as_ref())).await
}

#[derive(Deserialize)]
pub(crate) struct HoursQuery {
    day: Date,
    tz: Option<String>,
    runner: Option<RunnerName>,
}

pub(crate) async fn hours(
    State(api): State<Api>,
    Query(HoursQuery { day, tz, runner }): Query<HoursQuery>,
) -> Answer<HistorySpans> {
    let asked = Spans::Hours(day);
    read(move || history::spans(&api.history, &asked, tz.as_deref(), runner.as_ref())).await
}

async fn read<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, PageError> + Send + 'static,
) -> Answer<T> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(found)) => Ok(Json(found)),
        Ok(Err(error)) => Err(refusal::no_history(&error).into()),
        Err(error) => Err(refusal::failed(&error.to_string()).into()),
    }
}

pub(crate) async fn check_job_user(
    Body(CheckJobUser { user }): Body<CheckJobUser>,
) -> Answer<JobUserCheck> {
    Ok(Json(crate::job_user::look(user).await?))
}

/// A pipeline for one runner that the snapshot shows.
pub(crate) async fn snippet(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
) -> Answer<ConfigText> {
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    let known = known.ok_or_else(|| refusal::no_such_runner(&name))?;
    Ok(Json(ConfigText { yaml: protocol::pipeline(&name, &known.resource_class) }))
}
