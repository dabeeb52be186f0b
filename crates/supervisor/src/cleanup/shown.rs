//! Drafts and what was done, as clients see them.

use std::collections::BTreeMap;

use cleanup::preset::{Act, Done, Draft, Group, GroupDone, Outcome, Step};
use cleanup::{Fate, Plan, Why};
use jiff::Timestamp;
use protocol::{
    Bytes, CleanupFailure, CleanupPlan, CleanupReceipt, CleanupWhy, PlanGroup, PlanItem,
    ReceiptGroup, RunnerName, SetAside, TaskId, VolumeReceipt,
};

use super::around::risk;
use super::job::Drafted;

/// Items that a plan shows of one group, and failures that a receipt shows.
const MOST_ITEMS: usize = 500;
pub(super) const MOST_FAILURES: usize = 100;

/// Each user's draft as one plan, the largest groups first.
pub(super) fn plan(id: String, made_at: Timestamp, drafted: &Drafted) -> CleanupPlan {
    let Drafted { parts, failed, stopped: _ } = drafted;
    let mut groups: Vec<PlanGroup> = parts
        .iter()
        .flat_map(|(user, draft)| draft.groups.iter().map(|it| group(it, user.as_deref())))
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.bytes.map_or(0, |bytes| bytes.0)));
    let all = || parts.iter().flat_map(|(_, draft)| &draft.groups);
    CleanupPlan {
        id,
        made_at,
        bytes: Bytes(groups.iter().filter_map(|group| group.bytes).map(|bytes| bytes.0).sum()),
        entries: all().map(|group| items_of(group) as u64).sum(),
        groups,
        failures: failed
            .iter()
            .cloned()
            .chain(all().flat_map(|it| &it.left_out).map(told))
            .collect(),
    }
}

/// A user of whom no draft could be made.
pub(super) fn not_looked_at(user: Option<&str>, why: &str) -> CleanupFailure {
    let way_out = match user {
        Some(_) => "See what `runnerctl doctor` says of that user, then clean up again.",
        None => "Clean up again; if that fails too, see what `runnerctl doctor` says.",
    };
    CleanupFailure {
        path: format!("all of {}", user.unwrap_or("yours")),
        why: note(&[why.to_owned()]).unwrap_or_default(),
        way_out: way_out.to_owned(),
    }
}

fn items_of(group: &Group) -> usize {
    group.plan.as_ref().map_or(0, |plan| plan.items.len()) + group.steps.len()
}

fn group(group: &Group, user: Option<&str>) -> PlanGroup {
    let mut items: Vec<PlanItem> =
        group.plan.iter().flat_map(files).chain(group.steps.iter().map(step)).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.bytes.map_or(0, |bytes| bytes.0)));
    let more = items.len().saturating_sub(MOST_ITEMS);
    items.truncate(MOST_ITEMS);
    PlanGroup {
        preset: group.preset.clone(),
        title: of_user(&group.title, user),
        risk: risk(group.risk),
        bytes: group.bytes.map(Bytes),
        items,
        more: more as u64,
        note: note(&group.notes),
    }
}

fn of_user(title: &str, user: Option<&str>) -> String {
    user.map_or_else(|| title.to_owned(), |user| format!("{title} (of {user})"))
}

fn files(plan: &Plan) -> impl Iterator<Item = PlanItem> {
    plan.items.iter().map(|item| {
        let root = plan.roots.get(item.root).map(|root| root.path.join(&*item.path));
        PlanItem {
            what: root.map_or_else(|| item.path.clone(), Into::into).to_string(),
            bytes: (item.entries > 0).then_some(Bytes(item.bytes)),
            used_at: item.used,
            why: item.why.clone(),
        }
    })
}

fn step(step: &Step) -> PlanItem {
    let bytes = step.bytes.map(Bytes).filter(|_| matches!(step.act, Act::Run { .. }));
    PlanItem { what: step.words.clone(), bytes, used_at: None, why: step.why.clone() }
}

