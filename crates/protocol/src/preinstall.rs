//! What jobs need of this machine: what is there, what is missing, and how it is installed. A plan is
//! what is shown before anything runs, and the one that is carried out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bytes, RunnerName};

/// `GET /v1/preinstall`: all that is known, without a look at the machine's tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Preinstall {
    pub items: Vec<PreinstallItem>,
    pub presets: Vec<PreinstallPreset>,
    /// Items and presets of the owner's settings that cannot be followed, one sentence each.
    #[serde(default)]
    pub refused: Vec<String>,
}

/// One thing that a job may need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallItem {
    pub id: String,
    pub title: String,
    /// One sentence.
    pub what_for: String,
    /// The first is its home.
    pub links: Vec<String>,
    /// About so much on disk; absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub size: Option<Bytes>,
    pub how: PreinstallHow,
    /// From the owner's settings.
    pub own: bool,
}

/// How an item comes onto this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum PreinstallHow {
    /// By a package manager.
    Packages {
        /// "apt", "brew", "npm": its name for people.
        by: String,
        names: Vec<String>,
        /// As an admin.
        admin: bool,
    },
    /// Runner Tray writes it.
    Ours { what: String },
    /// Somebody does it by hand, or cannot here: `words` say which.
    Human { words: String },
    /// Known only to a newer version.
    #[serde(other)]
    Other,
}

/// A named list of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallPreset {
    pub id: String,
    pub title: String,
    pub what_for: String,
    pub items: Vec<String>,
    /// From the owner's settings.
    pub own: bool,
}

/// `POST /v1/preinstall/check` and `/v1/preinstall/plan`: which items. None named: a check looks at all,
/// a plan has nothing to do.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AskPreinstall {
    #[serde(default)]
    pub items: Vec<String>,
    #[serde(default)]
    pub presets: Vec<String>,
    /// As this runner's jobs find it; needed where several runners have other PATHs or users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub runner: Option<RunnerName>,
    /// What is too old is installed anew; never without this word.
    #[serde(default)]
    pub upgrade: bool,
}

/// Whose eyes a check has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallJobs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub runner: Option<RunnerName>,
    /// The user that jobs run as.
    pub user: String,
    /// It is another one than the owner.
    pub job_user: bool,
    /// The folders of its PATH, in order.
    pub path: Vec<String>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallChecked {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    pub jobs: PreinstallJobs,
    pub items: Vec<ItemChecked>,
}

/// One item, and the reading that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ItemChecked {
    pub id: String,
    pub title: String,
    pub state: ItemState,
    /// What was read, without a final period.
    pub reading: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub version: Option<String>,
    /// Its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub found_at: Option<String>,
    /// The wanted range in words ("2.20 or newer"); absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub wants: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    Present,
    TooOld,
    TooNew,
    /// It is there and does not work.
    Broken,
    Missing,
    /// It could not be told, which counts as neither there nor missing.
    #[serde(other)]
    Unknown,
}

/// What an installation would do, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallPlan {
    /// Names it in `POST /v1/preinstall/install`.
    pub id: String,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub made_at: Timestamp,
    pub jobs: PreinstallJobs,
    pub steps: Vec<PreinstallStep>,
    /// What no program can do.
    pub human: Vec<HumanStep>,
    /// What is there already.
    pub already: Vec<ItemChecked>,
    /// What is neither there nor installed by this plan.
    pub left: Vec<PreinstallLeft>,
    /// Of all steps, as far as is known.
    pub size: Bytes,
    /// Some step needs an admin.
    pub admin: bool,
}

/// One call of one package manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallStep {
    pub title: String,
    /// "apt", "brew", "npm".
    pub by: String,
    /// As one would type it; escaped, to be shown as it is.
    pub command: String,
    /// Ids.
    pub items: Vec<String>,
    /// About so much on disk, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub size: Option<Bytes>,
    /// It runs as an admin.
    pub admin: bool,
    /// It runs as this job user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub as_user: Option<String>,
}

/// Something that somebody has to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HumanStep {
    /// An item's id.
    pub item: String,
    pub title: String,
    /// Sentences.
    pub words: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub link: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallLeft {
    pub item: ItemChecked,
    /// One sentence.
    pub why: String,
}

/// `POST /v1/preinstall/install`: carry the newest plan out. Answered at once; how it goes is in the
/// snapshot. It goes on where nobody looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct StartPreinstall {
    pub plan: String,
    pub asked_by: PreinstallAskedBy,
}

