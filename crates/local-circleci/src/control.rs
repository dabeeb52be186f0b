//! The stand-in's own control API: what tests and the demo ask of the server that CircleCI's API
//! has no word for. A blocking client; inside async code give it a thread of its own.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::http::{Api, ApiError};
pub use crate::odd::{Certificate, OddArchive, OddManifest};
pub use crate::task::{Counts, NewTask, Outcome, Step, StepPlan, Task, TaskNumber, TaskState};

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
    /// Meets calls of this method alone, for example `POST`; `None` = of any.
    pub method: Option<String>,
    /// How many calls it meets; `None` = all.
    pub times: Option<u32>,
    /// Waits before the call is looked at.
    pub wait_before_ms: u64,
    /// Answers so instead of looking at the call.
    pub status: Option<u16>,
    /// The `Retry-After` of that answer, as it stands there.
    pub retry_after: Option<String>,
    /// Waits after the call had its effect, before the answer.
    pub wait_after_ms: u64,
    /// The call has its effect, but the answer is a 502.
    pub lose_answer: bool,
    /// One byte of the answer's body is another.
    pub garble: bool,
    /// The connection ends after so many bytes of the body.
    pub cut_after: Option<usize>,
    /// The same by a RST.
    pub reset_after: Option<usize>,
    /// The call has its effect, but the connection ends without an answer.
    pub hang_up: bool,
    /// The body comes at most so fast, until the faults are cleared.
    pub bytes_per_second: Option<u64>,
    /// The answer says that its body is so long.
    pub says_length: Option<u64>,
    /// A part that is asked for is answered with the whole.
    pub ignores_range: bool,
}

/// The server by https.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Https {
    /// `https://localhost:PORT`; the certificate is good for `releases.example` and
    /// `runner.example` too.
    pub url: String,
    /// The certificate of the authority that a client has to trust, as PEM.
    pub authority: String,
}

/// A call for something of the release bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    pub path: String,
    /// The first byte that was asked for.
    pub from: u64,
}

/// Which form of the user API the server speaks; the other has no pages then (404).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserApi {
    #[default]
    Both,
    /// As CircleCI Server does: `{"items": [...]}`.
    Flat,
    /// `{"data": ..., "page": ...}`.
    Enveloped,
}

impl std::str::FromStr for UserApi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "both" => Ok(Self::Both),
            "flat" => Ok(Self::Flat),
            "enveloped" => Ok(Self::Enveloped),
            other => Err(format!("{other:?} is none of both, flat, enveloped")),
        }
    }
}

/// A blocking client of the control API.
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

    /// The next claim of the task's class is answered with this task, though another runner has it:
    /// a claim that is answered twice.
    pub fn hand_out_again(&self, number: TaskNumber) -> Result<(), ApiError> {
        self.api.post(&format!("/control/tasks/{number}/again"), &()).map(drop)
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

    pub fn set_user_api(&self, spoken: UserApi) -> Result<(), ApiError> {
        self.put("/control/user-api", &serde_json::json!(spoken))
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

    /// The server by https; opened by the first call.
    pub fn https(&self) -> Result<Https, ApiError> {
        self.open_https(false)
    }

    /// The same, where a client may go on with an earlier session and so be shown no certificate.
    pub fn https_that_resumes(&self) -> Result<Https, ApiError> {
        self.open_https(true)
    }

    fn open_https(&self, resumes: bool) -> Result<Https, ApiError> {
        self.api.post("/control/https", &serde_json::json!({ "resumes": resumes }))?.json()
    }

    /// What is shown to clients that come by https, from the next one on.
    pub fn show_certificate(&self, certificate: Certificate) -> Result<(), ApiError> {
        self.put("/control/https/certificate", &serde_json::json!({ "certificate": certificate }))
    }

    /// All releases are this archive, with the right sum; `None`: true ones again.
    pub fn offer_odd_archive(&self, odd: Option<OddArchive>) -> Result<(), ApiError> {
        self.put("/control/releases/archive", &serde_json::json!({ "odd": odd }))
    }

    /// The manifest is this; `None`: the true one again.
    pub fn offer_odd_manifest(&self, odd: Option<OddManifest>) -> Result<(), ApiError> {
        self.put("/control/releases/manifest", &serde_json::json!({ "odd": odd }))
    }

    /// What of the release bucket was asked for, oldest first.
    pub fn downloads(&self) -> Result<Vec<Download>, ApiError> {
        self.api.get("/control/downloads")?.json()
    }

    fn put(&self, path: &str, body: &serde_json::Value) -> Result<(), ApiError> {
        self.api.send(Method::PUT, path, body).map(drop)
    }
}
