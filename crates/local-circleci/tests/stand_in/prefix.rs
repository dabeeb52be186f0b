//! `command_prefix`: the wrapper gets the task agent's command, is what the runner knows, and its
//! exit code is the task's.

use std::fs;

use local_circleci::Outcome;
use rustix::process::Signal;

use crate::world::{World, is_alive, signal, until, until_exists, write, write_script};

#[test]
fn the_prefix_is_put_before_the_task_agents_command() {
    let world = World::new();
    let wrapper = write_script(
        &world.path("wrapper"),
        &format!("printf '%s\\n' \"$@\" > {}; shift; exec \"$@\"", world.path("words").display()),
    );
    let prefix = format!("[{:?}, \"--\"]", wrapper.display());
    let runner = world.runner().key("runner.command_prefix", &prefix).start();
    let task = world.control.wait_finished(world.enqueue("true")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Success));
    let words = fs::read_to_string(world.path("words")).unwrap();
    let words: Vec<&str> = words.lines().collect();
    let agent = runner.file("agents/circleci-agent").display().to_string();
    assert_eq!(words[..4], ["--", &agent, "_internal", "agent-runner"]);
}

#[test]
fn the_wrappers_exit_code_is_the_task_agents() {
    let world = World::new();
    let wrapper = write_script(&world.path("wrapper"), "cat > /dev/null; exit 7");
    let prefix = format!("[{:?}]", wrapper.display());
    let runner = world.runner().key("runner.command_prefix", &prefix).start();
    let task = world.control.wait_finished(world.enqueue("true")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::InfrastructureFail));
    assert_eq!(task.message.as_deref(), Some("task agent command exited with code 7"));
    runner.until_log_has("error=task agent command exited with code 7");
}

#[test]
fn a_wrapper_that_does_not_run_the_task_agent_loses_the_task() {
    let world = World::new();
    let _runner = world.runner().key("runner.command_prefix", "[\"/bin/true\"]").start();
    let task = world.control.wait_finished(world.enqueue("true")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::InfrastructureFail));
}

#[test]
fn a_prefix_that_cannot_be_started_fails_the_task_and_the_runner_goes_on() {
    let world = World::new();
    let mut runner = world.runner().key("runner.command_prefix", "[\"/no/such/wrapper\"]").start();
    let task = world.control.wait_finished(world.enqueue("true")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::InfrastructureFail));
    assert!(task.message.unwrap().contains("/no/such/wrapper"));
    assert!(runner.is_running());
}

/// The danger that the product's wrapper is built against.
#[test]
fn kill_reaches_the_wrapper_alone_and_the_task_behind_it_runs_on() {
    let world = World::new();
    let pid_file = world.path("agent-pid");
    let wrapper = write_script(
        &world.path("wrapper"),
        &format!("trap '' TERM\n\"$@\" <&0 & echo $! > {}\nwait", pid_file.display()),
    );
    let prefix = format!("[{:?}]", wrapper.display());
    let mut runner =
        world.runner().key("runner.command_prefix", &prefix).variant("kill-delay-ms=300").start();
    let (_, started, go) = world.enqueue_waiting_task("a");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    runner.signal(Signal::TERM);
    runner.wait();
    let agent: u32 = until_exists(&pid_file).trim().parse().unwrap();
    assert!(is_alive(agent), "the runner ended more than its own child");
    write(&go, "");
    until("the task agent ends", || (!is_alive(agent)).then_some(()));
}

#[test]
fn term_reaches_a_wrapper_that_passes_it_on() {
    let world = World::new();
    let wrapper = write_script(
        &world.path("wrapper"),
        "\"$@\" <&0 & child=$!\ntrap 'kill -TERM $child' TERM\nwait $child; code=$?\n\
         while kill -0 $child 2>/dev/null; do wait $child; code=$?; done\nexit $code",
    );
    let prefix = format!("[{:?}]", wrapper.display());
    let mut runner =
        world.runner().key("runner.command_prefix", &prefix).variant("kill-delay-ms=20000").start();
    let (task, started, _) = world.enqueue_waiting_task("a");
    until_exists(&started);
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    runner.signal(Signal::TERM);
    runner.wait();
    assert_eq!(world.task(task).outcome, Some(Outcome::Canceled));
}

#[test]
fn a_runner_that_is_killed_leaves_its_task_running() {
    let world = World::new();
    let mut runner = world.runner().start();
    let (task, started, go) = world.enqueue_waiting_task("a");
    until_exists(&started);
    signal(runner.pid(), Signal::KILL);
    runner.wait();
    write(&go, "");
    assert_eq!(world.control.wait_finished(task).unwrap().outcome, Some(Outcome::Success));
}
