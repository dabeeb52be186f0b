//! What crosses the local API: the snapshot every client sees, the wishes it may send, and problems.
//! No I/O and no decisions; a field that an older or newer side does not know is ignored.

mod calls;
mod circleci;
mod doctor;
mod history;
mod names;
mod problem;
mod snapshot;
#[cfg(feature = "ts")]
mod typescript;

pub use calls::{
    AgentRelease, CancelTask, ConfigText, FoundLine, Health, HistoryPage, LogPage, LogSearch,
    MoveToken, Pause, RunnerSpec, SetToken, SetUp, SetUpDone, Stopping, TokenStore,
};
pub use circleci::{
    AgentListed, Asked, ClassListed, ClassShown, CreateClass, CreateOwnToken, CreateToken,
    DeleteClass, DeleteToken, OfClass, OfNamespace, PersonalToken, Rotate, Rotated, Rotation,
    RotationStep, TokenCreated, TokenListed,
};
pub use doctor::{Check, CheckAbout, Finding, Findings, Level};
pub use history::{FinishedTask, Outcome, TaskResult};
pub use names::{NameError, ResourceClass, RunId, RunnerName, TaskId};
pub use problem::{ApiError, Problem, ProblemCode};
pub use snapshot::{
    Boundary, Bytes, Install, InstallWaits, PauseBy, PauseReason, Runner, RunnerState, Snapshot,
    SupervisorInfo, Task, Usage,
};
#[cfg(feature = "ts")]
pub use typescript::typescript;

/// The version in the path of every call (`/v1/...`). Neighbouring releases speak the same one.
pub const API_VERSION: u32 = 1;
