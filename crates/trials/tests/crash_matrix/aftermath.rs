//! What must hold after the kill, whoever was killed and whenever.

use local_circleci::Outcome;
use protocol::{RunnerState, TaskId, TaskResult};
use run_dir::{CancelOutcome, End, RunState, TaskEnd, TaskNumber};
use trials::{
    DEADLINE, Job, Options, RUNNER, TaskProcesses, is_alive, keeper, run_id, signals_heard, until,
    until_some,
};

use crate::moment::Moment;
use crate::scene::Scene;
use crate::victim::Victim;

impl Scene {
    /// Everything goes on by itself: only a supervisor that was killed is started anew.
    pub(crate) fn aftermath(mut self, victim: Victim) {
        self.rig.start_supervisor(&Options::default());
        self.rig.release_held();
        self.rig.circle.control().clear_faults().expect("the server forgets its faults");
        self.the_agent_has_a_keeper(victim);
        match self.task.take() {
            None => {}
            Some((job, processes)) if victim.is_wrapper() => {
                self.the_task_is_gone(&job, &processes, victim);
                self.task = Some((job, processes));
            }
            Some((job, processes)) if self.moment.is_a_cancel() => {
                self.the_task_is_cancelled(&job, &processes);
                self.task = Some((job, processes));
            }
            Some((job, processes)) => {
                assert!(is_alive(&processes.agent), "the task agent died with {victim:?}");
                job.let_go();
                self.rig.assert_ended_well(&job);
                self.task = Some((job, processes));
            }
        }
        if self.moment.is_a_pause() {
            self.the_pause_comes_true(victim);
            self.rig.api.resume(RUNNER).expect("a resume");
        }
        self.the_next_task_is_unharmed();
        self.rig.quiesce();
        self.the_end_is_on_record(victim);
        self.the_history_is_true(victim);
        self.no_signal_too_many();
        drop(self.client.take());
        self.rig.finish();
    }

    /// An agent that lost its keeper gets another, and is the same agent still.
    fn the_agent_has_a_keeper(&self, victim: Victim) {
        if !victim.is_keeper() || self.moment.is_before_the_agent() {
            return;
        }
        let agent = self.run.started().written().expect("the agent is on record").process;
        until(DEADLINE, "an adopting keeper is in charge, or the agent has ended", || {
            let adopted = self.run.keeper().written().is_some_and(|keeper| keeper.adopted);
            adopted && keeper(&self.run).is_some() || !is_alive(&agent)
        });
        if !self.moment.is_a_cancel() {
            assert!(is_alive(&agent), "the agent died with its keeper");
        }
    }

    fn the_task_is_gone(&self, job: &Job, processes: &TaskProcesses, victim: Victim) {
        let task = self.rig.circle.finished(job.number);
        assert_ne!(task.outcome, Some(Outcome::Success), "{task:#?}");
        if victim != Victim::WrapperWhole {
            job.until_nothing_is_left(&processes.all());
        }
    }

    fn the_task_is_cancelled(&self, job: &Job, processes: &TaskProcesses) {
        let task = self.rig.circle.finished(job.number);
        assert_eq!(task.outcome, Some(Outcome::Canceled), "{task:#?}");
        // What ran away from CircleCI's own cancel runs on, as it would without us.
        job.let_go();
        job.until_nothing_is_left(&processes.all());
        let sent =
            until_some(DEADLINE, "the cancel is on record", || self.run.cancel_sent().written());
        assert_eq!(sent.outcome, CancelOutcome::Sent);
    }

    /// The task has ended and the runner claims no other; where the TERM was lost, a second task
    /// that starts after it proves so, and it ends well too.
    fn the_pause_comes_true(&mut self, victim: Victim) {
        if self.moment == Moment::BetweenDrainAndTerm && victim.is_keeper() {
            let first = self.rig.short_job();
            self.rig.assert_ended_well(&first);
            let second = self.rig.long_job();
            second.until_begun();
            until_some(DEADLINE, "the TERM is sent again", || self.run.drain_sent().written());
            second.let_go();
            self.rig.assert_ended_well(&second);
        }
        self.rig.until_state(RunnerState::Paused);
        let waits = self.rig.short_job();
        let task = self.rig.circle.task(waits.number);
        assert_eq!(task.claims, 0, "a paused runner claimed a task");
        self.rig.circle.control().cancel(waits.number).expect("a queued task is cancelled");
    }

    fn the_next_task_is_unharmed(&mut self) {
        let next = self.rig.long_job();
        next.until_begun();
        if let Some((job, processes)) = &self.task {
            job.until_nothing_is_left(&processes.all());
        }
        next.let_go();
        self.rig.assert_ended_well(&next);
    }

    /// The exit code is known wherever the keeper lived.
    fn the_end_is_on_record(&self, victim: Victim) {
        let state = self.run.state();
        let lived = !victim.is_keeper();
        let cancelled = self.moment.is_a_cancel() && !victim.is_wrapper();
        let known = match &state {
            RunState::Over(exit) => match &exit.end {
                End::Code(0) => lived && !cancelled && self.moment != Moment::BackingOff,
                End::Code(1) => lived && (cancelled || self.moment == Moment::BackingOff),
                End::Unknown => !lived,
                End::NeverStarted(_) => !lived && self.moment == Moment::BetweenSpawnAndGo,
                End::Code(_) | End::Signal(_) => false,
            },
            RunState::Lost => !lived && self.moment.is_before_the_agent(),
            RunState::Kept | RunState::Orphan(_) | RunState::Unknown(_) => false,
        };
        assert!(known, "{victim:?} {:?}: the run is {state:?}", self.moment);
    }

    /// The task is told of once, with what became of it.
    fn the_history_is_true(&self, victim: Victim) {
        if self.task.is_none() {
            return;
        }
        let first = self.run.task(TaskNumber(1));
        if let Some(side) = victim.side() {
            let finished =
                until_some(DEADLINE, "its end is on record", || first.finished().written());
            assert_eq!(finished.end, TaskEnd::Lost(side));
        }
        let result = if self.moment.is_a_cancel() {
            TaskResult::Cancelled
        } else if victim.is_wrapper() {
            TaskResult::Lost
        } else {
            TaskResult::Succeeded
        };
        let id = TaskId::new(&run_id(&self.run), first.number().0);
        let told = self.rig.api.history().expect("the history");
        let results: Vec<_> =
            told.iter().filter(|task| task.id == id).map(|it| it.result).collect();
        assert_eq!(results, [result], "{told:#?}");
    }

    /// No agent hears more than the one TERM of a drain, and two of a cancel.
    fn no_signal_too_many(&self) {
        for run in self.rig.runs() {
            let most = if run.cancel().is_unwritten() { 1 } else { 2 };
            let heard = signals_heard(&run);
            assert!(heard <= most, "{}: {heard} signals", run.path().display());
        }
        if self.moment == Moment::Draining {
            assert_eq!(signals_heard(&self.run), 1);
        }
    }
}
