//! Carries a draft out, group by group: files by their plan, all else step by step. What fails is told,
//! and the rest goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use process::folder::{VolumeRoom, open_folder_by_path, room_of};
use process::{Liveness, ProcessId, Sent, Signal};
use serde::{Deserialize, Serialize};

use super::around::Around;
use super::choice::Choice;
use super::data::What;
use super::draft::{Draft, Group, VERSION};
use super::fresh::{Freshened, fresh};
use super::reading::freed_in;
use super::run::{End, Run, wait_for};
use super::steps::{Act, Outcome, Step, StepReceipt};
use crate::in_use::{InUse, in_use};
use crate::place::Place;
use crate::receipt::{Fate, ItemReceipt, Receipt, VolumeReceipt};
use crate::remove;
use crate::roots::{Root, RootError};
use crate::stop::{Progress, Stop};
use crate::trash::{Batch, has_trash, lying_in};
use crate::whose::{before, is_from_before, left_by};
use crate::why::Failure;

/// From TERM to KILL, for what tasks left running.
const GRACE: Duration = Duration::from_secs(5);

/// Whether files may be put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// They stay in the trash until they are swept: see [`sweep`].
    Kept,
    Gone,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub version: u32,
    pub at: Timestamp,
    pub groups: Vec<GroupDone>,
}

/// By one preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDone {
    pub preset: String,
    pub title: String,
    pub files: Option<Receipt>,
    pub steps: Vec<StepReceipt>,
    /// As the draft has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Failure>,
    /// As the draft has them.
    pub notes: Vec<String>,
}

impl Done {
    /// Bytes on disk of what was deleted, and what programs say they freed.
    pub fn freed(&self) -> u64 {
        self.groups.iter().map(GroupDone::freed).sum()
    }
}

impl GroupDone {
    pub fn freed(&self) -> u64 {
        let steps = self.steps.iter().filter_map(|step| step.freed).sum::<u64>();
        self.files.as_ref().map_or(0, |files| files.freed) + steps
    }
}

/// Does what the draft lists. `stop` leaves whole what was not begun.
pub fn carry_out(
    draft: &Draft,
    undo: Undo,
    now: Timestamp,
    stop: &Stop,
    progress: &Progress,
) -> Done {
    let groups = draft.groups.iter().map(|group| {
        if draft.version > VERSION {
            return refused(group, "the draft is of a later release");
        }
        // Held until the last name is free: who begins meanwhile waits for some renames at most.
        let held: Vec<InUse> = group.while_free.iter().map(|lock| in_use(lock)).collect();
        if held.iter().any(|lock| !matches!(lock, InUse::Free(_))) {
            return refused(group, "a task began that may use it");
        }
        let plan = group.plan.as_ref().filter(|_| !stop.is_asked());
        let files = plan.map(|plan| {
            let aside = remove::set_aside(plan, now);
            drop(held);
            match undo {
                Undo::Kept => aside.keep(),
                Undo::Gone => aside.delete(stop, progress),
            }
        });
        let mut ended = end_all(group, stop).into_iter();
        let steps = group.steps.iter().filter_map(|step| match &step.act {
            Act::End { .. } => ended.next(),
            Act::Fresh { work, kept, lock } => {
                Some(step.receipt(freshen(work, kept, lock, now, stop)))
            }
            Act::Run { program, words, home, path, time_limit_seconds } => {
                let path: Vec<_> = path.iter().map(|place| place.to_path_buf()).collect();
                let limit = Duration::from_secs(u64::from(*time_limit_seconds));
                Some(have_done(step, &Run { program, words, home, path: &path, limit }, stop))
            }
        });
        let steps = steps.collect();
        GroupDone { files, steps, ..group_done(group) }
    });
    Done { version: VERSION, at: now, groups: groups.collect() }
}

/// Deletes what lies in the trashes of all roots of these presets: what was going when somebody was
/// killed, and what was set aside before `until`. What may still be put back is told as set aside, and what
/// is due in a folder that may not be opened any more as failed.
pub fn sweep(
    choices: &[Choice],
    around: &Around,
    until: Timestamp,
    now: Timestamp,
    stop: &Stop,
    progress: &Progress,
) -> Vec<Receipt> {
    let resolved = choices.iter().filter_map(|choice| Some(choice.resolved().ok()?.0));
    let mut places: Vec<std::path::PathBuf> = resolved
        .flat_map(|preset| match &preset.what {
            What::Kept => around.runners.iter().map(|runner| runner.kept.clone()).collect(),
            What::Folders(folders) => {
                folders.iter().flat_map(|it| around.places(&it.root)).collect()
            }
            What::Fresh | What::Tool(_) | What::Processes | What::Command(_) => Vec::new(),
        })
        .filter(|place| has_trash(place))
        // One that is named twice, once through a link, is one.
        .map(|place| place.canonicalize().unwrap_or(place))
        .collect();
    places.sort();
    places.dedup();
    let sweep = |place: &std::path::PathBuf| {
        let root = match Root::of_trash(place) {
            Ok(root) => root,
            Err(refused) => return not_swept(place, &refused, until, now),
        };
        let mut receipt = remove::sweep(&root, until, now, stop, progress);
        let left = remove::batches(&root).unwrap_or_default();
        receipt.items.extend(left.iter().filter(|batch| !batch.is_going()).map(|batch| {
            ItemReceipt {
                path: root.path().join(crate::TRASH).join(batch.name()).into(),
                rule: "trash".into(),
                why: "it may still be put back".into(),
                planned: 0,
                freed: 0,
                fate: Fate::SetAside,
            }
        }));
        receipt
    };
    places.iter().map(sweep).collect()
}

