//! What a run or a task is, derived from its lock, its records and the process they name.

use process::{Liveness, ProcessId, alive};

use crate::{Exit, Record, RunDir, TaskDir, TaskFinished};

/// A run, as a supervisor finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// A keeper holds the lock.
    Kept,
    /// It ended, and this is how.
    Over(Exit),
    /// The agent runs (or cannot be told from one that runs) and has no keeper: adopt it.
    Orphan(ProcessId),
    /// No keeper, no agent, no exit record: both were killed, or the agent never began.
    Lost,
    /// It cannot be told, and why. Treat the runner as busy.
    Unknown(String),
}

/// A task, as anybody finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Its guard lives.
    Running,
    Finished(TaskFinished),
    /// Its guard was killed before it could say how the task ended.
    Lost,
    /// It is over; how it ended cannot be read, and why.
    Unreadable(String),
    /// It cannot be told whether it runs, and why.
    Unknown(String),
}

impl RunDir {
    pub fn state(&self) -> RunState {
        match self.lock_held() {
            Ok(true) => return RunState::Kept,
            Ok(false) => {}
            Err(error) => return RunState::Unknown(error.to_string()),
        }
        match self.exit() {
            Record::Written(exit) => return RunState::Over(exit),
            Record::Absent | Record::Blank => {}
            Record::Unreadable(why) => return RunState::Unknown(why),
            Record::Newer(version) => return RunState::Unknown(newer("exit.json", version)),
        }
        match self.started() {
            Record::Written(started) => match alive(&started.process) {
                Liveness::Alive | Liveness::Unknown => RunState::Orphan(started.process),
                Liveness::Dead => RunState::Lost,
            },
            Record::Absent | Record::Blank => RunState::Lost,
            Record::Unreadable(why) => RunState::Unknown(why),
            Record::Newer(version) => RunState::Unknown(newer("started.json", version)),
        }
    }
}

impl RunDir {
    /// A task of which nobody has said how it ended; processes of it may be left.
    pub fn has_lost_task(&self) -> bool {
        let tasks = self.tasks().unwrap_or_default();
        tasks.iter().any(|task| matches!(task.state(), TaskState::Lost))
    }
}

impl TaskDir {
    pub fn state(&self) -> TaskState {
        // The lock first: a guard writes finished.json before it lets go.
        let held = self.lock_held();
        match (self.finished(), held) {
            (Record::Written(finished), _) => TaskState::Finished(finished),
            (_, Ok(true)) => TaskState::Running,
            (_, Err(error)) => TaskState::Unknown(error.to_string()),
            (Record::Absent | Record::Blank, Ok(false)) => TaskState::Lost,
            (Record::Unreadable(why), Ok(false)) => TaskState::Unreadable(why),
            (Record::Newer(version), Ok(false)) => {
                TaskState::Unreadable(newer("finished.json", version))
            }
        }
    }
}

fn newer(file: &str, version: u32) -> String {
    format!("{file} was written by a later release (contract version {version})")
}
