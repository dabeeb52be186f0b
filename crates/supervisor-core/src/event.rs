//! Everything that can happen, but for wishes.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use protocol::{
    CleanupRuns, FinishedTask, Install, Notice, NoticesSeen, Preferences, PreinstallNow, Problem,
    RunId, RunnerName, TaskId, WorkDirShort,
};

use crate::facts::{Heard, Power, Processes, RotationFacts, RunFacts, RunnerFacts, VolumeFacts};

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The settings were read: these runners and no others.
    SettingsRead(Vec<RunnerFacts>),
    /// The settings cannot be read; what was known of them stays.
    SettingsUnreadable(Problem),
    /// The wants of [`crate::Effect::Save`] with this number are on disk.
    Saved(u64),
    SaveFailed {
        number: u64,
        why: String,
    },
    RunRead(Box<RunFacts>),
    /// What [`crate::Effect::StartRun`] led to: a run directory and a keeper, as first read.
    RunStarted(Box<RunFacts>),
    /// The run directory is gone.
    RunGone(RunId),
    /// A run directory that does not say whose it is; `may_live` where an agent of it may run.
    StrayRun {
        run: RunId,
        may_live: bool,
    },
    LogHeard {
        run: RunId,
        heard: Heard,
    },
    /// All that the log holds so far has been heard.
    LogRead {
        run: RunId,
        /// Its last lines, redacted, where the run is over and they may explain it.
        tail: Option<String>,
    },
    ProcessesSeen {
        task: TaskId,
        processes: Processes,
    },
    InstallAdvanced {
        runner: RunnerName,
        install: Install,
    },
    AgentReady {
        runner: RunnerName,
        version: String,
    },
    InstallFailed {
        runner: RunnerName,
        problem: Problem,
        /// What the server asked for, at least.
        wait: Option<SignedDuration>,
    },
    /// Why a run did not come to be. Where the list says that only the user can end it, it is not
    /// tried again by itself.
    StartFailed(RunnerName, Problem),
    /// Nothing was started, and nothing is wrong: what was fetched for it is no longer what is wanted.
    StartPutOff(RunnerName),
    /// The installed agent is gone or is not what was installed.
    AgentUnusable {
        runner: RunnerName,
        problem: Problem,
    },
    /// No keeper could be put in charge of an orphan.
    AdoptFailed(RunId),
    /// The keeper could not be told to drain.
    DrainFailed(RunId),
    TokenChanged(RunnerName),
    /// A rotation of its token as it is now; nothing where none was begun.
    RotationSeen {
        runner: RunnerName,
        rotation: Option<RotationFacts>,
    },
    /// What is wrong with the history of finished tasks; nothing where nothing is.
    HistoryLooked(Option<Problem>),
    Probed {
        /// As [`crate::Effect::Probe`] named it.
        api_url: Option<String>,
        /// Absent where an answer came, whatever it said.
        failure: Option<String>,
    },
    /// What the owner chose for the whole machine.
    PreferencesRead(Preferences),
    PowerSeen(Power),
    /// Where the machine's clock is read for people.
    ZoneRead(TimeZone),
    /// The volumes that tasks fill; those that cannot be read are not among them.
    DiskSeen(Vec<VolumeFacts>),
    /// A clean-up runs, whoever began it; or working directories are measured for somebody who waits.
    CleanupAdvanced(CleanupRuns),
    /// What was measured, for a plan or for somebody to see, is; and no clean-up runs.
    MeasuringEnded,
    /// No clean-up runs any more; why it did not do what it should, in words.
    CleanupEnded {
        failure: Option<String>,
    },
    /// What came of the clean-up before a task; why it did not do what it should, in words.
    TaskCleaned {
        failure: Option<String>,
    },
    /// How far a look at what jobs need is, or its installation; what the last one came to.
    PreinstallSeen(Box<Option<PreinstallNow>>),
    /// The working directories, with the sizes that are known.
    WorkDirsSeen(Vec<WorkDirShort>),
    /// What came of asking the system to keep awake; a failure in its own words.
    KeptAwake {
        failure: Option<String>,
    },
    /// What came of [`crate::Effect::AfterTask`]; a failure in the system's own words.
    AfterTaskDone {
        failure: Option<String>,
    },
    /// The notices that are kept: how far they have come, and at the start what the newest say.
    NoticesKept {
        seen: Option<NoticesSeen>,
        before: Vec<Notice>,
    },
    /// A finished task was not in the history before.
    TaskIsNew(Box<FinishedTask>),
    /// A moment asked for with [`crate::Effect::WakeAt`], or any other.
    Woke,
}
