//! What was asked for and outlives us: `wanted.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protocol::{AfterTaskAct, PauseReason, RunnerName};
use serde::{Deserialize, Serialize};

use crate::facts::RunnerFacts;

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    pub runners: BTreeMap<RunnerName, WantedRunner>,
    /// Of the whole machine; gone before it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_task: Option<WantedAfterTask>,
    /// The weekly clean-up is due at its first time after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly_cleanup_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedAfterTask {
    #[serde(rename = "do")]
    pub act: AfterTaskAct,
    pub since: Timestamp,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRunner {
    /// At most one by each; any of them holds the runner.
    #[serde(default)]
    pub pauses: Vec<PauseReason>,
    /// No agent is to be installed until somebody wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_install: Option<StoppedInstall>,
}

/// The owner's word that an installation ends. It is said of one place of releases; another one is
/// asked as if nothing had been said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedInstall {
    pub since: Timestamp,
    pub releases_url: String,
}

impl Wanted {
    /// Since when this runner is to have no agent installed.
    pub(crate) fn install_stopped(&self, runner: &RunnerFacts) -> Option<Timestamp> {
        let stopped = self.runners.get(&runner.name)?.stopped_install.as_ref()?;
        (stopped.releases_url == runner.releases_url).then_some(stopped.since)
    }

    /// The owner wants an installation again, or has an agent without one.
    pub(crate) fn forget_stop(&mut self, runner: &RunnerName) {
        if let Some(wants) = self.runners.get_mut(runner) {
            wants.stopped_install = None;
        }
    }

    /// The settings name these runners: what was stopped elsewhere, or of others, is void.
    pub(crate) fn forget_stops_but_of(&mut self, runners: &[RunnerFacts]) {
        for (name, wants) in &mut self.runners {
            let is_of = |stopped: &StoppedInstall| {
                runners.iter().any(|it| it.name == *name && it.releases_url == stopped.releases_url)
            };
            wants.stopped_install.take_if(|stopped| !is_of(stopped));
        }
    }

    /// Runners of which nothing is wanted need no line.
    pub(crate) fn tidy(&mut self) {
        self.runners.retain(|_, wants| *wants != WantedRunner::default());
    }
}
