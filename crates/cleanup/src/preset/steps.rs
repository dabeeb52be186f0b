//! What a draft has beside files: one step after another, each with what became of it.

use process::ProcessId;
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::receipt::VolumeReceipt;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub act: Act,
    /// What it does, in words; a command as a shell takes it.
    pub words: String,
    pub why: String,
    /// What it frees at most. None: nobody knows before.
    pub bytes: Option<u64>,
}

/// As it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Fresh {
        work: Place,
        kept: Place,
        /// Held while a task uses it.
        lock: Place,
    },
    Run {
        program: Place,
        words: Vec<String>,
        /// Where it runs.
        home: Place,
        path: Vec<Place>,
        time_limit_seconds: u32,
    },
    End {
        process: ProcessId,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReceipt {
    pub words: String,
    pub outcome: Outcome,
    /// What it printed, the last lines.
    pub printed: Vec<String>,
    /// As the draft said.
    pub planned: Option<u64>,
    /// By its own word.
    pub freed: Option<u64>,
    /// What the home's file system says; a program may free elsewhere.
    pub volume: Option<VolumeReceipt>,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// There was nothing left to do.
    Nothing,
    /// With another code than 0.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// It was ended; those of its processes that could not be.
    TimeUp {
        left: Vec<ProcessId>,
    },
    Stopped {
        left: Vec<ProcessId>,
    },
    /// Nothing was done, for this reason, with the way out.
    Refused(String),
}