/// Where an admin's rights come from. Never by a stored password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PreinstallAskedBy {
    /// The desktop asks for a password where one is needed (`pkexec`).
    App,
    /// `sudo -n`, which asks nobody.
    Cli,
}

/// In the snapshot: what goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum PreinstallNow {
    /// Tools are looked at.
    Checking {
        done: u32,
        of: u32,
    },
    Installing(PreinstallRuns),
    /// The last installation, also of an earlier supervisor.
    Done(PreinstallReceipt),
    /// Known only to a newer version.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallRuns {
    /// The plan's.
    pub id: String,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub since: Timestamp,
    /// From 1; 0 before the first.
    pub step: u32,
    pub steps: u32,
    /// The step in words, or what is done between steps.
    pub title: String,
    /// The items of this step: ids.
    pub items: Vec<String>,
    /// The last line that a tool wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub last_line: Option<String>,
    /// What it waits for, who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub waits: Option<String>,
    /// It ends after this step.
    pub cancelling: bool,
    /// A supervisor that ended in the middle had begun it.
    pub taken_up: bool,
}

/// What an installation came to: the check again, item by item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallReceipt {
    pub id: String,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seconds: u64,
    pub items: Vec<PreinstallOutcome>,
    /// What is left for somebody to do by hand.
    pub human: Vec<HumanStep>,
    /// What was asked for and is neither there nor was to be installed, as the plan had it.
    #[serde(default)]
    pub left: Vec<PreinstallLeft>,
    /// Why it ended before its end, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cut_short: Option<String>,
    pub taken_up: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallOutcome {
    pub outcome: PreinstallEnd,
    /// As it is now.
    pub item: ItemChecked,
    /// Of one that failed: the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub command: Option<String>,
    /// Of one that failed: what its tool said last, though it may have ended well; of one that nobody
    /// allowed: that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub said: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PreinstallEnd {
    Installed,
    Failed,
    /// It was cancelled before its turn, or needs an admin's rights that nobody gave.
    NotBegun,
    /// Known only to a newer version.
    #[serde(other)]
    Other,
}

/// `GET /v1/preinstall/output?from=`: what tools wrote in the installation that runs, or ran last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallOutput {
    /// About 64 kB at most.
    pub text: String,
    /// The place of the first byte; later than asked for where the rest was cut away.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub from: u64,
    /// Pass as `from` to go on.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub next: u64,
    /// No more is written yet.
    pub at_end: bool,
}

/// `GET /v1/preinstall/report?runner=`: everything found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SoftwareReport {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub made_at: Timestamp,
    /// "Debian GNU/Linux 12 (bookworm)".
    pub system: String,
    /// As Rust names it: `x86_64`.
    pub arch: String,
    pub jobs: PreinstallJobs,
    pub items: Vec<ItemChecked>,
}

/// `POST /v1/preinstall/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AskExport {
    pub format: PreinstallFormat,
    #[serde(default)]
    pub items: Vec<String>,
    #[serde(default)]
    pub presets: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PreinstallFormat {
    Brewfile,
    /// A package a line.
    AptList,
    /// Export only.
    Ansible,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallExport {
    pub text: String,
    /// What that format cannot say, one sentence each.
    pub left_out: Vec<String>,
}

/// `POST /v1/preinstall/import`: makes a preset of the owner's of a list of packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AskImport {
    pub format: PreinstallFormat,
    pub text: String,
    /// The preset's id.
    pub preset: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreinstallImport {
    pub preset: PreinstallPreset,
    /// Items that nobody knew and that are the owner's now.
    pub new: Vec<String>,
    /// Lines that are no packages, one sentence each.
    pub left_out: Vec<String>,
}

/// `GET /v1/runners/{name}/path`: where this runner's jobs find programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct JobPath {
    pub runner: RunnerName,
    /// The user that jobs run as.
    pub user: String,
    /// What the settings put first.
    pub first: Vec<String>,
    /// What the agent is started with, the settings' folders included.
    pub agent: Vec<String>,
    /// What jobs really find: of a job user, as its own login has it.
    pub found: Vec<String>,
    /// Why `found` could not be read, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub unreadable: Option<String>,
}

/// `PUT /v1/runners/{name}/path`: these folders come first. An agent is started anew with them once it
/// has no task.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SetJobPath {
    /// Whole paths, or ones that begin with `~/`.
    pub first: Vec<String>,
}
