//! Tasks that are over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{RunnerName, TaskId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FinishedTask {
    pub id: TaskId,
    pub runner: RunnerName,
    pub project: Option<String>,
    pub branch: Option<String>,
    pub job: Option<String>,
    pub build_number: Option<String>,
    pub link: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub started_at: Timestamp,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub finished_at: Timestamp,
    pub result: TaskResult,
    /// Where it worked, if its job chose a directory of its own; absent, too, where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub directory: Option<String>,
}

/// How a task ended, as far as this machine can tell; CircleCI has the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum TaskResult {
    Succeeded,
    Failed {
        exit_code: Option<i32>,
    },
    /// By the user's own word, here.
    Cancelled,
    /// Its wrapper died, so the task was ended.
    Lost,
    /// It is over and nothing tells how.
    #[serde(other)]
    Unknown,
}

/// The kind of a [`TaskResult`], by which tasks are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
    Lost,
    Unknown,
}

impl Outcome {
    /// As it is written in queries and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        }
    }
}

impl TaskResult {
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Succeeded => Outcome::Succeeded,
            Self::Failed { .. } => Outcome::Failed,
            Self::Cancelled => Outcome::Cancelled,
            Self::Lost => Outcome::Lost,
            Self::Unknown => Outcome::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Outcome, TaskResult};

    #[test]
    fn an_outcome_is_called_as_its_result_is_written() {
        for result in [
            TaskResult::Succeeded,
            TaskResult::Failed { exit_code: Some(1) },
            TaskResult::Cancelled,
            TaskResult::Lost,
            TaskResult::Unknown,
        ] {
            let written = serde_json::to_value(result).expect("JSON");
            assert_eq!(written["outcome"], result.outcome().as_str());
            let read: Outcome = serde_json::from_value(written["outcome"].clone()).expect("one");
            assert_eq!(read, result.outcome());
        }
    }

    #[test]
    fn a_result_that_only_a_newer_version_knows_is_unknown() {
        let result = r#"{"outcome": "retried-elsewhere", "where": "cloud"}"#;
        let result: TaskResult = serde_json::from_str(result).expect("a result");
        assert_eq!(result, TaskResult::Unknown);
    }
}
