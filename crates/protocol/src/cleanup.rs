//! What tasks leave on the disk, and what is done about it: working directories, presets, plans and
//! receipts. A plan is the list that a dry run shows, and the one that is carried out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bytes, RunnerName, TaskId};

/// `GET /v1/workdirs?runner=&measure=`: with `measure=1` those that were not measured yet are, which
/// takes a while; else what is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WorkDirs {
    /// The largest first, those whose size is not known at the end.
    pub directories: Vec<WorkDir>,
    pub volumes: Vec<Volume>,
}

/// A directory that tasks of one runner work in, or worked in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WorkDir {
    /// Names it in calls.
    pub id: WorkDirId,
    pub runner: RunnerName,
    pub kind: WorkDirKind,
    /// For people: what is no text in it is escaped.
    pub path: String,
    /// On disk; absent: not measured, or it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub size: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "number", optional))]
    pub files: Option<u64>,
    /// When it was last worked in, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "string", optional))]
    pub used_at: Option<Timestamp>,
    /// The last task in it; gone from the history where `project` and `job` are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub task: Option<TaskId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub job: Option<String>,
    /// The user that it belongs to, where that is not its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub job_user: Option<String>,
    pub in_use: WorkDirUse,
    /// The owner's mark: no plan ever names it.
    pub never_delete: bool,
    /// Why it cannot be deleted from here, in words, with what to do where there is something; absent: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub kept_because: Option<String>,
}

/// `<runner>` for the working directory itself, `<runner>/<name>` for another one, `<runner>:<path>` for one
/// that a job chose or that no runner works in any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct WorkDirId(pub String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum WorkDirKind {
    /// Where the runner's next task begins.
    Current,
    /// What an earlier task worked in, set aside by a fresh start.
    Kept,
    /// One that a job chose itself: shown, and never deleted by a rule.
    Chosen,
    /// Left by a runner that was removed, or works elsewhere now: deleted by hand, never by a rule. Or by an
    /// earlier job user: then an admin deletes it.
    Left,
    /// Known only to a newer version.
    #[serde(other)]
    Other,
}

/// Known by the task's lock, never by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum WorkDirUse {
    Free,
    InUse,
    /// Cannot be told, which counts as in use.
    #[serde(other)]
    Unknown,
}

/// A volume that tasks fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Volume {
    /// A folder on it.
    pub path: String,
    /// What of ours lies on it, in words ("tasks, temporary files").
    pub holds: String,
    pub total: Bytes,
    pub free: Bytes,
    /// Below this no task is claimed.
    pub stops_below: Bytes,
    /// Above this they are claimed again.
    pub goes_on_above: Bytes,
}

/// `PUT /v1/workdirs/never-delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct MarkWorkDir {
    pub id: WorkDirId,
    pub never_delete: bool,
}

/// `GET /v1/presets`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Presets {
    pub presets: Vec<Preset>,
}

/// Something that can be cleaned up, and whether the owner has it done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Preset {
    pub id: String,
    pub title: String,
    /// What it touches, one sentence.
    pub touches: String,
    /// What for, one sentence.
    pub why: String,
    pub risk: Risk,
    /// Done by itself: before each task, or in the weekly run.
    pub on: bool,
    /// As it is without a word of the owner's.
    pub on_by_default: bool,
    /// It may run before a task; the others wait until no task runs.
    pub before_task: bool,
    pub limits: Limits,
    /// Those that hold without a word of the owner's.
    #[serde(default)]
    pub usual_limits: Limits,
    /// Why it does nothing on this machine, one sentence; absent: it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub not_here: Option<String>,
    /// From the owner's settings.
    pub own: bool,
}

/// What a mistake of it would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Time: it is made again.
    Low,
    /// A download, or a long build.
    Medium,
    /// It is gone.
    #[serde(other)]
    High,
}

/// Which of a preset's things stay. A limit that is absent has no say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Limits {
    /// The last so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub keep_last: Option<u32>,
    /// What was used within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub unused_days: Option<u32>,
    /// So many bytes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub at_most: Option<Bytes>,
}

/// `PUT /v1/presets/{id}`: what is absent stays as it is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PresetChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub on: Option<bool>,
    /// They take the place of all that hold: one that is not named has no say any more. None named: the
    /// usual ones hold again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub limits: Option<Limits>,
}

/// `POST /v1/cleanup/plan`: what would go. Measures, which takes a while; the newest plan is the one
/// that can be carried out.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AskPlan {
    /// These presets; absent, and no directories are named: those that are on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub presets: Option<Vec<String>>,
    /// These working directories, whatever the presets say.
    #[serde(default)]
    pub directories: Vec<WorkDirId>,
    /// Of this runner alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub runner: Option<RunnerName>,
}

