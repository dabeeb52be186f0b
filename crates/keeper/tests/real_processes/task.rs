//! `task`: signals go in, the exit comes out, and nothing of ours is seen.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use process::{Liveness, Pid, ProcessId, Signal, alive, signal};
use run_dir::{Record, RunDir, TaskEnd, TaskNumber, TaskState};

use crate::home::{
    Home, KEEPER, TOKEN, lines, send, until, until_dead, until_held, until_written, wait,
};

/// A task agent that notes every signal and ends when told.
pub(crate) const NOTES_SIGNALS: &str = r#"#!/usr/bin/env python3
import os, signal, sys, time
here = os.path.dirname(os.path.abspath(__file__))
def got(number, frame):
    with open(here + "/task-signals", "a") as notes:
        notes.write(signal.Signals(number).name + "\n")
for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), got)
open(here + "/task-ready", "w").close()
while not os.path.exists(here + "/task-finish"):
    time.sleep(0.02)
"#;

pub(crate) fn task(run: &RunDir, command: &[&str]) -> Command {
    let mut task = Command::new(KEEPER);
    task.arg("task").arg(run.path()).arg("--").args(command);
    task
}

/// A script that waits for a file `go`, and no longer than for the test.
fn waits_and_exits(home: &Home, code: u8) -> String {
    let (home, go) = (home.path(""), home.path("go"));
    let (home, go) = (home.display(), go.display());
    format!("while [ -d '{home}' ] && ! [ -e '{go}' ]; do sleep 0.02; done; exit {code}")
}

fn first(run: &RunDir) -> run_dir::TaskDir {
    run.task(TaskNumber(1))
}

fn end_of(run: &RunDir) -> TaskEnd {
    first(run).finished().written().expect("the end is on record").end
}

#[test]
fn streams_and_the_exit_code_pass_through() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = "cat; echo said >&2; exit 42";
    let mut front = task(&run, &["/bin/sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    front.stdin.take().unwrap().write_all(b"the task's token\n").unwrap();
    let output = front.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(output.stdout, b"the task's token\n");
    assert_eq!(output.stderr, b"said\n", "nothing of ours is printed");
    assert_eq!(end_of(&run), TaskEnd::Code(42));
}

#[test]
fn the_record_names_all_who_take_part() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let mut front =
        task(&run, &["/bin/sleep", "1000"]).current_dir(home.folder.path()).spawn().unwrap();
    let started = until_written("the task is on record", || first(&run).started());
    home.remember_pid(started.process.pid.get());
    assert_eq!(started.front, ProcessId::of(Pid::of_child(&front)).unwrap());
    let parent = |id: &ProcessId| process::look(id.pid).unwrap().unwrap().parent.unwrap();
    assert_eq!(parent(&started.guard), started.front.pid);
    assert_eq!(parent(&started.process), started.guard.pid);
    assert_eq!(started.argv, ["/bin/sleep", "1000"]);
    assert_eq!(started.cwd, home.folder.path().canonicalize().unwrap());
    until("the task agent runs", || process::environ(started.process.pid).is_some());
    assert_eq!(first(&run).state(), TaskState::Running);

    send(&front, Signal::TERM);
    assert_eq!(wait(&mut front).signal(), Some(15));
    assert!(matches!(first(&run).state(), TaskState::Finished(_)));
    assert!(!first(&run).lock_held().unwrap());
}

#[test]
fn a_token_among_the_arguments_reaches_the_task_and_not_the_record() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let command = ["/bin/echo", "--taskToken", "abc", "--token=def", "--verbose", "ghi"];
    let output = task(&run, &command).output().unwrap();
    assert_eq!(output.stdout, b"--taskToken abc --token=def --verbose ghi\n");
    let argv = first(&run).started().written().unwrap().argv;
    assert_eq!(
        argv,
        ["/bin/echo", "--taskToken", "[token]", "--token=[token]", "--verbose", "ghi"]
    );
}

#[test]
fn death_by_a_signal_is_passed_back_as_that_signal() {
    let home = Home::new();
    for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("USR1", 10), ("PIPE", 13)] {
        let (run, _lock) = home.run(&home.plan());
        let script = format!("kill -{name} $$");
        let status = task(&run, &["/bin/sh", "-c", &script]).status().unwrap();
        assert_eq!(status.signal(), Some(number), "{name}");
        assert_eq!(end_of(&run), TaskEnd::Signal(number));
    }
}

#[test]
fn a_command_that_cannot_be_run_ends_as_in_a_shell() {
    let home = Home::new();
    for (command, code) in [("/no/such/agent", 127), ("no-such-agent", 127), ("/etc/hostname", 126)]
    {
        let (run, _lock) = home.run(&home.plan());
        let output = task(&run, &[command]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{command}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
        assert_eq!(end_of(&run), TaskEnd::Code(code));
    }
}

#[test]
fn every_signal_is_forwarded_once() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = home.script("task", NOTES_SIGNALS);
    let mut front = task(&run, &[script.to_str().unwrap()]).spawn().unwrap();
    until("the task is ready", || home.path("task-ready").exists());
    let notes = || lines(&home.path("task-signals"));
    let all = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];
    for (sent, what) in all.into_iter().enumerate() {
        send(&front, what);
        until("it arrived", || notes().len() == sent + 1);
    }
    home.script("task-finish", "");
    assert!(wait(&mut front).success());
    assert_eq!(notes(), ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]);
}

