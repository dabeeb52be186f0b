//! What CircleCI does not document, in each of its variants.

use std::fs;

use local_circleci::control::Fault;
use local_circleci::{Outcome, TaskState, Variant};
use rustix::process::{Pid, Signal};

use crate::world::{Running, World, until_exists, write};

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.cast_signed()).unwrap()
}

/// Starts a runner with `variant` and a task; says what `look` sees of runner and task agent.
fn while_a_task_runs<T>(variant: &str, look: impl FnOnce(Pid, Pid) -> T) -> T {
    let world = World::new();
    let pids = world.path("pids");
    let go = world.path("go");
    let script = format!(
        "echo $PPID > {pids}.new; mv {pids}.new {pids}; while [ -d {world} ] && ! [ -e {go} ]; do sleep 0.02; done",
        pids = pids.display(),
        go = go.display(),
        world = world.path("").display(),
    );
    let runner = world.runner().variant(variant).start();
    let task = world.enqueue(&script);
    let agent: u32 = until_exists(&pids).trim().parse().unwrap();
    let seen = look(pid(runner.pid()), pid(agent));
    write(&go, "");
    let task = world.control.wait_finished(task).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Success));
    seen
}

#[test]
fn the_task_agent_lives_in_the_runners_session_and_group_or_not() {
    let look = |runner: Pid, agent: Pid| {
        (ps("sid=", runner) == ps("sid=", agent), ps("pgid=", runner) == ps("pgid=", agent))
    };
    assert_eq!(while_a_task_runs("session=shared", look), (true, true));
    assert_eq!(while_a_task_runs("session=group", look), (true, false));
    assert_eq!(while_a_task_runs("session=own", look), (false, false));
}

/// What `ps` says of a process. A session whose leader lives outside a container is 0 in it, which
/// system calls of a library may not expect.
fn ps(what: &str, pid: Pid) -> String {
    let pid = pid.as_raw_nonzero().to_string();
    let ps = std::process::Command::new("ps").args(["-o", what, "-p", &pid]).output().unwrap();
    assert!(ps.status.success(), "ps -o {what} -p {pid}");
    String::from_utf8(ps.stdout).unwrap()
}

fn arguments(pid: Pid) -> String {
    ps("args=", pid)
}

fn parent(pid: Pid) -> Pid {
    self::pid(ps("ppid=", pid).trim().parse().unwrap())
}

#[test]
fn the_task_agent_is_called_in_different_ways() {
    let usual = while_a_task_runs("argv=agent-runner", |_, agent| arguments(agent));
    assert!(usual.contains("/circleci-agent _internal agent-runner --verbose --runnerAPIBaseURL="));
    let inner = while_a_task_runs("argv=inner", |runner, agent| {
        assert_eq!(parent(agent), runner);
        arguments(agent)
    });
    assert!(inner.trim_end().ends_with("/circleci-agent _internal inner --innerConfig -"));
    let (outer, inner) = while_a_task_runs("argv=nested", |runner, agent| {
        assert_eq!(parent(parent(agent)), runner);
        (arguments(parent(agent)), arguments(agent))
    });
    assert!(outer.contains("_internal agent-runner") && inner.contains("_internal inner"));
}

#[test]
fn a_nested_task_agent_passes_the_end_on() {
    let world = World::new();
    let mut runner = world.runner().variant("argv=nested").start();
    let (task, started, _) = world.enqueue_waiting_task("a");
    until_exists(&started);
    end_by_two_signals(&mut runner);
    assert_eq!(world.task(task).outcome, Some(Outcome::Canceled));
}

fn end_by_two_signals(runner: &mut Running) -> Option<i32> {
    runner.signal(Signal::TERM);
    runner.until_log_has("shutdown signal");
    runner.signal(Signal::TERM);
    runner.wait().code()
}

#[test]
fn the_task_agents_log_comes_by_descriptor_or_through_a_pipe() {
    let world = World::new();
    for variant in ["agent-stderr=inherit", "agent-stderr=pipe"] {
        world.enqueue("true");
        let runner = world.runner().key("runner.mode", "single-task").variant(variant);
        let (_, log) = runner.run();
        assert!(log.contains("build_uri"), "{variant}: {log}");
    }
}

