//! One answer of a server: what it says of itself, then its body, piece by piece. Never longer than
//! its limit, and never so slow that it would not end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::{Client, Response, StatusCode, header};
use url::Url;

use crate::{Patience, ReleaseError};

pub(crate) struct Answer {
    response: Response,
    url: String,
    /// Where in the whole this body begins.
    pub(crate) from: u64,
    /// The whole as announced, what lies before this body included.
    pub(crate) total: Option<u64>,
    received: u64,
    limit: u64,
    patience: Patience,
    /// When so many bytes were here; the pace is judged from then on.
    since: (Instant, u64),
}

impl Answer {
    /// Asks for what lies behind the first `from` bytes; the server may begin anew all the same.
    pub(crate) async fn get(
        http: &Client,
        url: &Url,
        from: u64,
        limit: u64,
        patience: Patience,
    ) -> Result<Self, ReleaseError> {
        let mut request = http.get(url.clone());
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = request.send().await;
        let response = response.map_err(|error| ReleaseError::of_request(url.as_str(), &error))?;
        let url = url.to_string();
        let status = response.status();
        let nothing_left = status == StatusCode::RANGE_NOT_SATISFIABLE && from > 0;
        if !status.is_success() && !nothing_left {
            let retry_after = retry_after(&response);
            return Err(ReleaseError::Status { url, status: status.as_u16(), retry_after });
        }
        let (from, total) = match (status, range(&response)) {
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, Some(range)) => range,
            _ => (0, response.content_length().filter(|_| !nothing_left)),
        };
        if total.is_some_and(|total| total > limit) {
            return Err(ReleaseError::TooLarge { url, limit });
        }
        let since = (Instant::now(), 0);
        Ok(Self { response, url, from, total, received: 0, limit, patience, since })
    }

    /// The server says that the first `here` bytes are all there are.
    pub(crate) fn is_all_here(&self, here: u64) -> bool {
        self.response.status() == StatusCode::RANGE_NOT_SATISFIABLE && self.total == Some(here)
    }

    /// Nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ReleaseError> {
        let piece = self.response.chunk().await;
        let piece = piece.map_err(|error| ReleaseError::of_request(&self.url, &error))?;
        let Some(piece) = piece else { return Ok(None) };
        self.received += piece.len() as u64;
        if self.from + self.received > self.limit {
            return Err(ReleaseError::TooLarge { url: self.url.clone(), limit: self.limit });
        }
        self.judge_pace()?;
        Ok(Some(piece))
    }

    fn judge_pace(&mut self) -> Result<(), ReleaseError> {
        let Patience { silence, least, .. } = self.patience;
        let (since, then) = self.since;
        if since.elapsed() < silence {
            return Ok(());
        }
        self.since = (Instant::now(), self.received);
        if self.received - then >= least {
            return Ok(());
        }
        Err(ReleaseError::Slow { url: self.url.clone(), least, time: silence })
    }
}

/// `Content-Range: bytes 5-99/100` or `bytes */100`: where the body begins, and the whole.
fn range(response: &Response) -> Option<(u64, Option<u64>)> {
    parse_range(response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?)
}

fn parse_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (part, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let total = total.trim().parse().ok();
    let from = if part.trim() == "*" { 0 } else { part.split_once('-')?.0.trim().parse().ok()? };
    Some((from, total))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    parse_wait(text, now())
}

#[expect(clippy::disallowed_methods, reason = "the server's word is a time of day")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn parse_wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(now.duration_until(at).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wait_is_a_number_or_a_date() {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 08:01:30 GMT", Some(90)),
            ("Mon, 23 Nov 2026 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("1e9", None),
        ] {
            assert_eq!(parse_wait(text, now).map(|it| it.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn a_range_says_where_it_begins_and_how_long_the_whole_is() {
        for (text, range) in [
            ("bytes 5-99/100", Some((5, Some(100)))),
            ("bytes 5-99/*", Some((5, None))),
            ("bytes */100", Some((0, Some(100)))),
            ("lines 5-99/100", None),
            ("bytes 99/100", None),
            ("", None),
        ] {
            assert_eq!(parse_range(text), range, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text in ".{0,60}") {
            let _ = parse_range(&text);
            let _ = parse_wait(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
