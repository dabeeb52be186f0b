//! Signals: the first drains, the second ends the task; only the task agent's own process is
//! signalled (configuration reference, "Customizing job timeouts and drain timeouts").

use local_circleci::control::Fault;
use local_circleci::{Outcome, TaskState};
use rustix::process::Signal;

use crate::world::{World, is_alive, until, until_exists, write};

#[test]
fn after_a_first_term_the_task_ends_as_normal_and_then_the_runner_exits_0() {
    let world = World::new();
    let mut runner = world.runner().start();
    let (task, started, go) = world.enqueue_waiting_task("a");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.until_log_has("system: shutdown signal received delay=0s signal=terminated");
    assert!(runner.is_running(), "the runner left its task");
    write(&go, "");
    assert_eq!(runner.wait().code(), Some(0));
    assert_eq!(world.task(task).outcome, Some(Outcome::Success));
}

#[test]
fn a_draining_runner_claims_nothing() {
    let world = World::new();
    let mut runner = world.runner().start();
    let (_, started, go) = world.enqueue_waiting_task("a");
    let second = world.enqueue("true");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    write(&go, "");
    runner.wait();
    assert_eq!(world.task(second).state, TaskState::Queued);
}

#[test]
fn an_idle_runner_that_is_asked_to_drain_exits_0() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let world = World::new();
        let mut runner = world.runner().start();
        runner.until_log_has("worker loop: claim:");
        runner.signal(signal);
        assert_eq!(runner.wait().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn before_3_1_13_a_hup_killed_the_runner() {
    let world = World::new();
    let mut runner = world.runner().variant("hup=die").start();
    runner.until_log_has("worker loop: claim:");
    runner.signal(Signal::HUP);
    let status = runner.wait();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(1));
}

#[test]
fn a_task_that_was_claimed_while_the_signal_came_is_run_to_its_end() {
    let world = World::new();
    let slow = Fault {
        path: "/api/v3/runner/claim".to_owned(),
        times: Some(1),
        wait_after_ms: 500,
        ..Fault::default()
    };
    world.control.add_fault(&slow).unwrap();
    let task = world.enqueue("true");
    let mut runner = world.runner().start();
    world.control.wait_running(task).unwrap();
    runner.signal(Signal::TERM);
    assert_eq!(runner.wait().code(), Some(0));
    assert_eq!(world.task(task).outcome, Some(Outcome::Success));
}

#[test]
fn a_second_term_ends_the_task_and_the_runner() {
    let world = World::new();
    let mut runner = world.runner().start();
    let (task, started, _) = world.enqueue_waiting_task("a");
    let step: u32 = until_exists(&started).trim().parse().unwrap();
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    runner.signal(Signal::TERM);
    assert_eq!(runner.wait().code(), Some(1));
    assert_eq!(world.task(task).outcome, Some(Outcome::Canceled));
    until("the step is gone", || (!is_alive(step)).then_some(()));
}

#[test]
fn a_task_agent_that_ignores_term_is_killed_after_a_brief_period() {
    let world = World::new();
    let mut runner = world.runner().variant("task-agent-ignores-term=1,kill-delay-ms=300").start();
    let (task, started, go) = world.enqueue_waiting_task("a");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    runner.signal(Signal::TERM);
    assert_eq!(runner.wait().code(), Some(1));
    let task = world.control.wait_finished(task).unwrap();
    assert_eq!(task.outcome, Some(Outcome::InfrastructureFail));
    assert_eq!(task.message.as_deref(), Some("signal: 9"));
    write(&go, "");
}

#[test]
fn with_unsafe_retries_an_interrupted_task_goes_back_into_the_queue() {
    let world = World::new();
    let mut runner = world
        .runner()
        .key("runner.enable_unsafe_retries", "true")
        .variant("task-agent-ignores-term=1,kill-delay-ms=300")
        .start();
    let (task, started, go) = world.enqueue_waiting_task("a");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    runner.signal(Signal::TERM);
    runner.wait();
    assert_eq!(world.task(task).state, TaskState::Queued);
    write(&go, "");
}

#[test]
fn a_task_longer_than_max_run_time_is_ended_and_the_runner_goes_on() {
    let world = World::new();
    let mut runner = world.runner().key("runner.max_run_time", "9s").start();
    let (long, _, _) = world.enqueue_waiting_task("a");
    assert_eq!(world.control.wait_finished(long).unwrap().outcome, Some(Outcome::Canceled));
    let next = world.enqueue("true");
    assert_eq!(world.control.wait_finished(next).unwrap().outcome, Some(Outcome::Success));
    assert!(runner.is_running());
}

#[test]
fn max_run_time_kills_a_task_agent_that_ignores_term() {
    let world = World::new();
    let runner = world
        .runner()
        .key("runner.max_run_time", "9s")
        .variant("task-agent-ignores-term=1,kill-delay-ms=300")
        .start();
    let (task, _, go) = world.enqueue_waiting_task("a");
    let task = world.control.wait_finished(task).unwrap();
    assert_eq!(task.outcome, Some(Outcome::InfrastructureFail));
    runner.until_log_has("error=signal: 9");
    write(&go, "");
}

#[test]
fn a_drain_lasts_no_longer_than_max_run_time() {
    let world = World::new();
    let mut runner = world.runner().key("runner.max_run_time", "9s").start();
    let (task, started, _) = world.enqueue_waiting_task("a");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.wait();
    assert_eq!(world.task(task).outcome, Some(Outcome::Canceled));
}
