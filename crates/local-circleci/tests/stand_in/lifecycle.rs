//! From start to end: the task agent's binary, working directories, one task at a time.

use std::fs;
use std::time::SystemTime;

use local_circleci::control::Fault;
use local_circleci::{NewTask, Outcome, TaskState};
use rustix::process::Signal;

use crate::world::{CLASS, World, until, until_exists, write};

#[test]
fn the_task_agent_is_fetched_at_start_and_deleted_at_the_end() {
    let world = World::new();
    let mut runner = world.runner().start();
    runner.until_log_has("worker loop: claim:");
    let agent = runner.file("agents/circleci-agent");
    assert!(agent.exists());
    assert!(runner.log().contains("GET /api/v2/tasks/download"));
    runner.signal(Signal::TERM);
    runner.wait();
    assert!(!agent.exists());
}

#[test]
fn a_cached_task_agent_stays_and_is_not_fetched_again() {
    let world = World::new();
    let configured = world.runner().key("runner.cache_task_agent", "true");
    let agent = configured.file("agents/circleci-agent");
    let mut command = configured.command();
    let mut modified: Vec<SystemTime> = Vec::new();
    for _ in 0..2 {
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let calls = || world.control.agents().unwrap().first().map_or(0, |it| it.claim_calls);
        let before = calls();
        until("a claim", || (calls() > before).then_some(()));
        crate::world::signal(child.id(), Signal::TERM);
        until("its end", || child.try_wait().unwrap());
        modified.push(fs::metadata(&agent).unwrap().modified().unwrap());
    }
    assert_eq!(modified[0], modified[1], "it was written twice");
}

#[test]
fn without_its_task_agent_it_does_not_start() {
    let world = World::new();
    let trouble =
        Fault { path: "/api/v2/tasks/download".to_owned(), status: Some(503), ..Fault::default() };
    world.control.add_fault(&trouble).unwrap();
    let (status, log) = world.runner().run();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("circleci-runner: error: task agent download"), "{log}");
}

#[test]
fn a_task_agent_with_another_sum_is_not_run() {
    let world = World::new();
    let trouble =
        Fault { path: "/releases/task-agent".to_owned(), garble: true, ..Fault::default() };
    world.control.add_fault(&trouble).unwrap();
    let (status, log) = world.runner().run();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("checksum of"), "{log}");
}

#[test]
fn the_working_directory_is_made_and_kept_by_default() {
    let world = World::new();
    let runner = world.runner().start();
    world.control.wait_finished(world.enqueue("touch left-over")).unwrap();
    let again = world.enqueue("test -e left-over");
    let again = world.control.wait_finished(again).unwrap();
    assert_eq!(again.outcome, Some(Outcome::Success));
    assert!(runner.file("work/left-over").exists());
}

#[test]
fn with_cleanup_the_working_directory_goes_after_each_job() {
    let world = World::new();
    let mut runner = world.runner().key("runner.cleanup_working_directory", "true").start();
    world.control.wait_finished(world.enqueue("touch left-over")).unwrap();
    let again = world.control.wait_finished(world.enqueue("test ! -e left-over")).unwrap();
    assert_eq!(again.outcome, Some(Outcome::Success));
    runner.signal(Signal::TERM);
    runner.wait();
    assert!(!runner.file("work").exists());
}

#[test]
fn a_job_may_choose_its_own_working_directory() {
    let world = World::new();
    let runner = world.runner().start();
    let chosen = world.path("chosen");
    let absolute = NewTask::new(CLASS)
        .working_directory(&chosen.display().to_string())
        .step("pwd", "touch here; test $PWD = $CIRCLE_WORKING_DIRECTORY");
    let relative = NewTask::new(CLASS).working_directory("inside").step("pwd", "touch here");
    for task in [absolute, relative] {
        let number = world.control.enqueue(&task).unwrap();
        let done = world.control.wait_finished(number).unwrap();
        assert_eq!(done.outcome, Some(Outcome::Success));
    }
    assert!(chosen.join("here").exists());
    assert!(runner.file("work/inside/here").exists());
}

#[test]
fn one_runner_runs_one_task_at_a_time() {
    let world = World::new();
    let _runner = world.runner().start();
    let (first, started, go) = world.enqueue_waiting_task("a");
    let second = world.enqueue("true");
    until_exists(&started);
    assert_eq!(world.task(second).state, TaskState::Queued);
    write(&go, "");
    let first = world.control.wait_finished(first).unwrap();
    let second = world.control.wait_finished(second).unwrap();
    assert!(second.claimed_at >= first.finished_at);
}

#[test]
fn two_runners_share_a_resource_class_and_its_tasks() {
    let world = World::new();
    let _runners = [world.runner().start(), world.runner().start()];
    let (first, first_started, first_go) = world.enqueue_waiting_task("a");
    let (second, second_started, second_go) = world.enqueue_waiting_task("b");
    until_exists(&first_started);
    until_exists(&second_started);
    assert_ne!(world.task(first).runner, world.task(second).runner);
    write(&first_go, "");
    write(&second_go, "");
    world.control.wait_finished(first).unwrap();
    world.control.wait_finished(second).unwrap();
}
