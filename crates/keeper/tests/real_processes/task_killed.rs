//! Whoever of the wrapper is killed: no process of the task is left for the next one to meet.

use std::os::unix::process::CommandExt;

use process::{Liveness, ProcessId, Signal, alive, signal};
use run_dir::{RunDir, Side, TaskEnd, TaskNumber, TaskStarted, TaskState};

use crate::home::{Home, lines, secrets, until, until_dead, until_held, until_written, wait};
use crate::task::task;

/// A task with a child, a daemon that forked twice, and a child that ignores TERM.
const BUSY: &str = r#"#!/bin/bash
here=${0%/*}
( setsid bash -c 'echo $$ >>"$0/pids"; exec sleep 1000' "$here" >/dev/null 2>&1 & )
bash -c 'echo $$ >>"$0/pids"; trap "" TERM; while :; do sleep 0.1; done' "$here" &
echo $$ >>"$here/pids"
wait
"#;

fn busy(home: &mut Home, run: &RunDir) -> (std::process::Child, TaskStarted, Vec<ProcessId>) {
    let script = home.script("task", BUSY);
    let front = task(run, &[script.to_str().unwrap()]).process_group(0).spawn().unwrap();
    let processes = all_up(home);
    let task = run.tasks().unwrap().pop().unwrap();
    (front, task.started().written().unwrap(), processes)
}

fn all_up(home: &mut Home) -> Vec<ProcessId> {
    until("all of the task is up", || lines(&home.path("pids")).len() == 3);
    let pids = lines(&home.path("pids"));
    pids.iter().map(|pid| home.remember_pid(pid.parse().unwrap())).collect()
}

fn end_of(run: &RunDir, number: u32) -> TaskEnd {
    let task = run.task(TaskNumber(number));
    until_written("the end is on record", || task.finished()).end
}

#[test]
fn a_killed_front_takes_the_whole_task_with_it() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let (mut front, started, processes) = busy(&mut home, &run);
    signal(&started.front, Signal::KILL).unwrap();
    wait(&mut front);
    processes.iter().for_each(until_dead);
    assert_eq!(end_of(&run, 1), TaskEnd::Lost(Side::Front));
    until_dead(&started.guard);
}

#[test]
fn a_kill_to_the_group_of_the_front_does_too() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let (mut front, _, processes) = busy(&mut home, &run);
    let group = rustix::process::Pid::from_child(&front);
    rustix::process::kill_process_group(group, Signal::KILL).unwrap();
    wait(&mut front);
    processes.iter().for_each(until_dead);
    assert_eq!(end_of(&run, 1), TaskEnd::Lost(Side::Front));
}

#[test]
fn a_killed_guard_does_too_before_the_front_says_so() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let (mut front, started, processes) = busy(&mut home, &run);
    signal(&started.guard, Signal::KILL).unwrap();
    assert_eq!(wait(&mut front).code(), Some(1));
    for process in &processes {
        assert_eq!(alive(process), Liveness::Dead, "the agent may claim the next task now");
    }
    assert_eq!(end_of(&run, 1), TaskEnd::Lost(Side::Guard));
}

#[test]
fn a_guard_that_is_killed_once_the_end_is_on_record_changes_nothing_of_it() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let mut front = task(&run, &["/bin/sh", "-c", "exit 5"])
        .env("RUNNER_TRAY_HOLD_AT", "task-finished-written")
        .spawn()
        .unwrap();
    let end = end_of(&run, 1);
    let guard = run.task(TaskNumber(1)).started().written().unwrap().guard;
    home.remember_pid(guard.pid.get());
    until_held(&run, "task-finished-written", guard.pid);
    signal(&guard, Signal::KILL).unwrap();
    assert_eq!(wait(&mut front).code(), Some(5), "what is on record, the agent hears too");
    assert_eq!((end_of(&run, 1), end), (TaskEnd::Code(5), TaskEnd::Code(5)));
}

/// An agent that runs `task` as often as it is told to.
const AGENT: &str = r#"#!/bin/bash
here=${0%/*}
for n in 1 2 3; do
    until [ -e "$here/go$n" ]; do sleep 0.02; done
    "$2" task "$1" -- "$here/task$n"
    echo $? >"$here/code$n"
done
"#;

#[test]
fn what_two_killed_sides_left_is_gone_before_the_next_task_begins() {
    let mut home = Home::new();
    home.script("agent", AGENT);
    // The first leaves a daemon on purpose, and the one that comes after the lost one looks.
    home.script(
        "task1",
        "#!/bin/bash\n( setsid sleep 1000 >/dev/null 2>&1 & echo $! >\"${0%/*}/kept\" )\n",
    );
    home.script("task2", BUSY);
    home.script(
        "task3",
        "#!/bin/bash\nps -o pid=,stat= -p $(cat \"${0%/*}/pids\") | grep -v Z >\"${0%/*}/seen\"\nexit 0\n",
    );

    let mut plan = home.plan();
    let run_path = home.runs.path().join(plan.run.as_str());
    plan.argv.extend([run_path.to_str().unwrap().to_owned(), crate::home::KEEPER.to_owned()]);
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    until_written("the agent is on record", || run.started());
    home.remember(&run);

    home.script("go1", "");
    until("the first is over", || home.path("code1").exists());
    let kept = home.remember_pid(lines(&home.path("kept"))[0].parse().unwrap());

    home.script("go2", "");
    let processes = all_up(&mut home);
    let started = run.task(TaskNumber(2)).started().written().unwrap();
    for side in [&started.guard, &started.front] {
        signal(side, Signal::STOP).unwrap();
    }
    for side in [&started.guard, &started.front] {
        signal(side, Signal::KILL).unwrap();
    }
    until("the agent knows", || home.path("code2").exists());
    until("its lock is free", || run.task(TaskNumber(2)).state() == TaskState::Lost);
    until_dead(&started.process);
    let survivors = || processes.iter().filter(|id| alive(id) == Liveness::Alive).count();
    assert!(survivors() > 0, "else there is nothing to show");

    home.script("go3", "");
    until("the next is well over", || lines(&home.path("code3")) == ["0"]);
    assert_eq!(lines(&home.path("seen")), Vec::<String>::new(), "none was there when it began");
    assert_eq!(end_of(&run, 2), TaskEnd::Lost(Side::Both));
    assert_eq!(alive(&kept), Liveness::Alive, "what a finished task left is spared");
    wait(&mut keeper);
}

#[test]
fn a_new_run_sees_to_what_an_earlier_one_left_open() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let mut front = task(&run, &["/bin/sleep", "1000"]).spawn().unwrap();
    let first = run.task(TaskNumber(1));
    let started = until_written("the task is on record", || first.started());
    for what in [Signal::STOP, Signal::KILL] {
        signal(&started.guard, what).unwrap();
        signal(&started.front, what).unwrap();
    }
    wait(&mut front);
    until("its lock is free", || first.state() == TaskState::Lost);
    let (next, _next_lock) = home.run(&home.plan());
    assert!(task(&next, &["/bin/true"]).status().unwrap().success());
    assert_eq!(alive(&started.process), Liveness::Dead);
    assert_eq!(end_of(&run, 1), TaskEnd::Lost(Side::Both));
}

/// Too many to be ended in no time.
const CROWD: &str = r#"#!/bin/bash
here=${0%/*}
for n in {1..150}; do sleep 1000 & echo $! >>"$here/crowd"; done
touch "$here/crowded"
wait
"#;

#[test]
fn the_next_task_waits_until_a_lost_one_is_ended() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = home.script("task", CROWD);
    let mut front = task(&run, &[script.to_str().unwrap()]).spawn().unwrap();
    until("all of the task is up", || home.path("crowded").exists());
    let crowd: Vec<ProcessId> = lines(&home.path("crowd"))
        .iter()
        .map(|pid| home.remember_pid(pid.parse().unwrap()))
        .collect();
    front.kill().unwrap();
    wait(&mut front);
    // At once, as an agent that knows the front only.
    let script = home.script(
        "next",
        "#!/bin/bash\nps -o stat= -p $(paste -sd, \"${0%/*}/crowd\") | grep -v Z >\"${0%/*}/seen\"\nexit 0\n",
    );
    assert!(task(&run, &[script.to_str().unwrap()]).status().unwrap().success());
    assert_eq!(lines(&home.path("seen")), Vec::<String>::new(), "none was there when it began");
    assert!(crowd.iter().all(|id| alive(id) == Liveness::Dead));
    assert_eq!(end_of(&run, 1), TaskEnd::Lost(Side::Front));
}
