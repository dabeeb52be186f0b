//! What can be wrong, in the words the user reads: what happened, the reading, the way out.

mod code;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use code::{Heals, ProblemCode};

/// One thing that is wrong, told in at most three sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Problem {
    pub code: ProblemCode,
    /// What happened, one sentence.
    pub summary: String,
    /// The reading that says so ("exit code 1, 0.4 s after start").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub reading: Option<String>,
    /// What to do now.
    pub hint: String,
    /// Text to copy: last log lines, an error of the system. Redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub details: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub since: Timestamp,
}

impl Problem {
    /// In the list's words, with no reading yet.
    pub fn of(code: ProblemCode, since: Timestamp) -> Self {
        let about = code.about();
        Self {
            code,
            summary: about.summary.into(),
            reading: None,
            hint: about.hint.into(),
            details: None,
            since,
        }
    }

    /// Why we think so.
    #[must_use]
    pub fn reading(self, reading: impl Into<String>) -> Self {
        Self { reading: Some(reading.into()), ..self }
    }

    /// Fills in what the list's words leave open, by a word in capitals: `NAME` is the runner's name.
    #[must_use]
    pub fn with(self, word: &str, value: &str) -> Self {
        let (summary, hint) = (self.summary.replace(word, value), self.hint.replace(word, value));
        Self { summary, hint, ..self }
    }

    #[must_use]
    pub fn details(self, details: Option<String>) -> Self {
        Self { details, ..self }
    }
}

/// A refused call: RFC 9457 `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[error("{title}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Stable, kebab-case; what a client branches on.
    pub code: String,
    /// What is wrong, one sentence that names the thing.
    pub title: String,
    /// The way out, one sentence.
    pub hint: String,
}
