//! A draft: what each chosen preset would do now. It is shown by a dry run, and it is all that
//! [`carry_out`](super::carry_out) takes.

use std::collections::HashSet;

use jiff::Timestamp;
use process::Liveness;
use serde::{Deserialize, Serialize};

use super::around::{Around, LeftOver, Platform, RunnerAround};
use super::ask;
use super::choice::{Choice, Chosen, Limits};
use super::data::{Preset, Risk, What, When};
use super::folders::{Found, Look};
use super::goal::{FREE_SPACE, FreeGoal, plan_for, unmet};
use super::steps::{Act, Step};
use crate::choose::Candidate;
use crate::in_use::{InUse, in_use};
use crate::place::Place;
use crate::plan::{Item, Plan, PlannedRoot};
use crate::roots::Root;
use crate::stop::{Progress, Stop};
use crate::why::Failure;

/// The version that this release writes; a later one is not carried out.
pub(crate) const VERSION: u32 = 1;

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub version: u32,
    pub made: Timestamp,
    pub groups: Vec<Group>,
}

/// By one preset, or by the free-space goals ([`FREE_SPACE`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub preset: String,
    pub title: String,
    pub risk: Risk,
    /// Files that go.
    pub plan: Option<Plan>,
    pub steps: Vec<Step>,
    /// What all of it frees at most. None: some of it was not measured, or cannot be.
    pub bytes: Option<u64>,
    /// It may be done only while no task runs on the machine; whoever carries it out asks again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle_only: bool,
    /// Locks of tasks: where one is held nothing of it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub while_free: Vec<Place>,
    /// What would go and cannot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Failure>,
    /// Why there is nothing here, or less than one may think.
    pub notes: Vec<String>,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Only what a rule needs: before a task, of the one runner that is named, which holds its lock.
    Quick,
    /// All bytes: for a person to decide.
    Measured,
}

impl Draft {
    /// Whether it does nothing at all.
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(Group::is_empty)
    }
}

/// What the chosen presets would do here and now. It changes nothing.
pub fn draft(
    choices: &[Choice],
    around: &Around,
    goals: &[FreeGoal],
    detail: Detail,
    now: Timestamp,
    stop: &Stop,
    progress: &Progress,
) -> Draft {
    let (unmet, notes) = unmet(goals);
    let measure = detail == Detail::Measured || !unmet.is_empty();
    let look = Look { around, measure, now, stop, progress };
    let wants_room = detail == Detail::Quick && !unmet.is_empty();
    let resting = if wants_room { resting(around) } else { None };
    let mut drafting = Drafting { look, seen: HashSet::new(), pool: Pool::default(), resting };
    let mut groups: Vec<Group> = choices.iter().map(|choice| drafting.group(choice)).collect();
    if !unmet.is_empty() || !notes.is_empty() {
        let plans: Vec<&Plan> = groups.iter().filter_map(|group| group.plan.as_ref()).collect();
        let Pool { roots, idle_only, candidates } = &drafting.pool;
        let free: Vec<Candidate> = candidates
            .iter()
            .filter(|it| !drafting.seen.contains(&key(roots, it)))
            .cloned()
            .collect();
        let (plan, short) = plan_for(&unmet, &plans, roots, &free, now);
        let (caches, others): (Vec<Item>, Vec<Item>) =
            plan.items.iter().cloned().partition(|item| idle_only.get(item.root) == Some(&true));
        let mut group = Group::of(FREE_SPACE, "Free space", Risk::Low);
        group.notes = [notes, short].concat();
        group.take(Plan { items: others, ..plan.clone() });
        groups.push(group);
        if !caches.is_empty() {
            let mut group = Group::of(FREE_SPACE, "Free space: caches", Risk::Low);
            group.idle_only = true;
            group.while_free = drafting.resting.unwrap_or_default();
            group.take(Plan { items: caches, ..plan });
            groups.push(group);
        }
    }
    Draft { version: VERSION, made: now, groups }
}

