//! A plan: what will go, entry by entry, with bytes and a reason each. The same list is shown by a
//! dry run and carried out by a removal; it holds nothing that leads out of its roots.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::roots::Root;

/// The version that this release writes; a later one is not carried out.
pub(crate) const VERSION: u32 = 1;

/// An explicit list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    pub made: Timestamp,
    pub roots: Vec<PlannedRoot>,
    pub items: Vec<Item>,
}

/// A root as it was when the plan was made; of another one the plan says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRoot {
    pub path: Place,
    pub device: u64,
    pub inode: u64,
    /// The file system's own id.
    pub volume: u64,
    /// A folder beside it, whose trash takes what goes from here. None: it has a trash of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash: Option<Place>,
}

/// One entry that goes, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which of the plan's roots.
    pub root: usize,
    /// From the root on.
    pub path: Place,
    pub inode: u64,
    pub owner: u32,
    /// What its removal frees, as far as was seen.
    pub bytes: u64,
    /// Entries in it, itself included.
    pub entries: u64,
    pub used: Option<Timestamp>,
    /// Which rule named it.
    pub rule: String,
    /// Why, in words.
    pub why: String,
    /// Held while it is in use.
    pub lock: Option<Place>,
}

impl Plan {
    /// What all of it frees, as far as was seen.
    pub fn bytes(&self) -> u64 {
        self.items.iter().map(|item| item.bytes).sum()
    }

    /// Why it must not be carried out: it came from elsewhere, or was tampered with.
    pub fn refused(&self) -> Option<String> {
        if self.version > VERSION {
            return Some(format!("the plan is of a later release ({})", self.version));
        }
        let leads_out = self.items.iter().find(|item| !item.path.is_below());
        if let Some(item) = leads_out {
            return Some(format!("{} leads out of its root", item.path));
        }
        let rootless = self.items.iter().find(|item| item.root >= self.roots.len());
        rootless.map(|item| format!("{} has no root", item.path))
    }
}

impl PlannedRoot {
    pub(crate) fn of(root: &Root) -> Self {
        Self {
            path: root.path().into(),
            device: root.facts.device,
            inode: root.facts.inode,
            volume: root.room.id,
            trash: root.trash().map(Place::from),
        }
    }

    pub(crate) fn is(&self, root: &Root) -> bool {
        *self == Self::of(root)
    }
}
