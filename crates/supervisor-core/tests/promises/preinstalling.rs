//! While what jobs need is installed nothing is claimed; what runs goes on, and claiming comes back by
//! itself.

use protocol::{
    ItemChecked, ItemState, PauseBy, PreinstallEnd, PreinstallNow, PreinstallOutcome,
    PreinstallReceipt, PreinstallRuns, RunnerState,
};
use supervisor_core::Event;

use crate::scene::Scene;

fn since() -> jiff::Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn runs(step: u32) -> PreinstallRuns {
    PreinstallRuns {
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
    }
}

fn seen(now: PreinstallNow) -> Event {
    Event::PreinstallSeen(Box::new(Some(now)))
}

fn installs(step: u32) -> Event {
    seen(PreinstallNow::Installing(runs(step)))
}

fn receipt(outcome: PreinstallEnd) -> PreinstallReceipt {
    let item = ItemChecked {
        id: "jq".into(),
        title: "jq".into(),
        state: ItemState::Missing,
        reading: "as read".into(),
        version: None,
        found_at: None,
        wants: None,
    };
    let (command, said) = (None, None);
    PreinstallReceipt {
        id: "p-1".into(),
        at: since(),
        seconds: 1,
        items: vec![PreinstallOutcome { outcome, item, command, said }],
        human: Vec::new(),
        left: Vec::new(),
        cut_short: None,
        taken_up: false,
    }
}

fn is_done() -> Event {
    seen(PreinstallNow::Done(receipt(PreinstallEnd::Installed)))
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

#[test]
fn what_it_waits_for_stands_in_the_reason() {
    let mut scene = Scene::idle();
    let waits = Some("apt is used by apt-get (process 813)".to_owned());
    scene.tell(seen(PreinstallNow::Installing(PreinstallRuns { waits, ..runs(1) })));
    assert_eq!(
        scene.shown().pause_reasons[0].reading.as_deref(),
        Some("what jobs need is installed; it waits: apt is used by apt-get (process 813)")
    );
}

#[test]
fn one_that_failed_is_told_once_and_no_other() {
    const TOLD: &str = "tell Not all that jobs need was installed";
    let cut_short = |why: &str| PreinstallReceipt {
        cut_short: Some(why.to_owned()),
        ..receipt(PreinstallEnd::NotBegun)
    };
    let failed = || receipt(PreinstallEnd::Failed);
    for (cancelling, done, is_told) in [
        (false, receipt(PreinstallEnd::Installed), false),
        (false, failed(), true),
        (true, failed(), true),
        (false, cut_short("It could not go on."), true),
        (true, cut_short("It was cancelled."), false),
    ] {
        let mut scene = Scene::idle();
        scene.tell(seen(PreinstallNow::Installing(PreinstallRuns { cancelling, ..runs(1) })));
        let told = |scene: &mut Scene| scene.asides().iter().filter(|it| *it == TOLD).count();
        assert_eq!(told(&mut scene), 0);
        scene.tell(seen(PreinstallNow::Done(done.clone())));
        assert_eq!(told(&mut scene), usize::from(is_told), "{done:?}");
        scene.tell(seen(PreinstallNow::Checking { done: 1, of: 60 }));
        scene.tell(seen(PreinstallNow::Done(done)));
        assert_eq!(told(&mut scene), 0, "it is no news any more");
    }
    let told = |first: PreinstallReceipt| {
        let mut scene = Scene::idle();
        scene.tell(seen(PreinstallNow::Done(first)));
        scene.asides().iter().filter(|it| *it == TOLD).count()
    };
    assert_eq!(told(failed()), 0, "one of before a restart");
    let unreadable = PreinstallReceipt { id: String::new(), ..cut_short("It cannot be read.") };
    assert_eq!(told(unreadable), 1);
}
