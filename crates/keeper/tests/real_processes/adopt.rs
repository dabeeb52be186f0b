//! `agent --adopt`: an agent that lost its keeper gets one.

use process::Signal;
use run_dir::{End, Record, RunState};

use crate::home::{Home, send, until, until_written, wait};

fn orphan(home: &mut Home) -> run_dir::RunDir {
    let (run, mut keeper) = home.running();
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    run
}

fn ready(run: &run_dir::RunDir) {
    until("the adopter is ready", || run.keeper().written().is_some_and(|keeper| keeper.adopted));
}

#[test]
fn an_adopter_records_the_end_that_it_sees() {
    let mut home = Home::new();
    let run = orphan(&mut home);
    let mut adopter = home.adopter(&run, &[]);
    ready(&run);
    assert_eq!(run.state(), RunState::Kept);
    home.finish_agent(3);
    assert!(wait(&mut adopter).success());
    assert_eq!(run.exit().written().unwrap().end, End::Unknown);
    assert_eq!(home.signals(), Vec::<String>::new());
}

#[test]
fn an_adopter_drains_once() {
    let mut home = Home::new();
    let run = orphan(&mut home);
    let mut adopter = home.adopter(&run, &[]);
    ready(&run);
    for _ in 0..4 {
        send(&adopter, Signal::TERM);
        until_written("the drain is recorded", || run.drain_sent());
    }
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(0);
    wait(&mut adopter);
    assert_eq!(home.signals(), ["SIGTERM"]);
}

#[test]
fn a_drain_by_the_keeper_before_is_not_repeated() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    send(&keeper, Signal::TERM);
    until_written("the drain is recorded", || run.drain_sent());
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    let mut adopter = home.adopter(&run, &[]);
    ready(&run);
    send(&adopter, Signal::TERM);
    send(&adopter, Signal::USR1);
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(0);
    wait(&mut adopter);
    assert_eq!(home.signals(), ["SIGTERM"]);
}

#[test]
fn an_agent_that_ended_before_it_was_adopted_is_over() {
    let mut home = Home::new();
    let run = orphan(&mut home);
    home.finish_agent(0);
    let agent = run.started().written().unwrap().process;
    crate::home::until_dead(&agent);
    assert_eq!(run.state(), RunState::Lost);
    let mut adopter = home.adopter(&run, &[]);
    assert!(wait(&mut adopter).success());
    assert_eq!(run.exit().written().unwrap().end, End::Unknown);
}

#[test]
fn a_run_that_is_over_stays_as_it_is() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    home.finish_agent(5);
    wait(&mut keeper);
    let mut adopter = home.adopter(&run, &[]);
    assert!(wait(&mut adopter).success());
    assert_eq!(run.exit().written().unwrap().end, End::Code(5));
}

#[test]
fn an_unreadable_start_is_not_taken_for_none() {
    let mut home = Home::new();
    let run = orphan(&mut home);
    let torn = run.path().join("started.json");
    crate::home::fs::write_file(torn, "{\"version\":1,\"process\":{\"pi", 0o600);
    assert!(matches!(run.state(), RunState::Unknown(_)));
    let mut adopter = home.adopter(&run, &[]);
    assert!(!wait(&mut adopter).success());
    assert!(matches!(run.exit(), Record::Blank));
}
