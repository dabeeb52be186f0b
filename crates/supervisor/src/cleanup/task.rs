//! The clean-up before each task: what a run is told to do, and what came of it.

use std::os::unix::fs::OpenOptionsExt;

use cleanup::Fate;
use cleanup::preset::{Done, FreeGoal};
use cleanup::work::{BeforeTask, Fresh, TaskCleanUp, TaskCleaned, VERSION};
use host::Folders;
use protocol::{CleanupWhy, RunnerName, TaskId, Volume, WhenCleanupFails};
use run_dir::{RunDir, TaskDir, TaskNumber};
use supervisor_core::{Event, RunFacts, TaskEnd, TaskFacts, VolumeFacts};

use super::around::{around, around_runner, goals, presets};
use super::run::{SOON, failure_of};
use super::shown::{Of, receipt};
use crate::settings::{RunnerSettings, Settings};
use crate::supervisor::Supervisor;

/// Larger than any receipt of one task.
const LONGEST: u64 = 8 << 20;
const FRESH: &str = "fresh";

/// What is done around the tasks of a run that begins now.
fn task_clean_up(
    name: &RunnerName,
    runner: &RunnerSettings,
    settings: &Settings,
    folders: &Folders,
    goals: Vec<FreeGoal>,
) -> TaskCleanUp {
    let wanted = settings.preferences.cleanup;
    let (all, _) = presets(&settings.cleanup);
    let of_runner = around_runner(name, runner, folders);
    let is_on = |id: &str| all.iter().any(|chosen| chosen.preset.id == id && chosen.on);
    let fresh = is_on(FRESH).then(|| Fresh {
        work: of_runner.work.as_path().into(),
        kept: of_runner.kept.as_path().into(),
        // The wrapper knows which task was the last.
        name: String::new(),
    });
    let makes_room = |chosen: &&super::Chosen| !goals.is_empty() && chosen.may_make_room();
    let caches = all.iter().filter(makes_room);
    let choices = all.iter().filter(|chosen| chosen.is_before_task()).chain(caches);
    let choices: Vec<_> = choices.map(super::Chosen::choice).collect();
    let lock = of_runner.lock.as_path().into();
    let wants = fresh.is_some() || !choices.is_empty() || !goals.is_empty();
    let before = wants.then(|| BeforeTask {
        fresh,
        choices,
        around: around(vec![of_runner], settings, false),
        goals,
    });
    TaskCleanUp {
        version: VERSION,
        within_seconds: wanted.before_task_seconds,
        fail_task: wanted.when_it_fails == WhenCleanupFails::FailTask,
        end_left_overs: wanted.end_left_overs,
        lock,
        before,
    }
}

impl Supervisor {
    /// What a run that begins now does around its tasks; nothing where the settings cannot be read.
    pub(crate) fn task_clean_up(&self, name: &RunnerName) -> Option<TaskCleanUp> {
        let settings = self.settings.as_ref().ok()?;
        let runner = settings.runners.get(name)?;
        // A home may be another user's alone, and its room nothing to this one.
        let is_for = |volume: &&Volume| {
            let of = self.cleaning.volumes.get(&volume.path).and_then(Option::as_ref);
            of.is_none_or(|runners| runners.contains(name))
        };
        let goals = goals(self.core.snapshot().volumes.iter().filter(is_for));
        Some(task_clean_up(name, runner, settings, &self.folders, goals))
    }

    /// A volume that was not seen before, or is a larger one now, has a goal from the next task on.
    pub(crate) fn disks_seen(&mut self, volumes: Vec<VolumeFacts>) {
        let of = volumes.iter().map(|volume| (volume.path.clone(), volume.runners.clone()));
        self.cleaning.volumes = of.collect();
        self.event(Event::DiskSeen(volumes));
        let goals = goals(self.core.snapshot().volumes.iter());
        if goals != self.cleaning.goals {
            self.cleaning.goals = goals;
            self.rewrite_task_clean_ups();
        }
    }

