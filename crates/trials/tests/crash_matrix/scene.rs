//! Brings a rig to a moment, and kills.

use std::fs::{self, File};
use std::process::Stdio;

use local_circleci::control::Fault;
use process::ProcessId;
use protocol::{ProblemCode, RunnerState};
use run_dir::{RunDir, RunState};
use trials::{
    CLASS, DEADLINE, Job, Options, Ours, RUNNER, Rig, TaskProcesses, keeper, kill, kill_at_once,
    until, until_some,
};

use crate::moment::Moment;
use crate::victim::Victim;

/// A rig at a moment, and who is who in it.
pub(crate) struct Scene {
    pub(crate) moment: Moment,
    /// Ends before the rig does, which asserts that nothing is left.
    pub(crate) client: Option<Ours>,
    /// The run that it happens to; where the runner backs off, one that is over.
    pub(crate) run: RunDir,
    pub(crate) keeper: Option<ProcessId>,
    pub(crate) task: Option<(Job, TaskProcesses)>,
    pub(crate) rig: Rig,
}

/// The agent writes 20 lines a second of its own, whatever else happens.
const NOISY: &str = "noise-bytes=300";

impl Scene {
    pub(crate) fn at(moment: Moment) -> Self {
        let options = Options { hold_at: moment.hold_at(), variant: NOISY };
        let mut rig = Rig::bare(&options);
        match moment {
            Moment::Starting | Moment::BetweenSpawnAndGo => {
                let client = watching_setup(&rig);
                let run = rig.held(moment.hold_at().expect("it is held"));
                rig.until_runner("it shows its run", |runner| runner.run.is_some());
                Self::of(moment, rig, client, run, None)
            }
            Moment::BackingOff => {
                let path = "/api/v2/tasks/download".to_owned();
                let fault = Fault { path, status: Some(503), ..Fault::default() };
                rig.circle.control().add_fault(&fault).expect("the server takes a fault");
                rig.set_up();
                rig.until_runner("its agent ends at start", |runner| {
                    let mut problems = runner.problems.iter();
                    problems.any(|problem| problem.code == ProblemCode::AgentExitsAtStart)
                });
                // Before the client, which takes its time to begin: the next try may be made by then.
                let run = until_some(DEADLINE, "a run is over", || {
                    rig.runs().into_iter().find(|run| matches!(run.state(), RunState::Over(_)))
                });
                let client = following_logs(&rig);
                Self::of(moment, rig, client, run, None)
            }
            Moment::Idle => {
                let client = idle(&rig);
                let run = rig.run();
                Self::of(moment, rig, client, run, None)
            }
            Moment::InATask
            | Moment::BetweenDrainAndTerm
            | Moment::Draining
            | Moment::Cancelling
            | Moment::BetweenTheTwoTerms => {
                let client = idle(&rig);
                let run = rig.run();
                let job = rig.clinging_job();
                job.until_begun();
                let (_, processes) = rig.task(&run);
                until(DEADLINE, "the job has printed", || {
                    rig.circle.output(job.number).contains("foreground")
                });
                go_on_to(moment, &rig, &run);
                Self::of(moment, rig, client, run, Some((job, processes)))
            }
        }
    }

    fn of(
        moment: Moment,
        rig: Rig,
        client: Ours,
        run: RunDir,
        task: Option<(Job, TaskProcesses)>,
    ) -> Self {
        Self { moment, client: Some(client), keeper: keeper(&run), run, task, rig }
    }

    pub(crate) fn kill(&mut self, victim: Victim) {
        let wrapper = self.task.as_ref().map(|(_, processes)| processes);
        let killed = match victim {
            Victim::Client => kill(self.client.as_ref().expect("a client").id()),
            Victim::Supervisor => {
                self.rig.kill_supervisor();
                true
            }
            Victim::Keeper => kill(self.keeper.as_ref().expect("a keeper")),
            Victim::SupervisorAndKeeper => {
                let supervisor = self.rig.supervisor.as_ref().expect("a supervisor").id().clone();
                kill_at_once(&[self.keeper.as_ref().expect("a keeper"), &supervisor]);
                self.rig.kill_supervisor();
                true
            }
            Victim::WrapperFront => kill(&wrapper.expect("a wrapper").front),
            Victim::WrapperGuard => kill(&wrapper.expect("a wrapper").guard),
            Victim::WrapperWhole => {
                let wrapper = wrapper.expect("a wrapper");
                kill_at_once(&[&wrapper.guard, &wrapper.front]);
                true
            }
        };
        assert!(killed, "{victim:?} was gone already at {:?}", self.moment);
    }
}

fn go_on_to(moment: Moment, rig: &Rig, run: &RunDir) {
    match moment {
        Moment::BetweenDrainAndTerm => {
            rig.api.pause(RUNNER).expect("a pause");
            rig.held("drain-written");
        }
        Moment::Draining => {
            rig.api.pause(RUNNER).expect("a pause");
            until_some(DEADLINE, "the TERM is sent", || run.drain_sent().written());
        }
        Moment::Cancelling => {
            rig.api.cancel(RUNNER, &rig.task_id()).expect("a cancel");
            rig.held("cancel-seen");
        }
        Moment::BetweenTheTwoTerms => {
            rig.api.cancel(RUNNER, &rig.task_id()).expect("a cancel");
            rig.held("between-the-terms");
        }
        Moment::Starting
        | Moment::BetweenSpawnAndGo
        | Moment::Idle
        | Moment::InATask
        | Moment::BackingOff => {}
    }
}

/// A `runnerctl setup` that waits until the runner is ready, as events tell it.
fn watching_setup(rig: &Rig) -> Ours {
    let token = rig.place.path("given-token");
    copy_token(rig, &token);
    let url = rig.circle.url();
    let releases = format!("{url}/releases");
    let mut command = rig.place.command("runnerctl");
    command.args(["setup", "--resource-class", CLASS, "--name", RUNNER, "--token-stdin"]);
    command.args(["--token-store", "file", "--api-url", url, "--releases-url", &releases]);
    command.stdin(File::open(token).expect("a file of ours"));
    speaking(rig, command)
}

#[expect(clippy::disallowed_methods, reason = "a file of the trial, not of the product")]
fn copy_token(rig: &Rig, to: &std::path::Path) {
    fs::write(to, rig.circle.token(CLASS)).expect("a file of ours");
}

fn idle(rig: &Rig) -> Ours {
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    following_logs(rig)
}

/// A `runnerctl logs -f` that waits for the next line.
fn following_logs(rig: &Rig) -> Ours {
    let mut command = rig.place.command("runnerctl");
    command.args(["logs", "-f"]);
    speaking(rig, command)
}

/// The client, once it has said something.
fn speaking(rig: &Rig, mut command: std::process::Command) -> Ours {
    let said = rig.place.path("client-said");
    command.stdout(File::create(&said).expect("a file of ours")).stderr(Stdio::null());
    let client = Ours::start(command);
    until(DEADLINE, "the client has said something", || {
        fs::metadata(&said).is_ok_and(|about| about.len() > 0)
    });
    client
}
