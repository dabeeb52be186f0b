//! What was asked for and outlives us: `wanted.json`.

use std::collections::BTreeMap;

use protocol::{PauseReason, RunnerName};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    pub runners: BTreeMap<RunnerName, WantedRunner>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRunner {
    /// At most one by each; any of them holds the runner.
    #[serde(default)]
    pub pauses: Vec<PauseReason>,
}
