//! Trouble on request: waits, refusals, lost answers, broken connections and spoilt bodies in front of
//! any call.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};

use super::connection::Fate;
use super::refusal::Refusal;
use super::state::Shared;
use crate::control::Fault;

/// What was asked for and is not used up.
#[derive(Default)]
pub(super) struct Faults {
    asked: Vec<Fault>,
    /// How often all were cleared: those under way end with the next time.
    cleared: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.asked.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.asked.clear();
        self.cleared += 1;
    }

    /// The fault for this call, one use of it less.
    fn take(&mut self, method: &Method, path: &str) -> Option<(Fault, u64)> {
        let meant = |fault: &Fault| {
            path.starts_with(&fault.path)
                && fault.method.as_deref().is_none_or(|meant| meant == method.as_str())
        };
        let at = self.asked.iter().position(meant)?;
        let fault = self.asked[at].clone();
        if let Some(times) = &mut self.asked[at].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.asked.remove(at);
            }
        }
        Some((fault, self.cleared))
    }
}

/// Runs one call with the first fault that is meant for its path. `/control` is never spoilt.
pub(super) async fn apply(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(fate): ConnectInfo<Fate>,
    mut call: Request,
    next: Next,
) -> Response {
    let path = call.uri().path().to_owned();
    if path.starts_with("/control") {
        return next.run(call).await;
    }
    let method = call.method().clone();
    let taken = shared.change(|circle, _| circle.faults.take(&method, &path)).await;
    let Some((fault, since)) = taken else { return next.run(call).await };
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
    if fault.ignores_range {
        call.headers_mut().remove(header::RANGE);
    }
    let answer = next.run(call).await;
    tokio::time::sleep(Duration::from_millis(fault.wait_after_ms)).await;
    if fault.hang_up {
        fate.hang_up();
    }
    if fault.lose_answer {
        return Refusal(StatusCode::BAD_GATEWAY, "the answer was lost".to_owned()).into_response();
    }
    spoil(answer, fault, fate, shared, since).await
}

async fn spoil(
    answer: Response,
    fault: Fault,
    fate: Fate,
    shared: Arc<Shared>,
    since: u64,
) -> Response {
    let spoils = fault.garble
        || fault.cut_after.is_some()
        || fault.reset_after.is_some()
        || fault.bytes_per_second.is_some()
        || fault.says_length.is_some();
    if !spoils {
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
    let length = fault.says_length.unwrap_or(body.len() as u64);
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let end = fault.cut_after.or(fault.reset_after);
    body.truncate(end.unwrap_or(usize::MAX));
    let pieces = pieces(body.into(), fault.bytes_per_second, shared, since);
    if end.is_none() {
        return Response::from_parts(head, Body::from_stream(pieces));
    }
    // Not at once, or what was sent would still lie in a buffer that is thrown away.
    let end = stream::once(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if fault.reset_after.is_some() {
            fate.reset();
        }
        Err(std::io::Error::other("cut by a fault that was asked for"))
    });
    Response::from_parts(head, Body::from_stream(pieces.chain(end)))
}

const DRIPS_A_SECOND: u64 = 20;

/// All at once, or slowly until the faults are cleared.
fn pieces(
    body: Bytes,
    bytes_per_second: Option<u64>,
    shared: Arc<Shared>,
    since: u64,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::unfold((body, shared), move |(mut body, shared)| async move {
        if body.is_empty() {
            return None;
        }
        let slow = shared.look(|circle| circle.faults.cleared == since).await;
        let Some(speed) = bytes_per_second.filter(|_| slow) else {
            return Some((Ok(body), (Bytes::new(), shared)));
        };
        tokio::time::sleep(Duration::from_millis(1000 / DRIPS_A_SECOND)).await;
        let most = usize::try_from((speed / DRIPS_A_SECOND).max(1)).unwrap_or(usize::MAX);
        let piece = body.split_to(most.min(body.len()));
        Some((Ok(piece), (body, shared)))
    })
}
