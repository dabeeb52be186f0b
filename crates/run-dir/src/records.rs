//! What the records say. Unknown fields are ignored, so a later release may add some.

use std::path::PathBuf;

use jiff::Timestamp;
use process::ProcessId;
use serde::{Deserialize, Serialize};

use crate::record::Content;
use crate::{RunId, TaskNumber, TokenMark};

/// What is to be run, decided before the spawn. Holds no secret: values of the environment and the
/// token reach the keeper on its standard input only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub run: RunId,
    /// Name of the runner.
    pub runner: String,
    /// Its resource class, so that a run is known even where the settings no longer name its runner.
    #[serde(default)]
    pub resource_class: String,
    /// Names the settings that this run was made from: a run with another mark is out of date.
    #[serde(default)]
    pub settings_mark: String,
    /// Program and arguments of the agent; the program with its full path.
    pub argv: Vec<String>,
    /// Where the agent is started.
    pub cwd: PathBuf,
    /// Names of the variables of the agent's environment.
    pub environment: Vec<String>,
    /// `None`: not known.
    pub agent_version: Option<String>,
    /// The agent's `working_directory`.
    pub working_directory: PathBuf,
    /// The agent's `task_agent_directory`.
    pub task_agent_directory: PathBuf,
    /// The keeper program that this run uses to its end, also as the job user.
    pub helper: PathBuf,
    /// Tasks run as this user, through sudo. `None`: as the owner.
    pub job_user: Option<String>,
    /// Of a job user's tasks; the agent of others has its PATH in its environment.
    #[serde(default, skip_serializing_if = "JobPath::is_usual")]
    pub job_path: JobPath,
    /// By which the token is found in text. `None`: the agent has no token from us.
    pub token_mark: Option<TokenMark>,
    /// agent.log is moved aside when it grows beyond this, in bytes.
    pub log_limit: u64,
}

/// Folders that the PATH of a job user's tasks begins and ends with, beside what its login has. Whole
/// paths, or ones that begin with `~/`: its home.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPath {
    pub first: Vec<String>,
    pub last: Vec<String>,
}

impl JobPath {
    /// As the login has it.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The agent of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub process: ProcessId,
    pub at: Timestamp,
}

/// The keeper that holds the lock, or held it last. Signal this identity and no other pid: it is
/// written after the keeper is ready for signals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperRecord {
    pub process: ProcessId,
    /// It found the agent running, and cannot learn its exit code.
    pub adopted: bool,
    pub at: Timestamp,
}

/// The agent is to get its first TERM. Without [`DrainSent`] it may have got it or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    pub at: Timestamp,
    /// The highest number a task had then; tasks with a higher one started after. Counted, because a
    /// clock may be set back. Where it is not known it is the greatest: nothing started after.
    #[serde(default = "nothing_after")]
    pub tasks_before: u32,
}

fn nothing_after() -> u32 {
    u32::MAX
}

/// The agent was sent its first TERM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainSent {
    pub at: Timestamp,
}

/// Written by the supervisor: proof that the first TERM never arrived, since the agent has
/// started these tasks after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainLost {
    pub tasks: Vec<TaskNumber>,
    pub at: Timestamp,
}

/// Written by the supervisor: the user's confirmed word that this task is to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    pub task: TaskNumber,
    /// Who asked, in words for people.
    pub by: String,
    pub at: Timestamp,
}

/// What the keeper did about a [`Cancel`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelSent {
    /// The task that the cancel named.
    pub task: TaskNumber,
    pub outcome: CancelOutcome,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelOutcome {
    /// The agent got the TERM that cancels its task.
    Sent,
    /// The task had ended by itself, so nothing was cancelled.
    TaskOver,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub end: End,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The agent's exit code.
    Code(i32),
    /// The signal that ended the agent.
    Signal(i32),
    /// It ended under a keeper that was not its parent.
    Unknown,
    /// No agent was run, and why, in words for people.
    NeverStarted(String),
}

/// A task began: written before the task agent exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStarted {
    /// The task agent (or the sudo before it).
    pub process: ProcessId,
    /// The wrapper that the agent knows.
    pub front: ProcessId,
    /// The holder of task.lock.
    pub guard: ProcessId,
    /// As the agent gave it, cut where it would not fit.
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    pub at: Timestamp,
}

/// A task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFinished {
    pub end: TaskEnd,
    /// Processes of the task that run on. Not ended by us: without a wrapper they would run on too.
    pub left_behind: Vec<ProcessId>,
    /// Those that ran on too, and were ended since the owner wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<Ended>,
    pub at: Timestamp,
}

/// A process that was ended after its task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub process: ProcessId,
    /// The name of its program, for people.
    pub program: String,
}

impl TaskFinished {
    /// No process of it runs on.
    pub fn nothing_left(end: TaskEnd, at: Timestamp) -> Self {
        Self { end, left_behind: Vec::new(), ended: Vec::new(), at }
    }
}

impl Ended {
    /// One that runs still.
    pub fn of(process: ProcessId) -> Self {
        let program = process::program(process.pid).unwrap_or_else(|| "a program".to_owned());
        Self { process, program }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEnd {
    /// The task agent's exit code; 126 or 127 if it could not be run.
    Code(i32),
    /// The signal that ended the task agent.
    Signal(i32),
    /// This side of the wrapper died, so all processes of the task were ended.
    Lost(Side),
}

/// The two processes of the task wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Front,
    Guard,
    Both,
}

macro_rules! in_file {
    ($($content:ty => $file:literal $(, $reserved:literal)?;)*) => {
        $(impl Content for $content {
            const FILE: &'static str = $file;
            $(const RESERVED: usize = $reserved;)?
        })*

        /// Every record that there is, by its type.
        #[cfg(test)]
        pub(crate) fn all() -> Vec<&'static str> {
            vec![$(std::any::type_name::<$content>()),*]
        }
    };
}

in_file! {
    Plan => "plan.json", 16384;
    Started => "started.json";
    KeeperRecord => "keeper.json";
    Drain => "drain.json";
    DrainSent => "drain-sent.json";
    DrainLost => "drain-lost.json";
    Cancel => "cancel.json";
    CancelSent => "cancel-sent.json";
    Exit => "exit.json";
    TaskStarted => "started.json";
    TaskFinished => "finished.json";
}