struct Drafting<'a> {
    look: Look<'a>,
    /// What one of the plans has already.
    seen: HashSet<(u64, u64)>,
    pool: Pool,
    /// Locks of all other tasks, where nobody holds one: a task is about to begin and will be the only one.
    resting: Option<Vec<Place>>,
}

/// What a free-space goal may take, chosen by a rule or not.
#[derive(Default)]
struct Pool {
    roots: Vec<PlannedRoot>,
    /// Of each root, whether its preset is.
    idle_only: Vec<bool>,
    candidates: Vec<Candidate>,
}

/// The locks of all other tasks; None where one may run.
fn resting(around: &Around) -> Option<Vec<Place>> {
    let locks = around.other_tasks()?;
    let all_free = locks.iter().all(|lock| matches!(in_use(lock), InUse::Free(_)));
    all_free.then(|| locks.into_iter().map(Place::from).collect())
}

fn key(roots: &[PlannedRoot], it: &Candidate) -> (u64, u64) {
    (roots.get(it.root).map_or(0, |root| root.device), it.inode)
}

impl Group {
    /// Whether it does nothing at all.
    pub fn is_empty(&self) -> bool {
        self.plan.is_none() && self.steps.is_empty()
    }

    fn of(preset: &str, title: &str, risk: Risk) -> Self {
        Self {
            preset: preset.to_owned(),
            title: title.to_owned(),
            risk,
            plan: None,
            steps: Vec::new(),
            bytes: Some(0),
            idle_only: false,
            while_free: Vec::new(),
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a plan to what it has.
    fn take(&mut self, plan: Plan) {
        if plan.items.is_empty() {
            return;
        }
        // An entry that was measured counts itself.
        let is_measured = plan.items.iter().all(|item| item.entries > 0);
        self.bytes = self.bytes.filter(|_| is_measured).map(|bytes| bytes + plan.bytes());
        match &mut self.plan {
            None => self.plan = Some(plan),
            Some(there) => {
                let before = there.roots.len();
                there.roots.extend(plan.roots);
                let items = plan.items.into_iter();
                there.items.extend(items.map(|mut item| {
                    item.root += before;
                    item
                }));
            }
        }
    }

    fn step(&mut self, step: Step) {
        self.bytes = self.bytes.and_then(|bytes| Some(bytes + step.bytes?));
        self.steps.push(step);
    }
}

impl Drafting<'_> {
    fn group(&mut self, choice: &Choice) -> Group {
        let (preset, limits) = match choice.resolved() {
            Ok(resolved) => resolved,
            Err(error) => {
                let id = match &choice.preset {
                    Chosen::BuiltIn(id) => id,
                    Chosen::Own(preset) => &preset.id,
                };
                let mut group = Group::of(id, id, Risk::High);
                group.notes.push(error.to_string());
                return group;
            }
        };
        let mut group = Group::of(&preset.id, &preset.title, preset.risk);
        group.idle_only = preset.when == When::IdleOnly;
        let around = self.look.around;
        if let Some(note) = not_here(preset, around.platform) {
            group.notes.push(note);
            return group;
        }
        if group.idle_only && !around.idle {
            group.notes.push("it is done only while no task runs on this machine".to_owned());
            // By its limits nothing goes now; for want of room it may, as long as no other task uses it.
            if self.resting.is_some()
                && let What::Folders(folders) = &preset.what
            {
                let found = self.look.folders(folders, limits);
                let roots = found.roots.iter().map(Root::planned).collect();
                self.offer(&found, roots, true);
            }
            return group;
        }
        match &preset.what {
            What::Fresh => {
                around.runners.iter().for_each(|runner| fresh(around, runner, &mut group));
            }
            What::Kept => {
                for runner in &around.runners {
                    let found = self.look.kept(runner, limits);
                    self.files(found, limits, &mut group);
                }
            }
            What::Folders(folders) => {
                let found = self.look.folders(folders, limits);
                self.files(found, limits, &mut group);
            }
            What::Tool(tool) => {
                match ask::tool(around, tool, limits, &preset.why, self.look.stop) {
                    Ok(step) => {
                        // No such program says before how much of it is that old.
                        if let Some(days) = limits.unused_days.filter(|_| tool.heeds_days()) {
                            group.notes.push(format!(
                                "at most so much: what was used in the last {days} days stays"
                            ));
                        }
                        group.step(step);
                    }
                    Err(note) => group.notes.push(note),
                }
            }
            What::Processes => self.processes(&preset.why, &mut group),
            What::Command(command) => group.step(ask::command(around, command, &preset.why)),
        }
        group
    }

    fn files(&mut self, mut found: Found, limits: Limits, group: &mut Group) {
        let says_why = !found.notes.is_empty() || !found.left_out.is_empty();
        if found.candidates.is_empty() && !says_why {
            group.notes.push("there is nothing of it here".to_owned());
        }
        let mut plan = self.look.plan(&mut found, limits);
        let device = |root: usize| plan.roots.get(root).map_or(0, |root| root.device);
        let keys: Vec<(u64, u64)> =
            plan.items.iter().map(|item| (device(item.root), item.inode)).collect();
        let mut is_new = keys.into_iter().map(|key| self.seen.insert(key));
        plan.items.retain(|_| is_new.next() == Some(true));
        self.offer(&found, plan.roots.clone(), group.idle_only);
        group.notes.append(&mut found.notes);
        group.left_out.append(&mut found.left_out);
        group.take(plan);
    }

    /// A free-space goal may take it.
    fn offer(&mut self, found: &Found, roots: Vec<PlannedRoot>, idle_only: bool) {
        let pool = &mut self.pool;
        let before = pool.roots.len();
        pool.roots.extend(roots);
        pool.idle_only.resize(pool.roots.len(), idle_only);
        let evictable = found.candidates.iter().filter(|it| found.is_evictable(it));
        pool.candidates
            .extend(evictable.map(|it| Candidate { root: it.root + before, ..it.clone() }));
    }

    fn processes(&self, why: &str, group: &mut Group) {
        // Those of others are ended by a clean-up of theirs.
        let own = rustix::process::geteuid().as_raw();
        let is_own = |left: &&LeftOver| {
            process::owner(left.process.pid).is_ok_and(|owner| owner == Some(own))
        };
        for left in self.look.around.left_over.iter().filter(is_own) {
            if process::alive(&left.process) != Liveness::Dead {
                group.step(Step {
                    act: Act::End { process: left.process.clone() },
                    words: left.words.clone(),
                    why: why.to_owned(),
                    bytes: Some(0),
                });
            }
        }
        if group.steps.is_empty() {
            group.notes.push("no task left anything running".to_owned());
        }
    }
}

fn not_here(preset: &Preset, platform: Platform) -> Option<String> {
    let platforms: Vec<&str> = preset.platforms.iter().map(|it| it.words()).collect();
    let is_here = preset.platforms.contains(&platform);
    (!is_here).then(|| format!("it is for {} only", platforms.join(" and ")))
}

fn fresh(around: &Around, runner: &RunnerAround, group: &mut Group) {
    // Kept, it would lie at another path, which nobody marked.
    if around.is_marked(&runner.work) {
        let name = &runner.name;
        group.notes.push(format!("you marked something in the working directory of {name}"));
        return;
    }
    let is_empty = std::fs::read_dir(&runner.work).is_ok_and(|mut it| it.next().is_none());
    if is_empty || !runner.work.exists() {
        group.notes.push(format!("the working directory of {} is empty", runner.name));
        return;
    }
    match in_use(&runner.lock) {
        InUse::Free(_) => group.step(Step {
            act: Act::Fresh {
                work: (&runner.work).into(),
                kept: (&runner.kept).into(),
                lock: (&runner.lock).into(),
            },
            words: format!("keep {} and make an empty one", runner.work.display()),
            why: format!("the next task of {} begins with an empty directory", runner.name),
            bytes: Some(0),
        }),
        InUse::Held => group.notes.push(format!("a task of {} uses its directory", runner.name)),
        InUse::Unknown(error) => group.notes.push(format!(
            "whether a task of {} uses its directory cannot be asked: {}: {error}",
            runner.name,
            runner.lock.display()
        )),
    }
}