/// What would go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanupPlan {
    /// Names it in `POST /v1/cleanup`.
    pub id: String,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub made_at: Timestamp,
    /// The largest first; those that have nothing to do here say why.
    pub groups: Vec<PlanGroup>,
    /// Of all groups, as far as is known before.
    pub bytes: Bytes,
    /// Entries of all groups.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub entries: u64,
    /// What could not be looked at, such as all of a job user's, and is not in the plan.
    #[serde(default)]
    pub failures: Vec<CleanupFailure>,
}

/// What one preset would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PlanGroup {
    /// A preset's id, or `directories` for those that were named.
    pub preset: String,
    pub title: String,
    pub risk: Risk,
    /// As far as is known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub bytes: Option<Bytes>,
    /// The largest first, at most 500.
    pub items: Vec<PlanItem>,
    /// So many more that are not listed here.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub more: u64,
    /// Why nothing, or not all, is done, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub note: Option<String>,
}

/// One thing that would go, or one command that would run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PlanItem {
    /// A path, or a command line; escaped, to be shown as it is.
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub bytes: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "string", optional))]
    pub used_at: Option<Timestamp>,
    /// Why it goes, without a final period.
    pub why: String,
}

/// `POST /v1/cleanup`: carry this plan out, these groups of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CarryOut {
    pub plan: String,
    /// Presets of the plan; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub presets: Option<Vec<String>>,
}

/// Clean-up at work, in the snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanupRuns {
    pub why: CleanupWhy,
    pub stage: CleanupStage,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub since: Timestamp,
    /// Entries that were looked at, or removed.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub entries: u64,
    /// Of those, on disk.
    pub bytes: Bytes,
    /// What it will come to, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub of: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CleanupStage {
    Measuring,
    Removing,
    /// Known only to a newer version.
    #[serde(other)]
    Other,
}

/// Who or what began a clean-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CleanupWhy {
    You,
    BeforeTask,
    Weekly,
    LowDisk,
    /// What earlier ones had set aside, or were cut short at.
    Rest,
    /// Known only to a newer version.
    #[serde(other)]
    Other,
}

/// `GET /v1/cleanup/receipts?limit=&before=`: the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanupReceipts {
    pub receipts: Vec<CleanupReceipt>,
    /// Pass as `before` to go on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "number", optional))]
    pub before: Option<u64>,
}

/// What a clean-up did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanupReceipt {
    /// Grows with every receipt.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub id: u64,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    pub why: CleanupWhy,
    /// Absent: of the whole machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub runner: Option<RunnerName>,
    /// The task that it was done for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub task: Option<TaskId>,
    /// What was removed had so many bytes on disk. What a process has open, or a snapshot holds, comes
    /// free later: see `volumes`.
    pub freed: Bytes,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seconds: u64,
    pub groups: Vec<ReceiptGroup>,
    /// What the file systems say, for each folder that something went from.
    pub volumes: Vec<VolumeReceipt>,
    /// What stayed and why, at most 100.
    pub failures: Vec<CleanupFailure>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub more_failures: u64,
    /// Until then `POST /v1/cleanup/undo` puts back what is in the trash; absent: nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(type = "string", optional))]
    pub undo_until: Option<Timestamp>,
    /// It was put back.
    pub undone: bool,
    /// Why it ended before its end, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cut_short: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReceiptGroup {
    pub preset: String,
    pub title: String,
    pub planned: Option<Bytes>,
    pub freed: Bytes,
    /// Entries that went.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub went: u64,
    /// Entries that stayed.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub stayed: u64,
    /// Of those that went, what lies in the trash and may be put back; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub set_aside: Option<SetAside>,
    /// What a command said at its end, or why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub note: Option<String>,
}

/// It has freed nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SetAside {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub entries: u64,
    /// As planned.
    pub bytes: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct VolumeReceipt {
    pub path: String,
    pub total: Bytes,
    pub free_before: Bytes,
    pub free_after: Bytes,
}

/// One entry that stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanupFailure {
    pub path: String,
    /// One sentence.
    pub why: String,
    /// What to do about it, one sentence or a command.
    pub way_out: String,
}

/// `POST /v1/cleanup/undo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct UndoCleanup {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub receipt: u64,
}

/// What undo came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Undone {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub put_back: u64,
    /// What could not be put back and why, one sentence each.
    pub not: Vec<String>,
}

/// A working directory as the tray names it, in the snapshot; sizes as last measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WorkDirShort {
    pub id: WorkDirId,
    pub runner: RunnerName,
    /// The project, else the name of the directory.
    pub title: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub size: Option<Bytes>,
}
