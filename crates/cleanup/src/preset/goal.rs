//! Free space that volumes shall have: what is least recently used goes first, until there is enough.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::statvfs;
use serde::{Deserialize, Serialize};

use crate::choose::{Candidate, Goal, Rule, plan, words};
use crate::plan::{Plan, PlannedRoot};

/// What stands for a preset where a goal, and no limit, takes something.
pub const FREE_SPACE: &str = "free-space";

/// Bytes that shall be free on the volume that a path is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeGoal {
    /// Absolute; what of it does not exist yet is on the volume of the folder above.
    pub path: PathBuf,
    pub wanted: u64,
    /// With this much a clean-up has not failed. None: with nothing less than `wanted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<u64>,
}

/// A volume that has less free than is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Unmet {
    path: PathBuf,
    goal: Goal,
}

/// Those that are not met; of several on one volume the largest counts. Words for those that cannot be
/// asked.
pub(crate) fn unmet(goals: &[FreeGoal]) -> (Vec<Unmet>, Vec<String>) {
    let (mut volumes, mut notes): (BTreeMap<u64, Unmet>, _) = (BTreeMap::new(), Vec::new());
    for goal in goals {
        let Some((path, device, free)) = volume_of(&goal.path) else {
            notes.push(format!("how much is free at {} cannot be asked", goal.path.display()));
            continue;
        };
        let new = Unmet { path, goal: Goal { device, free, wanted: goal.wanted } };
        let known = volumes.entry(device).or_insert_with(|| new.clone());
        if known.goal.wanted < new.goal.wanted {
            *known = new;
        }
    }
    volumes.retain(|_, it| it.goal.free < it.goal.wanted);
    (volumes.into_values().collect(), notes)
}

/// Whether each volume can be asked, and has what is wanted.
pub(crate) fn are_met(goals: &[FreeGoal]) -> bool {
    let is_met =
        |goal: &FreeGoal| volume_of(&goal.path).is_some_and(|(.., free)| free >= goal.wanted);
    goals.iter().all(is_met)
}

/// Words for each goal that a clean-up failed at, or that cannot be asked.
pub(crate) fn missed(goals: &[FreeGoal]) -> Vec<String> {
    let missed = |goal: &FreeGoal| {
        let Some((path, _, free)) = volume_of(&goal.path) else {
            return Some(format!("how much is free at {} cannot be asked", goal.path.display()));
        };
        let least = goal.least.unwrap_or(goal.wanted);
        let (path, wanted, has) = (path.display(), words(least), words(free));
        (free < least).then(|| format!("{path} has {has} free, and {wanted} are wanted"))
    };
    let mut all: Vec<String> = goals.iter().filter_map(missed).collect();
    all.dedup();
    all
}

fn volume_of(path: &Path) -> Option<(PathBuf, u64, u64)> {
    let there = path.ancestors().find_map(|above| fs::canonicalize(above).ok())?;
    // By its path: a volume that another user alone may look into has room that can be asked.
    let (device, room) = (fs::metadata(&there).ok()?.dev(), statvfs(&there).ok()?);
    Some((there, device, room.f_bavail.saturating_mul(room.f_frsize)))
}

/// What goes for them, beside `planned`, of all that may; and words where that is not enough.
pub(crate) fn plan_for(
    unmet: &[Unmet],
    planned: &[&Plan],
    roots: &[PlannedRoot],
    candidates: &[Candidate],
    now: Timestamp,
) -> (Plan, Vec<String>) {
    let mut rules = Vec::new();
    let mut notes = Vec::new();
    for it in unmet {
        let device = |roots: &[PlannedRoot], root: usize| roots.get(root).map(|root| root.device);
        let gained: u64 = planned
            .iter()
            .flat_map(|plan| {
                plan.items.iter().map(|item| (device(&plan.roots, item.root), item.bytes))
            })
            .filter(|(device, _)| *device == Some(it.goal.device))
            .map(|(_, bytes)| bytes)
            .sum();
        let goal = Goal { free: it.goal.free.saturating_add(gained), ..it.goal };
        rules.push(Rule::Free(goal));
    }
    let made = plan(roots.to_vec(), candidates, &rules, now);
    for (it, rule) in unmet.iter().zip(&rules) {
        let Rule::Free(goal) = rule else { continue };
        let of_it = |root: usize| roots.get(root).is_some_and(|root| root.device == goal.device);
        let more: u64 =
            made.items.iter().filter(|item| of_it(item.root)).map(|item| item.bytes).sum();
        let free = goal.free.saturating_add(more);
        if free < goal.wanted {
            notes.push(format!(
                "{}: {} are wanted free, and with all that may go only {} will be. Choose more presets, \
                 or lower what is wanted",
                it.path.display(),
                words(goal.wanted),
                words(free)
            ));
        }
    }
    (made, notes)
}
