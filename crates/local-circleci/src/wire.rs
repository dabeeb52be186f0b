//! What crosses between server, runner and task agent. Names and shapes of the documented calls are
//! CircleCI's; types marked "ours" belong to calls that CircleCI does not publish.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::task::{Outcome, StepPlan};

/// `POST /api/v3/runner/claim`, with the resource class's token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClaimRequest {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) hostname: String,
    #[serde(default)]
    pub(crate) ip: String,
    #[serde(default)]
    pub(crate) version: String,
}

/// Its answer when there is work.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claimed {
    pub(crate) task_token: String,
    #[serde(default)]
    pub(crate) agent_version: String,
    pub(crate) resource_class: String,
    pub(crate) allocation: String,
    #[serde(default)]
    pub(crate) is_enterprise: bool,
    pub(crate) warning: Option<String>,
}

/// `GET /api/v2/tasks/download`: where the task agent's binary lies. `variant` is ours.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Download {
    pub(crate) checksum: String,
    pub(crate) url: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) variant: String,
}

/// `GET /api/v2/task/config`, with the task's token. Only `task_id` is CircleCI's; the rest is ours.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TaskConfig {
    pub(crate) task_id: String,
    pub(crate) job_id: String,
    pub(crate) pipeline_id: String,
    pub(crate) workflow_id: String,
    pub(crate) number: u64,
    pub(crate) project: String,
    pub(crate) branch: String,
    pub(crate) job: String,
    pub(crate) revision: String,
    pub(crate) build_url: String,
    pub(crate) working_directory: Option<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) steps: Vec<StepPlan>,
    pub(crate) variant: String,
}

/// `POST /api/v2/step/start`. The fields are ours.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepStart {
    pub(crate) step: u32,
    pub(crate) name: String,
    pub(crate) step_type: String,
}

/// `POST /api/local/step/end`. Ours.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepEnd {
    pub(crate) step: u32,
    /// `None` when the step was ended by a signal.
    pub(crate) exit_code: Option<i32>,
    pub(crate) duration_ms: u64,
}

/// `POST /api/local/task/end`. Ours.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskEnd {
    pub(crate) outcome: Outcome,
}

/// Answer of `GET /api/local/task/cancel`, which waits until there is something to say. Ours.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) cancel: bool,
}

/// `POST /api/v2/task/event/fail`, with the task's token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fail {
    pub(crate) allocation: String,
    /// Milliseconds since 1970.
    pub(crate) timestamp: i64,
    /// Base64.
    pub(crate) message: String,
}

/// `POST /api/v3/runner/unclaim`, with the resource class's token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Unclaim {
    pub(crate) task_id: String,
    pub(crate) task_token: String,
}

/// The body of every refusal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) message: String,
}
