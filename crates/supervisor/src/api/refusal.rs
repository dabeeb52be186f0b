//! Refused calls: RFC 9457 documents with a stable code and a way out.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::{ApiError, RunId, RunnerName};
use supervisor_core::Refusal;

use crate::history::PageError;
use crate::settings::SettingsError;

/// An error as the answer to a call.
pub(crate) struct Refused(pub(crate) ApiError);

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

pub(crate) fn error(status: u16, code: &str, title: impl Into<String>, hint: &str) -> ApiError {
    ApiError { status, code: code.into(), title: title.into(), hint: hint.into() }
}

/// `runner` is whom the wish named; only such a wish can miss one.
pub(crate) fn of(refusal: &Refusal, runner: Option<&RunnerName>) -> ApiError {
    match refusal {
        Refusal::NoSuchRunner => match runner {
            Some(runner) => no_such_runner(runner),
            None => failed("a wish for the machine named no runner"),
        },
        Refusal::NotRunning => error(
            409,
            "not-running",
            "That task does not run now, so nothing was cancelled.",
            "See what runs with `runnerctl tasks`.",
        ),
        Refusal::ReadOnly => error(
            409,
            "read-only-state",
            "Saved state could not be read, so nothing new is written over it.",
            "See `runnerctl status` for the file and the way out.",
        ),
        Refusal::InThePast => error(
            400,
            "bad-request",
            "The pause would end before it begins.",
            "Give a moment that is still to come.",
        ),
    }
}

pub(crate) fn no_such_runner(name: &RunnerName) -> ApiError {
    error(
        404,
        "no-such-runner",
        format!("There is no runner {name} on this machine."),
        "See the names with `runnerctl status`.",
    )
}

pub(crate) fn no_such_run(name: &RunnerName, run: &RunId, kept: &[&RunId]) -> ApiError {
    let kept: Vec<&str> = kept.iter().map(|run| run.as_str()).collect();
    let hint = match kept.as_slice() {
        [] => "Nothing of it is kept.".to_owned(),
        kept => format!("Kept are: {}.", kept.join(", ")),
    };
    error(404, "no-such-run", format!("There is no run {run} of {name}, or not any more."), &hint)
}

pub(crate) fn busy(name: &RunnerName) -> ApiError {
    error(
        409,
        "busy",
        format!("The runner {name} runs a task, so it is not removed."),
        "Pause it, and remove it when its task has ended.",
    )
}

pub(crate) fn cannot_save(why: &str) -> ApiError {
    error(
        507,
        "cannot-save",
        format!("This could not be written to disk, so it was not done: {why}."),
        "Free some space or mend the folder's permissions, then ask again.",
    )
}

pub(crate) fn settings(error_: &SettingsError) -> ApiError {
    error(
        409,
        "settings-unreadable",
        format!("The settings cannot be read: {error_}."),
        "Mend the file or move it away; it is read anew as soon as it changes.",
    )
}

pub(crate) fn no_history(why: &PageError) -> ApiError {
    match why {
        PageError::NoSuchTask(task) => error(
            404,
            "no-such-task",
            format!("There is no task {task} in the history."),
            "See those there are with `runnerctl history`; old ones are forgotten in time.",
        ),
        PageError::NoSuchTime(why) => error(
            400,
            "bad-request",
            format!("The days cannot be counted: {why}."),
            "Name the first and the last day, at most 800, and a time zone as in Europe/Berlin.",
        ),
        PageError::Unreadable(_) => error(
            503,
            "history-unavailable",
            format!("The history cannot be read: {why}."),
            "Mend that, or move the file away: a new one is begun with the next task.",
        ),
    }
}

pub(crate) fn bad_request(title: impl Into<String>, hint: &str) -> ApiError {
    error(400, "bad-request", title, hint)
}

pub(crate) fn failed(why: &str) -> ApiError {
    error(500, "failed", format!("That failed: {why}."), "See the supervisor's log.")
}

pub(crate) fn ending() -> ApiError {
    error(
        503,
        "supervisor-ending",
        "The supervisor is ending.",
        "Start it again with `runnerctl supervisor start`.",
    )
}

pub(crate) fn from_a_job() -> ApiError {
    error(
        403,
        "from-a-job",
        "A job asks this, and jobs may not change the runner they run on.",
        "Run the command outside the job.",
    )
}

pub(crate) fn from_nobody_known(why: &str) -> ApiError {
    error(
        403,
        "caller-unknown",
        format!("Nobody can tell whether a job asks this: {why}."),
        "Run the command from a terminal of your own, with `runnerctl`, and wait for its answer.",
    )
}

pub(crate) fn another_user() -> ApiError {
    error(
        403,
        "another-user",
        "This supervisor belongs to another user.",
        "Run the command as the user who owns it.",
    )
}

pub(crate) fn wrong_method() -> Refused {
    Refused(error(
        405,
        "wrong-method",
        "This supervisor knows the call, but not by this method.",
        "Use a runnerctl of the same version.",
    ))
}

pub(crate) fn no_such_call() -> Refused {
    Refused(error(
        404,
        "no-such-call",
        "This supervisor knows no such call.",
        "Use a runnerctl of the same version.",
    ))
}
