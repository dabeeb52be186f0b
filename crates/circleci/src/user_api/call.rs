//! One call: who asks in a header, what came back as JSON or as an error. Never more than a few
//! megabytes are taken, and a secret is never part of an error.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::UserApiError;
use crate::release_error::{cause_in_words, root_cause};
use crate::{http, service_address};

/// A list of every resource class an organisation may have is far smaller.
const LONGEST_ANSWER: usize = 4 << 20;
/// Of the server's own words.
const LONGEST_MESSAGE: usize = 300;

pub(super) struct Calls {
    http: Client,
    base: Url,
    token: SecretString,
    patience: Duration,
}

/// What is asked.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Below `/api/v3/runner`; each is one segment of the path, whatever it holds.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
    /// In words: "the namespace acme".
    pub(super) about: String,
}

impl<'a> Call<'a> {
    pub(super) fn get(
        path: &'a [&'a str],
        query: &'a [(&'a str, &'a str)],
        about: impl Into<String>,
    ) -> Self {
        Self { method: Method::GET, path, query, body: None, about: about.into() }
    }

    pub(super) fn post(path: &'a [&'a str], body: Value, about: impl Into<String>) -> Self {
        Self { method: Method::POST, path, query: &[], body: Some(body), about: about.into() }
    }

    pub(super) fn delete(
        path: &'a [&'a str],
        query: &'a [(&'a str, &'a str)],
        about: impl Into<String>,
    ) -> Self {
        Self { method: Method::DELETE, path, query, body: None, about: about.into() }
    }
}

impl Calls {
    pub(super) fn to(
        api_url: &str,
        token: SecretString,
        patience: Duration,
    ) -> Result<Self, UserApiError> {
        let base = service_address(api_url)?;
        let mut value = HeaderValue::from_str(token.expose_secret())
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or(UserApiError::NoToken)?;
        value.set_sensitive(true);
        // The header that CircleCI documents for both surfaces.
        let mut headers = HeaderMap::from_iter([(CIRCLE_TOKEN, value)]);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let unusable = |why| UserApiError::Unreachable { host: host_of(&base), why };
        let http = http::client()
            .map_err(|error| unusable(error.to_string()))?
            .default_headers(headers)
            .timeout(patience)
            // A token goes to nobody but the server that it was given for.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| unusable(root_cause(&error)))?;
        Ok(Self { http, base, token, patience })
    }

    /// The name of the server, with its port where that is not the usual one.
    pub(super) fn host(&self) -> String {
        host_of(&self.base)
    }

    /// The answer's JSON.
    pub(super) async fn json(&self, call: Call<'_>) -> Result<Value, UserApiError> {
        let about = call.about.clone();
        let response = self.send(call).await?;
        let bytes = self.body(response, &about).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // The parser's own words may hold a piece of what it read.
            let (line, column) = (error.line(), error.column());
            self.not_understood(&about, format!("it is no JSON (line {line}, column {column})"))
        })
    }

    /// A call whose only answer is that it was done.
    pub(super) async fn done(&self, call: Call<'_>) -> Result<(), UserApiError> {
        self.send(call).await.map(drop)
    }

    pub(super) fn not_understood(&self, about: &str, why: impl Into<String>) -> UserApiError {
        UserApiError::NotUnderstood { host: self.host(), about: about.to_owned(), why: why.into() }
    }

    async fn send(&self, call: Call<'_>) -> Result<Response, UserApiError> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v3", "runner"]).extend(call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let mut request = self.http.request(call.method, url);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response, call.about).await)
    }

    async fn refusal(&self, response: Response, about: String) -> UserApiError {
        let (host, status) = (self.host(), response.status());
        let retry_after = retry_after(response.headers());
        let said = self.message(response, &about).await;
        match status {
            StatusCode::UNAUTHORIZED => UserApiError::TokenRefused { host },
            StatusCode::FORBIDDEN => UserApiError::NotAllowed { about, said },
            StatusCode::NOT_FOUND => UserApiError::NotVisible { about },
            StatusCode::TOO_MANY_REQUESTS => UserApiError::TooManyCalls { host, retry_after },
            status if status.is_server_error() => {
                UserApiError::Trouble { host, status: status.as_u16() }
            }
            status => UserApiError::Refused { host, status: status.as_u16(), about, said },
        }
    }

    /// `{"message": "..."}`, the form of CircleCI's errors; nothing where it is another.
    async fn message(&self, response: Response, about: &str) -> Option<String> {
        let bytes = self.body(response, about).await.ok()?;
        let json: Value = serde_json::from_slice(&bytes).ok()?;
        let message = json.get("message")?.as_str()?.trim().trim_end_matches('.');
        let message = message.replace(self.token.expose_secret(), "[token]");
        (!message.is_empty()).then(|| message.chars().take(LONGEST_MESSAGE).collect())
    }

    async fn body(&self, mut response: Response, about: &str) -> Result<Vec<u8>, UserApiError> {
        let mut bytes = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| {
                if error.is_timeout() {
                    return self.unreachable(&error);
                }
                self.not_understood(about, "it broke off in the middle")
            })?;
            let Some(chunk) = chunk else { return Ok(bytes) };
            if bytes.len() + chunk.len() > LONGEST_ANSWER {
                return Err(self.not_understood(about, "it is too long"));
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> UserApiError {
        let host = self.host();
        if error.is_timeout() {
            return UserApiError::TimedOut { host, patience: self.patience };
        }
        UserApiError::Unreachable { host, why: cause_in_words(error) }
    }
}

const CIRCLE_TOKEN: reqwest::header::HeaderName =
    reqwest::header::HeaderName::from_static("circle-token");

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Seconds, or a moment that is compared with the server's own clock (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| -> Option<Timestamp> {
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
    };
    Duration::try_from(moment(text(DATE)?)?.duration_until(moment(after)?)).ok()
}
