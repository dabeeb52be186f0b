//! The product against every way in which CircleCI's agent may behave where nothing is documented: a
//! claim, its result, a pause that drains, a cancel; and a runner that is never idle while its task
//! runs.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use local_circleci::{NewTask, Outcome};
use protocol::{Runner, RunnerState, TaskResult};
use run_dir::End;
use trials::{CLASS, DEADLINE, Options, RUNNER, Rig, until, until_some};

/// A line of the log that comes after the task's end amends what the history has of it.
#[track_caller]
fn until_recorded(rig: &Rig, count: usize, result: TaskResult) {
    until(DEADLINE, &format!("task {count} is in the history as {result:?}"), || {
        let history = rig.api.history().unwrap_or_default();
        history.len() == count && history[0].result == result
    });
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

/// The exit codes that are recorded.
#[derive(Clone, Copy)]
struct Codes {
    /// Of an agent that was asked to drain.
    drained: i32,
    /// Of a job whose step exits with 3.
    failed: i32,
}

const USUAL: Codes = Codes { drained: 0, failed: 3 };
/// Without a word of the task agent's only its own exit code is known.
const SILENT: Codes = Codes { failed: 1, ..USUAL };

fn all_goes_well_with(variant: &str, expected: Codes) {
    let mut rig = Rig::idle(&Options { variant, ..Options::default() });
    let job = rig.long_job();
    job.until_begun();
    rig.until_runner("it is busy", is_busy);
    assert_never_idle(&rig);
    job.let_go();
    rig.assert_ended_well(&job);
    until_recorded(&rig, 1, TaskResult::Succeeded);

    let failing = NewTask::new(CLASS).step("fails", "exit 3");
    let failing = rig.circle.enqueue(&failing);
    assert_eq!(rig.circle.finished(failing).outcome, Some(Outcome::Failed));
    let failed = TaskResult::Failed { exit_code: Some(expected.failed) };
    until_recorded(&rig, 2, failed);

    let drained = rig.run();
    let job = rig.long_job();
    job.until_begun();
    rig.until_runner("it is busy", is_busy);
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
    until_recorded(&rig, 4, TaskResult::Cancelled);
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
    ($($name:ident: $variant:literal => $codes:expr;)+) => {$(
        #[test]
        fn $name() {
            all_goes_well_with($variant, $codes);
        }
    )+};
}

variants! {
    a_log_in_colour: "log=color" => USUAL;
    a_log_in_json: "log=json" => USUAL;
    a_log_in_text: "log=text" => USUAL;
    no_log_but_the_task_agents: "log=none" => USUAL;
    a_log_that_comes_late: "log-delay-ms=3000" => USUAL;
    an_agent_that_prints_nothing: "silent=1" => SILENT;
    a_task_in_a_process_group_of_its_own: "session=group" => USUAL;
    a_task_in_a_session_of_its_own: "session=own" => USUAL;
    a_task_agent_that_is_called_inner: "argv=inner" => USUAL;
    two_task_agents_for_one_task: "argv=nested" => USUAL;
    a_task_agent_whose_log_comes_through_a_pipe: "agent-stderr=pipe" => USUAL;
    a_short_time_between_term_and_kill: "kill-delay-ms=100" => USUAL;
    a_task_agent_that_ignores_term: "task-agent-ignores-term=1,kill-delay-ms=500" => USUAL;
    a_drained_agent_with_another_exit_code: "exit-code-drained=7" => Codes { drained: 7, ..USUAL };
    a_cut_drain_with_exit_code_0: "exit-code-forced=0" => USUAL;
    a_failed_job_with_another_exit_code: "exit-code-failed-job=23" => USUAL;
    a_failed_job_that_the_task_agent_does_not_tell: "exit-code-failed-job=0" => USUAL;
    a_wait_before_each_claim: "sleep-before-claim-ms=300" => USUAL;
    an_agent_that_retries_at_start: "start-offline=retry" => USUAL;
    an_agent_that_writes_much: "noise-bytes=20000" => USUAL;
    an_agent_that_writes_its_token: "leak-token=1" => USUAL;
    an_agent_that_dies_of_a_hangup: "hup=die" => USUAL;
    a_silent_agent_with_sessions_and_two_task_agents: "silent=1,session=own,argv=nested,agent-stderr=pipe" => SILENT;
}