    /// Presets or preferences are others now; runs that go on heed them from their next task on.
    pub(crate) fn rewrite_task_clean_ups(&self) {
        for runner in &self.core.snapshot().runners {
            let Some(run) = &runner.run else { continue };
            let Some(plan) = self.task_clean_up(&runner.name) else { continue };
            if let Err(error) = write(&self.folder_of(run), &plan) {
                tracing::warn!(%run, %error, "what is done before its tasks stays as it was");
            }
        }
    }

    /// Receipts of what was cleaned before the tasks of a run, each once.
    pub(crate) fn note_clean_ups(&mut self, facts: &RunFacts) {
        let Some(watched) = self.watched.get_mut(&facts.run) else { return };
        // It is over once the task has begun, or never will.
        let over = |task: &&TaskFacts| task.pid.is_some() || task.end != TaskEnd::Running;
        let new = facts.tasks.iter().filter(|task| task.number > watched.cleaned);
        let new: Vec<_> = new.filter(over).cloned().collect();
        let Some(newest) = new.last().map(|task| task.number) else { return };
        watched.cleaned = newest;
        let (folder, runner) = (self.folder_of(&facts.run), facts.runner.name.clone());
        for task in new {
            let of_task = folder.task(TaskNumber(task.number));
            let Some(Noted { receipt, failure, is_cut }) = note_task(&of_task, &runner, &task.task)
            else {
                continue;
            };
            if is_cut {
                self.sweep_later(SOON);
            }
            if let Some(receipt) = receipt {
                self.records.cleanup(&receipt);
                self.see_to_history();
            }
            if task.number == newest {
                self.event(Event::TaskCleaned { failure });
            }
        }
    }
}

/// For the wrappers of a run's tasks.
pub(crate) fn write(run: &RunDir, plan: &TaskCleanUp) -> std::io::Result<()> {
    if let Some(folder) = plan.lock.parent() {
        std::fs::create_dir_all(folder)?;
        // Another runner's task that looks whether one runs here finds it from the first.
        let mut options = std::fs::File::options();
        options.append(true).create(true).mode(0o600).open(&*plan.lock)?;
    }
    run_dir::write_atomically(&run.clean_up(), &serde_json::to_vec(plan)?)
}

/// What came of the clean-up before a task.
struct Noted {
    /// None: nothing was done and nothing failed.
    receipt: Option<protocol::CleanupReceipt>,
    failure: Option<String>,
    /// It was ended, or its time was over, before all that it had begun was done.
    is_cut: bool,
}

/// None: there was no clean-up, or what it left cannot be read.
fn note_task(folder: &TaskDir, runner: &RunnerName, task: &TaskId) -> Option<Noted> {
    let text = run_dir::read_at_most(&folder.clean_up(), LONGEST).ok()?;
    let cleaned: TaskCleaned = serde_json::from_slice(&text).ok()?;
    let of = Of {
        runner: Some(runner.clone()),
        task: Some(task.clone()),
        seconds: cleaned.milliseconds / 1000,
        cut_short: (!cleaned.failures.is_empty()).then(|| cleaned.failures.join("; ")),
        ..Of::all(CleanupWhy::BeforeTask)
    };
    let is_cut = cleaned.done.as_ref().map_or(!cleaned.failures.is_empty(), was_cut);
    let done = cleaned.done.map(|done| (None, done));
    let made = receipt(of, cleaned.at, done.as_slice());
    let did = made.groups.iter().any(|group| group.went + group.stayed > 0);
    let failure = if cleaned.failures.is_empty() {
        failure_of(&made).map(|why| format!("before task {task}: {why}"))
    } else {
        Some(format!("before task {task}: {}", cleaned.failures.join("; ")))
    };
    Some(Noted { receipt: (did || failure.is_some()).then_some(made), failure, is_cut })
}

fn was_cut(done: &Done) -> bool {
    let files = done.groups.iter().filter_map(|group| group.files.as_ref());
    files.flat_map(|files| &files.items).any(|item| item.fate == Fate::Stopped)
}
