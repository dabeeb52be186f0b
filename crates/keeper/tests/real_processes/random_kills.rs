//! A side of the task wrapper killed at any moment of its start: the task runs once or not at all,
//! and nothing of it is left.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use process::{Liveness, Pid, ProcessId, Signal, signal};
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

/// The running children of this process: the front is reaped, so all of them are orphans of its
/// task (nextest gives each test a process of its own).
fn left() -> Vec<ProcessId> {
    let mut known_dead = HashSet::new();
    loop {
        let children = process::children(Pid::own()).unwrap().into_iter();
        let ids = children.filter_map(|pid| ProcessId::of(pid).ok());
        let (alive, dead): (Vec<_>, Vec<_>) =
            ids.partition(|id| process::alive(id) == Liveness::Alive);
        // One that died meanwhile may have passed on a child that was not listed.
        let died_since = dead.into_iter().filter(|id| known_dead.insert(id.clone())).count();
        if !alive.is_empty() || died_since == 0 {
            return alive;
        }
    }
}

/// Whether the front ran the task itself, since its guard died before there was one.
fn is_unguarded(run: &RunDir) -> bool {
    let log = std::fs::read_to_string(run.path().join("keeper.log")).unwrap_or_default();
    log.contains("without a guard")
}

/// Says what was found when a round fails.
struct Explained<'run>(&'run RunDir);

impl Drop for Explained<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for id in left() {
            let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            println!(
                "{id:?} {:?} {:?}",
                String::from_utf8_lossy(&arguments),
                process::look(id.pid)
            );
        }
        let task = self.0.task(TaskNumber(1));
        println!("{:?}\n{:?}", task.started(), task.finished());
        println!("{}", lines(&self.0.keeper_log()).join("\n"));
    }
}

fn round(kill: impl FnOnce(&RunDir, &ProcessId)) -> Option<i32> {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let script = home.script("task", TASK);
    let _explained = Explained(&run);
    let mut front = task(&run, &[script.to_str().unwrap()]).spawn().unwrap();
    let front_id = home.remember_pid(front.id());
    kill(&run, &front_id);
    let code = wait(&mut front).code();
    let unguarded = is_unguarded(&run);
    until("nothing of the task is left", || {
        let left = left();
        if unguarded {
            // Nobody promised to end this one.
            for id in &left {
                let _ = signal(id, Signal::KILL);
            }
        }
        left.is_empty()
    });
    let task = run.task(TaskNumber(1));
    until("its guard is gone", || !matches!(task.state(), TaskState::Running));
    assert!(lines(&home.path("ran")).len() <= 1, "it ran once at most");
    code
}

#[test]
fn heavy_a_front_killed_at_any_moment_leaves_nothing() {
    process::become_subreaper().unwrap();
    for n in 0..ROUNDS {
        round(|_, front| {
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
        let code = round(|run, front| {
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
                process::alive(front) == Liveness::Dead
                    || std::fs::read(run.path().join("keeper.log")).is_ok_and(|log| !log.is_empty())
            });
            if is_unguarded(run) {
                unguarded += 1;
                signal(front, Signal::KILL).unwrap();
            }
        });
        assert!(code.is_none_or(|code| code == 1));
    }
    println!("{unguarded} of {ROUNDS} were run by the front itself");
}
