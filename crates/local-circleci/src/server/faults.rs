//! Trouble on request: waits, refusals, lost answers and spoilt bodies in front of any call.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};

use super::refusal::Refusal;
use super::state::{Circle, Shared};
use crate::control::Fault;

/// Runs one call with the first fault that is meant for its path. `/control` is never spoilt.
pub(super) async fn apply(
    State(shared): State<Arc<Shared>>,
    call: Request,
    next: Next,
) -> Response {
    let path = call.uri().path().to_owned();
    if path.starts_with("/control") {
        return next.run(call).await;
    }
    let method = call.method().clone();
    let Some(fault) = shared.change(|circle, _| take(circle, &method, &path)).await else {
        return next.run(call).await;
    };
    tokio::time::sleep(Duration::from_millis(fault.wait_before_ms)).await;
    if let Some(status) = fault.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Refusal(status, "a fault that was asked for".to_owned()).into_response();
        let after = fault.retry_after.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(after)) = after {
            answer.headers_mut().insert(header::RETRY_AFTER, after);
        }
        return answer;
    }
    let answer = next.run(call).await;
    tokio::time::sleep(Duration::from_millis(fault.wait_after_ms)).await;
    if fault.lose_answer {
        return Refusal(StatusCode::BAD_GATEWAY, "the answer was lost".to_owned()).into_response();
    }
    spoil(answer, &fault).await
}

/// The fault for this call, one use of it less.
fn take(circle: &mut Circle, method: &Method, path: &str) -> Option<Fault> {
    let meant = |fault: &Fault| {
        path.starts_with(&fault.path)
            && fault.method.as_deref().is_none_or(|meant| meant == method.as_str())
    };
    let at = circle.faults.iter().position(meant)?;
    let fault = circle.faults[at].clone();
    if let Some(times) = &mut circle.faults[at].times {
        *times = times.saturating_sub(1);
        if *times == 0 {
            circle.faults.remove(at);
        }
    }
    Some(fault)
}

async fn spoil(answer: Response, fault: &Fault) -> Response {
    if !fault.garble && fault.cut_after.is_none() {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut body = body.to_vec();
    let middle = body.len() / 2;
    if let (true, Some(byte)) = (fault.garble, body.get_mut(middle)) {
        *byte = !*byte;
    }
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let Some(length) = fault.cut_after else {
        return Response::from_parts(head, Body::from(body));
    };
    body.truncate(length);
    let cut = std::io::Error::other("cut by a fault that was asked for");
    // Not at once, or what was sent would still lie in a buffer that is thrown away.
    let end = stream::once(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(cut)
    });
    let pieces = stream::iter([Ok(Bytes::from(body))]).chain(end);
    Response::from_parts(head, Body::from_stream(pieces))
}
