//! A task as the stand-in knows it: what is queued, how far it is, how it ended. Plain data that the
//! server keeps on disk and the control API speaks.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One step of a job: a name and a bash script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPlan {
    pub name: String,
    pub script: String,
}

/// A task's number on this server, counted from 1; also its `CIRCLE_BUILD_NUM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskNumber(pub u64);

impl fmt::Display for TaskNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TaskNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A job to be queued: where it goes, what it says it is, and its steps as bash scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTask {
    pub resource_class: String,
    /// `organisation/repository`.
    pub project: String,
    pub branch: String,
    pub job: String,
    /// The job's own working directory; relative ones lie in the runner's. `None`: the runner's.
    #[serde(default)]
    pub working_directory: Option<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    pub steps: Vec<StepPlan>,
}

impl NewTask {
    /// A job `build` on `main` of `acme/web-app`, without steps yet.
    pub fn new(resource_class: &str) -> Self {
        Self {
            resource_class: resource_class.to_owned(),
            project: "acme/web-app".to_owned(),
            branch: "main".to_owned(),
            job: "build".to_owned(),
            working_directory: None,
            environment: BTreeMap::new(),
            steps: Vec::new(),
        }
    }

    #[must_use]
    pub fn project(mut self, project: &str) -> Self {
        project.clone_into(&mut self.project);
        self
    }

    #[must_use]
    pub fn branch(mut self, branch: &str) -> Self {
        branch.clone_into(&mut self.branch);
        self
    }

    #[must_use]
    pub fn job(mut self, job: &str) -> Self {
        job.clone_into(&mut self.job);
        self
    }

    #[must_use]
    pub fn working_directory(mut self, directory: &str) -> Self {
        self.working_directory = Some(directory.to_owned());
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    #[must_use]
    pub fn step(mut self, name: &str, script: &str) -> Self {
        self.steps.push(StepPlan { name: name.to_owned(), script: script.to_owned() });
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Queued,
    Running,
    Finished,
}

/// How a task ended, in the words of CircleCI's job status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Success,
    Failed,
    Canceled,
    /// The runner gave up on it, or was never heard of again.
    InfrastructureFail,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::InfrastructureFail => "infrastructure_fail",
        })
    }
}

/// A step as the server heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// CircleCI's number of the step: 0 spin-up, 99 environment, from 101 on the job's own.
    pub step: u32,
    pub name: String,
    pub step_type: String,
    pub started_at: Timestamp,
    /// `None` while it runs, and for ever when its end was never reported.
    pub ended_at: Option<Timestamp>,
    /// `None` also when a signal ended it.
    pub exit_code: Option<i32>,
}

/// A task as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub number: TaskNumber,
    /// As in the task agent's log lines: `<job id>-0-build`.
    pub task_id: String,
    pub job_id: String,
    pub build_url: String,
    pub resource_class: String,
    pub project: String,
    pub branch: String,
    pub job: String,
    pub state: TaskState,
    /// Set when finished.
    pub outcome: Option<Outcome>,
    /// What the runner said when it gave the task up.
    pub message: Option<String>,
    /// The name of the runner that claimed it last.
    pub runner: Option<String>,
    /// How often it was claimed: more than once only after an unclaim.
    pub claims: u32,
    pub cancel_wished: bool,
    pub queued_at: Timestamp,
    pub claimed_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub unclaimed: u64,
    pub running: u64,
}
