//! How a runner ends by itself: single task, idle time, a refused token, nobody who reads its log.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use local_circleci::control::Fault;
use local_circleci::{Outcome, TaskState};

use crate::world::{CLASS, World, until, until_exists, write_script};

#[test]
fn in_single_task_mode_it_exits_after_one_job() {
    let world = World::new();
    let (first, second) = (world.enqueue("true"), world.enqueue("true"));
    let (status, _) = world.runner().key("runner.mode", "single-task").run();
    assert_eq!(status.code(), Some(0));
    assert_eq!(world.task(first).outcome, Some(Outcome::Success));
    assert_eq!(world.task(second).state, TaskState::Queued);
}

#[test]
fn it_exits_when_no_task_came_for_the_idle_timeout() {
    let world = World::new();
    let task = world.enqueue("sleep 0.5");
    let (status, _) = world.runner().key("runner.idle_timeout", "400ms").run();
    assert_eq!(status.code(), Some(0));
    assert_eq!(world.task(task).outcome, Some(Outcome::Success), "a task is not idle time");
}

#[test]
fn a_refused_token_is_an_error_span_on_the_claim_and_exit_1() {
    let world = World::new();
    let (status, log) = world.runner().key("api.auth_token", "wrong").run();
    assert_eq!(status.code(), Some(1));
    let claim = log.lines().find(|line| line.contains("POST /api/v3/runner/claim")).unwrap();
    assert!(claim.contains("http.response.status_code=401"), "{claim}");
    assert!(
        claim.contains("error=server supplied detail: invalid bearer token (401-Unauthorized)")
    );
}

#[test]
fn a_token_that_is_revoked_later_ends_the_runner_too() {
    let world = World::new();
    let mut runner = world.runner().start();
    assert!(runner.until_log_has("claim").contains("claim"));
    world.control.revoke_tokens(CLASS).unwrap();
    assert_eq!(runner.wait().code(), Some(1));
}

#[test]
fn trouble_at_the_server_is_logged_and_waited_out() {
    let world = World::new();
    let trouble = Fault {
        path: "/api/v3/runner/claim".to_owned(),
        times: Some(3),
        status: Some(503),
        ..Fault::default()
    };
    world.control.add_fault(&trouble).unwrap();
    let runner = world.runner().start();
    let task = world.control.wait_finished(world.enqueue("true")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Success));
    until("three spans for each of three polls", || {
        (runner.log().matches("503-Service Unavailable").count() == 3 * 3).then_some(())
    });
}

#[test]
fn an_unreachable_server_is_logged_and_waited_out() {
    let mut world = World::new();
    let mut runner = world.runner().start();
    runner.until_log_has("worker loop: claim:");
    world.stop_server();
    runner.until_log_has("connect: connection refused");
    assert!(runner.is_running());
}

#[test]
fn like_a_go_program_it_dies_of_sigpipe_when_nobody_reads_its_log() {
    let world = World::new();
    let mut child = world.runner().command().stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_exact(&mut [0; 8]).unwrap();
    drop(stderr);
    world.enqueue("true");
    let status = until("the runner's end", || child.try_wait().unwrap());
    assert_eq!(status.signal(), Some(13));
}

#[test]
fn the_task_agent_dies_of_sigpipe_as_well() {
    let world = World::new();
    let code = world.path("code");
    // Nobody reads by the time it begins; the code is there whole or not at all.
    let text = format!(
        "exec 3> >(exec true); wait $!; \"$@\" 2>&3; echo $? > {0}.new; mv {0}.new {0}",
        code.display()
    );
    let wrapper = write_script(&world.path("wrapper"), &text);
    let prefix = format!("[{:?}]", wrapper.display());
    let _runner = world.runner().key("runner.command_prefix", &prefix).start();
    world.enqueue("sleep 1");
    assert_eq!(until_exists(&code).trim(), (128 + 13).to_string());
}
