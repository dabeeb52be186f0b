//! Pause stops claiming, not working; each holder's is its own; nothing counts before it is saved.

use jiff::SignedDuration;
use protocol::PauseBy::{Disk, Schedule, You};
use protocol::{ProblemCode, RunnerState};
use supervisor_core::{Event, Read, Refusal, Wish};

use crate::scene::{Scene, mini};

#[test]
fn nothing_is_done_before_it_is_saved() {
    let mut scene = Scene::idle();
    scene.asks_pause(You, None);
    assert_eq!(scene.did(), ["save"]);
    assert!(scene.shown().pause_reasons.is_empty());
    scene.saves();
    assert_eq!(scene.did(), ["drain run-1"]);
}

#[test]
fn a_second_pause_never_reaches_the_agent_twice() {
    let mut scene = Scene::busy();
    scene.pause(You);
    assert_eq!(scene.did(), ["save", "drain run-1"]);
    scene.drains();
    scene.pause(Disk);
    scene.pause(You);
    scene.wait(3600);
    assert_eq!(scene.did(), ["save"]);
}

#[test]
fn resume_while_draining_waits_for_the_end_of_the_task() {
    let mut scene = Scene::busy();
    scene.pause(You);
    scene.drains();
    scene.did();
    scene.resume(You);
    assert_eq!(scene.did(), ["save"]);
    assert_eq!(scene.state(), (RunnerState::Draining, "Resumes after this task"));
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    scene.exits(0);
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_pause_by_the_schedule_survives_your_resume() {
    let mut scene = Scene::idle();
    scene.pause(Schedule);
    scene.pause(You);
    scene.drains();
    scene.exits(0);
    scene.did();
    scene.resume(You);
    assert_eq!(scene.did(), ["save"]);
    assert_eq!(scene.state(), (RunnerState::Paused, "Paused by the schedule"));
    scene.resume(Schedule);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn a_pause_that_was_saved_outlives_the_supervisor() {
    let mut scene = Scene::idle();
    scene.pause(You);
    scene.drains();
    scene.exits(0);
    scene.restarts();
    scene.settings_are_read();
    assert_eq!(scene.state(), (RunnerState::Paused, "Paused by you"));
}

#[test]
fn a_pause_that_could_not_be_saved_is_not_done_and_is_said() {
    let mut scene = Scene::idle();
    scene.asks_pause(You, None);
    scene.save_fails();
    scene.wait(60);
    assert_eq!(scene.did(), ["save", "probe"]);
    assert_eq!(scene.state().0, RunnerState::Idle);
    assert_eq!(scene.problems(), [ProblemCode::CannotSave]);
    scene.pause(You);
    assert_eq!(scene.did(), ["save", "drain run-1"]);
    assert!(scene.problems().is_empty());
}

#[test]
fn a_pause_ends_at_its_deadline() {
    let mut scene = Scene::idle();
    let until = scene.now + SignedDuration::from_mins(30);
    scene.asks_pause(You, Some(until));
    scene.saves();
    scene.drains();
    scene.exits(0);
    scene.did();
    assert_eq!(scene.wake, Some(until));
    scene.wait(29 * 60);
    assert_eq!(scene.did(), [""; 0]);
    scene.wait(60);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn an_expired_pause_ends_even_if_saving_fails() {
    let mut scene = Scene::idle();
    let until = scene.now + SignedDuration::from_mins(30);
    scene.asks_pause(You, Some(until));
    scene.saves();
    scene.drains();
    scene.exits(0);
    scene.did();
    scene.wait(30 * 60);
    scene.save_fails();
    scene.starts();
    assert_eq!(scene.did(), ["save", "start"]);
    assert!(scene.shown().pause_reasons.is_empty());
}

#[test]
fn a_pause_asked_for_again_moves_its_deadline() {
    let mut scene = Scene::idle();
    let soon = scene.now + SignedDuration::from_mins(5);
    scene.asks_pause(You, Some(soon));
    scene.saves();
    let since = scene.shown().pause_reasons[0].since;
    scene.wait(60);
    scene.asks_pause(You, Some(soon + SignedDuration::from_hours(1)));
    scene.saves();
    scene.wait(3600);
    assert_eq!(scene.shown().pause_reasons.len(), 1);
    assert_eq!(scene.shown().pause_reasons[0].since, since);
}

#[test]
fn a_pause_while_a_run_is_being_started_ends_it_before_it_claims() {
    let mut scene = Scene::new();
    assert_eq!(scene.did(), ["install", "start"]);
    scene.pause(You);
    assert_eq!(scene.did(), ["save"]);
    scene.starts_keeper();
    assert_eq!(scene.did(), ["drain run-1"]);
}

#[test]
fn a_start_that_is_no_longer_wanted_is_put_off() {
    let mut scene = Scene::new();
    assert!(scene.core.wants_start(&mini(), scene.now));
    scene.pause(You);
    assert!(!scene.core.wants_start(&mini(), scene.now));
    scene.did();
    scene.tell(Event::StartPutOff(mini()));
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    scene.resume(You);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn a_drain_that_nobody_heard_is_said_at_the_next_news() {
    let mut scene = Scene::idle();
    scene.pause(You);
    let run = scene.run.run.clone();
    scene.tell(Event::DrainFailed(run));
    scene.did();
    scene.reads(|_| {});
    assert_eq!(scene.did(), ["drain run-1"]);
}

#[test]
fn a_drain_that_nobody_heard_is_said_again_and_not_shown() {
    let mut scene = Scene::idle();
    scene.pause(You);
    let run = scene.run.run.clone();
    scene.tell(Event::DrainFailed(run));
    assert_eq!(scene.did(), ["save", "drain run-1"]);
    assert_eq!(scene.state().0, RunnerState::Idle);
    scene.wait(5);
    assert_eq!(scene.did(), ["drain run-1"]);
    assert_eq!(scene.state().0, RunnerState::Draining);
}

#[test]
fn a_drain_that_nobody_heard_is_forgotten_with_its_pause() {
    let mut scene = Scene::idle();
    scene.pause(You);
    let run = scene.run.run.clone();
    scene.tell(Event::DrainFailed(run));
    scene.resume(You);
    scene.did();
    scene.wait(50);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.state(), (RunnerState::Idle, "Waiting for tasks"));
}

#[test]
fn a_lost_drain_is_sent_again_when_a_second_task_proves_it() {
    let mut scene = Scene::idle();
    scene.pause(You);
    scene.may_drain();
    scene.wait(5);
    assert_eq!(scene.problems(), [ProblemCode::DrainUnconfirmed]);
    scene.did();
    // The first may have been claimed in the same moment.
    scene.task_begins();
    scene.task_ends(0);
    scene.wait(3600);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    scene.task_begins();
    assert_eq!(scene.did(), ["drain run-1 again"]);
    // Nobody looked: it is said again until it was sent.
    scene.reads(|run| run.drain = supervisor_core::Read::Yes(lost(run)));
    scene.wait(5);
    assert_eq!(scene.did(), ["drain run-1 again"]);
    scene.drains();
    scene.wait(3600);
    assert_eq!(scene.did(), [""; 0]);
}

fn lost(run: &supervisor_core::RunFacts) -> supervisor_core::Drained {
    supervisor_core::Drained { lost: true, ..run.drain.yes().unwrap().clone() }
}

#[test]
fn where_no_record_says_whether_the_signal_went_it_is_told_and_sent_once_that_is_known() {
    for mut scene in [Scene::idle(), Scene::busy()] {
        scene.reads(|run| run.drain = Read::Unknown);
        scene.pause(You);
        scene.wait(600);
        assert!(!scene.did().iter().any(|done| done.starts_with("drain")), "it may be the second");
        assert_ne!(scene.state().0, RunnerState::Draining);
        assert_eq!(scene.problems(), [ProblemCode::RunUnreadable]);
        let problem = &scene.shown().problems[0];
        assert_eq!(problem.reading.as_deref(), Some("runs/run-1: drain.json"));
        assert!(problem.hint.contains("kill PID"), "{problem:?}");
        scene.reads(|run| run.drain = Read::No);
        assert_eq!(scene.did(), ["drain run-1"]);
        assert!(scene.problems().is_empty());
    }
}

#[test]
fn a_pause_that_would_end_before_it_begins_is_refused() {
    let mut scene = Scene::idle();
    let (runner, until) = (mini(), Some(scene.now));
    let wish = Wish::Pause { runner, by: You, until, note: None, reading: None };
    assert_eq!(scene.wish(wish), Err(Refusal::InThePast));
}

#[test]
fn a_wish_for_a_runner_that_is_not_there_is_refused() {
    let mut scene = Scene::idle();
    let wish = Wish::Resume { runner: "other".parse().unwrap(), by: You };
    assert_eq!(scene.wish(wish), Err(Refusal::NoSuchRunner));
}

#[test]
fn an_agent_that_does_not_end_when_told_to_is_named_and_never_told_twice() {
    let mut scene = Scene::busy();
    scene.pause(You);
    scene.drains();
    scene.wait(3600);
    assert!(scene.problems().is_empty(), "a task may take its time");
    scene.task_ends(0);
    scene.did();
    scene.wait(59);
    assert!(scene.problems().is_empty());
    scene.wait(2);
    assert_eq!(scene.problems(), [ProblemCode::DrainIgnored]);
    // It goes on claiming.
    scene.task_begins();
    assert!(scene.problems().is_empty(), "claimed in the same moment, for all that is known");
    scene.task_ends(0);
    scene.task_begins();
    assert_eq!(scene.problems(), [ProblemCode::DrainIgnored]);
    scene.task_ends(0);
    scene.wait(3600);
    let did = scene.did();
    assert!(did.iter().all(|effect| effect.starts_with("record")), "{did:?}");
    scene.exits(9);
    assert_eq!((scene.state().0, scene.problems()), (RunnerState::Paused, vec![]));
}
