//! What was read of the world, as plain values. A reading that failed is `Unknown`, never "no".

use jiff::Timestamp;
use protocol::{Boundary, ResourceClass, RotationStep, RunId, RunnerName, TaskId, TokenStore};

/// Something read from disk: it is there, it is not, or nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<T> {
    No,
    Yes(T),
    Unknown,
}

impl<T> Read<T> {
    pub fn yes(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No | Self::Unknown => None,
        }
    }

    /// Certainly not there. What is unknown may be there.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

/// What the settings say of one runner, as far as decisions and the snapshot need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerFacts {
    pub name: RunnerName,
    pub resource_class: ResourceClass,
    pub working_directory: String,
    pub boundary: Boundary,
    /// CircleCI's address, where it is not the cloud's; shown and nothing more.
    pub api_url: Option<String>,
    /// Where its agent's releases lie.
    pub releases_url: String,
    /// Names everything that an agent is started with. A run whose mark is another one is out of
    /// date: it drains, and a new one starts.
    pub mark: String,
    /// Where its token is kept; shown and nothing more. None: the settings do not say.
    pub token_store: Option<TokenStore>,
    /// Where a copy of the token may be besides its place.
    pub token_copy: Option<TokenCopy>,
}

/// A volume that tasks fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFacts {
    /// A folder on it.
    pub path: String,
    /// What of ours lies on it, in words.
    pub holds: String,
    /// In bytes.
    pub total: u64,
    pub free: u64,
    /// Whose tasks need room there; none: everybody's.
    pub runners: Option<Vec<RunnerName>>,
}

/// A move of a token that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCopy {
    pub store: TokenStore,
    pub since: Timestamp,
}

/// A rotation of a runner's token that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationFacts {
    pub seen: RotationSeen,
    /// A call is at it, so that it is on its way.
    pub attended: bool,
}

/// How far a rotation came, as its record and the settings tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationSeen {
    /// Whether the new token is proven is not asked of the record.
    Begun { at: Timestamp, next: RotationStep },
    /// Another token was stored since, or the runner works for another class or server.
    Void { at: Timestamp },
    /// Why its record cannot be read, with its path.
    Unreadable(String),
}

/// One complete reading of one run directory and of the processes it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// Grows with every reading of this run, so that a late one is recognised.
    pub reading: u64,
    pub run: RunId,
    /// From plan.json, so that a run is known even where the settings no longer name its runner.
    pub runner: RunnerFacts,
    pub agent_version: String,
    pub planned_at: Timestamp,
    pub lock: LockSeen,
    pub agent: AgentSeen,
    pub drain: Read<Drained>,
    pub cancel: Read<Cancelled>,
    pub exit: Read<ExitSeen>,
    /// In the order of their numbers.
    pub tasks: Vec<TaskFacts>,
    /// Since when a task runs that could get no folder, and so has no other trace.
    pub unrecorded_task: Read<Timestamp>,
}

impl RunFacts {
    /// A task of it runs, or may run for all that is known: it may outlive its agent, not its boot.
    pub fn may_run_task(&self, boot: &str) -> bool {
        let of_this_boot =
            !matches!(&self.agent, AgentSeen::Started { boot: then, .. } if then != boot);
        let runs = !self.unrecorded_task.is_no() || self.tasks.iter().any(TaskFacts::may_run);
        of_this_boot && runs
    }

    /// `boot` names the machine's present boot.
    pub fn phase(&self, boot: &str) -> Phase {
        Phase::of(self.lock, &self.agent, &self.exit, boot)
    }

    /// Part of it could not be read.
    pub fn has_unknowns(&self) -> bool {
        !self.unknowns().is_empty()
    }

