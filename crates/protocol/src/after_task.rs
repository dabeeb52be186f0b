//! What is to happen to the whole machine once no task runs any more.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::RunnerName;

/// What is done then, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum AfterTaskAct {
    /// Every runner is paused until its owner resumes it.
    Pause,
    /// The supervisor ends, and with it all of Runner Tray that runs in the background.
    Quit,
    /// The machine sleeps; it claims tasks again when it wakes.
    Sleep,
    /// The machine starts anew.
    Restart,
}

impl AfterTaskAct {
    pub const ALL: [Self; 4] = [Self::Pause, Self::Quit, Self::Sleep, Self::Restart];

    /// As it is written in JSON and on command lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Quit => "quit",
            Self::Sleep => "sleep",
            Self::Restart => "restart",
        }
    }
}

/// `PUT /v1/after-task`; `DELETE` takes it back. No runner claims a task from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WantAfterTask {
    #[serde(rename = "do")]
    pub act: AfterTaskAct,
}

/// What was asked for and has not happened yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AfterTask {
    #[serde(rename = "do")]
    pub act: AfterTaskAct,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub since: Timestamp,
    /// The runners whose task or agent has not ended yet.
    pub waits_for: Vec<RunnerName>,
}
