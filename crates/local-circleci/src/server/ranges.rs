//! Parts of a body, as object stores give them: `Range: bytes=N-` and 206, 416 behind the end.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The first byte that is asked for; other forms of ranges are not known and get the whole.
pub(super) fn from(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

pub(super) fn answer(whole: Bytes, from: Option<u64>) -> Response {
    let length = whole.len();
    let kind = [(header::CONTENT_TYPE, "application/gzip"), (header::ACCEPT_RANGES, "bytes")];
    let Some(from) = from else { return (kind, whole).into_response() };
    let range = |part: String| [(header::CONTENT_RANGE, format!("bytes {part}/{length}"))];
    match usize::try_from(from).ok().filter(|from| *from < length) {
        None => (StatusCode::RANGE_NOT_SATISFIABLE, range("*".to_owned())).into_response(),
        Some(from) => {
            let part = range(format!("{from}-{}", length - 1));
            (StatusCode::PARTIAL_CONTENT, kind, part, whole.slice(from..)).into_response()
        }
    }
}