fn not_swept(folder: &Path, refused: &RootError, until: Timestamp, now: Timestamp) -> Receipt {
    let (trash, batches) = lying_in(folder);
    let is_due = |batch: &&Batch| batch.is_going() || batch.at().is_none_or(|at| at < until);
    let path = |batch: &Batch| Place::from(trash.join(batch.name()));
    let item = |batch: &Batch| ItemReceipt {
        path: path(batch),
        rule: "trash".into(),
        why: "it was set aside before".into(),
        planned: 0,
        freed: 0,
        fate: if is_due(&batch) { Fate::Failed } else { Fate::SetAside },
    };
    Receipt {
        version: VERSION,
        at: now,
        freed: 0,
        removed: 0,
        items: batches.iter().map(item).collect(),
        volumes: Vec::new(),
        failures: batches.iter().filter(is_due).map(|batch| refused.failure(path(batch))).collect(),
        more_failures: 0,
    }
}

fn group_done(group: &Group) -> GroupDone {
    GroupDone {
        preset: group.preset.clone(),
        title: group.title.clone(),
        files: None,
        steps: Vec::new(),
        left_out: group.left_out.clone(),
        notes: group.notes.clone(),
    }
}

fn refused(group: &Group, why: &str) -> GroupDone {
    let mut done = group_done(group);
    done.notes.push(format!("nothing was done: {why}"));
    let refuse = |step: &Step| step.receipt(Outcome::Refused(why.to_owned()));
    done.steps = group.steps.iter().map(refuse).collect();
    done
}

impl Step {
    fn receipt(&self, outcome: Outcome) -> StepReceipt {
        StepReceipt {
            words: self.words.clone(),
            outcome,
            printed: Vec::new(),
            planned: self.bytes,
            freed: None,
            volume: None,
        }
    }
}

fn freshen(work: &Path, kept: &Path, lock: &Path, now: Timestamp, stop: &Stop) -> Outcome {
    if stop.is_asked() {
        return Outcome::Stopped { left: Vec::new() };
    }
    // Held meanwhile: a task that begins waits for a rename at most.
    let free = match in_use(lock) {
        InUse::Free(lock) => lock,
        InUse::Held => return Outcome::Refused("a task uses it now. Try again after it".into()),
        InUse::Unknown(error) => {
            return Outcome::Refused(format!("{} cannot be asked: {error}", lock.display()));
        }
    };
    let by_hand = format!("by-hand-{}", now.as_second());
    let name = match free.as_ref().and_then(|lock| left_by(lock, work)) {
        Some(name) if !is_from_before(&name) => by_hand,
        Some(_) | None => before(&by_hand),
    };
    match fresh(work, kept, &name) {
        Ok(Freshened::Kept(_)) => Outcome::Done,
        Ok(Freshened::Nothing) => Outcome::Nothing,
        Err(error) => Outcome::Refused(error.to_string()),
    }
}

fn have_done(its: &Step, program: &Run<'_>, stop: &Stop) -> StepReceipt {
    if stop.is_asked() {
        return its.receipt(Outcome::Stopped { left: Vec::new() });
    }
    let room = || -> Option<VolumeRoom> {
        let home = std::fs::canonicalize(program.home).ok()?;
        room_of(open_folder_by_path(&home).ok()?).ok()
    };
    let before = room();
    let printed = program.now(stop);
    let volume = before.zip(room()).map(|(before, after)| VolumeReceipt {
        path: Place::from(program.home),
        total: after.total,
        free_before: before.free,
        free_after: after.free,
    });
    let outcome = match printed.end {
        End::Exited(0) => Outcome::Done,
        End::Exited(code) => Outcome::Exited(code),
        End::Signalled(signal) => Outcome::Signalled(signal),
        End::TimeUp(left) => Outcome::TimeUp { left },
        End::Stopped(left) => Outcome::Stopped { left },
        End::NotStarted(why) => Outcome::Refused(why),
    };
    let freed = freed_in(&printed.lines);
    StepReceipt { printed: printed.lines, freed, volume, ..its.receipt(outcome) }
}

/// Ends the processes of a group together: TERM, and after a while KILL.
fn end_all(group: &Group, stop: &Stop) -> Vec<StepReceipt> {
    let steps: Vec<(&Step, &ProcessId)> = group
        .steps
        .iter()
        .filter_map(|step| match &step.act {
            Act::End { process } => Some((step, process)),
            Act::Fresh { .. } | Act::Run { .. } => None,
        })
        .collect();
    if stop.is_asked() {
        let stopped = |(step, _): &(&Step, _)| step.receipt(Outcome::Stopped { left: Vec::new() });
        return steps.iter().map(stopped).collect();
    }
    let all: Vec<ProcessId> = steps.iter().map(|(_, process)| (*process).clone()).collect();
    let sent: Vec<_> = all.iter().map(|process| process::signal(process, Signal::TERM)).collect();
    wait_for(&all, Instant::now() + GRACE);
    for process in &all {
        let _ = process::signal(process, Signal::KILL);
    }
    wait_for(&all, Instant::now() + GRACE);
    let told = steps.into_iter().zip(sent).map(|((step, process), sent)| {
        let is_there = process::alive(process) != Liveness::Dead;
        step.receipt(match sent {
            Ok(Sent::Gone) => Outcome::Nothing,
            Ok(Sent::Delivered) if is_there => Outcome::Refused(format!(
                "it does not end: it waits for a device. Look at it: ps -p {process}"
            )),
            Ok(Sent::Delivered) => Outcome::Done,
            Err(error) => Outcome::Refused(format!(
                "{error}. It belongs to another user: sudo kill -- {process}"
            )),
        })
    });
    told.collect()
}
