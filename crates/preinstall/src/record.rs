//! An installation as it is on disk before each thing that it does, so that whoever finds it knows what
//! was begun.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use process::ProcessId;
use protocol::{HumanStep, PreinstallLeft, PreinstallReceipt, RunnerName};
use serde::{Deserialize, Serialize};

use crate::calls::Rights;
use crate::item::Item;
use crate::plan::Step;

/// Of this form.
pub(crate) const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub version: u32,
    /// The plan's.
    pub id: String,
    pub began: Timestamp,
    /// By whose eyes it is checked.
    #[serde(default)]
    pub runner: Option<RunnerName>,
    pub rights: Rights,
    pub steps: Vec<Rest>,
    /// All that the steps are about, as they were then.
    pub items: Vec<Item>,
    #[serde(default)]
    pub human: Vec<HumanStep>,
    /// What the plan left as it is.
    #[serde(default)]
    pub left: Vec<PreinstallLeft>,
    /// What needs an admin's rights that were asked for and not given.
    #[serde(default)]
    pub not_allowed: BTreeSet<String>,
    /// What went wrong, by item; of those that are there in the end it counts for nothing.
    #[serde(default)]
    pub failures: BTreeMap<String, Failure>,
    #[serde(default)]
    pub cancelled: bool,
    /// How often somebody found it and went on.
    #[serde(default)]
    pub taken_up: u32,
}

/// A step and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    pub step: Step,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    /// What was started last, where that is known.
    Begun {
        process: Option<ProcessId>,
    },
    Over,
}

impl State {
    pub(crate) fn process(&self) -> Option<&ProcessId> {
        match self {
            Self::Begun { process } => process.as_ref(),
            Self::Waiting | Self::Over => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub command: String,
    pub said: String,
}

impl Record {
    pub fn new(
        id: String,
        began: Timestamp,
        runner: Option<RunnerName>,
        rights: Rights,
        steps: Vec<Step>,
        items: Vec<Item>,
        (human, left): (Vec<HumanStep>, Vec<PreinstallLeft>),
    ) -> Self {
        let waiting = |step| Rest { step, state: State::Waiting };
        Self {
            version: VERSION,
            id,
            began,
            runner,
            rights,
            steps: steps.into_iter().map(waiting).collect(),
            items,
            human,
            left,
            not_allowed: BTreeSet::new(),
            failures: BTreeMap::new(),
            cancelled: false,
            taken_up: 0,
        }
    }

    /// An error is in words: it is no record, or one of a newer version.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if record.version > VERSION {
            return Err(format!("it is of a newer version ({})", record.version));
        }
        // What stands in a file is judged as what stands in the settings.
        for item in &record.items {
            item.judge().map_err(|error| error.to_string())?;
        }
        Ok(record)
    }
}

/// What the last installation came to, as it is on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Last {
    pub version: u32,
    pub receipt: PreinstallReceipt,
}

impl Last {
    pub fn new(receipt: PreinstallReceipt) -> Self {
        Self { version: VERSION, receipt }
    }

    /// An error is in words: it is no receipt, or one of a newer version.
    pub fn read(bytes: &[u8]) -> Result<PreinstallReceipt, String> {
        let last: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if last.version > VERSION {
            return Err(format!("it is of a newer version ({})", last.version));
        }
        Ok(last.receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = include_str!("../golden/last-v1.json");

    #[test]
    fn a_receipt_of_the_first_release_loads_and_is_written_the_same() {
        let receipt = Last::read(FIRST.as_bytes()).unwrap();
        assert_eq!((receipt.items.len(), receipt.left.len(), receipt.human.len()), (2, 1, 1));
        let again = serde_json::to_value(Last::new(receipt)).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(FIRST).unwrap());
        let newer = FIRST.replacen("\"version\": 1", "\"version\": 2", 1);
        assert_eq!(Last::read(newer.as_bytes()), Err("it is of a newer version (2)".to_owned()));
        assert!(Last::read(b"{}").is_err());
    }
}
