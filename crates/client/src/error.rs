//! Why a call gave no answer that can be used.

use std::path::{Path, PathBuf};

use protocol::ApiError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens at the socket, or it may not be opened.
    #[error("The supervisor is not running: nothing answers at {} ({why})", socket.display())]
    NotReachable { socket: PathBuf, why: String },
    /// The supervisor said no, and why.
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// The connection was lost, or the answer is not one that this version knows.
    #[error("The supervisor gave no usable answer to {call}: {why}")]
    Broken { call: String, why: String },
}

impl ClientError {
    /// What a failed request says of the supervisor behind `socket`.
    pub(crate) fn of_request(call: &str, socket: &Path, error: &reqwest::Error) -> Self {
        let why = innermost(error);
        if error.is_connect() {
            return Self::NotReachable { socket: socket.to_owned(), why };
        }
        let why = if error.is_timeout() { "it took too long".to_owned() } else { why };
        Self::Broken { call: call.to_owned(), why }
    }
}

/// The last error of the chain: the one that says what the system did.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
