//! What a call gives back to the window: what was asked for, or why not. Never a token.

use client::ClientError;
use protocol::ApiError;
use serde::Serialize;
use serde_json::Value;

use crate::view::Notice;

/// `Reply` in `ui/src/calls.ts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    Ok(Value),
    Refused(Refusal),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct Refusal {
    /// Stable: the supervisor's own, or one of those below.
    pub(crate) code: String,
    /// What is wrong, one sentence.
    pub(crate) title: String,
    /// An error of the system, to copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The way out.
    pub(crate) hint: String,
}

impl Refusal {
    pub(crate) fn new(code: &str, title: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.to_owned(), title: title.into(), detail: None, hint: hint.into() }
    }

    /// What the app itself could not do.
    pub(crate) fn failed(title: &str, error: &impl ToString, hint: &str) -> Self {
        Self { detail: Some(error.to_string()), ..Self::new("failed", title, hint) }
    }
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(ApiError { status: _, code, title, hint }) => {
                Self { code, title, detail: None, hint }
            }
            ClientError::NotReachable { .. } => Self {
                detail: Some(error.to_string()),
                ..Self::new(
                    "supervisor-absent",
                    "The supervisor is not running.",
                    "Start the supervisor, then try again.",
                )
            },
            ClientError::Broken { .. } => Self {
                detail: Some(error.to_string()),
                ..Self::new(
                    "supervisor-unclear",
                    "The supervisor gave no usable answer.",
                    "Look at the runner's state: the wish may have arrived.",
                )
            },
        }
    }
}

impl From<Result<Value, Refusal>> for Reply {
    fn from(result: Result<Value, Refusal>) -> Self {
        result.map_or_else(Self::Refused, Self::Ok)
    }
}

/// The same where nobody waits for a reply: on the tray.
impl From<ClientError> for Notice {
    fn from(error: ClientError) -> Self {
        let Refusal { title, hint, .. } = error.into();
        Self { title, hint }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_is_one_of_two_as_the_window_knows_them() {
        let given = serde_json::to_value(Reply::Ok(json!([1]))).expect("a reply");
        assert_eq!(given, json!({ "ok": [1] }));
        let refused = Reply::Refused(Refusal::new("busy", "It is busy.", "Wait."));
        assert_eq!(
            serde_json::to_value(refused).expect("a reply"),
            json!({ "refused": { "code": "busy", "title": "It is busy.", "hint": "Wait." } })
        );
    }
}
