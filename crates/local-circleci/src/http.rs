//! A blocking HTTP client for one server on the loopback interface; it must never speak to any
//! other address, whatever a configuration says. No TLS, no proxy, one connection a call.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request, Uri};

use crate::wire::Message;

/// Why a call has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(
        "{0:?} is not on this machine: local-circleci is a stand-in and speaks to loopback only; \
         give the URL that `local-circleci serve` prints"
    )]
    NotLoopback(String),
    /// The server answered with a status of 400 or more.
    #[error("{call}: {message} ({status})")]
    Refused { call: String, status: u16, message: String },
    /// No answer, or only a part of one.
    #[error("{call}: {reason}")]
    Unreachable { call: String, reason: String },
    #[error("{call}: the answer is not what was expected: {source}")]
    Unreadable { call: String, source: serde_json::Error },
}

impl ApiError {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::NotLoopback(_) | Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// An answer below 400.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    call: String,
}

impl Reply {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body)
            .map_err(|source| ApiError::Unreadable { call: self.call.clone(), source })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Calls again, with a pause, as long as the server cannot be reached or is in trouble itself.
pub(crate) fn insist(
    patience: Duration,
    call: impl Fn() -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    let give_up_at = Instant::now() + patience;
    loop {
        let answer = call();
        let may_come =
            answer.as_ref().is_err_and(|it| it.status().is_none_or(|status| status >= 500));
        if !may_come || Instant::now() >= give_up_at {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
}

const PAUSE: Duration = Duration::from_millis(100);

/// A server and how to speak to it.
pub(crate) struct Api {
    agent: ureq::Agent,
    base: String,
    bearer: Option<String>,
    user_agent: String,
}

impl Api {
    /// `base` is a URL without a path; every call gives up after `limit`.
    pub(crate) fn new(base: &str, limit: Duration) -> Result<Self, ApiError> {
        let base = base.trim_end_matches('/').to_owned();
        require_loopback(&base)?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(limit))
            .proxy(None)
            .max_redirects(0)
            .max_idle_connections(0)
            .build()
            .into();
        Ok(Self { agent, base, bearer: None, user_agent: "local-circleci".to_owned() })
    }

    #[must_use]
    pub(crate) fn with_bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    #[must_use]
    pub(crate) fn with_user_agent(mut self, name: &str) -> Self {
        name.clone_into(&mut self.user_agent);
        self
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// The whole URL of `path`, which may be one already.
    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Result<Reply, ApiError> {
        self.call(Method::GET, path, "application/octet-stream", Vec::new())
    }

    pub(crate) fn send<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: &T,
    ) -> Result<Reply, ApiError> {
        let body = serde_json::to_vec(body).map_err(|source| ApiError::Unreadable {
            call: format!("{method} {}", self.url(path)),
            source,
        })?;
        self.call(method, path, "application/json", body)
    }

    pub(crate) fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<Reply, ApiError> {
        self.send(Method::POST, path, body)
    }

    /// One call; an answer of 400 or more is an error with the server's `message`.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Reply, ApiError> {
        let url = self.url(path);
        require_loopback(&url)?;
        let call = format!("{method} {url}");
        let unreachable = |error: &ureq::Error| ApiError::Unreachable {
            call: call.clone(),
            reason: as_go_says(error, &url),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header("user-agent", &self.user_agent)
            .header("content-type", content_type);
        if let Some(token) = &self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).map_err(|error| unreachable(&ureq::Error::Http(error)))?;
        let mut response = self.agent.run(request).map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()
            .map_err(|error| unreachable(&error))?;
        if status >= 400 {
            let message = serde_json::from_slice::<Message>(&body)
                .map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |body| body.message);
            return Err(ApiError::Refused { call, status, message });
        }
        Ok(Reply { status, body, call })
    }
}

fn require_loopback(url: &str) -> Result<(), ApiError> {
    let refused = || ApiError::NotLoopback(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| refused())?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if uri.scheme_str() == Some("http") && is_loopback { Ok(()) } else { Err(refused()) }
}

/// Go's words for the commonest failure, because that is what a real runner's log would hold.
fn as_go_says(error: &ureq::Error, url: &str) -> String {
    let authority = url.split('/').nth(2).unwrap_or(url);
    if let ureq::Error::Io(source) = error
        && source.kind() == ErrorKind::ConnectionRefused
    {
        return format!("dial tcp {authority}: connect: connection refused");
    }
    if matches!(error, ureq::Error::Timeout(_)) {
        return "context deadline exceeded".to_owned();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_to_loopback_only() {
        for url in ["http://127.0.0.1:80", "http://localhost:1", "http://[::1]:9/x"] {
            assert!(require_loopback(url).is_ok(), "{url}");
        }
        for url in [
            "https://runner.circleci.com",
            "http://192.168.0.1",
            "http://localhost.example.com",
            "https://127.0.0.1",
            "127.0.0.1:80",
            "",
        ] {
            assert!(require_loopback(url).is_err(), "{url}");
        }
    }
}
