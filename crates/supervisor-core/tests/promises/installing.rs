//! The agent is installed, and installed anew: soon at first, ever more seldom where it fails; never
//! against its owner's word, whoever restarts meanwhile.

use jiff::SignedDuration;
use protocol::PauseBy::You;
use protocol::{ProblemCode, RunnerState};
use supervisor_core::{Event, RunnerFacts, StateFile, Wanted};

use crate::scene::{Scene, agent_started, cannot_start, facts_of, mini, problem};

fn unusable() -> Event {
    let problem = problem(ProblemCode::AgentDamaged);
    Event::AgentUnusable { runner: mini(), problem }
}

fn ready() -> Event {
    Event::AgentReady { runner: mini(), version: "3.1.11".into() }
}

/// The settings name the runner; its agent is being installed.
fn installing() -> Scene {
    let mut scene = Scene::without_settings(StateFile::Read(Wanted::default()));
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert_eq!(scene.did(), ["install"]);
    scene
}

fn stopped() -> Scene {
    let mut scene = installing();
    scene.stop_install();
    scene.saves();
    scene.did();
    scene
}

#[test]
fn a_download_that_its_owner_stopped_waits_for_the_owner() {
    let mut scene = installing();
    scene.stop_install();
    assert_eq!(scene.did(), ["save"], "what is wished for is on disk before it is done");
    scene.saves();
    assert_eq!(scene.did(), ["call off"]);
    assert_eq!(scene.state().0, RunnerState::Problem);
    assert_eq!(scene.problems(), [ProblemCode::InstallStopped]);
    scene.wait(7200);
    assert_eq!(scene.did(), [""; 0]);
    scene.want_install();
    assert_eq!(scene.did(), ["save"]);
    scene.saves();
    assert_eq!(scene.did(), ["install"]);
    scene.tell(ready());
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_stopped_download_stays_stopped_whatever_becomes_of_the_supervisor() {
    let mut scene = stopped();
    let since = scene.shown().problems[0].since;
    for _ in 0..2 {
        scene.wait(600);
        scene.starts_anew();
        assert_eq!(scene.did(), [""; 0]);
        assert_eq!(scene.problems(), [ProblemCode::InstallStopped]);
        assert_eq!(scene.shown().problems[0].since, since);
    }
    scene.want_install();
    scene.saves();
    assert_eq!(scene.did(), ["save", "install"]);
    scene.starts_anew();
    assert_eq!(scene.did(), ["install"], "the word that it goes on holds, too");
}

#[test]
fn a_pause_and_a_stopped_download_know_nothing_of_each_other() {
    let mut scene = stopped();
    scene.pause(You);
    scene.resume(You);
    scene.did();
    scene.starts_anew();
    assert_eq!(scene.problems(), [ProblemCode::InstallStopped]);
    assert_eq!(scene.did(), [""; 0]);
}

#[test]
fn a_stop_that_could_not_be_saved_stops_nothing() {
    let mut scene = installing();
    scene.stop_install();
    scene.save_fails();
    scene.tell(ready());
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn a_stop_that_comes_too_late_is_none() {
    let mut scene = installing();
    scene.stop_install();
    scene.tell(ready());
    assert_eq!(scene.did(), ["save", "start"]);
    scene.saves();
    scene.saves();
    scene.starts_anew();
    assert_eq!(scene.did(), ["save", "install"]);
    scene.tell(ready());
    scene.did();
    scene.stop_install();
    assert_eq!(scene.did(), [""; 0], "nothing was under way");
}

#[test]
fn a_stop_holds_for_the_place_and_the_runner_it_was_said_of() {
    let mut scene = stopped();
    let elsewhere = "https://mirror.example".into();
    scene.tell(Event::SettingsRead(vec![RunnerFacts {
        releases_url: elsewhere,
        ..facts_of("mini")
    }]));
    assert_eq!(scene.did(), ["save", "install"]);
    scene.saves();
    scene.starts_anew();
    assert_eq!(scene.did(), ["install"], "it is void for the place that it was said of, too");

    let mut scene = stopped();
    scene.tell(Event::SettingsRead(Vec::new()));
    scene.saves();
    scene.did();
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert_eq!(scene.did(), ["install"], "a runner that was removed begins anew");
}

#[test]
fn wants_of_an_earlier_version_stop_no_download() {
    let wanted: Wanted = serde_json::from_str(r#"{"runners": {"mini": {"pauses": []}}}"#).unwrap();
    let mut scene = Scene::without_settings(StateFile::Read(wanted));
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert!(scene.did().contains(&"install".to_owned()));
    let plain = serde_json::to_string(&supervisor_core::WantedRunner::default()).unwrap();
    assert_eq!(plain, r#"{"pauses":[]}"#, "an earlier version reads what it knows");
}

#[test]
fn an_installation_that_failed_is_tried_at_once_where_its_owner_wants_it() {
    let mut scene = installing();
    let problem = problem(ProblemCode::ReleasesUnreachable);
    let wait = Some(SignedDuration::from_secs(200));
    scene.tell(Event::InstallFailed { runner: mini(), problem, wait });
    scene.did();
    scene.wait(199);
    assert_eq!(scene.did(), [""; 0], "the server asked for this wait");
    scene.want_install();
    assert_eq!(scene.did(), ["install"]);
}

#[test]
fn another_place_of_releases_is_asked_at_once_whatever_was_known_of_the_old_one() {
    let mut scene = installing();
    let problem = problem(ProblemCode::ReleaseUnsound);
    scene.tell(Event::InstallFailed { runner: mini(), problem, wait: None });
    scene.did();
    let elsewhere = |url: &str| RunnerFacts { releases_url: url.into(), ..facts_of("mini") };
    scene.tell(Event::SettingsRead(vec![elsewhere("https://mirror.example")]));
    assert_eq!(scene.did(), ["install"]);
    scene.tell(ready());
    assert_eq!(scene.did(), ["start"]);
    scene.tell(cannot_start(true));
    scene.tell(Event::SettingsRead(vec![elsewhere("https://other.example")]));
    assert_eq!(scene.did(), ["install"], "the agent of the old place is not that of the new");
}

#[test]
fn an_install_that_fails_is_tried_again_ever_more_seldom() {
    let mut scene = installing();
    let mut waits = Vec::new();
    for _ in 0..7 {
        let problem = problem(ProblemCode::AgentNotInstalled);
        scene.did();
        scene.tell(Event::InstallFailed { runner: mini(), problem, wait: None });
        assert_eq!(scene.state().0, RunnerState::Problem);
        let second = (0..=600).find(|_| {
            scene.wait(1);
            scene.did() == ["install"]
        });
        waits.push(second.unwrap() + 1);
    }
    assert_eq!(waits, [10, 10, 10, 10, 16, 32, 64]);
}

#[test]
fn an_agent_that_is_gone_from_the_disk_is_installed_again() {
    let mut scene = Scene::new();
    scene.did();
    scene.tell(unusable());
    assert_eq!(scene.did(), ["install"]);
    assert_eq!(scene.shown().problems.len(), 1, "it is told until an agent has settled");
    scene.tell(ready());
    assert_eq!(scene.did(), ["start"]);
    assert_eq!(scene.shown().problems.len(), 1);
}

#[test]
fn an_agent_that_is_spoilt_again_and_again_is_no_loop() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for _ in 0..7 {
        scene.did();
        scene.tell(unusable());
        let second = (0..=600).find(|second| {
            if *second > 0 {
                scene.wait(1);
            }
            scene.did() == ["install"]
        });
        waits.push(second.unwrap());
        scene.tell(ready());
    }
    assert_eq!(waits, [0, 10, 10, 10, 16, 32, 64]);
}

#[test]
fn once_an_agent_has_settled_the_next_spoilt_one_is_mended_at_once_again() {
    let mut scene = Scene::new();
    scene.tell(unusable());
    scene.tell(ready());
    scene.starts_keeper();
    let at = scene.now;
    scene.reads(|run| run.agent = agent_started(at));
    scene.wait(3600);
    scene.exits(0);
    scene.did();
    scene.tell(unusable());
    assert_eq!(scene.did(), ["install"]);
}
