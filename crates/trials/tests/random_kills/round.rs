//! One round: some tasks, some wishes, some kills, in any order at any moment; then calm.

use std::time::{Duration, Instant};

use process::ProcessId;
use run_dir::{RunDir, TaskState};
use trials::{DEADLINE, RUNNER, TaskProcesses, is_alive, keeper, kill, kill_at_once, nap, until};

use crate::world::{OPTIONS, World};

#[derive(Clone, Copy, Debug)]
enum Deed {
    LetTasksEnd,
    KillClient,
    KillSupervisor,
    KillKeeper,
    KillSupervisorAndKeeper,
    KillFront,
    KillGuard,
    KillWrapper,
    Pause,
    Resume,
    Cancel,
}

#[derive(Clone, Copy)]
enum Side {
    Front,
    Guard,
}

impl Side {
    fn of(self, wrapper: &TaskProcesses) -> &ProcessId {
        match self {
            Self::Front => &wrapper.front,
            Self::Guard => &wrapper.guard,
        }
    }
}

const DEEDS: [Deed; 16] = [
    Deed::LetTasksEnd,
    Deed::LetTasksEnd,
    Deed::KillClient,
    Deed::KillSupervisor,
    Deed::KillSupervisor,
    Deed::KillKeeper,
    Deed::KillKeeper,
    Deed::KillSupervisorAndKeeper,
    Deed::KillFront,
    Deed::KillGuard,
    Deed::KillWrapper,
    Deed::Pause,
    Deed::Pause,
    Deed::Resume,
    Deed::Resume,
    Deed::Cancel,
];

const LONGEST_WAIT: Duration = Duration::from_millis(600);

impl World {
    pub(crate) fn round(&mut self) {
        self.follow_logs();
        for _ in 0..=self.chance.below(2) {
            let job = self.rig.clinging_job();
            self.say(&format!("task {}", job.number));
            self.jobs.push(job);
        }
        if self.chance.once_in(2) {
            // Half of the rounds go on when a task works; the others, wherever they are.
            self.until_one_works();
        }
        for _ in 0..=self.chance.below(4) {
            nap_well(self.chance.moment(LONGEST_WAIT));
            let deed = self.chance.one_of(&DEEDS);
            self.say(&format!("{deed:?}"));
            self.do_it(deed);
        }
        self.calm();
    }

    fn until_one_works(&self) {
        until(DEADLINE, "a task works", || self.jobs.iter().any(trials::Job::has_begun));
    }

    fn do_it(&mut self, deed: Deed) {
        match deed {
            Deed::LetTasksEnd => self.let_tasks_end(),
            Deed::KillClient => self.client = None,
            Deed::KillSupervisor => {
                if self.rig.supervisor.is_some() {
                    self.rig.kill_supervisor();
                }
            }
            Deed::KillKeeper => {
                for (_, keeper) in self.keepers() {
                    kill(&keeper);
                }
            }
            Deed::KillSupervisorAndKeeper => {
                let keepers = self.keepers();
                let mut all: Vec<&ProcessId> = keepers.iter().map(|(_, keeper)| keeper).collect();
                all.extend(self.rig.supervisor.as_ref().map(trials::Supervisor::id));
                kill_at_once(&all);
                if self.rig.supervisor.is_some() {
                    self.rig.kill_supervisor();
                }
            }
            Deed::KillFront => self.kill_wrapper(&[Side::Front]),
            Deed::KillGuard => self.kill_wrapper(&[Side::Guard]),
            Deed::KillWrapper => self.kill_wrapper(&[Side::Guard, Side::Front]),
            // Without a supervisor a wish is not heard, and that is said.
            Deed::Pause => drop(self.rig.api.pause(RUNNER)),
            Deed::Resume => drop(self.rig.api.resume(RUNNER)),
            Deed::Cancel => self.cancel(),
        }
        if self.rig.supervisor.is_none() && !self.chance.once_in(3) {
            self.rig.start_supervisor(&OPTIONS);
        }
    }

    /// Only those that nobody has harmed: the others must be ended, and not end by themselves.
    fn let_tasks_end(&self) {
        for job in self.jobs.iter().filter(|job| !self.unwrapped.contains(&job.number)) {
            job.let_go();
        }
    }

    /// The keepers that may be killed; whoever asks is about to. What a task left whose whole
    /// wrapper was killed only its keeper knows: killing that one too before the next task begins
    /// is the one thing after which something may stay.
    fn keepers(&mut self) -> Vec<(RunDir, ProcessId)> {
        let runs = self.rig.runs();
        let kept: Vec<_> = runs
            .into_iter()
            .filter(|run| !has_lost_task(run))
            .filter_map(|run| Some((run.clone(), keeper(&run)?)))
            .collect();
        self.keeper_killed.extend(kept.iter().map(|(run, _)| run.path().to_owned()));
        kept
    }

    /// Kills one side or both of the wrapper that is there now. While it lives its task is the one
    /// that the server calls running, if any.
    fn kill_wrapper(&mut self, sides: &[Side]) {
        let runs = self.rig.runs().into_iter();
        let mut wrappers = runs.filter_map(|run| {
            let wrapper = TaskProcesses::of(&run.tasks().ok()?.pop()?)?;
            (is_alive(&wrapper.front) && is_alive(&wrapper.guard)).then_some((run, wrapper))
        });
        let Some((run, wrapper)) = wrappers.next() else {
            return self.say("there is no wrapper");
        };
        // The same, the other way round.
        let sides = if self.keeper_killed.contains(run.path()) { &sides[..1] } else { sides };
        let victims: Vec<&ProcessId> = sides.iter().map(|side| side.of(&wrapper)).collect();
        let running = self.running();
        if is_alive(&wrapper.front) {
            self.say(&format!("the wrapper of {running:?}"));
            self.unwrapped.extend(running);
            kill_at_once(&victims);
        }
    }

    fn cancel(&mut self) {
        let running = self.running();
        let Some(task) = self.rig.api.runner(RUNNER).and_then(|runner| runner.task) else {
            return self.say("there is no task");
        };
        if running.is_some() && running == self.running() {
            let cancelled = self.rig.api.cancel(RUNNER, &task.id);
            self.say(&format!("the owner cancels {running:?}, {}: {cancelled:?}", task.id));
            self.cancelled.extend(running);
        }
    }

    /// There is a supervisor and no pause, so that every task ends.
    fn calm(&mut self) {
        self.rig.start_supervisor(&OPTIONS);
        self.say("calm");
        self.rig.api.resume(RUNNER).expect("a resume");
        self.let_tasks_end();
        for job in &self.jobs {
            until(DEADLINE, &format!("task {} is over", job.number), || {
                let task = self.rig.circle.task(job.number);
                task.state == local_circleci::TaskState::Finished
            });
        }
    }
}

fn has_lost_task(run: &RunDir) -> bool {
    let tasks = run.tasks().unwrap_or_default();
    tasks.iter().any(|task| matches!(task.state(), TaskState::Lost))
}

/// A park may end early.
fn nap_well(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|it| !it.is_zero()) {
        nap(left);
    }
}
