//! A rotation of the token that was begun is told until it is finished, and nobody who is at it is
//! disturbed.

use protocol::{ProblemCode, RotationStep, RunnerState};
use supervisor_core::{Event, Heard, RotationFacts, RotationSeen};

use crate::scene::{Scene, mini};

impl Scene {
    fn rotation(&mut self, seen: RotationSeen, attended: bool) {
        let rotation = Some(RotationFacts { seen, attended });
        self.tell(Event::RotationSeen { runner: mini(), rotation });
    }

    fn rotates(&mut self, next: RotationStep, attended: bool) {
        let at = self.now;
        self.rotation(RotationSeen::Begun { at, next }, attended);
    }

    fn reading(&self) -> &str {
        self.shown().problems[0].reading.as_deref().unwrap()
    }
}

#[test]
fn a_rotation_that_nobody_is_at_is_told_with_its_step_until_it_is_finished() {
    let mut scene = Scene::idle();
    for (next, reading) in [
        (RotationStep::Create, "no new token is stored yet"),
        (RotationStep::Swap, "the new token is stored, and no agent has it yet"),
    ] {
        scene.rotates(next, false);
        scene.wait(5);
        assert_eq!(scene.problems(), [ProblemCode::RotationUnfinished]);
        assert_eq!(scene.reading(), reading);
    }
    let hint = &scene.shown().problems[0].hint;
    assert!(hint.contains("runnerctl token rotate --runner mini"), "{hint}");
    assert_eq!(scene.state().0, RunnerState::Idle, "it stops nothing");
    scene.tell(Event::RotationSeen { runner: mini(), rotation: None });
    assert_eq!(scene.problems(), []);
}

#[test]
fn whether_the_new_token_works_is_told_as_soon_as_it_is_known() {
    let mut scene = Scene::new();
    scene.starts();
    scene.rotates(RotationStep::Prove, false);
    scene.wait(5);
    assert!(scene.reading().contains("no claim with it was answered yet"));
    scene.hears(Heard::ClaimAnswered);
    assert_eq!(scene.reading(), "the new token works, and the old one is not known to be deleted");
}

#[test]
fn whoever_is_at_it_is_not_disturbed_nor_in_the_moment_between_two_calls() {
    let mut scene = Scene::idle();
    scene.rotates(RotationStep::Prove, true);
    scene.wait(3600);
    assert_eq!(scene.problems(), []);
    scene.rotates(RotationStep::Prove, false);
    scene.wait(4);
    scene.rotates(RotationStep::Prove, true);
    scene.wait(3600);
    assert_eq!(scene.problems(), []);
    scene.rotates(RotationStep::Prove, false);
    scene.wait(4);
    assert_eq!(scene.problems(), []);
    // News of it do not put it off.
    scene.rotates(RotationStep::Prove, false);
    scene.wait(1);
    assert_eq!(scene.problems(), [ProblemCode::RotationUnfinished]);
}

#[test]
fn a_rotation_that_is_void_or_cannot_be_read_is_told_as_such() {
    let mut scene = Scene::idle();
    let at = scene.now;
    scene.rotation(RotationSeen::Void { at }, false);
    scene.wait(5);
    assert!(scene.reading().contains("another token was set since"));
    scene.rotation(RotationSeen::Unreadable("rotation-mini.json: cut short".into()), false);
    assert_eq!(scene.problems(), [ProblemCode::RotationUnreadable]);
    assert_eq!(scene.reading(), "rotation-mini.json: cut short");
}

#[test]
fn a_clock_set_back_hides_no_rotation() {
    let mut scene = Scene::idle();
    scene.rotates(RotationStep::Swap, false);
    scene.set_clock(-86_400);
    assert_eq!(scene.problems(), [ProblemCode::RotationUnfinished]);
}
