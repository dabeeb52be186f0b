//! While what jobs need is installed nothing is claimed; what runs goes on, and claiming comes back by
//! itself.

use protocol::{PauseBy, PreinstallNow, PreinstallReceipt, PreinstallRuns, RunnerState};
use supervisor_core::Event;

use crate::scene::Scene;

fn since() -> jiff::Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn installs(step: u32) -> Event {
    Event::PreinstallSeen(Box::new(Some(PreinstallNow::Installing(PreinstallRuns {
        id: "p-1".into(),
        since: since(),
        step,
        steps: 2,
        title: "Install jq with apt".into(),
        items: vec!["jq".into()],
        last_line: None,
        waits: None,
        cancelling: false,
        taken_up: false,
    }))))
}

fn is_done() -> Event {
    Event::PreinstallSeen(Box::new(Some(PreinstallNow::Done(PreinstallReceipt {
        id: "p-1".into(),
        at: since(),
        seconds: 1,
        items: Vec::new(),
        human: Vec::new(),
        left: Vec::new(),
        cut_short: None,
        taken_up: false,
    }))))
}

#[test]
fn nothing_is_claimed_while_it_installs_and_all_is_as_before_after_it() {
    let mut scene = Scene::idle();
    scene.tell(installs(1));
    let reasons = scene.shown().pause_reasons.clone();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!((reasons[0].by, reasons[0].since), (PauseBy::Preinstall, since()));
    assert_eq!(scene.did(), ["drain run-1"]);
    scene.drains();
    scene.exits(0);
    scene.tell(installs(2));
    assert_eq!(scene.shown().state, RunnerState::Paused);
    assert_eq!(scene.shown().headline, "Paused while what jobs need is installed");
    assert_eq!(scene.did(), Vec::<String>::new());
    scene.tell(is_done());
    assert_eq!(scene.did(), ["start"]);
    assert_eq!(scene.shown().pause_reasons, []);
}

#[test]
fn a_task_that_runs_goes_on_and_resume_ends_no_installation() {
    let mut scene = Scene::busy();
    scene.tell(installs(1));
    assert_eq!(scene.shown().state, RunnerState::Draining);
    scene.pause(PauseBy::You);
    scene.resume(PauseBy::You);
    let by: Vec<PauseBy> = scene.shown().pause_reasons.iter().map(|reason| reason.by).collect();
    assert_eq!(by, [PauseBy::Preinstall]);
}

#[test]
fn a_look_at_tools_holds_nobody() {
    let mut scene = Scene::idle();
    scene.tell(Event::PreinstallSeen(Box::new(Some(PreinstallNow::Checking { done: 1, of: 60 }))));
    assert_eq!(scene.shown().pause_reasons, []);
    assert_eq!(scene.did(), Vec::<String>::new());
}
