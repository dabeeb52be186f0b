//! What holds after every round.

use local_circleci::Outcome;
use protocol::{TaskId, TaskResult};
use run_dir::{End, RunDir, RunState, TaskEnd, TaskState};
use trials::{DEADLINE, run_id, signals_heard, until};

use crate::world::World;

impl World {
    pub(crate) fn check(&mut self) {
        self.rig.witness.assert_never_two_agents();
        for job in &self.jobs {
            let may_end_badly =
                self.unwrapped.contains(&job.number) || self.cancelled.contains(&job.number);
            if may_end_badly && self.rig.circle.task(job.number).outcome != Some(Outcome::Success) {
                continue;
            }
            self.rig.assert_ended_well(job);
        }
        self.nothing_of_ended_tasks_is_left();
        for run in self.rig.runs() {
            if !self.checked.contains(run.path()) {
                self.check_run(&run);
            }
        }
        self.forget_jobs();
    }

    /// What a task left whose whole wrapper was killed is ended when the next one begins.
    fn nothing_of_ended_tasks_is_left(&mut self) {
        // What ran away from CircleCI's own cancel runs on, as it would without us.
        for job in self.jobs.iter().filter(|job| self.cancelled.contains(&job.number)) {
            job.let_go();
        }
        if self.jobs.iter().all(|job| job.processes().is_empty()) {
            return;
        }
        self.say("something is left, so a task follows");
        let next = self.rig.short_job();
        self.rig.assert_ended_well(&next);
        for job in &self.jobs {
            let number = job.number;
            until(DEADLINE, &format!("nothing of task {number} is left"), || {
                job.processes().is_empty()
            });
        }
        self.jobs.push(next);
    }

    fn check_run(&mut self, run: &RunDir) {
        let name = run.path().display();
        let most = if run.cancel().is_unwritten() { 1 } else { 2 };
        let heard = signals_heard(run);
        assert!(heard <= most, "{name}: the agent heard {heard} signals");
        match run.state() {
            RunState::Kept | RunState::Orphan(_) => {}
            RunState::Over(exit) => {
                let known = match &exit.end {
                    End::Code(_) => true,
                    // The supervisor was killed before it had told the keeper all, or a pause came.
                    End::NeverStarted(why) if why.contains("no environment came") => true,
                    End::NeverStarted(why) if why.contains("a stop was asked for") => true,
                    End::Unknown | End::NeverStarted(_) => self.keeper_killed.contains(run.path()),
                    End::Signal(_) => false,
                };
                assert!(known, "{name}: nobody killed its keeper and its end is {:?}", exit.end);
                self.checked.insert(run.path().to_owned());
            }
            RunState::Lost => {
                // Where nothing was started, only the supervisor was killed, before it had a keeper.
                let known = self.keeper_killed.contains(run.path()) || run.started().is_unwritten();
                assert!(known, "{name} was lost, and nobody killed its keeper");
                self.checked.insert(run.path().to_owned());
            }
            RunState::Unknown(why) => panic!("{name}: {why}"),
        }
    }

    /// Each task of the runs that are kept is told of once, with what its records say.
    pub(crate) fn all_is_in_the_history(&self) {
        // A run is over on disk before its supervisor has seen it.
        until(DEADLINE, "all tasks are in the history", || {
            let told = self.rig.api.whole_history().expect("the history");
            let is_told = |id: TaskId| told.iter().any(|told| told.id == id);
            self.rig.runs().iter().all(|run| {
                let tasks = run.tasks().unwrap_or_default();
                let mut there = tasks.iter().filter(|task| task.path().exists());
                there.all(|task| is_told(TaskId::new(&run_id(run), task.number().0)))
            })
        });
        let told = self.rig.api.whole_history().expect("the history");
        for run in self.rig.runs() {
            let tasks = run.tasks().unwrap_or_default().into_iter();
            let states: Vec<_> = tasks.map(|task| (task.number(), task.state())).collect();
            // One that was deleted meanwhile has told all it had to tell.
            for (number, state) in states {
                if !run.task(number).path().exists() {
                    continue;
                }
                let id = TaskId::new(&run_id(&run), number.0);
                let lines: Vec<_> = told.iter().filter(|told| told.id == id).collect();
                assert_eq!(lines.len(), 1, "{id} is in the history {} times", lines.len());
                let result = lines[0].result;
                assert!(is_true(&state, result), "{id}: {state:?} is told as {result:?}");
            }
        }
    }
}

fn is_true(state: &TaskState, told: TaskResult) -> bool {
    match state {
        TaskState::Finished(finished) => match finished.end {
            TaskEnd::Code(0) => told == TaskResult::Succeeded,
            TaskEnd::Lost(_) => matches!(told, TaskResult::Lost | TaskResult::Cancelled),
            TaskEnd::Code(_) | TaskEnd::Signal(_) => {
                matches!(told, TaskResult::Failed { .. } | TaskResult::Cancelled)
            }
        },
        TaskState::Lost => matches!(told, TaskResult::Lost | TaskResult::Cancelled),
        TaskState::Running | TaskState::Unknown(_) | TaskState::Unreadable(_) => false,
    }
}
