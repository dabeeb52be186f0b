//! What lost tasks left running, ended before the next task begins or the keeper is done.
//!
//! A task is lost when its guard is gone without a word. Its front ends its processes; only if both
//! were killed is there something left to do here.

use std::collections::HashSet;
use std::time::Duration;

use process::{ExitWatch, Liveness, Pid, ProcessId};
use run_dir::{RunDir, Side, TaskDir, TaskEnd, TaskFinished, TaskState};

use crate::as_job_user::JobUser;
use crate::clock::now;
use crate::end_tree::{Trees, end_trees};
use crate::note::note;

/// Longer than a guard takes to end a task.
const GUARD_LIMIT: Duration = Duration::from_secs(30);

/// Of this run, and before its first task of the runner's earlier runs too.
pub(crate) fn clear_left_overs(run: &RunDir, job_user: Option<&JobUser>) {
    clear_run(run, job_user);
    if run.tasks().is_ok_and(|tasks| tasks.is_empty()) {
        for earlier in earlier_runs(run) {
            clear_run(&earlier, job_user);
        }
    }
}

fn earlier_runs(run: &RunDir) -> Vec<RunDir> {
    let Some(runs) = run.path().parent().and_then(|runs| std::fs::read_dir(runs).ok()) else {
        return Vec::new();
    };
    let runner = |run: &RunDir| run.plan().written().map(|plan| plan.runner);
    let ours = runner(run);
    let others = runs.filter_map(|entry| Some(RunDir::at(entry.ok()?.path())));
    others.filter(|other| other != run && runner(other) == ours).collect()
}

/// Of this run alone.
pub(crate) fn clear_run(run: &RunDir, job_user: Option<&JobUser>) {
    let tasks = run.tasks().unwrap_or_default();
    tasks.iter().for_each(wait_for_its_guard);
    let lost: Vec<&TaskDir> =
        tasks.iter().filter(|task| matches!(task.state(), TaskState::Lost)).collect();
    for task in &lost {
        let Some(started) = task.started().written() else {
            // It was killed before there was anything to run.
            record_lost(run, task, Vec::new());
            continue;
        };
        let left = end_task(run, &started.process, &tasks, job_user);
        note(run, format_args!("task {} was lost; what it left was ended", task.number()));
        record_lost(run, task, left);
    }
}

/// Ends the task below `root`; those that are still there in the end. Who dies just now hands its children
/// to the keeper, maybe after that was looked at: so it is looked again until there are none.
fn end_task(
    run: &RunDir,
    root: &ProcessId,
    tasks: &[TaskDir],
    job_user: Option<&JobUser>,
) -> Vec<ProcessId> {
    let mut left: Vec<ProcessId> = Vec::new();
    loop {
        // The root first: the children of one that is dead are with the keeper by then.
        let lives = process::alive(root) != Liveness::Dead;
        let mut roots = orphans_since(run, root, tasks);
        roots.extend(lives.then(|| root.clone()));
        roots.retain(|id| !left.contains(id));
        if roots.is_empty() {
            return left;
        }
        left.extend(end_trees(&Trees { roots, ..Trees::default() }, job_user));
    }
}

/// A guard whose front was killed is ending its task at this moment: the agent, which knows the
/// front only, is early.
fn wait_for_its_guard(task: &TaskDir) {
    if task.state() != TaskState::Running {
        return;
    }
    let Some(started) = task.started().written() else { return };
    if process::alive(&started.front) == Liveness::Dead
        && let Ok(Some(guard)) = ExitWatch::of(&started.guard)
    {
        let _ = guard.wait(Some(GUARD_LIMIT));
    }
}

fn record_lost(run: &RunDir, task: &TaskDir, left_behind: Vec<ProcessId>) {
    let end = TaskEnd::Lost(Side::Both);
    let finished = TaskFinished { left_behind, ..TaskFinished::nothing_left(end, now()) };
    if let Err(error) = task.write_finished(&finished) {
        note(run, format_args!("task {}: its end could not be recorded: {error}", task.number()));
    }
}

/// Children that the keeper got as a subreaper since the lost task began. Not the agent, and not
/// what finished tasks left behind: those were left alone before, and stay so.
fn orphans_since(run: &RunDir, since: &ProcessId, tasks: &[TaskDir]) -> Vec<ProcessId> {
    let Some(keeper) = run.keeper().written().map(|keeper| keeper.process) else {
        return Vec::new();
    };
    // The agent is the parent of the one that runs this: without it nobody can be told apart.
    let Some(agent) = run.started().written().map(|started| started.process) else {
        return Vec::new();
    };
    if process::alive(&keeper) != Liveness::Alive {
        return Vec::new();
    }
    let finished = tasks.iter().filter_map(|task| task.finished().written());
    let spared: HashSet<ProcessId> =
        finished.flat_map(|finished| finished.left_behind).chain([agent]).collect();
    let children: Vec<Pid> = process::children(keeper.pid).unwrap_or_default();
    children
        .into_iter()
        .filter_map(|pid| ProcessId::of(pid).ok())
        .filter(|id| id.start >= since.start && !spared.contains(id))
        .filter(|id| process::alive(id) != Liveness::Dead)
        .collect()
}