/// One sentence of all of them.
fn note(notes: &[String]) -> Option<String> {
    let mut words = notes.join("; ");
    let first = words.chars().next()?;
    let big: String = first.to_uppercase().collect();
    words.replace_range(..first.len_utf8(), &big);
    if !words.ends_with('.') {
        words.push('.');
    }
    Some(words)
}

/// For whom and what for.
pub(crate) struct Of {
    pub(crate) why: CleanupWhy,
    pub(crate) runner: Option<RunnerName>,
    pub(crate) task: Option<TaskId>,
    pub(crate) seconds: u64,
    pub(crate) undo_until: Option<Timestamp>,
    pub(crate) cut_short: Option<String>,
}

impl Of {
    /// Of the whole machine, with no undo.
    pub(crate) fn all(why: CleanupWhy) -> Self {
        Self { why, runner: None, task: None, seconds: 0, undo_until: None, cut_short: None }
    }
}

/// One that did nothing.
#[cfg(test)]
pub(crate) fn empty_receipt(at: Timestamp) -> CleanupReceipt {
    receipt(Of::all(CleanupWhy::You), at, &[])
}

/// What was done, by each user, as one receipt; it gets its id where it is kept.
pub(crate) fn receipt(of: Of, at: Timestamp, parts: &[(Option<String>, Done)]) -> CleanupReceipt {
    let all = || parts.iter().flat_map(|(user, done)| done.groups.iter().map(move |it| (user, it)));
    let groups: Vec<ReceiptGroup> =
        all().map(|(user, it)| group_done(it, user.as_deref())).collect();
    let mut failures: Vec<CleanupFailure> = all().flat_map(|(_, group)| failed(group)).collect();
    let hidden: u64 =
        all().filter_map(|(_, group)| group.files.as_ref()).map(|it| it.more_failures).sum();
    let more_failures = hidden + failures.len().saturating_sub(MOST_FAILURES) as u64;
    failures.truncate(MOST_FAILURES);
    CleanupReceipt {
        id: 0,
        at,
        why: of.why,
        runner: of.runner,
        task: of.task,
        freed: Bytes(parts.iter().map(|(_, done)| done.freed()).sum()),
        seconds: of.seconds,
        // What went for good cannot be put back.
        undo_until: of.undo_until.filter(|_| groups.iter().any(|it| it.set_aside.is_some())),
        groups,
        volumes: volumes(parts.iter().flat_map(|(_, done)| &done.groups)),
        failures,
        more_failures,
        undone: false,
        cut_short: of.cut_short,
    }
}

/// What is about to be done: the receipt where its end is never heard of.
pub(super) fn planned(of: Of, at: Timestamp, parts: &[(Option<String>, Draft)]) -> CleanupReceipt {
    let all =
        || parts.iter().flat_map(|(user, draft)| draft.groups.iter().map(move |it| (user, it)));
    let is_kept = of.undo_until.is_some();
    let group = |(user, group): (&Option<String>, &Group)| {
        let aside = group
            .plan
            .as_ref()
            .filter(|_| is_kept)
            .map(|plan| SetAside { entries: plan.items.len() as u64, bytes: Bytes(plan.bytes()) });
        ReceiptGroup {
            preset: group.preset.clone(),
            title: of_user(&group.title, user.as_deref()),
            planned: group.bytes.map(Bytes),
            freed: Bytes(0),
            went: items_of(group) as u64,
            stayed: 0,
            set_aside: aside,
            note: None,
        }
    };
    let mut roots: Vec<String> = all()
        .filter_map(|(_, group)| group.plan.as_ref())
        .flat_map(|plan| plan.roots.iter().map(|root| root.path.to_string()))
        .collect();
    roots.sort();
    roots.dedup();
    CleanupReceipt {
        groups: all().filter(|(_, it)| !it.is_empty()).map(group).collect(),
        volumes: roots.iter().map(|root| volume(root)).collect(),
        undo_until: of.undo_until,
        ..receipt(of, at, &[])
    }
}

