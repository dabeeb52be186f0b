//! Everything at once: a place, the stand-in for CircleCI, a supervisor with one runner, and a
//! witness.

use std::time::Duration;

use local_circleci::Outcome;
use process::ProcessId;
use protocol::{RunId, Runner, RunnerState, TaskId};
use run_dir::{RunDir, RunState, TaskDir};

use crate::background::Background;
use crate::{
    Api, CLASS, Circle, DEADLINE, Job, Options, Place, SetClock, Supervisor, TaskProcesses,
    Witness, is_alive, is_stopped, resume, until, until_some,
};

/// However full the disk of the machine that runs the trials is; who tries that says otherwise.
#[expect(clippy::disallowed_methods, reason = "nobody reads it yet")]
fn never_low(place: &Place) {
    let file = place.folders().settings_file();
    if !file.exists() {
        std::fs::write(&file, "[cleanup]\nstop_below_gb = 0\n").expect("the settings");
    }
}

/// The runner that a rig has.
pub const RUNNER: &str = "mini";

pub struct Rig {
    pub supervisor: Option<Supervisor>,
    pub circle: Circle,
    pub api: Api,
    pub witness: Witness,
    /// Last, so that what the others leave is seen.
    pub place: Place,
    jobs: u32,
    releaser: Option<Background>,
}

impl Rig {
    /// A rig whose supervisor knows no runner yet.
    #[track_caller]
    pub fn bare(options: &Options<'_>) -> Self {
        let place = Place::new();
        let circle = Circle::start(&place);
        Self::with(place, circle, options)
    }

    #[track_caller]
    pub fn with(place: Place, circle: Circle, options: &Options<'_>) -> Self {
        place.folders().ensure().expect("the product's folders");
        never_low(&place);
        let api = Api::of(&place);
        let witness = Witness::of(place.runs());
        let supervisor = Some(Supervisor::start(&place, &api, options));
        Self { supervisor, circle, api, witness, place, jobs: 0, releaser: None }
    }

    /// A rig whose runner waits for tasks.
    #[track_caller]
    pub fn idle(options: &Options<'_>) -> Self {
        let rig = Self::bare(options);
        rig.set_up();
        rig.until_state(RunnerState::Idle);
        // An agent that has begun counts as idle by and by; here it has asked for a task.
        until(DEADLINE, "the agent claims", || {
            rig.circle.control().agents().is_ok_and(|agents| !agents.is_empty())
        });
        rig
    }

    /// The same, with a clock that the trial sets. None: none can be set here, which was said.
    #[track_caller]
    pub fn with_clock(options: &Options<'_>) -> Option<(SetClock, Self)> {
        let mut place = Place::new();
        let clock = SetClock::of(&mut place)?;
        let circle = Circle::start(&place);
        let rig = Self::with(place, circle, options);
        rig.set_up();
        rig.until_state(RunnerState::Idle);
        Some((clock, rig))
    }

    #[track_caller]
    pub fn set_up(&self) {
        self.api.set_up(&self.circle, CLASS, RUNNER).expect("the runner is set up");
    }

    /// Adds a line to the one runner in the settings file, as its owner would.
    #[expect(clippy::disallowed_methods, reason = "an editor is not atomic either")]
    pub fn add_setting(&self, line: &str) {
        let file = self.place.folders().settings_file();
        let settings = std::fs::read_to_string(&file).expect("the settings");
        let settings = format!("{}\n{line}\n", settings.trim_end());
        std::fs::write(&file, settings).expect("the settings can be written");
    }

    // ------------------------------------------------------------ the supervisor

    /// `kill -9`.
    pub fn kill_supervisor(&mut self) {
        self.supervisor.take().expect("a supervisor runs").kill();
    }

    /// Starts one where none runs.
    #[track_caller]
    pub fn start_supervisor(&mut self, options: &Options<'_>) {
        if self.supervisor.is_none() {
            self.supervisor = Some(Supervisor::start(&self.place, &self.api, options));
        }
    }

    // ------------------------------------------------------------ the runner

    #[track_caller]
    pub fn runner(&self) -> Runner {
        until_some(DEADLINE, "the runner is in the snapshot", || self.api.runner(RUNNER))
    }

    #[track_caller]
    pub fn until_state(&self, state: RunnerState) {
        self.until_runner(&format!("the runner is {state:?}"), |runner| runner.state == state);
    }

    /// The runner once it is so; panics with what it is instead when that takes too long.
    #[track_caller]
    pub fn until_runner(&self, what: &str, is_so: impl Fn(&Runner) -> bool) -> Runner {
        let mut last = None;
        let end = std::time::Instant::now() + DEADLINE;
        loop {
            if let Some(runner) = self.api.runner(RUNNER) {
                if is_so(&runner) {
                    return runner;
                }
                last = Some(runner);
            }
            assert!(std::time::Instant::now() < end, "waited in vain until {what}: {last:#?}");
            crate::nap(Duration::from_millis(15));
        }
    }

