//! When an agent has proven the token it was started with: its server answered it, and it is the one
//! that the settings have now.

use supervisor_core::{Event, Heard, RunnerFacts};

use crate::scene::{Scene, facts_of, mini};

fn is_proven(scene: &Scene) -> bool {
    scene.core.is_proven(&mini())
}

#[test]
fn an_agent_is_proven_by_an_answer_and_by_no_time_that_passes() {
    let mut scene = Scene::new();
    scene.starts();
    scene.wait(3600);
    assert!(!is_proven(&scene));
    scene.hears(Heard::ClaimAnswered);
    assert!(is_proven(&scene));
    scene.hears(Heard::TokenRefused { line: "401".into() });
    assert!(!is_proven(&scene), "it was refused since");
}

#[test]
fn a_task_is_an_answer() {
    let mut scene = Scene::new();
    scene.starts();
    scene.task_begins();
    assert!(is_proven(&scene));
}

#[test]
fn what_an_agent_of_other_settings_was_answered_proves_nothing() {
    let mut scene = Scene::idle();
    assert!(is_proven(&scene));
    let changed = RunnerFacts { mark: "settings-2".into(), ..facts_of("mini") };
    scene.tell(Event::SettingsRead(vec![changed]));
    assert!(!is_proven(&scene));
    scene.exits(0);
    assert!(!is_proven(&scene), "it is gone");
}