/// As it is now.
pub(super) fn volume(path: &str) -> VolumeReceipt {
    let room = host::Room::of(std::path::Path::new(path)).ok();
    let (total, free) = room.map_or((0, 0), |room| (room.total, room.free));
    let (path, free) = (path.to_owned(), Bytes(free));
    VolumeReceipt { path, total: Bytes(total), free_before: free, free_after: free }
}

fn group_done(group: &GroupDone, user: Option<&str>) -> ReceiptGroup {
    let items = group.files.iter().flat_map(|files| &files.items);
    let (mut went, mut stayed) = (0, group.left_out.len() as u64);
    for item in items.clone() {
        match item.fate {
            Fate::Deleted | Fate::SetAside | Fate::Partly | Fate::Stopped | Fate::Gone => went += 1,
            Fate::InUse | Fate::Changed | Fate::Refused(_) | Fate::Failed => stayed += 1,
        }
    }
    let mut said = group.notes.clone();
    for step in &group.steps {
        match &step.outcome {
            Outcome::Done | Outcome::Nothing => went += 1,
            Outcome::Exited(_)
            | Outcome::Signalled(_)
            | Outcome::TimeUp { .. }
            | Outcome::Stopped { .. }
            | Outcome::Refused(_) => stayed += 1,
        }
        said.extend(step.printed.last().cloned());
    }
    let aside = items.clone().filter(|item| item.fate == Fate::SetAside);
    let set_aside = SetAside {
        entries: aside.clone().count() as u64,
        bytes: Bytes(aside.map(|item| item.planned).sum()),
    };
    let planned: u64 = items.map(|item| item.planned).sum();
    let steps: u64 = group.steps.iter().filter_map(|step| step.planned).sum();
    ReceiptGroup {
        preset: group.preset.clone(),
        title: of_user(&group.title, user),
        planned: Some(Bytes(planned + steps)),
        freed: Bytes(group.freed()),
        went,
        stayed,
        set_aside: Some(set_aside).filter(|aside| aside.entries > 0),
        note: note(&said),
    }
}

/// What stayed, with its way out.
fn failed(group: &GroupDone) -> Vec<CleanupFailure> {
    let files = group.files.iter().flat_map(|files| {
        let told = files.failures.iter().map(told);
        let kept = files.items.iter().filter_map(|item| {
            let (why, way_out) = match &item.fate {
                Fate::InUse => ("A task uses it.", "Clean up again after it."),
                Fate::Changed => {
                    ("Something else has its name now.", "Look at it, then clean up again.")
                }
                Fate::Refused(why) => {
                    return Some(CleanupFailure {
                        path: item.path.to_string(),
                        why: note(std::slice::from_ref(why))?,
                        way_out: "Make a new plan.".into(),
                    });
                }
                Fate::Stopped => ("Its end was cut short.", "The rest goes by itself soon."),
                Fate::Deleted | Fate::SetAside | Fate::Partly | Fate::Gone | Fate::Failed => {
                    return None;
                }
            };
            let (why, way_out) = (why.to_owned(), way_out.to_owned());
            Some(CleanupFailure { path: item.path.to_string(), why, way_out })
        });
        told.chain(kept)
    });
    let steps = group.steps.iter().filter_map(|step| {
        let why = match &step.outcome {
            Outcome::Done | Outcome::Nothing => return None,
            Outcome::Exited(code) => format!("It ended with code {code}."),
            Outcome::Signalled(signal) => format!("It was ended by signal {signal}."),
            Outcome::TimeUp { .. } => "It took too long and was ended.".to_owned(),
            Outcome::Stopped { .. } => "It was stopped.".to_owned(),
            Outcome::Refused(why) => note(std::slice::from_ref(why))?,
        };
        let printed = step.printed.iter().rev().take(3).rev().cloned().collect::<Vec<_>>();
        let way_out = if printed.is_empty() {
            "Run it yourself to see more.".to_owned()
        } else {
            format!("It said: {}", printed.join(" / "))
        };
        Some(CleanupFailure { path: step.words.clone(), why, way_out })
    });
    group.left_out.iter().map(told).chain(files).chain(steps).collect()
}

