//! What a client may ask for. Wishes are idempotent: said twice is said once.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Bytes, FinishedTask, ResourceClass, RunId, RunnerName, TaskId};

/// `PUT /v1/runners/{name}`: make the runner be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    #[serde(flatten)]
    pub spec: RunnerSpec,
    /// Write-only: no call gives it back. Absent keeps the stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SetToken>,
}

/// Everything about a runner that the user decides, but for its name and token. What is absent stays
/// as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerSpec {
    pub resource_class: ResourceClass,
    /// Absolute. At first: one of the runner's own in the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// At first: CircleCI's cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// The folder that holds `manifest.json`. At first: CircleCI's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases_url: Option<String>,
    /// At first: the owner.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub job_user: Option<JobsRunAs>,
    /// Absent: as it is, at first the keychain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_store: Option<TokenStore>,
}

/// Whose rights jobs have. On the wire a user's name, or null for the owner of the runner: said, and
/// not left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub enum JobsRunAs {
    Owner,
    User(String),
}

impl From<Option<String>> for JobsRunAs {
    fn from(user: Option<String>) -> Self {
        user.map_or(Self::Owner, Self::User)
    }
}

impl From<JobsRunAs> for Option<String> {
    fn from(whose: JobsRunAs) -> Self {
        match whose {
            JobsRunAs::Owner => None,
            JobsRunAs::User(user) => Some(user),
        }
    }
}

/// A field that is there, whatever it holds: null is a value, too.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TokenStore {
    #[default]
    Keychain,
    /// A file only the owner can read, by the owner's explicit word.
    File,
}

/// `PUT /v1/runners/{name}/token`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetToken(pub String);

impl std::fmt::Debug for SetToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

/// `PUT /v1/runners/{name}/token/store`: keep the token there from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveToken {
    pub to: TokenStore,
}

impl TokenStore {
    /// The one of the two that it is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Keychain => Self::File,
            Self::File => Self::Keychain,
        }
    }
}

/// What a set-up did, in sentences; empty when everything was so already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUpDone {
    pub did: Vec<String>,
    /// True where a token was refused, forgotten or never given.
    pub needs_token: bool,
}

/// `PUT /v1/runners/{name}/pause`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Absolute, so that sleep and clock changes cannot stretch it. Absent: until resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `POST /v1/runners/{name}/cancel`: end this task now. The task is named so that a late word
/// cannot hit the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelTask {
    pub task: TaskId,
}

/// `GET /v1/history?runner=&result=&project=&since=&until=&before=&limit=`: newest first. `result` is an
/// [`crate::Outcome`], `project` a whole name; those that ended at `since` or later and before `until`,
/// moments in RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    pub tasks: Vec<FinishedTask>,
    /// Pass as `before` to go on; absent at the end.
    pub before: Option<TaskId>,
}

/// `GET /v1/runners/{name}/logs?run=&from=&before=&lines=&limit=&wait=`: a part of what the agent
/// wrote, tokens taken out, as text of about `limit` bytes. It begins `from` a place or so many `lines`
/// before the end, or stands `before` a place; with none of them it is the last there is. Pages that
/// follow one another make up the whole.
///
/// A place is `<run>:<byte>`, or `<run>:end`. It stays what it is when the log is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LogPage {
    /// Whole lines, but for the last one where it is not whole yet, and for lines longer than a page.
    pub text: String,
    /// Absent where the runner has not run yet.
    #[serde(default)]
    pub run: Option<RunId>,
    /// The place of the first byte.
    #[serde(default)]
    pub from: String,
    /// Pass as `from` to go on; where the run has ended and there is a later one that is named, unless
    /// one run was asked for with `run`.
    pub next: String,
    /// Pass as `before` for what stands above, in the run before this too; absent where that is
    /// nothing.
    #[serde(default)]
    pub before: Option<String>,
    /// True where no more is written yet.
    pub at_end: bool,
    /// The place after all that was written then: an end for whoever does not follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub end: Option<String>,
    /// Nothing will be added to this run any more.
    #[serde(default)]
    pub ended: bool,
    /// What stood between the place that was asked for and this page, and is deleted.
    #[serde(default)]
    pub missed: Bytes,
}

/// `GET /v1/runners/{name}/logs/search?word=&run=&from=&limit=`: lines of one run with a word in them,
/// the newest run's unless another is named. In either case where the word has no capital letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LogSearch {
    /// Absent where the runner has not run yet.
    pub run: Option<RunId>,
    /// First to last, at most `limit`.
    pub found: Vec<FoundLine>,
    /// Pass as `from` to go on, whether anything was found or not; absent at the end of the log.
    pub next: Option<String>,
    /// How much was looked through for this answer.
    pub searched: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FoundLine {
    /// The place of the text's first byte; pass it as `from` of `logs` to read there.
    pub at: String,
    /// Without its line end.
    pub text: String,
    /// False where the line is long and this is only what stands around the word.
    pub whole: bool,
}

/// `GET /v1/agents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRelease {
    pub version: String,
    pub sha256: String,
    pub path: String,
    /// Runners that use it now.
    pub used_by: Vec<RunnerName>,
}

/// `GET /v1/runners/{name}/config`: the configuration the agent was or would be started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigText {
    /// YAML; the token is not in it.
    pub yaml: String,
}

/// `GET /v1/health`: who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub version: String,
    pub pid: u32,
    /// [`crate::API_VERSION`] of the supervisor.
    pub protocol: u32,
}

/// `POST /v1/stop`: end the supervisor. Agents and tasks go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    pub pid: u32,
    /// Runners whose agents go on without it.
    pub left_running: Vec<RunnerName>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_user_is_named_taken_away_or_left_as_it_is() {
        for (said, meant) in [
            (json!({ "resource_class": "acme/macos" }), None),
            (json!({ "resource_class": "acme/macos", "job_user": null }), Some(JobsRunAs::Owner)),
            (
                json!({ "resource_class": "acme/macos", "job_user": "ci" }),
                Some(JobsRunAs::User("ci".to_owned())),
            ),
        ] {
            let set_up: SetUp = serde_json::from_value(said.clone()).unwrap();
            assert_eq!(set_up.spec.job_user, meant, "{said}");
            assert_eq!(serde_json::to_value(&set_up).unwrap(), said);
        }
    }
}
