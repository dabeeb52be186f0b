//! Locks of job users' working directories. They lie in a folder of the owner's, into which the process
//! that cleans up as a job user cannot look: so the supervisor asks and holds them for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cleanup::preset::{Draft, RunnerAround};
use cleanup::{InUse, Place, in_use};

use super::around::Party;

/// The locks of roots.
pub(super) type Locks = BTreeMap<PathBuf, Place>;

/// Takes the locks that nobody holds off the directories that were named. One that a task holds stays, and
/// counts as held for whoever cannot ask it.
pub(super) fn taken_off(party: &mut Party) -> Locks {
    let mut locks = Locks::new();
    if party.user.is_none() {
        return locks;
    }
    for entry in &mut party.named {
        if let Some(lock) = entry.lock.take_if(|lock| is_free(lock.as_ref())) {
            let root = fs::canonicalize(&entry.root).unwrap_or_else(|_| (&entry.root).into());
            locks.insert(root, lock.into());
        }
    }
    locks
}

/// Has the draft say which they are.
pub(super) fn put_on(draft: &mut Draft, locks: &Locks) {
    for plan in draft.groups.iter_mut().filter_map(|group| group.plan.as_mut()) {
        for item in &mut plan.items {
            let root = plan.roots.get(item.root);
            if let Some(lock) = root.and_then(|root| locks.get(&*root.path)) {
                item.lock = Some(lock.clone());
            }
        }
    }
}

/// Holds those that nobody else does and takes them off, for as long as what this returns lives.
pub(super) fn hold(draft: &mut Draft) -> Vec<fs::File> {
    let mut held: BTreeMap<Place, InUse> = BTreeMap::new();
    for plan in draft.groups.iter_mut().filter_map(|group| group.plan.as_mut()) {
        for item in &mut plan.items {
            let Some(lock) = &item.lock else { continue };
            let asked = held.entry(lock.clone()).or_insert_with(|| in_use(lock));
            if matches!(asked, InUse::Free(_)) {
                item.lock = None;
            }
        }
    }
    let free = |lock| match lock {
        InUse::Free(file) => file,
        InUse::Held | InUse::Unknown(_) => None,
    };
    held.into_values().filter_map(free).collect()
}

/// Of this user's runners those whose locks it has to ask itself. Those of a job user's that nobody holds
/// are held as long as the files live; it cannot ask the others, and counts them as held.
pub(super) fn held_for(
    user: Option<&str>,
    runners: Vec<RunnerAround>,
) -> (Vec<RunnerAround>, Vec<fs::File>) {
    let mut held = Vec::new();
    let mut asks = |runner: &RunnerAround| match in_use(&runner.lock) {
        InUse::Free(lock) => {
            held.extend(lock);
            false
        }
        InUse::Held | InUse::Unknown(_) => true,
    };
    let asked = runners.into_iter().filter(|it| user.is_none() || asks(it)).collect();
    (asked, held)
}

fn is_free(lock: &std::path::Path) -> bool {
    matches!(in_use(lock), InUse::Free(_))
}
