//! What a set-up asks on its way: whether jobs can have a user of their own, whether the token works.

use serde::{Deserialize, Serialize};

/// `POST /v1/job-user/check`: whether jobs can run as this user. Changes nothing, and may be asked
/// again after every step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CheckJobUser {
    pub user: String,
}

/// What came of trying it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct JobUserCheck {
    pub user: String,
    pub usable: bool,
    /// What was found, one sentence; absent where it is usable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub found: Option<String>,
    /// What an admin does once, in this order; empty where nothing is to be done or nothing helps.
    pub steps: Vec<AdminStep>,
}

/// One step, for people; what it makes them type is apart, to copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AdminStep {
    pub words: String,
    /// For a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub command: Option<String>,
    /// The line that goes into the file which `command` opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub line: Option<String>,
}

/// What is known of a runner's token.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TokenSeen {
    /// CircleCI has answered a claim with it.
    Accepted,
    Refused,
    /// None is stored.
    Missing,
    /// It has not been tried yet, or only a newer version knows.
    #[default]
    #[serde(other)]
    Untried,
}
