//! The stand-in's own control API: what tests and the demo ask of the server that CircleCI's API
//! has no word for. A blocking client and the shapes it speaks.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::http::{Api, ApiError};
pub use crate::wire::StepPlan;

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

/// A runner that called claim at least once since the server started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: String,
    pub resource_class: String,
    pub name: String,
    pub hostname: String,
    pub ip: String,
    pub version: String,
    pub is_busy: bool,
    /// How often it called claim, answered with a task or not.
    pub claim_calls: u64,
    pub first_connected: Timestamp,
    pub last_connected: Timestamp,
    /// When it last took a task.
    pub last_used: Option<Timestamp>,
}

/// Trouble for the calls whose path starts with `path`, in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    pub path: String,
    /// How many calls it meets; `None` = all.
    pub times: Option<u32>,
    /// Waits before the call is looked at.
    pub wait_before_ms: u64,
    /// Answers so instead of looking at the call.
    pub status: Option<u16>,
    /// Waits after the call had its effect, before the answer.
    pub wait_after_ms: u64,
    /// The call has its effect, but the answer is a 502.
    pub lose_answer: bool,
    /// One byte of the answer's body is another.
    pub garble: bool,
    /// The connection ends after so many bytes of the body.
    pub cut_after: Option<usize>,
}

/// A blocking client of the control API. Not for use inside an async task.
pub struct Control {
    api: Api,
}

/// How long [`Control::wait_finished`] and [`Control::wait_running`] wait.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// One call's share of a wait.
const LONG_POLL: Duration = Duration::from_secs(10);

impl Control {
    /// `url` as `local-circleci serve` prints it.
    pub fn new(url: &str) -> Result<Self, ApiError> {
        Ok(Self { api: Api::new(url, Duration::from_secs(30))? })
    }

    pub fn url(&self) -> &str {
        self.api.base()
    }

    /// # Errors
    /// Refused with 404 when the resource class does not exist.
    pub fn enqueue(&self, task: &NewTask) -> Result<TaskNumber, ApiError> {
        self.api.post("/control/tasks", task)?.json()
    }

    /// All tasks, oldest first.
    pub fn tasks(&self) -> Result<Vec<Task>, ApiError> {
        self.api.get("/control/tasks")?.json()
    }

    pub fn task(&self, number: TaskNumber) -> Result<Task, ApiError> {
        self.api.get(&format!("/control/tasks/{number}"))?.json()
    }

    /// What all of a task's steps printed so far, one after the other.
    pub fn output(&self, number: TaskNumber) -> Result<String, ApiError> {
        Ok(self.api.get(&format!("/control/tasks/{number}/output"))?.text())
    }

    /// What one step printed so far; `step` as in [`Step::step`].
    pub fn step_output(&self, number: TaskNumber, step: u32) -> Result<Vec<u8>, ApiError> {
        Ok(self.api.get(&format!("/control/tasks/{number}/steps/{step}/output"))?.body)
    }

    /// Waits [`PATIENCE`] long for the task's end.
    pub fn wait_finished(&self, number: TaskNumber) -> Result<Task, ApiError> {
        self.wait(number, TaskState::Finished, PATIENCE)
    }

    /// Waits [`PATIENCE`] long until the task is claimed (or finished).
    pub fn wait_running(&self, number: TaskNumber) -> Result<Task, ApiError> {
        self.wait(number, TaskState::Running, PATIENCE)
    }

    /// Waits until the task is in `state` or a later one.
    ///
    /// # Errors
    /// Refused with 408 when `limit` passes first.
    pub fn wait(
        &self,
        number: TaskNumber,
        state: TaskState,
        limit: Duration,
    ) -> Result<Task, ApiError> {
        let state = match state {
            TaskState::Queued => "queued",
            TaskState::Running => "running",
            TaskState::Finished => "finished",
        };
        let mut left = limit;
        loop {
            let turn = left.min(LONG_POLL);
            let path =
                format!("/control/tasks/{number}/wait?state={state}&limit_ms={}", turn.as_millis());
            left -= turn;
            match self.api.get(&path) {
                Err(error) if error.status() == Some(408) && !left.is_zero() => {}
                answer => return answer?.json(),
            }
        }
    }

    /// Tells the task agent to cancel the task; a queued task ends at once.
    pub fn cancel(&self, number: TaskNumber) -> Result<(), ApiError> {
        self.api.post(&format!("/control/tasks/{number}/cancel"), &()).map(drop)
    }

    pub fn counts(&self, resource_class: &str) -> Result<Counts, ApiError> {
        self.api.get(&format!("/control/counts?resource-class={resource_class}"))?.json()
    }

    pub fn agents(&self) -> Result<Vec<Agent>, ApiError> {
        self.api.get("/control/agents")?.json()
    }

    /// While held, no runner gets a task.
    pub fn hold(&self, held: bool) -> Result<(), ApiError> {
        self.put("/control/hold", &serde_json::json!({ "held": held }))
    }

    /// Sets what runner and task agent are told (see [`crate::Variant`]).
    pub fn set_variant(&self, variant: &str) -> Result<(), ApiError> {
        self.put("/control/variant", &serde_json::json!({ "variant": variant }))
    }

    /// Makes `version` the manifest's `current`.
    pub fn set_current_release(&self, version: &str) -> Result<(), ApiError> {
        self.put("/control/releases/current", &serde_json::json!({ "version": version }))
    }

    /// All tokens of the resource class are refused from now on (until a restart of the server).
    pub fn revoke_tokens(&self, resource_class: &str) -> Result<(), ApiError> {
        let body = serde_json::json!({ "resource_class": resource_class });
        self.api.post("/control/tokens/revoke", &body).map(drop)
    }

    /// A further token for a resource class, which is made where it is new.
    pub fn new_token(&self, resource_class: &str) -> Result<String, ApiError> {
        let body = serde_json::json!({ "resource_class": resource_class });
        self.api.post("/control/tokens", &body)?.json()
    }

    pub fn add_fault(&self, fault: &Fault) -> Result<(), ApiError> {
        self.api.post("/control/faults", fault).map(drop)
    }

    pub fn clear_faults(&self) -> Result<(), ApiError> {
        self.api.send(Method::DELETE, "/control/faults", &()).map(drop)
    }

    fn put(&self, path: &str, body: &serde_json::Value) -> Result<(), ApiError> {
        self.api.send(Method::PUT, path, body).map(drop)
    }
}
