//! What somebody may ask for, and why it may be refused.

use jiff::Timestamp;
use protocol::{AfterTaskAct, PauseBy, RunnerName, TaskId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Pause {
        runner: RunnerName,
        by: PauseBy,
        until: Option<Timestamp>,
        note: Option<String>,
        reading: Option<String>,
    },
    /// Ends the pause of `by` and of nobody else.
    Resume {
        runner: RunnerName,
        by: PauseBy,
    },
    /// The user's confirmed word that this one task ends now.
    Cancel {
        runner: RunnerName,
        task: TaskId,
    },
    /// The agent is installed now, whatever was asked for or went wrong before.
    Install {
        runner: RunnerName,
    },
    /// The installation under way ends, and none is tried until somebody wants one.
    StopInstall {
        runner: RunnerName,
    },
    /// What is done, once, when no task runs any more; none is claimed until then.
    AfterTask(AfterTaskAct),
    ForgetAfterTask,
}

impl Wish {
    /// Nothing where it is meant for the whole machine.
    pub fn runner(&self) -> Option<&RunnerName> {
        match self {
            Self::Pause { runner, .. }
            | Self::Resume { runner, .. }
            | Self::Cancel { runner, .. }
            | Self::Install { runner }
            | Self::StopInstall { runner } => Some(runner),
            Self::AfterTask(_) | Self::ForgetAfterTask => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NoSuchRunner,
    /// The task is not the one that runs.
    NotRunning,
    /// Saved state could not be read, so nothing new is written over it.
    ReadOnly,
    /// The pause would end before it begins.
    InThePast,
}
