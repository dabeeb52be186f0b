//! Runner Tray with one runner that does real tasks for the stand-in for CircleCI. Ends all of it when
//! it is dropped.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};
use client::HistoryQuery;
use local_circleci::NewTask;
use process::{ProcessId, Signal};
use protocol::{FinishedTask, RunnerState};
use run_dir::RunDir;
use trials::{Api, CLASS, Circle, Place};

/// The runner's name.
pub(crate) const RUNNER: &str = "mini";

pub(crate) struct Rig {
    supervisor: Option<trials::Ours>,
    tasks: usize,
    pub(crate) api: Api,
    pub(crate) circle: Circle,
    /// Last, so that what the others leave is seen.
    pub(crate) place: Place,
}

impl Rig {
    /// One whose runner waits for tasks. `variant`: what its agent is to be like, beyond the usual.
    pub(crate) fn start(variant: &str) -> Result<Self> {
        let place = Place::new();
        place.folders().ensure()?;
        let circle = Circle::start_with(&place, &[CLASS], variant);
        let api = Api::of(&place);
        let mut rig = Self { supervisor: None, tasks: 0, api, circle, place };
        rig.start_supervisor();
        rig.api.set_up(&rig.circle, CLASS, RUNNER)?;
        let is_idle =
            || rig.api.runner(RUNNER).is_some_and(|runner| runner.state == RunnerState::Idle);
        trials::until(trials::DEADLINE, "the runner waits for tasks", is_idle);
        Ok(rig)
    }

    /// Returns once it answers; how long that took, in ms.
    pub(crate) fn start_supervisor(&mut self) -> f64 {
        let mut command = self.place.command("runner-tray-supervisor");
        command.stdout(Stdio::null());
        let begun = Instant::now();
        self.supervisor = Some(trials::Ours::start(command));
        while self.api.health().is_err() {
            assert!(begun.elapsed() < trials::DEADLINE, "the supervisor does not answer");
            trials::nap(std::time::Duration::from_millis(1));
        }
        begun.elapsed().as_secs_f64() * 1000.0
    }

    pub(crate) fn stop_supervisor(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.signal(Signal::TERM);
            supervisor.ended("the supervisor");
        }
    }

    pub(crate) fn socket(&self) -> Result<PathBuf> {
        Ok(self.place.folders().socket()?)
    }

    /// The supervisor, and the keeper of the runner's agent.
    pub(crate) fn own(&self) -> Result<Vec<ProcessId>> {
        let supervisor = self.supervisor.as_ref().context("no supervisor runs")?.id().clone();
        Ok(vec![supervisor, self.keeper()?])
    }

    pub(crate) fn keeper(&self) -> Result<ProcessId> {
        let run = self.newest_run(RUNNER).context("the runner has a run")?;
        trials::keeper(&run).context("the run has a keeper")
    }

    pub(crate) fn newest_run(&self, runner: &str) -> Option<RunDir> {
        let runs = self.place.runs();
        let is_its = |run: &RunDir| run.plan().written().is_some_and(|plan| plan.runner == runner);
        runs.list().ok()?.iter().map(|run| runs.run(run)).rfind(is_its)
    }

    /// Has a task run, and returns it as the history has it.
    pub(crate) fn task(&mut self, step: &str) -> FinishedTask {
        let number = self.circle.enqueue(&NewTask::new(CLASS).step("work", step));
        self.circle.finished(number);
        self.tasks += 1;
        trials::until_some(trials::DEADLINE, "its end is in the history", || {
            let query = HistoryQuery { limit: Some(500), ..HistoryQuery::default() };
            let page = self.api.call(async |client| client.history(query).await).ok()?;
            (page.tasks.len() == self.tasks.min(500)).then(|| page.tasks.into_iter().next())?
        })
    }

    /// Has the agent end and none follow.
    pub(crate) fn pause(&self, runner: &str) -> Result<()> {
        self.api.pause(runner)?;
        trials::until(trials::DEADLINE, "the runner's agent is gone", || {
            self.newest_run(runner).and_then(|run| trials::keeper(&run)).is_none()
        });
        Ok(())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if self.supervisor.is_some()
            && let Err(error) = self.pause(RUNNER)
        {
            eprintln!("the runner was not paused: {error:#}");
        }
        self.stop_supervisor();
    }
}
