//! How the list of problems says that each goes away is what the core does about it.

use jiff::Timestamp;
use protocol::{Heals, ProblemCode};
use supervisor_core::{
    Event, Heard, LockSeen, Read, RotationFacts, RotationSeen, StateFile, Wanted,
};

use crate::scene::{Scene, facts_of, mini, problem};

/// Whether an agent is brought up again by itself, in an hour in which nobody says anything.
fn tries_again(scene: &mut Scene) -> bool {
    scene.wait(3600);
    let again = |did: &String| did == "install" || did == "start";
    scene.did().iter().any(again)
}

#[track_caller]
fn assert_as_listed(code: ProblemCode, scene: &mut Scene) {
    assert!(scene.problems().contains(&code), "{code:?} is not told: {:?}", scene.problems());
    assert_eq!(tries_again(scene), !code.waits_for_you(), "{code:?}");
}

fn installing() -> Scene {
    let mut scene = Scene::without_settings(StateFile::Read(Wanted::default()));
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    scene.did();
    scene
}

#[test]
fn an_installation_that_fails_heals_as_listed() {
    for code in [
        ProblemCode::AgentNotInstalled,
        ProblemCode::ReleasesUnreachable,
        ProblemCode::ReleasesRefused,
        ProblemCode::ReleasesUntrusted,
        ProblemCode::ReleaseNotOffered,
        ProblemCode::ReleaseUnsound,
        ProblemCode::NoRoom,
    ] {
        let mut scene = installing();
        scene.tell(Event::InstallFailed { runner: mini(), problem: problem(code), wait: None });
        scene.did();
        assert_as_listed(code, &mut scene);
    }
    // What the environment says changes with the next supervisor alone.
    let mut scene = installing();
    let problem = problem(ProblemCode::ProxyUnusable);
    scene.tell(Event::InstallFailed { runner: mini(), problem, wait: None });
    assert_eq!(scene.problems(), [ProblemCode::ProxyUnusable]);
    assert!(ProblemCode::ProxyUnusable.waits_for_you());

    let mut scene = installing();
    scene.stop_install();
    scene.saves();
    scene.did();
    assert_as_listed(ProblemCode::InstallStopped, &mut scene);
}

#[test]
fn a_start_that_fails_heals_as_listed() {
    for code in [
        ProblemCode::TokenMissing,
        ProblemCode::KeychainLocked,
        ProblemCode::KeychainWaits,
        ProblemCode::KeychainAbsent,
        ProblemCode::KeychainRefused,
        ProblemCode::TokenFileUnusable,
        ProblemCode::JobUserUnusable,
        ProblemCode::CannotStart,
    ] {
        let mut scene = Scene::new();
        scene.did();
        scene.tell(Event::StartFailed(mini(), problem(code)));
        assert_as_listed(code, &mut scene);
    }
}

#[test]
fn an_agent_that_ends_heals_as_listed() {
    let mut scene = Scene::new();
    scene.starts();
    scene.hears(Heard::TokenRefused { line: "401".into() });
    scene.exits(1);
    scene.did();
    assert_as_listed(ProblemCode::TokenRefused, &mut scene);

    let mut scene = Scene::new();
    scene.starts();
    scene.exits(1);
    scene.did();
    assert_as_listed(ProblemCode::AgentExitsAtStart, &mut scene);

    let mut scene = Scene::idle();
    scene.wait(3600);
    scene.exits(2);
    assert_as_listed(ProblemCode::AgentCrashed, &mut scene);
}

#[test]
fn an_agent_that_was_changed_heals_as_listed() {
    let mut scene = Scene::new();
    scene.did();
    let damaged = problem(ProblemCode::AgentDamaged);
    scene.tell(Event::AgentUnusable { runner: mini(), problem: damaged });
    assert_as_listed(ProblemCode::AgentDamaged, &mut scene);
}

#[test]
fn what_cannot_be_saved_or_read_waits_as_listed() {
    let mut scene = Scene::idle();
    scene.asks_pause(protocol::PauseBy::You, None);
    scene.save_fails();
    scene.did();
    scene.wait(3600);
    assert!(!scene.did().contains(&"save".to_owned()), "it is to be asked for again");
    assert!(ProblemCode::CannotSave.waits_for_you());
    for code in [ProblemCode::StateUnreadable, ProblemCode::StateNewer] {
        let mut scene = Scene::without_settings(StateFile::Kept(problem(code)));
        scene.settings_are_read();
        assert_as_listed(code, &mut scene);
    }
}

#[test]
fn a_rotation_that_was_left_waits_as_listed() {
    for (seen, code) in [
        (RotationSeen::Void { at: Timestamp::UNIX_EPOCH }, ProblemCode::RotationUnfinished),
        (RotationSeen::Unreadable("why".into()), ProblemCode::RotationUnreadable),
    ] {
        let mut scene = Scene::idle();
        let rotation = Some(RotationFacts { seen, attended: false });
        scene.tell(Event::RotationSeen { runner: mini(), rotation });
        scene.wait(3600);
        assert_eq!(scene.problems(), [code]);
        assert!(code.waits_for_you());
    }
}

/// What goes away while nobody does anything but wait is told as such, and as nothing else.
#[test]
fn what_heals_alone_needs_nobody() {
    let mut scene = Scene::busy();
    scene.reads(|run| run.lock = LockSeen::Free);
    assert_eq!(scene.problems(), [ProblemCode::AgentUnattended]);
    assert!(scene.did().contains(&"adopt run-1".to_owned()));
    scene.reads(|run| run.lock = LockSeen::Held);
    assert_eq!(scene.problems(), []);
    let since = scene.now;
    scene.reads(|run| run.unrecorded_task = Read::Yes(since));
    assert_eq!(scene.problems(), [ProblemCode::TaskUnrecorded]);
    scene.reads(|run| run.unrecorded_task = Read::No);
    assert_eq!(scene.problems(), []);
    for code in [ProblemCode::AgentUnattended, ProblemCode::TaskUnrecorded] {
        assert_eq!(code.about().heals, Heals::Alone, "{code:?}");
    }
}
