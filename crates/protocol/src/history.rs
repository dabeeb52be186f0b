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

#[cfg(test)]
mod tests {
    use crate::TaskResult;

    #[test]
    fn a_result_that_only_a_newer_version_knows_is_unknown() {
        let result = r#"{"outcome": "retried-elsewhere", "where": "cloud"}"#;
        let result: TaskResult = serde_json::from_str(result).expect("a result");
        assert_eq!(result, TaskResult::Unknown);
    }
}
