//! A task's steps: how they run, what they see, how they end.

use std::fs;

use local_circleci::{NewTask, Outcome, Task};

use crate::world::{CLASS, World, is_alive, until, until_exists, write};

/// Runs one task on a runner of its own and returns it with its steps' output.
fn run(world: &World, task: &NewTask) -> (Task, String) {
    let _runner = world.runner().start();
    let number = world.control.enqueue(task).unwrap();
    let task = world.control.wait_finished(number).unwrap();
    (task, world.control.output(number).unwrap())
}

#[test]
fn steps_run_one_after_the_other_and_the_first_failure_is_the_last() {
    let world = World::new();
    let task = NewTask::new(CLASS)
        .step("good", "echo one")
        .step("bad", "echo two; false; echo never")
        .step("after", "echo three");
    let (task, output) = run(&world, &task);
    assert_eq!(task.outcome, Some(Outcome::Failed));
    assert!(output.ends_with("one\ntwo\n"), "{output}");
    let codes: Vec<_> = task.steps.iter().map(|step| (step.step, step.exit_code)).collect();
    assert_eq!(codes, [(0, Some(0)), (99, Some(0)), (101, Some(0)), (102, Some(1))]);
}

#[test]
fn a_step_is_a_bash_that_stops_at_errors_and_broken_pipelines() {
    let world = World::new();
    let (task, _) = run(&world, &NewTask::new(CLASS).step("pipe", "false | true"));
    assert_eq!(task.outcome, Some(Outcome::Failed));
    let script = "[[ $- == *e* ]]; shopt -o pipefail; echo $0; ps -o args= -p $$; true";
    let (task, output) = run(&world, &NewTask::new(CLASS).step("how", script));
    assert_eq!(task.outcome, Some(Outcome::Success));
    assert!(output.contains("/bin/bash -eo pipefail -c [["), "{output}");
}

#[test]
fn steps_see_the_documented_variables() {
    let world = World::new();
    let task = NewTask::new(CLASS)
        .project("acme/rocket")
        .branch("fix/it")
        .job("test")
        .env("OWN", "with space")
        .step("env", "env");
    let (task, output) = run(&world, &task);
    let has = |line: &str| output.lines().any(|it| it == line);
    for line in [
        "CI=true",
        "CIRCLECI=true",
        "CIRCLE_BRANCH=fix/it",
        "CIRCLE_BUILD_NUM=1",
        "CIRCLE_BUILD_URL=https://circleci.com/gh/acme/rocket/1",
        "CIRCLE_JOB=test",
        "CIRCLE_NODE_INDEX=0",
        "CIRCLE_NODE_TOTAL=1",
        "CIRCLE_PROJECT_REPONAME=rocket",
        "CIRCLE_PROJECT_USERNAME=acme",
        "OWN=with space",
        &format!("CIRCLE_WORKFLOW_JOB_ID={}", task.job_id),
    ] {
        assert!(has(line), "{line} is not in {output}");
    }
    for name in [
        "CIRCLE_INTERNAL_TASK_DATA",
        "CIRCLE_ORGANIZATION_ID",
        "CIRCLE_PIPELINE_ID",
        "CIRCLE_PROJECT_ID",
        "CIRCLE_REPOSITORY_URL",
        "CIRCLE_SHA1",
        "CIRCLE_USERNAME",
        "CIRCLE_WORKFLOW_ID",
        "CIRCLE_WORKFLOW_WORKSPACE_ID",
        "CIRCLE_WORKING_DIRECTORY",
    ] {
        assert!(output.contains(&format!("\n{name}=")), "{name} is not in {output}");
    }
    assert!(!output.contains("CIRCLE_PREVIOUS_BUILD_NUM"), "not set on runners");
}

#[test]
fn steps_inherit_what_the_runner_had_and_find_the_task_agent_in_path() {
    let world = World::new();
    let runner = world.runner().env("FROM_THE_RUNNER", "yes").start();
    let number = world.enqueue("echo $FROM_THE_RUNNER; command -v circleci-agent");
    world.control.wait_finished(number).unwrap();
    let agent = runner.file("agents/circleci-agent").display().to_string();
    assert!(world.control.output(number).unwrap().ends_with(&format!("yes\n{agent}\n")));
}

