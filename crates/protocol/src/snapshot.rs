//! The whole truth a client sees at one moment. Logs and history are asked for page by page instead.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    AfterTask, CleanupRuns, FinishedTask, KeepAwake, NoticesSeen, Preferences, PreinstallNow,
    Problem, ResourceClass, RunId, RunnerName, TaskId, TokenSeen, TokenStore, Volume, WorkDirShort,
};

/// A size in bytes.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "number"))]
pub struct Bytes(pub u64);

impl Bytes {
    /// "812 B", "41 MB", "2.1 GB": powers of ten, as disks are sold and shown.
    pub fn words(self) -> String {
        const UNITS: [(u64, &str); 4] =
            [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
        let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| self.0 >= *unit) else {
            return format!("{} B", self.0);
        };
        let (whole, tenth) = (self.0 / unit, self.0 % unit / (unit / 10));
        if whole < 10 { format!("{whole}.{tenth} {name}") } else { format!("{whole} {name}") }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Snapshot {
    /// Grows by one with every change since the supervisor started.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub revision: u64,
    pub supervisor: SupervisorInfo,
    pub runners: Vec<Runner>,
    /// Problems of the machine as a whole; a runner's own are with the runner.
    pub problems: Vec<Problem>,
    /// Absent where the settings cannot be read, and from a supervisor that knows of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub preferences: Option<Preferences>,
    /// What happens once no task runs any more, where somebody asked for something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub after_task: Option<AfterTask>,
    /// Absent from a supervisor that keeps nothing awake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub keep_awake: Option<KeepAwake>,
    /// Absent from a supervisor that gives no notice, and where they cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub notices: Option<NoticesSeen>,
    /// The volumes that tasks fill; none where they were not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<Volume>>"))]
    pub volumes: Vec<Volume>,
    /// The clean-up that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cleanup: Option<CleanupRuns>,
    /// Working directories, the largest first, as they were last looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<WorkDirShort>>"))]
    pub work_dirs: Vec<WorkDirShort>,
    /// What jobs need is looked at or installed, or was installed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub preinstall: Option<PreinstallNow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SupervisorInfo {
    pub version: String,
    pub pid: u32,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub started_at: Timestamp,
}

/// What a runner is doing; ordered, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum RunnerState {
    /// Something is wrong that needs somebody.
    Problem,
    /// CircleCI is not reached.
    Offline,
    /// The agent finishes its task and claims no more.
    Draining,
    /// A task runs.
    Busy,
    /// The agent is being installed or replaced.
    Updating,
    /// No agent runs because somebody or something holds it.
    Paused,
    /// The agent waits for a task.
    Idle,
    /// Not known, or known only to a newer version; treated as busy.
    #[serde(other)]
    Unknown,
}

impl RunnerState {
    /// For people, as it is on the wire: no two are called the same.
    pub fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
            Self::Draining => "draining",
            Self::Busy => "busy",
            Self::Updating => "updating",
            Self::Paused => "paused",
            Self::Idle => "idle",
        }
    }

    /// Beside the word, so that no state is told by colour alone.
    pub fn shape(self) -> &'static str {
        match self {
            Self::Problem => "▲",
            Self::Offline => "◌",
            Self::Unknown => "?",
            Self::Draining => "◐",
            Self::Busy => "●",
            Self::Updating => "↻",
            Self::Paused => "‖",
            Self::Idle => "○",
        }
    }

    /// Among several runners the smallest is the one to show.
    fn rank(self) -> u8 {
        match self {
            Self::Problem => 0,
            Self::Offline => 1,
            Self::Unknown => 2,
            Self::Draining => 3,
            Self::Busy => 4,
            Self::Updating => 5,
            Self::Paused => 6,
            Self::Idle => 7,
        }
    }
}

impl Ord for RunnerState {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for RunnerState {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Who holds a pause. Resume by the user clears `You` and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PauseBy {
    You,
    /// Too little free space.
    Disk,
    /// Outside the hours in which the machine is lent.
    Schedule,
    /// Something is to happen once no task runs: see `after_task`.
    AfterTask,
    /// What jobs need is installed: see `preinstall`.
    Preinstall,
    /// Something that only a newer version knows.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PauseReason {
    pub by: PauseBy,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub since: Timestamp,
    /// When it ends by itself; absent = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "string", optional))]
    pub until: Option<Timestamp>,
    /// The user's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub note: Option<String>,
    /// What was read that led to it ("free 9.8 GB, needs 15 GB").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub reading: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Runner {
    pub name: RunnerName,
    pub resource_class: ResourceClass,
    /// CircleCI's address, where it is not the cloud's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub api_url: Option<String>,
    pub state: RunnerState,
    /// The state in words, without the runner's name: "Finishing a task, then paused".
    pub headline: String,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub state_since: Timestamp,
    pub pause_reasons: Vec<PauseReason>,
    pub task: Option<Task>,
    pub problems: Vec<Problem>,
    pub agent_version: Option<String>,
    pub agent_pid: Option<u32>,
    pub run: Option<RunId>,
    /// Where tasks work by default.
    pub working_directory: String,
    pub boundary: Boundary,
    /// The download in progress.
    pub install: Option<Install>,
    pub last_task: Option<FinishedTask>,
    /// What CircleCI made of the token.
    #[serde(default)]
    pub token: TokenSeen,
    /// Where the token is kept; absent where the settings do not name the runner, and from a
    /// supervisor that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub token_store: Option<TokenStore>,
}

/// What stands between a job and its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Boundary {
    /// Jobs run as the owner and can read what the owner can.
    SameUser {
        /// What that means, in the words of promise 4.
        meaning: String,
    },
    /// Jobs run as a user of their own.
    JobUser { user: String, meaning: String },
    /// Known only to a newer version; treated as none.
    #[serde(other)]
    Unknown,
}

/// How far the agent's download is.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Install {
    pub version: Option<String>,
    pub received: Bytes,
    pub total: Option<Bytes>,
    /// A second, over the last few seconds; absent until it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub rate: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "number", optional))]
    pub seconds_left: Option<u64>,
    /// It stands still until it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub waits: Option<InstallWaits>,
}

/// Why a download stands still, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct InstallWaits {
    pub why: String,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub until: Timestamp,
}

/// A task that runs now. Every name in it may be unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Task {
    pub id: TaskId,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub started_at: Timestamp,
    pub project: Option<String>,
    pub branch: Option<String>,
    pub job: Option<String>,
    pub build_number: Option<String>,
    /// The job's page; always https or http.
    pub link: Option<String>,
    pub step: Option<String>,
    pub directory: Option<String>,
    pub pid: Option<u32>,
    /// The user has confirmed its end and the signal is on its way.
    pub cancelling: bool,
    /// Sampled while somebody looks.
    pub usage: Option<Usage>,
}

/// What a task's own processes use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Usage {
    pub processes: u32,
    /// Of one core; 250 = two and a half cores. Absent at the first sample.
    pub cpu_percent: Option<f64>,
    pub cpu_seconds: f64,
    pub memory: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_one_word_for_people_and_programs_and_a_shape_of_its_own() {
        let states = [
            RunnerState::Problem,
            RunnerState::Offline,
            RunnerState::Unknown,
            RunnerState::Draining,
            RunnerState::Busy,
            RunnerState::Updating,
            RunnerState::Paused,
            RunnerState::Idle,
        ];
        for state in states {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
            let same = states.iter().filter(|other| other.shape() == state.shape());
            assert_eq!(same.count(), 1, "{state:?}");
        }
        assert!(states.is_sorted(), "the worst first");
    }
}
