//! The first TERM: once, and never again until it is proven lost.

use process::{Pid, Signal};
use run_dir::{DrainLost, End, TaskNumber};

use crate::home::{Home, now, send, until, until_held, until_written, wait};

#[test]
fn four_stops_reach_the_agent_once_and_as_a_term() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    for stop in [Signal::TERM, Signal::INT, Signal::HUP, Signal::TERM] {
        send(&keeper, stop);
        until_written("the drain is recorded", || run.drain_sent());
    }
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM"]);
    assert_eq!(run.exit().written().unwrap().end, End::Code(0));
}

#[test]
fn what_comes_while_the_keeper_is_stopped_counts_once() {
    let mut home = Home::new();
    let (_run, mut keeper) = home.running();
    send(&keeper, Signal::STOP);
    for _ in 0..4 {
        send(&keeper, Signal::TERM);
    }
    send(&keeper, Signal::INT);
    send(&keeper, Signal::CONT);
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM"]);
}

#[test]
fn a_drain_of_which_nobody_knows_whether_it_was_sent_is_not_sent_again() {
    let mut home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let mut keeper = home.keeper(&run, lock, &["drain-written"], &crate::home::secrets());
    until("the agent is ready", || home.path("ready").exists());
    home.remember(&run);
    send(&keeper, Signal::TERM);
    until_held(&run, "drain-written", Pid::of_child(&keeper));
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    assert!(run.drain().written().is_some() && run.drain_sent().is_unwritten(), "unconfirmed");

    // Neither by a new keeper's own account nor when it is asked for again.
    let mut adopter = home.adopter(&run, &[]);
    until_written("the adopter is ready", || {
        let keeper = run.keeper();
        if keeper.as_ref().written().is_some_and(|keeper| keeper.adopted) {
            keeper
        } else {
            run_dir::Record::Blank
        }
    });
    send(&adopter, Signal::TERM);
    send(&adopter, Signal::USR1);
    assert_eq!(home.signals(), Vec::<String>::new());

    // Only the proof that it was lost has it sent again, once.
    run.write_drain_lost(&DrainLost { tasks: vec![TaskNumber(2)], at: now() }).unwrap();
    for _ in 0..3 {
        send(&adopter, Signal::USR1);
    }
    until_written("it was sent", || run.drain_sent());
    send(&adopter, Signal::TERM);
    send(&adopter, Signal::USR1);
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(0);
    wait(&mut adopter);
    assert_eq!(home.signals(), ["SIGTERM"]);
}