#[test]
fn a_step_hands_variables_on_through_bash_env() {
    let world = World::new();
    let task = NewTask::new(CLASS)
        .step("set", "echo 'export LATER=here' >> $BASH_ENV")
        .step("get", "echo got $LATER");
    let (_, output) = run(&world, &task);
    assert!(output.ends_with("got here\n"), "{output}");
}

#[test]
fn output_comes_whole_and_in_order() {
    let world = World::new();
    let (_, output) = run(&world, &NewTask::new(CLASS).step("much", "seq 1 60000; echo end >&2"));
    let own: Vec<&str> = output.lines().skip(1).collect();
    assert_eq!(own.len(), 60001);
    assert_eq!((own[0], own[59999], own[60000]), ("1", "60000", "end"));
}

#[test]
fn a_background_process_does_not_hold_the_task_up() {
    let world = World::new();
    let pid_file = world.path("pid");
    let script = format!("sleep 600 & echo $! > {}", pid_file.display());
    let (task, _) = run(&world, &NewTask::new(CLASS).step("background", &script));
    assert_eq!(task.outcome, Some(Outcome::Success));
    let orphan: u32 = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    assert!(is_alive(orphan), "nobody reaps a job's orphans on a real runner");
    crate::world::signal(orphan, rustix::process::Signal::KILL);
}

#[test]
fn a_cancel_through_the_api_ends_the_step_with_its_children() {
    let world = World::new();
    let _runner = world.runner().variant("kill-delay-ms=400").start();
    let pid_file = world.path("pid");
    let number = world.enqueue(&format!(
        "trap '' TERM; bash -c \"trap '' TERM; echo \\$\\$ > {pid}.new; mv {pid}.new {pid}; sleep 600; sleep 600\"",
        pid = pid_file.display()
    ));
    let child: u32 = until_exists(&pid_file).trim().parse().unwrap();
    world.control.cancel(number).unwrap();
    let task = world.control.wait_finished(number).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Canceled));
    until("the step's child is gone", || (!is_alive(child)).then_some(()));
}

#[test]
fn a_waiting_task_is_cancelled_at_once() {
    let world = World::new();
    let number = world.enqueue("true");
    world.control.cancel(number).unwrap();
    assert_eq!(world.task(number).outcome, Some(Outcome::Canceled));
}

#[test]
fn the_tokens_of_task_and_class_are_on_no_command_line() {
    let world = World::new();
    let runner = world.runner().start();
    let (task, started, go) = world.enqueue_waiting_task("a");
    until_exists(&started);
    let ps = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let ps = String::from_utf8_lossy(&ps.stdout).into_owned();
    assert!(ps.contains(&runner.folder.display().to_string()), "the runner is not in {ps}");
    let state = fs::read_to_string(world.path("state/tasks/1/task.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let task_token = state["names"]["token"].as_str().unwrap();
    assert!(task_token.len() == 80 && !ps.contains(task_token));
    write(&go, "");
    world.control.wait_finished(task).unwrap();
}

#[test]
fn a_job_outlives_a_restart_of_the_server() {
    let folder = tempfile::TempDir::with_prefix("stand-in-").unwrap();
    let mut options = crate::world::options(folder.path());
    let server = local_circleci::Server::start(&options).unwrap();
    options.addr = server.url().trim_start_matches("http://").parse().unwrap();
    let world = World::new();
    let _runner = world.runner().key("api.url", &format!("{:?}", server.url())).start();
    let go = folder.path().join("go");
    let script =
        format!("echo before; until [ -e {} ]; do sleep 0.02; done; echo after", go.display());
    let number = server.control().enqueue(&NewTask::new(CLASS).step("wait", &script)).unwrap();
    until("the first line", || {
        server.control().output(number).unwrap().contains("before").then_some(())
    });
    drop(server);
    write(&go, "");
    let server = local_circleci::Server::start(&options).unwrap();
    let task = server.control().wait_finished(number).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Success));
    assert!(server.control().output(number).unwrap().ends_with("before\nafter\n"));
}
