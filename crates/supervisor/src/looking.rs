//! Runs, looked at when they changed; old ones deleted once nothing of them is needed.

use std::time::Duration;

use process::{Liveness, ProcessId};
use protocol::{RunId, RunnerName};
use run_dir::{RunDir, TaskFinished, TaskNumber};
use supervisor_core::{Event, Heard, Phase, RunFacts, TaskEnd};

use crate::input::Input;
use crate::sampling::LOOKS;
use crate::supervisor::{Supervisor, now};
use crate::watched::Watched;

/// Runs kept after their end, for logs, of each runner.
const KEPT_RUNS: usize = 5;
/// Finished tasks kept of each run, for those whom the log still tells of.
const KEPT_TASKS: usize = 20;
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Now, whatever has not been told of yet.
    pub(crate) fn look_at_open_runs(&mut self) {
        let open = self.watched.iter().filter(|(_, watched)| !watched.over);
        let open: Vec<RunId> = open.map(|(run, _)| run.clone()).collect();
        for run in open {
            self.touch(run);
        }
        self.settle();
    }

    /// One complete reading of a run and of its log.
    pub(crate) fn look_at(&mut self, run: &RunId) {
        let folder = self.folder_of(run);
        let reading = self.watched.get(run).map_or(0, |watched| watched.readings) + 1;
        let mut over = self.watched.get_mut(run).map(Watched::take_over).unwrap_or_default();
        let found = crate::read_run::read_run(&folder, run, reading, &self.boot, &mut over, now());
        match found {
            crate::read_run::Found::Run(facts) => {
                self.watch_run(run, &folder, reading).remember(over);
                if facts.has_unknowns() {
                    self.look_again(run.clone());
                }
                if self.reserve && facts.phase(&self.boot) != Phase::Starting {
                    self.reserve_next();
                }
                self.event(Event::RunRead(facts.clone()));
                self.note_clean_ups(&facts);
                self.read_on(run, &facts);
            }
            crate::read_run::Found::Stray { may_live } => {
                if may_live {
                    self.look_again(run.clone());
                }
                self.event(Event::StrayRun { run: run.clone(), may_live });
            }
            crate::read_run::Found::Gone
                if self.watched.get(run).is_some_and(Watched::may_live) =>
            {
                // Somebody deleted it under its agent, of which nobody else knows any more.
                self.look_again(run.clone());
                self.event(Event::StrayRun { run: run.clone(), may_live: true });
            }
            crate::read_run::Found::Gone => {
                self.watched.remove(run);
                self.event(Event::RunGone(run.clone()));
            }
        }
    }

    /// What could not be read may be readable a moment later, and nothing would tell.
    fn look_again(&self, run: RunId) {
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(LOOK_AGAIN).await;
            to_loop.send(Input::Touched(run));
        });
    }

    /// News was lost: everything is read again.
    pub(crate) fn look_at_everything(&mut self) {
        tracing::warn!("too much happened at once; every run is read again");
        self.read_settings();
        let listed = self.runs.list().unwrap_or_default();
        let known: Vec<RunId> = self.watched.keys().cloned().collect();
        for run in listed.iter().map(|run| RunId::from(run.as_str())).chain(known) {
            self.touch(run);
        }
    }

    pub(crate) fn watch_run(&mut self, run: &RunId, folder: &RunDir, reading: u64) -> &mut Watched {
        let watch = &mut self.watch;
        let watched = self.watched.entry(run.clone()).or_insert_with(|| {
            watch.run(folder.path());
            Watched::new(folder)
        });
        watched.readings = reading;
        watched
    }

    pub(crate) fn read_on(&mut self, run: &RunId, facts: &RunFacts) {
        let Some(watched) = self.watched.get_mut(run) else { return };
        watched.follow(facts, &self.boot, &self.to_loop);
        let complete = watched.over;
        let brought = match watched.tail.read() {
            Ok(brought) => brought,
            Err(error) => {
                tracing::warn!(%run, %error, "cannot read the agent's log");
                crate::log_tail::Brought { heard: Vec::new(), more: false }
            }
        };
        let over = facts.phase(&self.boot) == Phase::Over;
        let tail = if over && !brought.more { watched.tail.last_lines() } else { None };
        for heard in brought.heard {
            if matches!(heard, Heard::StepStarted { .. }) && !over {
                self.looks = LOOKS;
            }
            self.event(Event::LogHeard { run: run.clone(), heard });
        }
        if brought.more {
            // In its turn, after whatever else has come.
            self.to_loop.send(Input::Touched(run.clone()));
        } else {
            self.event(Event::LogRead { run: run.clone(), tail });
            if complete {
                self.watch.forget(self.folder_of(run).path());
                self.prune(&facts.runner.name);
            }
            self.prune_tasks(facts);
        }
    }

    /// Deletes the oldest finished tasks of a run that are in the history. Those that were lost, or
    /// left processes behind, the next task's guard may look for.
    fn prune_tasks(&mut self, facts: &RunFacts) {
        let folder = self.folder_of(&facts.run);
        let old = facts.tasks.len().saturating_sub(KEPT_TASKS);
        for task in &facts.tasks[..old] {
            let number = TaskNumber(task.number);
            let left = |finished: TaskFinished| {
                let dead = |id: &ProcessId| process::alive(id) == Liveness::Dead;
                !finished.left_behind.iter().all(dead)
            };
            let needed = !matches!(task.end, TaskEnd::Exited { .. })
                || folder.task(number).finished().written().is_none_or(left)
                || !self.records.has(&task.task);
            if needed {
                continue;
            }
            match folder.remove_task(number) {
                Ok(()) => self.touch(facts.run.clone()),
                Err(error) => {
                    tracing::warn!(task = %task.task, %error, "cannot delete an old task");
                }
            }
        }
    }

    /// Deletes the oldest runs of a runner that are over and whose tasks are all in the history.
    pub(crate) fn prune(&mut self, runner: &RunnerName) {
        let over: Vec<RunId> = self
            .watched
            .iter()
            .filter(|(_, watched)| watched.over && watched.runner.as_ref() == Some(runner))
            .map(|(run, _)| run.clone())
            .collect();
        for run in over.iter().take(over.len().saturating_sub(KEPT_RUNS)) {
            let Ok(id) = run.as_str().parse() else { continue };
            if self.folder_of(run).has_lost_task() {
                // The next task's guard sees to what is left of it, and needs this folder for that.
                continue;
            }
            let tasks = &self.watched[run].tasks;
            if !tasks.iter().all(|task| self.records.has(task)) {
                continue;
            }
            match self.runs.remove(&id) {
                Ok(()) => self.touch(run.clone()),
                Err(error) => tracing::warn!(%run, %error, "cannot delete an old run"),
            }
        }
    }
}
