//! The first TERM: once, and never again until it is proven lost.

use process::{Pid, Signal};
use run_dir::{Cancel, CancelOutcome, DrainLost, End, RunDir, TaskNumber};

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

/// Two tasks that ran and ended.
fn two_tasks(run: &RunDir) -> Vec<TaskNumber> {
    (0..2).map(|_| run.claim_task().unwrap().0.number()).collect()
}

#[test]
fn a_drain_of_which_nobody_knows_whether_it_was_sent_is_not_sent_again() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running_until("drain-written");
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
    run.write_drain_lost(&DrainLost { tasks: two_tasks(&run), at: now() }).unwrap();
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

#[test]
fn one_proof_of_loss_has_the_term_sent_again_once_whoever_is_killed_then() {
    let mut home = Home::new();
    let (run, mut first) = home.running_until("drain-written");
    send(&first, Signal::TERM);
    until_held(&run, "drain-written", Pid::of_child(&first));
    send(&first, Signal::KILL);
    wait(&mut first);
    let tasks = two_tasks(&run);
    run.write_drain_lost(&DrainLost { tasks: tasks.clone(), at: now() }).unwrap();

    let mut second = home.adopter(&run, &["drain-sent-unwritten"]);
    until_held(&run, "drain-sent-unwritten", Pid::of_child(&second));
    until("it arrived", || home.signals().len() == 1);
    send(&second, Signal::KILL);
    wait(&mut second);
    assert!(run.drain_sent().is_unwritten(), "unconfirmed again");

    // The third finds the same proof. What it makes of a cancel shows that it has looked.
    let cancel = Cancel { task: tasks[0], by: "the test".to_owned(), at: now() };
    run.write_cancel(&cancel).unwrap();
    let mut third = home.adopter(&run, &[]);
    let looked = until_written("it has looked", || run.cancel_sent());
    assert_eq!(looked.outcome, CancelOutcome::TaskOver);
    home.finish_agent(0);
    wait(&mut third);
    assert_eq!(home.signals(), ["SIGTERM"]);
    assert!(run.drain_sent().is_unwritten());
}

#[test]
fn one_task_that_started_after_the_drain_is_no_proof() {
    let mut home = Home::new();
    let (run, mut first) = home.running_until("drain-written");
    let tasks = two_tasks(&run);
    send(&first, Signal::TERM);
    until_held(&run, "drain-written", Pid::of_child(&first));
    send(&first, Signal::KILL);
    wait(&mut first);
    let after = run.claim_task().unwrap().0.number();
    let lost = DrainLost { tasks: [tasks.clone(), vec![after]].concat(), at: now() };
    run.write_drain_lost(&lost).unwrap();
    run.write_cancel(&Cancel { task: after, by: "the test".to_owned(), at: now() }).unwrap();
    let mut second = home.adopter(&run, &[]);
    until_written("it has looked", || run.cancel_sent());
    home.finish_agent(0);
    wait(&mut second);
    assert_eq!(home.signals(), Vec::<String>::new());
}

#[test]
fn tasks_that_began_before_a_slow_signal_prove_nothing_about_it() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running_until("drain-written");
    send(&keeper, Signal::TERM);
    until_held(&run, "drain-written", Pid::of_child(&keeper));
    let tasks = two_tasks(&run);
    send(&keeper, Signal::CONT);
    until_written("the drain is sent", || run.drain_sent());
    assert_eq!(Some(run.drain().written().unwrap().tasks_before), tasks.last().map(|task| task.0));
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM"]);
}
