//! Whether CircleCI is reached: known from claims, and from a probe that is sent seldom and only
//! while an agent waits.

use protocol::PauseBy::You;
use protocol::{ProblemCode, RunnerState};
use supervisor_core::{Event, Heard};

use crate::scene::{Scene, mini};

fn probed(failure: Option<&str>) -> Event {
    Event::Probed { runner: mini(), failure: failure.map(str::to_owned) }
}

#[test]
fn an_idle_runner_wakes_its_supervisor_for_the_probe_and_for_nothing_else() {
    let mut scene = Scene::idle();
    let woken = scene.wait(3600);
    assert_eq!(scene.did(), vec!["probe"; 60]);
    assert_eq!(woken, 60);
}

#[test]
fn a_busy_a_draining_and_a_paused_runner_do_not_wake_it() {
    let mut scene = Scene::busy();
    assert_eq!(scene.wait(3600), 0);
    scene.pause(You);
    scene.drains();
    assert!(scene.wait(3600) <= 1);
    scene.task_ends(0);
    scene.exits(0);
    assert_eq!(scene.wait(3600), 0);
}

#[test]
fn a_failed_claim_is_shown_until_one_is_answered() {
    let mut scene = Scene::idle();
    scene.hears(Heard::ClaimFailed { status: None, why: "no such host".into() });
    assert_eq!(scene.state(), (RunnerState::Offline, "CircleCI cannot be reached"));
    scene.tell(probed(None));
    assert_eq!(scene.state().0, RunnerState::Offline, "claims have failed just now");
    scene.hears(Heard::ClaimAnswered);
    assert_eq!(scene.state().0, RunnerState::Idle);
}

#[test]
fn a_probe_tells_what_silent_claims_do_not() {
    let mut scene = Scene::idle();
    scene.wait(60);
    scene.tell(probed(Some("no route to host")));
    assert_eq!(scene.state().0, RunnerState::Offline);
    assert_eq!(scene.shown().problems[0].reading.as_deref(), Some("no route to host"));
    scene.wait(60);
    scene.tell(probed(None));
    assert_eq!(scene.state().0, RunnerState::Idle);
}

#[test]
fn a_task_tells_that_the_server_was_reached() {
    let mut scene = Scene::idle();
    scene.hears(Heard::ClaimFailed { status: None, why: "no such host".into() });
    scene.task_begins();
    assert_eq!(scene.state(), (RunnerState::Busy, "Running a task"));
}

#[test]
fn that_it_was_not_reached_does_not_outlive_the_agent_that_tried() {
    let mut scene = Scene::idle();
    scene.hears(Heard::ClaimFailed { status: None, why: "no such host".into() });
    scene.pause(You);
    scene.drains();
    assert_eq!(scene.problems(), [ProblemCode::Offline]);
    scene.exits(0);
    assert!(scene.problems().is_empty());
}

#[test]
fn an_answer_that_refuses_is_not_told_as_a_network_that_is_away() {
    for (status, state, code) in [
        (403, RunnerState::Problem, ProblemCode::ClaimRefused),
        (404, RunnerState::Problem, ProblemCode::ClaimRefused),
        (409, RunnerState::Problem, ProblemCode::ClaimRefused),
        (429, RunnerState::Offline, ProblemCode::ServerTroubled),
        (500, RunnerState::Offline, ProblemCode::ServerTroubled),
        (503, RunnerState::Offline, ProblemCode::ServerTroubled),
    ] {
        let mut scene = Scene::idle();
        let fails = |status| Heard::ClaimFailed { status, why: format!("HTTP status {status:?}") };
        scene.hears(fails(None));
        // One failed claim is told in several lines; what the one with the status says stays.
        scene.hears(fails(Some(status)));
        scene.hears(fails(None));
        assert_eq!((scene.state().0, scene.problems()), (state, vec![code]), "{status}");
        let reading = scene.shown().problems[0].reading.clone();
        assert!(reading.is_some_and(|reading| reading.contains(&status.to_string())), "{status}");
        let since = scene.shown().problems[0].since;
        scene.wait(5);
        scene.hears(fails(Some(status)));
        assert_eq!(scene.shown().problems[0].since, since, "{status}");
        scene.hears(Heard::ClaimAnswered);
        assert_eq!((scene.state().0, scene.problems()), (RunnerState::Idle, vec![]), "{status}");
    }
}
