//! The calls of the local API that the window may have made for it: a closed list, mirrored by
//! `ui/src/calls.ts`. A token in one is a secret that no `Debug` shows and that goes with the call.

use jiff::Timestamp;
use jiff::civil::Date;
use protocol::{
    AfterTaskAct, AskPreinstall, Outcome, PreferencesChange, PresetChange, ResourceClass, RunId,
    RunnerName, RunnerSpec, TaskId, TokenStore, WorkDirId,
};
use secrecy::SecretString;
use serde::Deserialize;

use crate::links::DocPage;

#[derive(Debug, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Call {
    // This machine and the app itself.
    About,
    Login,
    /// What is absent stays.
    SetLogin {
        supervisor: Option<bool>,
        app: Option<bool>,
    },
    /// Asks the owner, where the system wants that, whether notifications may be shown.
    AllowNotifications,
    OpenDoc {
        page: DocPage,
    },
    /// A finished task's page, as the history named it.
    OpenLink {
        link: String,
    },

    // Reading.
    History {
        runner: Option<RunnerName>,
        result: Option<Outcome>,
        project: Option<String>,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        before: Option<TaskId>,
        limit: Option<u32>,
    },
    Logs {
        runner: RunnerName,
        run: Option<RunId>,
        from: Option<String>,
        before: Option<String>,
        lines: Option<u64>,
        limit: Option<u32>,
        #[serde(default)]
        wait: bool,
    },
    SearchLogs {
        runner: RunnerName,
        word: String,
        run: Option<RunId>,
        from: Option<String>,
        limit: Option<u32>,
    },
    HistoryDays {
        from: Date,
        to: Date,
        tz: String,
        runner: Option<RunnerName>,
    },
    HistoryHours {
        day: Date,
        tz: String,
        runner: Option<RunnerName>,
    },
    Notices {
        since: Option<u64>,
        limit: Option<u32>,
    },
    Doctor,
    Agents,
    AgentConfig {
        runner: RunnerName,
    },
    Snippet {
        runner: RunnerName,
    },
    WorkDirs {
        runner: Option<RunnerName>,
        /// Also those whose size is not known, which takes a while.
        #[serde(default)]
        measure: bool,
    },
    Presets,
    CleanupReceipts {
        before: Option<u64>,
        limit: Option<u32>,
    },

    // Wishes about the machine.
    SetPreferences {
        change: PreferencesChange,
    },
    AfterTask {
        act: AfterTaskAct,
    },
    ForgetAfterTask,
    SawNotices {
        up_to: u64,
    },
    NeverDelete {
        id: WorkDirId,
        never_delete: bool,
    },
    ChangePreset {
        id: String,
        change: PresetChange,
    },
    /// What would go; nothing does.
    PlanCleanup {
        presets: Option<Vec<String>>,
        #[serde(default)]
        directories: Vec<WorkDirId>,
        runner: Option<RunnerName>,
    },
    /// Carries the newest plan out. It goes on where the window that asked is closed.
    CleanUp {
        plan: String,
        presets: Option<Vec<String>>,
    },
    StopCleanup,
    UndoCleanup {
        receipt: u64,
    },

    // What jobs need of the machine.
    /// Items and presets, without a look at the machine's tools.
    Preinstall,
    CheckPreinstall(AskPreinstall),
    /// What would be installed; nothing is.
    PlanPreinstall(AskPreinstall),
    /// Begins to carry the newest plan out. It goes on where the window that asked is closed.
    StartPreinstall {
        plan: String,
    },
    CancelPreinstall,
    PreinstallOutput {
        from: u64,
    },
    /// The page that the catalogue names for this item.
    OpenItemLink {
        item: String,
    },
    JobPath {
        runner: RunnerName,
    },
    SetJobPath {
        runner: RunnerName,
        first: Vec<String>,
    },

    // Wishes about one runner.
    SetUp {
        runner: RunnerName,
        config: RunnerSpec,
        token: Option<SecretString>,
    },
    Remove {
        runner: RunnerName,
    },
    /// Whether jobs could run as this user now; changes nothing.
    CheckJobUser {
        user: String,
    },
    SetToken {
        runner: RunnerName,
        token: SecretString,
    },
    ForgetToken {
        runner: RunnerName,
    },
    MoveToken {
        runner: RunnerName,
        to: TokenStore,
    },
    Pause {
        runner: RunnerName,
        until: Option<Timestamp>,
        note: Option<String>,
    },
    CancelTask {
        runner: RunnerName,
        task: TaskId,
    },
    Install {
        runner: RunnerName,
    },
    StopInstall {
        runner: RunnerName,
    },
    StopSupervisor,

    // What CircleCI is asked, with a personal token.
    ListClasses {
        personal_token: SecretString,
        api_url: Option<String>,
        namespace: String,
    },
    CreateClass {
        personal_token: SecretString,
        api_url: Option<String>,
        resource_class: ResourceClass,
        description: String,
        org_id: Option<String>,
    },
    ListTokens {
        personal_token: SecretString,
        api_url: Option<String>,
        resource_class: ResourceClass,
    },
    DeleteToken {
        personal_token: SecretString,
        api_url: Option<String>,
        resource_class: ResourceClass,
        id: String,
        #[serde(default)]
        force: bool,
    },
    CreateToken {
        personal_token: SecretString,
        runner: RunnerName,
        nickname: String,
    },
    Rotate {
        personal_token: SecretString,
        runner: RunnerName,
        old_token: Option<String>,
        #[serde(default)]
        keep_old: bool,
    },
    Rotation {
        runner: RunnerName,
        #[serde(default)]
        wait: bool,
    },
}
