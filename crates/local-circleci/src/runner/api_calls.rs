//! The runner's calls, each with its span in the log. The token of a call is never in a field.

use std::time::Duration;

use crate::http::{Api, ApiError, Reply};
use crate::platform;

use super::spans::{Log, Span, Trace};

/// No call takes longer.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(30);

/// As in the spans of a real start: name, version and platform.
pub(super) fn user_agent(version: &str) -> String {
    let (os, arch) = (platform::os(), platform::arch());
    format!("CircleCI-Machine-Runner/{version} ({os}; {arch}; ; )")
}

/// Runs `call` and logs it as `METHOD path`; an error is passed on.
pub(super) fn logged(
    log: &Log,
    trace: &Trace,
    (method, path): (&str, &str),
    version: &str,
    api: &Api,
    call: impl FnOnce() -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    let route = path.split('?').next().unwrap_or(path);
    let mut span = Span::start(trace, &format!("{method} {route}"))
        .with("app.loop_name", "claim: ")
        .with("http.method", method)
        .with("http.url", api.url(path))
        .with("http.user_agent", user_agent(version));
    let answer = call();
    match &answer {
        Ok(reply) => {
            span.set("http.response.status_code", reply.status);
            span.end(log);
        }
        Err(error) => {
            if let Some(status) = error.status() {
                span.set("http.response.status_code", status);
            }
            span.end_with_error(log, &in_go_words(error));
        }
    }
    answer
}

/// As the first generation's log has it: `server supplied detail: … (401-Unauthorized)`.
pub(super) fn in_go_words(error: &ApiError) -> String {
    match error {
        ApiError::Refused { status, message, .. } => {
            let reason = ureq::http::StatusCode::from_u16(*status).ok();
            let reason = reason.and_then(|it| it.canonical_reason()).unwrap_or_default();
            format!("server supplied detail: {message} ({status}-{reason})")
        }
        ApiError::NotLoopback(_) | ApiError::Unreachable { .. } | ApiError::Unreadable { .. } => {
            error.to_string()
        }
    }
}