    /// The id of the task that the snapshot shows.
    #[track_caller]
    pub fn task_id(&self) -> TaskId {
        let runner = self.until_runner("it shows its task", |runner| runner.task.is_some());
        runner.task.expect("just seen").id
    }

    // ------------------------------------------------------------ its runs

    /// All runs that have a folder, oldest first.
    pub fn runs(&self) -> Vec<RunDir> {
        let runs = self.place.runs();
        let ids = runs.list().expect("the folder of runs can be read");
        ids.iter().map(|id| runs.run(id)).collect()
    }

    /// The newest run.
    #[track_caller]
    pub fn run(&self) -> RunDir {
        until_some(DEADLINE, "there is a run", || self.runs().pop())
    }

    /// The newest task of a run, and its processes, once they are on record.
    #[track_caller]
    pub fn task(&self, run: &RunDir) -> (TaskDir, TaskProcesses) {
        until_some(DEADLINE, "the task is on record", || {
            let task = run.tasks().ok()?.pop()?;
            let processes = TaskProcesses::of(&task)?;
            Some((task, processes))
        })
    }

    /// Whether a keeper of this run has stopped itself there.
    pub fn is_held(&self, run: &RunDir, point: &str) -> bool {
        run.path().join(format!("held-at-{point}")).exists()
            && keeper(run).is_some_and(|keeper| is_stopped(&keeper))
    }

    /// The run whose keeper has stopped itself at the point.
    #[track_caller]
    pub fn held(&self, point: &str) -> RunDir {
        until_some(DEADLINE, &format!("a keeper is held at {point}"), || {
            self.runs().into_iter().rev().find(|run| self.is_held(run, point))
        })
    }

    /// Lets every keeper that has stopped itself go on, those that will be started later too.
    pub fn release_held(&mut self) {
        let runs = self.place.runs();
        self.releaser.get_or_insert_with(|| {
            Background::again_and_again(move || {
                for id in runs.list().unwrap_or_default() {
                    let keeper = keeper(&runs.run(&id));
                    if let Some(keeper) = keeper.filter(is_stopped) {
                        resume(&keeper);
                    }
                }
            })
        });
    }

    // ------------------------------------------------------------ its tasks

    /// Queues a job that works until it is told to end.
    pub fn long_job(&mut self) -> Job {
        let name = self.next_name();
        Job::that_waits(&self.place, &self.circle, CLASS, &name)
    }

    /// Queues a job that works until it is told to end, with processes that only KILL ends sooner.
    pub fn clinging_job(&mut self) -> Job {
        let name = self.next_name();
        Job::that_clings(&self.place, &self.circle, CLASS, &name)
    }

    /// Queues a job that soon ends by itself.
    pub fn short_job(&mut self) -> Job {
        let name = self.next_name();
        Job::that_ends(&self.place, &self.circle, CLASS, &name)
    }

    fn next_name(&mut self) -> String {
        self.jobs += 1;
        format!("job-{}", self.jobs)
    }

    /// Panics unless the job ran to its own end and CircleCI calls it a success.
    #[track_caller]
    pub fn assert_ended_well(&self, job: &Job) {
        let task = self.circle.finished(job.number);
        assert_eq!(task.outcome, Some(Outcome::Success), "{task:#?}");
        assert!(job.is_done(), "task {} is a success and did not run to its end", job.number);
        let output = self.circle.output(job.number);
        assert!(output.contains("the whole job ran"), "{output}");
    }

    // ------------------------------------------------------------ the end

    /// Pauses every runner and waits until all runs are over.
    #[track_caller]
    pub fn quiesce(&mut self) {
        self.release_held();
        for runner in self.api.snapshot().expect("a snapshot").runners {
            self.api.pause(runner.name.as_str()).expect("a pause");
        }
        until(DEADLINE, "all runs are over", || {
            self.runs().iter().all(|run| matches!(run.state(), RunState::Over(_) | RunState::Lost))
        });
    }

    /// Quiesces, ends the supervisor and asserts that nothing is left.
    #[track_caller]
    pub fn finish(mut self) {
        self.quiesce();
        self.supervisor.take().expect("a supervisor runs").stop();
        self.witness.assert_never_two_agents();
        let server = self.circle.id().clone();
        until(DEADLINE, "nothing but the server is left", || {
            self.place.processes().iter().all(|left| left.id == server)
        });
    }
}

/// The keeper in charge of a run.
pub fn keeper(run: &RunDir) -> Option<ProcessId> {
    run.keeper().written().map(|keeper| keeper.process).filter(is_alive)
}

/// The run as the local API names it.
pub fn run_id(run: &RunDir) -> RunId {
    RunId::from(run.path().file_name().and_then(|name| name.to_str()).expect("a run's name"))
}

/// How often the agent of a run heard a signal, by its own log.
pub fn signals_heard(run: &RunDir) -> usize {
    [run.agent_log_before(), run.agent_log()]
        .iter()
        .map(|log| {
            let text = std::fs::read(log).unwrap_or_default();
            String::from_utf8_lossy(&text).matches("shutdown signal received").count()
        })
        .sum()
}
