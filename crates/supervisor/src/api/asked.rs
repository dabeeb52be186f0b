//! What a call asks for: path, query and body, typed. What is not understood is refused as any other
//! call is, with a code and a way out; a body is never repeated, it may hold a token.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use protocol::ApiError;
use serde::de::DeserializeOwned;

use super::refusal::{self, Refused};

pub(crate) struct Path<T>(pub(crate) T);

pub(crate) struct Query<T>(pub(crate) T);

/// Of JSON, whatever its content type is called.
pub(crate) struct Body<T>(pub(crate) T);

const HOW: &str = "See `runnerctl --help`, and use a runnerctl of the supervisor's version.";

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let path = extract::Path::from_request_parts(parts, state).await;
        path.map(|extract::Path(path)| Self(path)).map_err(|rejected: PathRejection| {
            Refused(not_understood(rejected.status().as_u16(), "address", &rejected.body_text()))
        })
    }
}

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let query = extract::Query::from_request_parts(parts, state).await;
        query.map(|extract::Query(query)| Self(query)).map_err(|rejected: QueryRejection| {
            Refused(not_understood(rejected.status().as_u16(), "query", &rejected.body_text()))
        })
    }
}

impl<T, S> FromRequest<S> for Body<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let body = extract::Json::from_request(request, state).await;
        body.map(|extract::Json(body)| Self(body)).map_err(|rejected: JsonRejection| {
            let status = rejected.status().as_u16();
            let why = match rejected {
                JsonRejection::JsonDataError(_) => {
                    "it lacks a field, or has one that is unknown or of the wrong kind"
                }
                JsonRejection::JsonSyntaxError(_) => "it is not JSON",
                JsonRejection::MissingJsonContentType(_) => "it has no JSON content type",
                JsonRejection::BytesRejection(_) => "it is too long or cannot be read",
                // What may come has not been looked at: its words could repeat the body.
                _ => "it cannot be used",
            };
            Refused(not_understood(status, "body", why))
        })
    }
}

fn not_understood(status: u16, part: &str, why: &str) -> ApiError {
    let why = why.trim_end_matches('.');
    refusal::error(
        status,
        "bad-request",
        format!("The {part} of the call is not understood: {why}."),
        HOW,
    )
}
