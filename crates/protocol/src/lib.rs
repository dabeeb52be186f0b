//! What crosses the local API: the snapshot every client sees, the wishes it may send, and problems.
//! No I/O and no decisions; a field that an older or newer side does not know is ignored.

mod after_task;
mod calls;
mod circleci;
mod cleanup;
mod direction;
mod doctor;
mod history;
mod names;
mod notices;
mod pipeline;
mod preferences;
mod preinstall;
mod problem;
mod set_up;
mod snapshot;
mod spans;
#[cfg(feature = "ts")]
mod typescript;

pub use after_task::{AfterTask, AfterTaskAct, WantAfterTask};
pub use calls::{
    AgentRelease, CancelTask, ConfigText, FoundLine, Health, HistoryPage, JobsRunAs, LogPage,
    LogSearch, MoveToken, Pause, RunnerSpec, SetToken, SetUp, SetUpDone, Stopping, TokenStore,
};
pub use circleci::{
    AgentListed, Asked, ClassListed, ClassShown, CreateClass, CreateOwnToken, CreateToken,
    DeleteClass, DeleteToken, OfClass, OfNamespace, PersonalToken, Rotate, Rotated, Rotation,
    RotationStep, TokenCreated, TokenListed,
};
pub use cleanup::{
    AskPlan, CarryOut, CleanupFailure, CleanupPlan, CleanupReceipt, CleanupReceipts, CleanupRuns,
    CleanupStage, CleanupWhy, Limits, MarkWorkDir, PlanGroup, PlanItem, Preset, PresetChange,
    Presets, ReceiptGroup, Risk, SetAside, UndoCleanup, Undone, Volume, VolumeReceipt, WorkDir,
    WorkDirId, WorkDirKind, WorkDirShort, WorkDirUse, WorkDirs,
};
pub use direction::turns_direction;
pub use doctor::{Check, CheckAbout, Finding, Findings, Level};
pub use history::{FinishedTask, Outcome, TaskResult};
pub use names::{NameError, ResourceClass, RunId, RunnerName, TaskId};
pub use notices::{Notice, NoticeAbout, NoticeOffer, Notices, NoticesSeen, SeenNotices};
pub use pipeline::pipeline;
pub use preferences::{
    CleanupChange, CleanupPreference, KeepAwake, KeepAwakeChange, KeepAwakePreference,
    NotificationChange, NotificationPreference, Preferences, PreferencesChange, Weekly,
    WhenCleanupFails,
};
pub use preinstall::{
    AskExport, AskImport, AskPreinstall, HumanStep, ItemChecked, ItemState, JobPath, Preinstall,
    PreinstallAskedBy, PreinstallChecked, PreinstallEnd, PreinstallExport, PreinstallFormat,
    PreinstallHow, PreinstallImport, PreinstallItem, PreinstallJobs, PreinstallLeft, PreinstallNow,
    PreinstallOutcome, PreinstallOutput, PreinstallPlan, PreinstallPreset, PreinstallReceipt,
    PreinstallRuns, PreinstallStep, SetJobPath, SoftwareReport, StartPreinstall,
};
pub use problem::{ApiError, Heals, Problem, ProblemCode};
pub use set_up::{AdminStep, CheckJobUser, JobUserCheck, TokenSeen};
pub use snapshot::{
    Boundary, Bytes, Install, InstallWaits, PauseBy, PauseReason, Runner, RunnerState, Snapshot,
    SupervisorInfo, Task, Usage,
};
pub use spans::{HistorySpan, HistorySpans};
#[cfg(feature = "ts")]
pub use typescript::typescript;

/// The version in the path of every call (`/v1/...`). Neighbouring releases speak the same one.
pub const API_VERSION: u32 = 1;
