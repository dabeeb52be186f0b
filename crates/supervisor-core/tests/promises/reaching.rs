//! Whether CircleCI is reached: known from claims, and from a probe that is sent seldom and only
//! while an agent waits.

use protocol::PauseBy::You;
use protocol::{ProblemCode, RunnerState};
use supervisor_core::{Event, Heard, RunFacts, RunnerFacts, StateFile, Wanted};

use crate::scene::{Scene, agent_started, facts_of, run_facts};

fn probed(failure: Option<&str>) -> Event {
    Event::Probed { api_url: None, failure: failure.map(str::to_owned) }
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

/// Runners of CircleCI's own server and of another, all of which wait for tasks since the same moment
/// but for the last, which came half a minute later.
fn fifty_and_three() -> Scene {
    let mut scene = Scene::without_settings(StateFile::Read(Wanted::default()));
    let elsewhere =
        |name: &str| RunnerFacts { api_url: Some("https://ci.example".into()), ..facts_of(name) };
    let mut all: Vec<RunnerFacts> = (0..50).map(|it| facts_of(&format!("mini-{it}"))).collect();
    all.extend(["other-1", "other-2", "other-3"].map(elsewhere));
    scene.tell(Event::SettingsRead(all.clone()));
    let (last, first) = all.split_last().unwrap();
    for facts in first {
        waits(&mut scene, facts);
    }
    scene.wait(30);
    waits(&mut scene, last);
    scene.did();
    scene
}

fn waits(scene: &mut Scene, facts: &RunnerFacts) {
    let run = format!("run-{}", facts.name);
    let run = RunFacts {
        runner: facts.clone(),
        agent: agent_started(scene.now),
        ..run_facts(&run, scene.now)
    };
    let id = run.run.clone();
    scene.tell(Event::RunStarted(Box::new(run)));
    scene.tell(Event::LogHeard { run: id, heard: Heard::ClaimAnswered });
}

fn offline(scene: &Scene) -> Vec<String> {
    let runners = scene.core.snapshot().runners.iter();
    let offline = runners.filter(|runner| runner.state == RunnerState::Offline);
    offline.map(|runner| runner.name.to_string()).collect()
}

#[test]
fn however_many_runners_wait_each_server_is_asked_once_a_minute() {
    let mut scene = fifty_and_three();
    let woken = scene.wait(600);
    assert_eq!(scene.did(), vec!["probe"; 20], "two servers, ten minutes");
    assert_eq!(woken, 10, "and they are asked together");
}

#[test]
fn what_a_server_answered_holds_for_its_runners_and_for_no_others() {
    let mut scene = fifty_and_three();
    let of = |api_url: Option<&str>, failure: Option<&str>| Event::Probed {
        api_url: api_url.map(str::to_owned),
        failure: failure.map(str::to_owned),
    };
    scene.tell(of(Some("https://ci.example"), Some("no route to host")));
    assert_eq!(offline(&scene), ["other-1", "other-2", "other-3"]);
    scene.tell(of(Some("https://gone.example"), Some("no route to host")));
    assert_eq!(offline(&scene).len(), 3);
    scene.tell(of(None, Some("no route to host")));
    assert_eq!(offline(&scene).len(), 53);
    scene.tell(of(Some("https://ci.example"), None));
    assert_eq!(offline(&scene).len(), 50);
    scene.tell(of(None, None));
    assert!(offline(&scene).is_empty());
}

#[test]
fn a_runner_that_the_settings_do_not_name_yet_has_no_server_to_be_asked() {
    let mut scene = Scene::idle();
    scene.restarts();
    scene.wait(300);
    assert!(!scene.did().contains(&"probe".to_owned()));
    scene.settings_are_read();
    scene.wait(60);
    assert!(scene.did().contains(&"probe".to_owned()));
}
