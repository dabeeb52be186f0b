//! The gate: no agent exists that started.json does not name, whenever the keeper is killed.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use process::{Liveness, Pid, Signal, alive};
use run_dir::RunState;

use crate::home::{Home, lines, secrets, send, until, until_held, wait};

/// The orphans that came to this process and have the home in their arguments.
fn gates_of(home: &Home) -> usize {
    let home = home.folder.path().to_str().unwrap();
    let mentions = |pid: &Pid| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(home)
    };
    process::children(Pid::own()).unwrap().iter().filter(|pid| mentions(pid)).count()
}

#[test]
fn fifty_keepers_killed_at_random_leave_no_agent_that_is_not_on_record() {
    process::become_subreaper().unwrap();
    let (mut orphans, mut none) = (0, 0);
    for round in 0..50 {
        let mut home = Home::new();
        let (run, lock) = home.run(&home.plan());
        let mut keeper = home.keeper(&run, lock, &[], &secrets());
        // Anywhere between the spawn and the agent being up, which takes some 10 ms here.
        let wait_for = RandomState::new().hash_one(round) % 14_000;
        std::thread::park_timeout(Duration::from_micros(wait_for));
        send(&keeper, Signal::KILL);
        wait(&mut keeper);
        run.wait_until_unlocked().unwrap();
        match run.state() {
            RunState::Orphan(agent) => {
                assert_eq!(home.remember(&run), agent);
                // Either it becomes the agent, or it is a gate that finds its keeper gone.
                until("it decides", || {
                    alive(&agent) == Liveness::Dead || home.path("ready").exists()
                });
                let ready = lines(&home.path("ready"));
                if ready.is_empty() {
                    none += 1;
                } else {
                    assert_eq!(ready, [agent.pid.to_string()]);
                    orphans += 1;
                }
            }
            RunState::Lost => {
                // Whatever was spawned ends by itself and never becomes an agent.
                until("no gate is left", || gates_of(&home) == 0);
                assert!(!home.path("ready").exists());
                none += 1;
            }
            state @ (RunState::Kept | RunState::Over(_) | RunState::Unknown(_)) => {
                panic!("round {round}: {state:?}")
            }
        }
    }
    println!("{orphans} agents to adopt, {none} never began");
}

#[test]
fn a_keeper_killed_after_the_record_and_before_the_word_leaves_nothing() {
    let mut home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let mut keeper = home.keeper(&run, lock, &["started-written"], &secrets());
    until_held(&run, "started-written", Pid::of_child(&keeper));
    let gate = home.remember(&run);
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    crate::home::until_dead(&gate);
    assert_eq!(run.state(), RunState::Lost);
    assert!(!home.path("ready").exists());
}
