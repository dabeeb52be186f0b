//! A receipt: what a removal did, entry by entry, and what the volumes say of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::why::Failure;

/// Of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub version: u32,
    pub at: Timestamp,
    /// Bytes on disk of all that was removed and has no other name. What a process has open, or a
    /// snapshot holds, comes free later: see `volumes`.
    pub freed: u64,
    /// Files, folders and all else.
    pub removed: u64,
    pub items: Vec<ItemReceipt>,
    pub volumes: Vec<VolumeReceipt>,
    /// What stayed, the first hundred of each item.
    pub failures: Vec<Failure>,
    pub more_failures: u64,
}

/// Of one item of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReceipt {
    /// Its whole path.
    pub path: Place,
    pub rule: String,
    pub why: String,
    /// As the plan said.
    pub planned: u64,
    pub freed: u64,
    pub fate: Fate,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Deleted,
    /// In the trash of its root; it may be put back.
    SetAside,
    /// Its name is free, and some of it could not be deleted: see the failures.
    Partly,
    /// Its name is free; the rest is deleted at the next start.
    Stopped,
    /// It is where it was: a task has it.
    InUse,
    /// Somebody else removed it.
    Gone,
    /// Under its name is something else now, which was left alone.
    Changed,
    /// It is where it was, for this reason.
    Refused(String),
    /// It is where it was: see the failures.
    Failed,
}

/// What the file system says, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeReceipt {
    /// A root on it.
    pub path: Place,
    /// In bytes.
    pub total: u64,
    pub free_before: u64,
    pub free_after: u64,
}
