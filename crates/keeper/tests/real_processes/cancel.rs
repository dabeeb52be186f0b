//! The second TERM: on the user's word only, and only to the task it was meant for.

use process::{Pid, Signal};
use run_dir::{Cancel, CancelOutcome, RunDir, TaskEnd, TaskFinished, TaskNumber};

use crate::home::{Home, now, send, until, until_held, until_written, wait};

fn cancel(run: &RunDir, task: TaskNumber) {
    run.write_cancel(&Cancel { task, by: "the test".to_owned(), at: now() }).unwrap();
}

#[test]
fn a_cancel_is_the_first_term_and_then_the_second() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    let (task, lock) = run.claim_task().unwrap();
    cancel(&run, task.number());
    send(&keeper, Signal::USR1);
    let sent = until_written("the cancel is recorded", || run.cancel_sent());
    assert_eq!(sent.outcome, CancelOutcome::Sent);
    assert_eq!(sent.task, task.number());
    let first = run.drain_sent().written().expect("the first one is on record").at;
    assert!(
        sent.at.duration_since(first).as_millis() >= 900,
        "so far apart that it takes them as two"
    );
    until("both arrived", || home.signals().len() == 2);
    for again in [Signal::USR1, Signal::TERM, Signal::USR1] {
        send(&keeper, again);
    }
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM", "SIGTERM"]);
    drop(lock);
}

#[test]
fn a_drained_agent_gets_one_more_for_a_cancel() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    let (task, lock) = run.claim_task().unwrap();
    send(&keeper, Signal::TERM);
    until("the first arrived", || home.signals().len() == 1);
    cancel(&run, task.number());
    send(&keeper, Signal::USR1);
    until_written("the cancel is recorded", || run.cancel_sent());
    until("the second arrived", || home.signals().len() == 2);
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM", "SIGTERM"]);
    drop(lock);
}

#[test]
fn a_task_that_is_over_is_not_cancelled_and_no_other_one_instead() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    let (task, lock) = run.claim_task().unwrap();
    let end = TaskEnd::Code(0);
    task.write_finished(&TaskFinished::nothing_left(end, now())).unwrap();
    drop(lock);
    let (_next, next_lock) = run.claim_task().unwrap();
    cancel(&run, task.number());
    send(&keeper, Signal::USR1);
    let sent = until_written("the outcome is recorded", || run.cancel_sent());
    assert_eq!(sent.outcome, CancelOutcome::TaskOver);
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), Vec::<String>::new());
    drop(next_lock);
}

#[test]
fn a_cancel_that_came_too_late_does_not_stand_in_the_way_of_the_next() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    let (over, lock) = run.claim_task().unwrap();
    drop(lock);
    cancel(&run, over.number());
    send(&keeper, Signal::USR1);
    let late = until_written("the outcome is recorded", || run.cancel_sent());
    assert_eq!(late.outcome, CancelOutcome::TaskOver);
    assert_eq!(home.signals(), Vec::<String>::new());

    let (running, lock) = run.claim_task().unwrap();
    cancel(&run, running.number());
    send(&keeper, Signal::USR1);
    until("both arrived", || home.signals().len() == 2);
    until("the cancel is recorded", || {
        run.cancel_sent().written().is_some_and(|sent| {
            sent.task == running.number() && sent.outcome == CancelOutcome::Sent
        })
    });
    send(&keeper, Signal::USR1);
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM", "SIGTERM"]);
    drop(lock);
}

#[test]
fn a_task_that_ends_after_the_first_term_spares_the_agent_the_second() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running_until("cancel-seen");
    let (task, task_lock) = run.claim_task().unwrap();
    cancel(&run, task.number());
    send(&keeper, Signal::USR1);
    until_held(&run, "cancel-seen", Pid::of_child(&keeper));
    let end = TaskEnd::Code(0);
    task.write_finished(&TaskFinished::nothing_left(end, now())).unwrap();
    drop(task_lock);
    send(&keeper, Signal::CONT);
    let sent = until_written("the outcome is recorded", || run.cancel_sent());
    assert_eq!(sent.outcome, CancelOutcome::TaskOver);
    home.finish_agent(0);
    wait(&mut keeper);
    assert_eq!(home.signals(), ["SIGTERM"]);
}

#[test]
fn a_cancel_survives_the_keeper() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running_until("cancel-seen");
    let (task, task_lock) = run.claim_task().unwrap();
    cancel(&run, task.number());
    send(&keeper, Signal::USR1);
    until_held(&run, "cancel-seen", Pid::of_child(&keeper));
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    let mut adopter = home.adopter(&run, &[]);
    let sent = until_written("the cancel is recorded", || run.cancel_sent());
    assert_eq!(sent.outcome, CancelOutcome::Sent);
    until("both arrived", || home.signals().len() == 2);
    home.finish_agent(0);
    wait(&mut adopter);
    assert_eq!(home.signals(), ["SIGTERM", "SIGTERM"]);
    drop(task_lock);
}