/// What a sweep could not delete, of the batches of one moment.
pub(super) fn swept<'a>(
    at: Timestamp,
    swept: impl Iterator<Item = &'a cleanup::Receipt>,
) -> Vec<CleanupFailure> {
    let failures = swept.flat_map(|swept| &swept.failures);
    failures.filter(|failure| moment_of(&failure.path) == Some(at.as_second())).map(told).collect()
}

/// When what lies at this path of a trash was set aside, in seconds.
pub(super) fn moment_of(path: &std::path::Path) -> Option<i64> {
    let mut parts = path.iter().skip_while(|part| !cleanup::is_trash(part)).skip(1);
    parts.next()?.to_str()?.split('-').next()?.parse().ok()
}

fn told(failure: &cleanup::Failure) -> CleanupFailure {
    CleanupFailure {
        path: failure.path.to_string(),
        why: why(&failure.why),
        way_out: failure.way_out.clone(),
    }
}

fn why(why: &Why) -> String {
    match why {
        Why::NotYours { owner } => format!("It belongs to user {owner}."),
        Why::NoPermission => "Its rights forbid it.".into(),
        Why::Immutable => "A mark of the file system forbids it.".into(),
        Why::Mounted => "Another file system is mounted there.".into(),
        Why::Busy => "Something uses it.".into(),
        Why::NoRoom => "No room is left to keep it for an undo.".into(),
        Why::ReadOnlyVolume => "Its volume can only be read.".into(),
        Why::Growing => "Something writes there as fast as it is emptied.".into(),
        Why::TooDeep => "It has more levels than can be entered.".into(),
        Why::Other(other) => format!("{other}."),
    }
}

/// Each root once, with what its volume has: before the first, after the last. By these paths an undo finds
/// what was set aside.
fn volumes<'a>(groups: impl Iterator<Item = &'a GroupDone>) -> Vec<VolumeReceipt> {
    let mut all: BTreeMap<String, VolumeReceipt> = BTreeMap::new();
    for group in groups {
        let files = group.files.iter().flat_map(|files| &files.volumes);
        for volume in files.chain(group.steps.iter().filter_map(|step| step.volume.as_ref())) {
            let of = VolumeReceipt {
                path: volume.path.to_string(),
                total: Bytes(volume.total),
                free_before: Bytes(volume.free_before),
                free_after: Bytes(volume.free_after),
            };
            all.entry(of.path.clone()).and_modify(|it| it.free_after = of.free_after).or_insert(of);
        }
    }
    all.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_go_and_cannot_is_a_failure_in_the_plan_and_on_the_receipt() {
        let left_out = vec![cleanup::Failure {
            path: "/w/work.kept/run.1/mount".into(),
            why: Why::Mounted,
            way_out: "Unmount it.".into(),
        }];
        let group = Group {
            preset: "kept".into(),
            title: "Kept".into(),
            risk: cleanup::preset::Risk::Low,
            plan: None,
            steps: Vec::new(),
            bytes: Some(0),
            idle_only: false,
            while_free: Vec::new(),
            left_out: left_out.clone(),
            notes: Vec::new(),
        };
        let at = Timestamp::UNIX_EPOCH;
        let draft = Draft { version: 1, made: at, groups: vec![group] };
        let drafted = Drafted { parts: vec![(None, draft)], ..Drafted::default() };
        let failures = plan("1".into(), at, &drafted).failures;
        assert_eq!(failures[0].why, "Another file system is mounted there.");
        let done = GroupDone {
            preset: "kept".into(),
            title: "Kept".into(),
            files: None,
            steps: Vec::new(),
            left_out,
            notes: Vec::new(),
        };
        let done = Done { version: 1, at, groups: vec![done] };
        let receipt = receipt(Of::all(CleanupWhy::BeforeTask), at, &[(None, done)]);
        assert_eq!((receipt.failures, receipt.groups[0].stayed), (failures, 1));
    }
}
