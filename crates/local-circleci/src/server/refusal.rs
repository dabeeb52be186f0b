//! How the server says no: a status and `{"message": "…"}`, and who is asking in the first place.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::queue::Unheard;
use crate::wire::Message;

pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

impl Refusal {
    pub(super) fn bad_token() -> Self {
        Self(StatusCode::UNAUTHORIZED, "invalid bearer token".to_owned())
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    pub(super) fn conflict(why: &str) -> Self {
        Self(StatusCode::CONFLICT, why.to_owned())
    }

    pub(super) fn no_randomness(error: &std::io::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("no random bytes: {error}"))
    }

    pub(super) fn bad_request(why: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_owned())
    }
}

impl From<Unheard> for Refusal {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::UnknownToken => Self::bad_token(),
            Unheard::Ended => Self(StatusCode::CONFLICT, "the task has ended".to_owned()),
            Unheard::TooManyUnclaims => {
                Self(StatusCode::CONFLICT, "the task was given back too often".to_owned())
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(Message { message: self.1 })).into_response()
    }
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(Refusal::bad_token)
}

/// A user's token: `Circle-Token`, Basic with the token as user, or Bearer.
pub(super) fn personal(headers: &HeaderMap) -> Result<String, Refusal> {
    if let Some(token) = headers.get("circle-token").and_then(|value| value.to_str().ok()) {
        return Ok(token.to_owned());
    }
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(encoded) = value.and_then(|value| value.strip_prefix("Basic ")) else {
        return bearer(headers).map(str::to_owned);
    };
    let pair = STANDARD.decode(encoded).map_err(|_| Refusal::bad_token())?;
    let pair = String::from_utf8(pair).map_err(|_| Refusal::bad_token())?;
    Ok(pair.split(':').next().unwrap_or_default().to_owned())
}