#[test]
fn exit_codes_are_what_the_variant_says() {
    let world = World::new();
    world.enqueue("exit 3");
    let runner = world.runner().key("runner.mode", "single-task");
    let (status, log) = runner.variant("exit-code-drained=5,exit-code-failed-job=42").run();
    assert_eq!(status.code(), Some(5));
    assert!(log.contains("exited with code 42"), "{log}");

    let mut runner = world.runner().variant("exit-code-forced=6").start();
    let (_, started, _) = world.enqueue_waiting_task("a");
    until_exists(&started);
    assert_eq!(end_by_two_signals(&mut runner), Some(6));
}

#[test]
fn a_failed_job_may_be_no_failure_of_the_task_agent() {
    let world = World::new();
    world.enqueue("false");
    let runner = world.runner().key("runner.mode", "single-task");
    let (_, log) = runner.variant("exit-code-failed-job=0").run();
    assert!(!log.contains("error="), "{log}");
}

#[test]
fn a_start_without_network_may_be_retried() {
    let world = World::new();
    let trouble = Fault {
        path: "/api/v2/tasks/download".to_owned(),
        times: Some(2),
        status: Some(503),
        ..Fault::default()
    };
    world.control.add_fault(&trouble).unwrap();
    let _runner = world.runner().variant("start-offline=retry").start();
    let task = world.control.wait_finished(world.enqueue("true")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Success));
}

#[test]
fn a_signal_just_before_the_call_for_work_loses_no_task() {
    let world = World::new();
    let mut runner = world.runner().variant("sleep-before-claim-ms=300").start();
    runner.until_log_has("worker loop: claim:");
    let task = world.enqueue("true");
    runner.signal(Signal::TERM);
    runner.wait();
    // It may have looked for signals already; then it claimed once more and ran what it got.
    let task = world.task(task);
    assert!(task.state == TaskState::Queued || task.outcome == Some(Outcome::Success), "{task:?}");
}

#[test]
fn bad_habits_can_be_had() {
    let world = World::new();
    let runner = world.runner().variant("leak-token=1,noise-bytes=100").start();
    let log = runner.until_log_has(&format!("noise {}\n", "~".repeat(93)));
    assert!(log.contains(&format!("app.auth_token={}", crate::world::TOKEN)), "{log}");
    let (status, log) = world.runner().variant("crash-at-start=3").run();
    assert_eq!(status.code(), Some(3));
    assert!(log.contains("panic: "), "{log}");
}

#[test]
fn the_server_hands_variants_to_runner_and_task_agent() {
    let world = World::new();
    world.control.set_variant("exit-code-drained=9,exit-code-failed-job=11,log=json").unwrap();
    world.enqueue("false");
    let (status, log) = world.runner().key("runner.mode", "single-task").run();
    assert_eq!(status.code(), Some(9));
    assert!(log.contains("exited with code 11"), "{log}");
    assert!(log.contains("\"name\":\"service-work\""), "{log}");
    for refused in ["no=such", "hup=die", "log=json, start-offline=retry"] {
        assert_eq!(
            world.control.set_variant(refused).unwrap_err().status(),
            Some(400),
            "{refused}"
        );
    }
}

#[test]
fn the_readme_names_every_variant() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| `") && line.contains('='));
    let mut known = 0;
    for row in rows {
        let words = row.split('`').nth(1).unwrap();
        let (key, values) = words.split_once('=').unwrap();
        for value in values.split('\\').map(|it| it.trim_start_matches('|')) {
            let value = if value == "N" { "1" } else { value };
            let word = format!("{key}={value}");
            assert!(word.parse::<Variant>().is_ok(), "{word} of the README is unknown");
            known += 1;
        }
    }
    assert!(known > 20, "the table of variants was not found");
}

#[test]
fn the_readme_names_tests_that_exist() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let readme = fs::read_to_string(format!("{root}README.md")).unwrap();
    let (_, table) = readme.split_once("| documented | test |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let sources = fs::read_dir(format!("{root}tests/stand_in")).unwrap();
    let sources: String =
        sources.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let rows = table.lines().filter(|row| !row.contains("(unit tests)"));
    let tests = rows
        .filter_map(|row| row.rsplit_once(" | "))
        .flat_map(|(_, it)| it.split('`').skip(1).step_by(2));
    let mut named = 0;
    for test in tests {
        let name = test.rsplit("::").next().unwrap();
        assert!(sources.contains(&format!("fn {name}()")), "{name} is no test");
        named += 1;
    }
    assert!(named > 40, "the table of tests was not found");
}
