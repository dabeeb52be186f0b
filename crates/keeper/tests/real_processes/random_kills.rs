//! A side of the task wrapper killed at any moment of its start: the task runs once or not at all,
//! and nothing of it is left.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use process::{Pid, ProcessId, Sent, Signal, signal};
use run_dir::{RunDir, TaskNumber, TaskState};

use crate::home::{Home, lines, until, wait};
use crate::task::task;

const ROUNDS: u64 = 25;

/// Counts itself, and has a child and a daemon.
const TASK: &str = r#"#!/bin/bash
here=${0%/*}
echo $$ >>"$here/ran"
( setsid sleep 1000 >/dev/null 2>&1 & )
sleep 1000 &
wait
"#;

/// Anywhere in the first moments of a wrapper.
fn pause(round: u64) {
    let micros = RandomState::new().hash_one(round) % 40_000;
    std::thread::park_timeout(Duration::from_micros(micros));
}

/// Running processes that came to this one and belong to the home: by their arguments, or as
/// descendants of those.
fn left(home: &Home) -> Vec<Pid> {
    let home = home.folder.path().to_str().unwrap();
    let ours = |pid: &Pid| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        arguments.contains(home) || arguments.starts_with("sleep\0")
    };
    process::children(Pid::own()).unwrap().into_iter().filter(ours).collect()
}

fn round(kill: impl FnOnce(&Home, &RunDir, &ProcessId)) -> Option<i32> {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = home.script("task", TASK);
    let mut front = task(&run, &[script.to_str().unwrap()]).spawn().unwrap();
    let front_id = home.remember_pid(front.id());
    kill(&home, &run, &front_id);
    let code = wait(&mut front).code();
    until("nothing of the task is left", || left(&home).is_empty());
    assert!(lines(&home.path("ran")).len() <= 1, "it ran once at most");
    let state = run.task(TaskNumber(1)).state();
    assert!(!matches!(state, TaskState::Running), "{state:?}");
    code
}

#[test]
fn heavy_a_front_killed_at_any_moment_leaves_nothing() {
    process::become_subreaper().unwrap();
    for n in 0..ROUNDS {
        round(|_, _, front| {
            pause(n);
            signal(front, Signal::KILL).unwrap();
        });
    }
}

#[test]
fn heavy_a_guard_killed_at_any_moment_leaves_nothing() {
    process::become_subreaper().unwrap();
    let mut unguarded = 0;
    for n in 0..ROUNDS {
        let code = round(|home, run, front| {
            let mut guard = None;
            until("there is a guard", || {
                guard = process::children(front.pid).unwrap().first().copied();
                guard.is_some()
            });
            let guard = ProcessId::of(guard.unwrap()).unwrap();
            pause(n);
            signal(&guard, Signal::KILL).unwrap();
            // Killed early enough, the front runs the task itself: then that is to be ended.
            until("it is decided", || {
                process::alive(front) == process::Liveness::Dead
                    || std::fs::read(run.path().join("keeper.log")).is_ok_and(|log| !log.is_empty())
            });
            if std::fs::read_to_string(run.path().join("keeper.log"))
                .unwrap()
                .contains("without a guard")
            {
                unguarded += 1;
                until("the task that the front has become is ended", || {
                    let all = process::tree(front.pid).unwrap().into_iter().chain(left(home));
                    let ids = all.filter_map(|pid| ProcessId::of(pid).ok());
                    ids.filter(|id| signal(id, Signal::KILL).unwrap() == Sent::Delivered).count()
                        == 0
                });
            }
        });
        assert!(code.is_none_or(|code| code == 1));
    }
    println!("{unguarded} of {ROUNDS} were run by the front itself");
}
