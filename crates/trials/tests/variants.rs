//! The product against every way in which CircleCI's agent may behave where nothing is documented: a
//! claim, its result, a pause that drains, a cancel; and a runner that is never idle while its task
//! runs.

use local_circleci::{NewTask, Outcome};
use protocol::{Runner, RunnerState, TaskResult};
use run_dir::End;
use trials::{CLASS, DEADLINE, Options, RUNNER, Rig, until, until_some};

/// What is shown while the job's steps run, and how its end is known.
fn until_recorded(rig: &Rig, count: usize) -> TaskResult {
    let task = until_some(DEADLINE, "the task is in the history", || {
        let tasks = rig.api.history().ok()?;
        if tasks.len() == count { tasks.into_iter().next() } else { None }
    });
    task.result
}

fn is_busy(runner: &Runner) -> bool {
    runner.task.is_some() && matches!(runner.state, RunnerState::Busy | RunnerState::Draining)
}

/// Looks many times while a task runs.
fn assert_never_idle(rig: &Rig) {
    for _ in 0..20 {
        let runner = rig.runner();
        assert!(is_busy(&runner), "a task runs: {runner:#?}");
    }
}

struct Expected {
    /// How an agent ends that was asked to drain.
    drained: i32,
    /// How the task agent ends after a job that failed.
    failed: i32,
}

const USUAL: Expected = Expected { drained: 0, failed: 1 };

fn all_goes_well_with(variant: &str, expected: &Expected) {
    let mut rig = Rig::idle(&Options { variant, ..Options::default() });
    let job = rig.long_job();
    job.until_begun();
    rig.until_runner("it is busy", is_busy);
    assert_never_idle(&rig);
    job.let_go();
    rig.assert_ended_well(&job);
    assert_eq!(until_recorded(&rig, 1), TaskResult::Succeeded);

    let failing = NewTask::new(CLASS).step("fails", "exit 3");
    let failing = rig.circle.enqueue(&failing);
    assert_eq!(rig.circle.finished(failing).outcome, Some(Outcome::Failed));
    let failed = match expected.failed {
        // What the task agent does not tell, nobody knows.
        0 => TaskResult::Succeeded,
        code => TaskResult::Failed { exit_code: Some(code) },
    };
    assert_eq!(until_recorded(&rig, 2), failed);

    let drained = rig.run();
    let job = rig.long_job();
    job.until_begun();
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    assert_never_idle(&rig);
    let waits = rig.long_job();
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);
    let exit = until_some(DEADLINE, "the agent's end is known", || drained.exit().written());
    assert_eq!(exit.end, End::Code(expected.drained));
    assert!(!waits.has_begun(), "a paused runner claims nothing");

    rig.api.resume(RUNNER).unwrap();
    waits.until_begun();
    let task = rig.task_id();
    rig.api.cancel(RUNNER, &task).unwrap();
    waits.until_nothing_is_left(&[]);
    assert_eq!(until_recorded(&rig, 4), TaskResult::Cancelled);
    until(DEADLINE, "the next agent is there", || {
        rig.api
            .runner(RUNNER)
            .is_some_and(|runner| runner.agent_pid.is_some() && runner.task.is_none())
    });
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    assert!(rig.runner().problems.is_empty(), "{:#?}", rig.runner());
    rig.finish();
}

macro_rules! variants {
    ($($name:ident: $variant:literal $(, $expected:expr)?;)+) => {$(
        #[test]
        fn $name() {
            #[expect(unused_mut, unused_assignments, reason = "only some expect something else")]
            let mut expected = USUAL;
            $(expected = $expected;)?
            all_goes_well_with($variant, &expected);
        }
    )+};
}

variants! {
    a_log_in_colour: "log=color";
    a_log_in_json: "log=json";
    a_log_in_text: "log=text";
    no_log_but_the_task_agents: "log=none";
    a_log_that_comes_late: "log-delay-ms=3000";
    an_agent_that_prints_nothing: "silent=1";
    a_task_in_a_process_group_of_its_own: "session=group";
    a_task_in_a_session_of_its_own: "session=own";
    a_task_agent_that_is_called_inner: "argv=inner";
    two_task_agents_for_one_task: "argv=nested";
    a_task_agent_whose_log_comes_through_a_pipe: "agent-stderr=pipe";
    a_short_time_between_term_and_kill: "kill-delay-ms=100";
    a_task_agent_that_ignores_term: "task-agent-ignores-term=1,kill-delay-ms=500";
    a_drained_agent_with_another_exit_code: "exit-code-drained=7", Expected { drained: 7, ..USUAL };
    a_cut_drain_with_exit_code_0: "exit-code-forced=0";
    a_failed_job_with_another_exit_code: "exit-code-failed-job=23", Expected { failed: 23, ..USUAL };
    a_failed_job_that_the_task_agent_does_not_tell: "exit-code-failed-job=0", Expected { failed: 0, ..USUAL };
    a_wait_before_each_claim: "sleep-before-claim-ms=300";
    an_agent_that_retries_at_start: "start-offline=retry";
    an_agent_that_writes_much: "noise-bytes=20000";
    an_agent_that_writes_its_token: "leak-token=1";
    an_agent_that_dies_of_a_hangup: "hup=die";
    a_silent_agent_with_sessions_and_two_task_agents: "silent=1,session=own,argv=nested,agent-stderr=pipe";
}
