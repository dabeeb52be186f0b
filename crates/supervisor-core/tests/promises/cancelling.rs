//! Only the user's word ends a task: that task, and no other.

use protocol::{RunnerState, TaskId};
use supervisor_core::{AgentSeen, Cancelled, LockSeen, Read, Refusal};

use crate::scene::Scene;

fn first() -> TaskId {
    TaskId::from("run-1.1")
}

fn told(task: &TaskId, sent: bool) -> Read<Cancelled> {
    Read::Yes(Cancelled { task: task.clone(), sent })
}

#[test]
fn the_task_that_runs_is_cancelled_and_the_runner_goes_on() {
    let mut scene = Scene::busy();
    scene.cancel(&first()).unwrap();
    assert_eq!(scene.did(), ["cancel run-1.1"]);
    assert_eq!(scene.state(), (RunnerState::Draining, "Cancelling the task"));
    scene.reads(|run| run.cancel = told(&first(), true));
    scene.drains();
    scene.wait(60);
    scene.task_ends(143);
    scene.exits(0);
    assert_eq!(scene.did(), ["record run-1.1 Cancelled", "start"]);
}

#[test]
fn a_word_that_nobody_heard_is_passed_on_again() {
    let mut scene = Scene::busy();
    scene.cancel(&first()).unwrap();
    scene.did();
    scene.wait(12);
    assert_eq!(scene.did(), ["cancel run-1.1", "cancel run-1.1"]);
    scene.reads(|run| run.cancel = told(&first(), true));
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
}

#[test]
fn a_word_outlives_the_supervisor_that_took_it() {
    let mut scene = Scene::busy();
    scene.reads(|run| run.cancel = told(&first(), false));
    scene.did();
    scene.restarts();
    assert_eq!(scene.did(), ["cancel run-1.1"]);
}

#[test]
fn a_task_that_is_over_is_not_cancelled_and_neither_is_the_next() {
    let mut scene = Scene::busy();
    scene.task_ends(0);
    scene.task_begins();
    scene.did();
    assert_eq!(scene.cancel(&first()), Err(Refusal::NotRunning));
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.state(), (RunnerState::Busy, "Running a task"));
}

#[test]
fn a_word_for_a_task_that_is_over_by_then_is_not_passed_on() {
    let mut scene = Scene::busy();
    scene.cancel(&first()).unwrap();
    scene.task_ends(0);
    scene.task_begins();
    scene.did();
    scene.wait(60);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.state(), (RunnerState::Busy, "Running a task"));
}

#[test]
fn a_later_task_of_the_same_run_can_be_cancelled_too() {
    let mut scene = Scene::busy();
    scene.cancel(&first()).unwrap();
    scene.reads(|run| run.cancel = told(&first(), false));
    scene.task_ends(0);
    let second = scene.task_begins();
    scene.did();
    scene.cancel(&second).unwrap();
    assert_eq!(scene.did(), ["cancel run-1.2"]);
}

#[test]
fn a_task_that_ended_well_before_the_signal_was_not_cancelled() {
    let mut scene = Scene::busy();
    scene.cancel(&first()).unwrap();
    scene.did();
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
}

#[test]
fn a_task_that_outlived_its_agent_can_be_cancelled() {
    let mut scene = Scene::busy();
    scene.exits(1);
    scene.did();
    scene.cancel(&first()).unwrap();
    assert_eq!(scene.did(), ["cancel run-1.1"]);
    scene.wait(9);
    assert_eq!(scene.did(), ["cancel run-1.1"], "nothing came of it");
}

#[test]
fn a_task_of_an_earlier_boot_cannot_be_cancelled() {
    let mut scene = Scene::busy();
    scene.reads(|run| {
        run.lock = LockSeen::Free;
        let AgentSeen::Started { boot, .. } = &mut run.agent else { return };
        *boot = "an earlier one".into();
    });
    assert_eq!(scene.cancel(&first()), Err(Refusal::NotRunning));
}
