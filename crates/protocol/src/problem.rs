//! What can be wrong, in the words the user reads: what happened, the reading, the way out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names a kind of problem for ever; clients branch on it, people never see it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// CircleCI does not accept the resource class token (401).
    TokenRefused,
    /// There is no token for this runner in its store.
    TokenMissing,
    /// The keychain is locked.
    KeychainLocked,
    /// The keychain asks something on the screen and nobody has answered.
    KeychainWaits,
    /// There is no keychain service in this session.
    KeychainAbsent,
    /// The keychain refused, with its own words in `details`.
    KeychainRefused,
    /// The file that holds the token is not the owner's alone, or cannot be read.
    TokenFileUnusable,
    /// The token was to be moved, and a copy may be left where it no longer belongs.
    TokenCopied,
    /// The agent ended soon after it was started.
    AgentExitsAtStart,
    /// The agent ended by itself after it had worked for a while.
    AgentCrashed,
    /// The agent could not be installed on this machine.
    AgentNotInstalled,
    /// The server of the agent's releases gives no answer, or one that says "later".
    ReleasesUnreachable,
    /// The server of the agent's releases answers, but not with a release.
    ReleasesRefused,
    /// The server of the agent's releases cannot prove that it is itself.
    ReleasesUntrusted,
    /// The releases hold no agent for this machine.
    ReleaseNotOffered,
    /// A release did not pass its check; it was thrown away.
    ReleaseUnsound,
    /// The disk has no room for the agent.
    NoRoom,
    /// The user stopped the agent's download.
    InstallStopped,
    /// The agent on disk is not the one that was installed.
    AgentDamaged,
    /// A run could not be started at all (disk, permissions).
    CannotStart,
    /// Whether the agent got the drain signal is not known.
    DrainUnconfirmed,
    /// The agent lives but nobody holds its lock; a keeper is being put in charge.
    AgentUnattended,
    /// CircleCI cannot be reached.
    Offline,
    /// What the user wants cannot be written to disk.
    CannotSave,
    /// Saved state cannot be read; nothing is started and nothing overwritten.
    StateUnreadable,
    /// Saved state is from a newer version; nothing is started and nothing overwritten.
    StateNewer,
    /// The settings file cannot be read.
    SettingsUnreadable,
    /// The separate job user cannot be used.
    JobUserUnusable,
    /// Part of a run directory cannot be read, so the runner counts as busy.
    RunUnreadable,
    /// A task runs that could get no records.
    TaskUnrecorded,
    /// A task ended without telling how.
    TaskLost,
    #[serde(other)]
    Other,
}

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