#[test]
fn a_signal_to_the_group_that_the_agent_made_reaches_the_task_once() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = home.script("task", NOTES_SIGNALS);
    let mut front = task(&run, &[script.to_str().unwrap()]).process_group(0).spawn().unwrap();
    until("the task is ready", || home.path("task-ready").exists());
    let group = rustix::process::Pid::from_child(&front);
    rustix::process::kill_process_group(group, Signal::TERM).unwrap();
    until("it arrived", || !lines(&home.path("task-signals")).is_empty());
    home.script("task-finish", "");
    assert!(wait(&mut front).success());
    assert_eq!(lines(&home.path("task-signals")), ["SIGTERM"]);
}

#[test]
fn the_end_of_a_stream_is_seen_when_the_task_closes_it() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = "echo $$; exec >&- 2>&-; exec sleep 1000";
    let mut front = task(&run, &["/bin/sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    front.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let agent = home.remember_pid(said.trim().parse().unwrap());
    assert_eq!(alive(&agent), Liveness::Alive, "the task runs on");
    send(&front, Signal::TERM);
    wait(&mut front);
}

#[test]
fn the_tasks_environment_is_as_it_came_without_the_token() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let output = task(&run, &["/usr/bin/env", "-0"])
        .env_clear()
        .env("ZEBRA", "first or last")
        .env("CIRCLECI_RUNNER_API_AUTH_TOKEN", TOKEN)
        .env("EMPTY", "")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut environment: Vec<&str> = said.split_terminator('\0').collect();
    environment.sort_unstable();
    assert_eq!(environment, ["EMPTY=", "ZEBRA=first or last"]);
}

#[test]
fn what_a_finished_task_left_running_is_named_and_left_alone() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = home.script(
        "task",
        "#!/bin/bash\n( setsid sleep 1000 >/dev/null 2>&1 & echo $! >\"${0%/*}/daemon\" )\nexit 0\n",
    );
    let status = task(&run, &[script.to_str().unwrap()]).status().unwrap();
    assert!(status.success());
    let daemon = home.remember_pid(lines(&home.path("daemon"))[0].parse().unwrap());
    let finished = first(&run).finished().written().unwrap();
    assert_eq!(finished.left_behind, std::slice::from_ref(&daemon));
    assert_eq!(alive(&daemon), Liveness::Alive);
}

#[test]
fn a_run_has_one_folder_for_each_task_and_one_ahead() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    for _ in 0..3 {
        assert!(task(&run, &["/bin/true"]).status().unwrap().success());
    }
    let tasks = run.tasks().unwrap();
    let numbers: Vec<u32> = tasks.iter().map(|task| task.number().0).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(tasks.iter().all(|task| matches!(task.state(), TaskState::Finished(_))));
    assert!(run.tasks_folder().join(".next").exists());
}

#[test]
fn without_a_readable_plan_no_task_is_run_as_the_wrong_user() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    crate::home::fs::write_file(run.path().join("plan.json"), "{\"version\":1,", 0o600);
    let output =
        task(&run, &["/usr/bin/touch", home.path("ran").to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!output.stderr.is_empty(), "there is no task whose streams it could spoil");
    assert!(!home.path("ran").exists());
    assert!(matches!(first(&run).started(), Record::Absent));
}

#[test]
fn a_guard_that_dies_before_the_task_began_costs_no_task() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = waits_and_exits(&home, 9);
    let mut front = task(&run, &["/bin/sh", "-c", &script])
        .env("RUNNER_TRAY_HOLD_AT", "task-started-written")
        .spawn()
        .unwrap();
    let started = until_written("the task is on record", || first(&run).started());
    until_held(&run, "task-started-written", started.guard.pid);
    home.remember_pid(started.guard.pid.get());
    signal(&started.guard, Signal::KILL).unwrap();
    until_dead(&started.process);
    until("its lock is free", || first(&run).state() == TaskState::Lost);
    until("its other lock says that it runs", || run.unrecorded_task().unwrap().is_some());
    home.write("go");
    assert_eq!(wait(&mut front).code(), Some(9), "the front runs it itself");
    assert_eq!(run.unrecorded_task().unwrap(), None);
}

#[test]
fn a_task_that_gets_no_folder_runs_and_a_lock_says_so() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    std::fs::remove_dir_all(run.tasks_folder()).unwrap();
    crate::home::fs::write_file(run.tasks_folder(), "a file in its place", 0o600);
    let script = waits_and_exits(&home, 7);
    let mut front = task(&run, &["/bin/sh", "-c", &script]).spawn().unwrap();
    until("its lock says that it runs", || run.unrecorded_task().unwrap().is_some());
    home.write("go");
    assert_eq!(wait(&mut front).code(), Some(7));
    assert_eq!(run.unrecorded_task().unwrap(), None);
}
