//! When no more goes wrong: everything moves on, and each runner must come to rest where its people
//! want it.

use jiff::SignedDuration;
use protocol::{PauseBy, RunId, RunnerName, RunnerState};
use supervisor_core::{Event, Wish};

use super::World;
use super::agent::{Manner, Process};
use super::disk::How;
use super::jobs::Ending;
use super::wants::HOLDERS;

/// The longest back-off is 5 minutes; a lost drain may take two tasks to be proven.
const PATIENCE: SignedDuration = SignedDuration::from_mins(20);

impl World {
    /// One moment in which everything does what is next; false where nothing was.
    pub(crate) fn all_goes_well(&mut self) -> bool {
        let mut moved = false;
        while self.job_ends(0, Ending::Well) {
            moved = true;
        }
        let runs: Vec<RunId> = self.runs.keys().cloned().collect();
        for run in &runs {
            while self.keeper_moves(run) {
                moved = true;
            }
            moved |= self.claim_is_due(run) && self.agent_moves(run, Manner::Claiming);
            moved |= self.task_ends(run, How::Code(0));
        }
        moved |= self.hear_news();
        while self.late_news(0, false) {
            moved = true;
        }
        moved
    }

    pub(crate) fn quiet_time(&mut self) {
        self.mend_everything();
        self.until("a runner comes back", World::is_idle);
        for runner in self.runners.clone() {
            self.pause(&runner, PauseBy::Schedule);
        }
        self.until("a pause is obeyed", World::is_paused);
        for runner in self.runners.clone() {
            self.wish(Wish::Resume { runner, by: PauseBy::You });
        }
        self.settle();
        self.until("your resume leaves the schedule's pause", World::is_paused);
        for runner in self.runners.clone() {
            self.wish(Wish::Resume { runner, by: PauseBy::Schedule });
        }
        self.until("a runner comes back after a pause", World::is_idle);
        self.law_of_history();
    }

    fn pause(&mut self, runner: &RunnerName, by: PauseBy) {
        let (runner, note, reading) = (runner.clone(), None, None);
        self.wish(Wish::Pause { runner, by, until: None, note, reading });
    }

    fn mend_everything(&mut self) {
        (self.network, self.disk_full, self.no_spawn) = (true, false, false);
        for run in self.runs.values_mut() {
            run.hidden = 0;
            run.touched = true;
        }
        self.wanted_readable = true;
        self.settings.readable = true;
        self.settings.touched = true;
        if self.supervisor.as_ref().is_some_and(|it| it.read_only) {
            self.supervisor_dies();
        }
        self.supervisor_starts();
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.killed_after = None;
        }
        self.settle();
        for runner in self.runners.clone() {
            self.event(Event::TokenChanged(runner.clone()));
            self.wish(Wish::Install { runner: runner.clone() });
            for by in HOLDERS {
                self.wish(Wish::Resume { runner: runner.clone(), by });
            }
        }
        self.carry_out();
    }

    fn settle(&mut self) {
        for _ in 0..50 {
            if !self.all_goes_well() {
                return;
            }
        }
        self.broke("all comes to rest", || "it never does".into());
    }

    fn until(&mut self, promise: &str, kept: fn(&World, &RunnerName) -> bool) {
        let mut left = PATIENCE;
        while self.broken.is_none() {
            let moved = self.all_goes_well();
            self.check_laws();
            if self.runners.iter().all(|runner| kept(self, runner)) {
                return;
            }
            self.feed_what_never_heard_its_drain();
            if left.is_negative() {
                let states = self.states();
                return self.broke(promise, || format!("not within {PATIENCE:#}: {states}"));
            }
            let step =
                if moved { SignedDuration::from_millis(500) } else { self.to_the_next_moment() };
            left -= step;
            self.wait(step);
        }
    }

    fn to_the_next_moment(&self) -> SignedDuration {
        let wake = self.supervisor.as_ref().and_then(|it| it.wake);
        let next = wake.map_or(SignedDuration::from_secs(5), |at| self.now.duration_until(at));
        next.clamp(SignedDuration::from_millis(500), SignedDuration::from_secs(5))
    }

    /// A lost TERM shows only by the tasks that come after it.
    fn feed_what_never_heard_its_drain(&mut self) {
        for dir in self.runs.values() {
            let Process::Agent(agent) = &dir.process else { continue };
            if agent.is_claiming() && dir.drain.is_some() && !dir.drain_sent {
                self.queue.insert(dir.runner.clone(), 1);
            }
        }
    }

    fn live_runs(&self, runner: &RunnerName) -> Vec<&super::RunDir> {
        let of_runner = self.runs.values().filter(|dir| dir.runner == *runner);
        of_runner.filter(|dir| dir.lives()).collect()
    }

    fn shown(&self, runner: &RunnerName) -> Option<RunnerState> {
        let snapshot = self.supervisor.as_ref()?.core.snapshot();
        snapshot.runners.iter().find(|shown| shown.name == *runner).map(|shown| shown.state)
    }

    fn is_idle(&self, runner: &RunnerName) -> bool {
        let live = self.live_runs(runner);
        let Some(mark) = self.settings.listed.get(runner) else {
            return live.is_empty() && self.shown(runner).is_none();
        };
        let [dir] = live[..] else { return false };
        let Process::Agent(agent) = &dir.process else { return false };
        let claims = agent.is_claiming() && dir.running_task().is_none() && dir.drain.is_none();
        claims
            && dir.keeper.is_some()
            && dir.mark == *mark
            && self.shown(runner) == Some(RunnerState::Idle)
    }

    fn is_paused(&self, runner: &RunnerName) -> bool {
        let listed = self.settings.listed.contains_key(runner);
        let expected = listed.then_some(RunnerState::Paused);
        self.live_runs(runner).is_empty() && self.shown(runner) == expected
    }

    fn states(&self) -> String {
        let of_one = |runner: &RunnerName| {
            let snapshot = self.supervisor.as_ref().map(|it| it.core.snapshot());
            let shown = snapshot.and_then(|it| it.runners.iter().find(|it| it.name == *runner));
            let words = shown.map(|it| (it.state, it.headline.clone(), it.problems.clone()));
            format!("{runner}: {} live, shown {words:?}", self.live_runs(runner).len())
        };
        self.runners.iter().map(of_one).collect::<Vec<_>>().join("; ")
    }
}
