//! The runner's calls, each with its span in the log. The token of a call is never in a field.

use std::time::Duration;

use serde::Serialize;

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

/// Calls of one trace.
pub(super) struct Calls<'a> {
    pub(super) api: &'a Api,
    pub(super) log: &'a Log,
    pub(super) trace: &'a Trace,
    /// A 204, "nothing to do", leaves no line.
    pub(super) skips_nothing_to_do: bool,
}

impl<'a> Calls<'a> {
    pub(super) fn new(api: &'a Api, log: &'a Log, trace: &'a Trace) -> Self {
        Self { api, log, trace, skips_nothing_to_do: false }
    }

    pub(super) fn get(&self, path: &str) -> Result<Reply, ApiError> {
        self.logged("GET", path, || self.api.get(path))
    }

    pub(super) fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<Reply, ApiError> {
        self.logged("POST", path, || self.api.post(path, body))
    }

    fn logged(
        &self,
        method: &str,
        path: &str,
        call: impl FnOnce() -> Result<Reply, ApiError>,
    ) -> Result<Reply, ApiError> {
        let route = path.split('?').next().unwrap_or(path);
        let mut span = Span::start(self.trace, &format!("{method} {route}"))
            .with("app.loop_name", "claim: ")
            .with("http.method", method)
            .with("http.url", self.api.url(path))
            .with("http.user_agent", self.api.user_agent());
        let answer = call();
        match &answer {
            Ok(reply) if self.skips_nothing_to_do && reply.status == 204 => {}
            Ok(reply) => {
                span.set("http.response.status_code", reply.status);
                span.end(self.log);
            }
            Err(error) => {
                if let Some(status) = error.status() {
                    span.set("http.response.status_code", status);
                }
                span.end_with_error(self.log, &in_go_words(error));
            }
        }
        answer
    }
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