    /// What of it could not be read, as it is called in its folder.
    pub(crate) fn unknowns(&self) -> Vec<String> {
        let agent = match &self.agent {
            AgentSeen::NotStarted => None,
            AgentSeen::Started { alive, pid, .. } => {
                alive.is_unknown().then(|| format!("process {pid}"))
            }
            AgentSeen::Unknown => Some("started.json".to_owned()),
        };
        let files = [
            ("keeper.lock", self.lock == LockSeen::Unknown),
            ("drain.json", self.drain.is_unknown()),
            ("cancel.json", self.cancel.is_unknown()),
            ("exit.json", self.exit.is_unknown()),
            ("unrecorded.lock", self.unrecorded_task.is_unknown()),
        ];
        let files = files.into_iter().filter(|(_, unknown)| *unknown).map(|(file, _)| file.into());
        let tasks = self.tasks.iter().filter(|task| task.end == TaskEnd::Unknown);
        // Number 0 stands for all of them.
        let tasks = tasks.map(|task| match task.number {
            0 => "tasks".to_owned(),
            number => format!("tasks/{number}"),
        });
        agent.into_iter().chain(files).chain(tasks).collect()
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Cannot be told; treated as busy, never replaced.
    Unknown,
    /// A keeper holds the lock and has not started the agent yet.
    Starting,
    /// A keeper is in charge of an agent.
    Kept,
    /// The agent lives and has no keeper.
    Orphan,
    /// Neither keeper nor agent live.
    Over,
}

impl Phase {
    /// Of what was seen of a run, in the boot that is named `boot`.
    pub fn of(lock: LockSeen, agent: &AgentSeen, exit: &Read<ExitSeen>, boot: &str) -> Self {
        if exit.yes().is_some() {
            return Self::Over;
        }
        match (lock, agent) {
            (LockSeen::Unknown, _) | (_, AgentSeen::Unknown) => Self::Unknown,
            (LockSeen::Held, AgentSeen::NotStarted) => Self::Starting,
            (LockSeen::Held, AgentSeen::Started { .. }) => Self::Kept,
            (LockSeen::Free, AgentSeen::NotStarted) => Self::Over,
            (LockSeen::Free, AgentSeen::Started { boot: then, .. }) if then != boot => Self::Over,
            (LockSeen::Free, AgentSeen::Started { alive, .. }) => match alive {
                Read::Yes(()) => Self::Orphan,
                Read::No => Self::Over,
                Read::Unknown => Self::Unknown,
            },
        }
    }
}

/// The kernel's word on whether a keeper lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockSeen {
    Held,
    Free,
    Unknown,
}

/// What started.json and the process table say of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentSeen {
    /// started.json is still blank: no agent of this run exists or ever did.
    NotStarted,
    Started {
        /// The boot it was started in.
        boot: String,
        pid: u32,
        at: Timestamp,
        /// Whether pid and start time still name a living process (`Unknown`: cannot be read).
        alive: Read<()>,
    },
    /// started.json cannot be read.
    Unknown,
}

/// drain.json, and what came after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    pub at: Timestamp,
    /// The number of the newest task there was; a clock may be set back, a count is not.
    pub tasks_before: u32,
    /// drain-sent.json is there: the TERM was sent.
    pub sent: bool,
    /// drain-lost.json is there: it was proven lost and is to be sent again.
    pub lost: bool,
}

/// cancel.json, and what came after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    pub task: TaskId,
    pub sent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitSeen {
    Code {
        code: i32,
        at: Timestamp,
    },
    Signal {
        signal: i32,
        at: Timestamp,
    },
    /// It is over and nobody was there to see how.
    Unknown {
        at: Timestamp,
    },
    /// The keeper gave up before an agent existed.
    NeverStarted {
        at: Timestamp,
        why: Option<String>,
    },
}

impl ExitSeen {
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Code { at, .. }
            | Self::Signal { at, .. }
            | Self::Unknown { at }
            | Self::NeverStarted { at, .. } => *at,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFacts {
    pub task: TaskId,
    /// Counted from 1 in its run.
    pub number: u32,
    pub started_at: Timestamp,
    pub pid: Option<u32>,
    pub directory: Option<String>,
    pub end: TaskEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd {
    /// Its lock is held.
    Running,
    /// Nothing can be told; counts as running.
    Unknown,
    Exited {
        code: Option<i32>,
        at: Timestamp,
    },
    /// The wrapper died, and with it the task.
    Lost {
        at: Timestamp,
    },
    /// It is over; how it ended cannot be read.
    Unreadable {
        at: Timestamp,
    },
}

impl TaskFacts {
    pub fn may_run(&self) -> bool {
        match self.end {
            TaskEnd::Running | TaskEnd::Unknown => true,
            TaskEnd::Exited { .. } | TaskEnd::Lost { .. } | TaskEnd::Unreadable { .. } => false,
        }
    }
}

/// What a line of the agent's log says, where it says something we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The agent's first line.
    AgentStarted {
        version: Option<String>,
    },
    ClaimAnswered,
    ClaimFailed {
        /// HTTP's, where there was an answer.
        status: Option<u16>,
        why: String,
    },
    TokenRefused {
        line: String,
    },
    /// The task agent speaks of its task. `at` has whole seconds; absent where the line has no time.
    TaskNamed {
        at: Option<Timestamp>,
        link: Link,
    },
    StepStarted {
        at: Option<Timestamp>,
        step: String,
    },
    StepEnded {
        at: Option<Timestamp>,
        failed: bool,
        exit_code: Option<i32>,
    },
}

/// What a build's address tells.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Link {
    /// https or http only.
    pub url: Option<String>,
    pub project: Option<String>,
    pub build_number: Option<String>,
}

/// How the machine is powered, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    NoBattery,
    Battery {
        plugged: Option<bool>,
        percent: Option<u8>,
    },
    /// Nothing can be read.
    Unknown,
}

/// What looking at a running task's processes told.
#[derive(Debug, Clone, PartialEq)]
pub struct Processes {
    pub usage: protocol::Usage,
    pub branch: Option<String>,
    pub job: Option<String>,
    pub project: Option<String>,
    pub directory: Option<String>,
}
