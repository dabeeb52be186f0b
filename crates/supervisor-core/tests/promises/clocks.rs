//! Clocks jump: forwards after a sleep, backwards when somebody sets them. Nobody waits longer for
//! that than he would have, and nothing healthy is told as broken.

use jiff::SignedDuration;
use protocol::PauseBy::You;
use protocol::{ProblemCode, RunnerState};
use supervisor_core::{ExitSeen, LockSeen, Read};

use crate::scene::Scene;

const YEAR: i64 = 365 * 86_400;

#[test]
fn a_deadline_is_a_moment_and_not_a_while() {
    let mut scene = Scene::idle();
    let until = scene.now + SignedDuration::from_mins(30);
    scene.asks_pause(You, Some(until));
    scene.saves();
    scene.drains();
    scene.exits(0);
    scene.did();
    scene.set_clock(-3600);
    assert_eq!(scene.wake, Some(until));
    assert_eq!(scene.state().0, RunnerState::Paused);
    // The machine sleeps past it.
    scene.set_clock(2 * 3600);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn a_clock_set_back_does_not_stretch_a_back_off() {
    let mut scene = Scene::new();
    scene.starts();
    scene.exits(1);
    scene.did();
    scene.set_clock(-YEAR);
    scene.wait(300);
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_clock_set_back_does_not_make_a_long_life_an_end_at_start() {
    let mut scene = Scene::idle();
    scene.wait(600);
    scene.set_clock(-3600);
    scene.exits(1);
    assert_eq!(scene.problems(), [ProblemCode::AgentCrashed]);
    assert_eq!(scene.shown().problems[0].reading.as_deref(), Some("exit code 1"));
}

#[test]
fn a_clock_set_back_does_not_leave_a_silent_agent_starting() {
    let mut scene = Scene::new();
    scene.starts_keeper();
    let at = scene.now;
    scene.reads(|run| run.agent = crate::scene::agent_started(at));
    assert_eq!(scene.state(), (RunnerState::Unknown, "Starting"));
    scene.set_clock(-YEAR);
    assert_eq!(scene.state(), (RunnerState::Idle, "Waiting for tasks"));
}

#[test]
fn a_clock_set_back_does_not_put_off_probes() {
    let mut scene = Scene::idle();
    scene.wait(60);
    scene.set_clock(-YEAR);
    scene.did();
    for _ in 0..60 {
        scene.wait(2);
        scene.reads(|_| {});
    }
    assert_eq!(scene.did(), ["probe", "probe"]);
}

#[test]
fn a_clock_set_back_does_not_silence_what_is_asked_again() {
    let mut scene = Scene::idle();
    scene.pause(You);
    scene.did();
    scene.set_clock(-YEAR);
    scene.wait(5);
    assert_eq!(scene.did(), ["drain run-1", "drain run-1"]);
}

#[test]
fn a_save_that_failed_is_tried_again_soon_though_the_clock_was_set_back() {
    let mut scene = Scene::idle();
    let until = scene.now + SignedDuration::from_mins(1);
    scene.asks_pause(You, Some(until));
    scene.saves();
    scene.wait(60);
    scene.save_fails();
    scene.drains();
    scene.did();
    scene.set_clock(-30);
    assert_eq!(scene.did(), [""; 0], "the pause has not ended by this clock");
    scene.wait(40);
    assert_eq!(scene.did(), ["save"]);
}

#[test]
fn a_clock_set_back_does_not_prove_or_refute_a_drain() {
    let mut scene = Scene::idle();
    scene.pause(You);
    scene.may_drain();
    scene.set_clock(-YEAR);
    scene.did();
    scene.task_begins();
    scene.task_ends(0);
    scene.task_begins();
    assert_eq!(scene.did(), ["record run-1.1 Succeeded", "drain run-1 again"]);
}

#[test]
fn a_run_of_an_earlier_boot_is_over_whatever_process_has_its_number_now() {
    let mut scene = Scene::idle();
    let Some(supervisor_core::AgentSeen::Started { boot, .. }) = Some(&mut scene.run.agent) else {
        panic!("it was started");
    };
    "an-earlier-boot".clone_into(boot);
    scene.reads(|run| run.lock = LockSeen::Free);
    assert_eq!(scene.did(), ["start"]);
    assert!(scene.problems().is_empty(), "a machine may be switched off");
    scene.starts();
    let at = scene.now;
    scene.reads(|run| run.exit = Read::Yes(ExitSeen::Code { code: 0, at }));
}
