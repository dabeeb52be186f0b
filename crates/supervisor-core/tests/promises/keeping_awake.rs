//! The machine stays awake while a task runs, never while none does, and never on a low battery.

use protocol::{KeepAwakePreference, Preferences};
use supervisor_core::{Event, LockSeen, Power};

use crate::scene::Scene;

fn battery(plugged: Option<bool>, percent: Option<u8>) -> Event {
    Event::PowerSeen(Power::Battery { plugged, percent })
}

fn why_not(scene: &Scene) -> Option<String> {
    scene.core.snapshot().keep_awake.as_ref().unwrap().why_not.clone()
}

fn is_held(scene: &Scene) -> bool {
    scene.core.snapshot().keep_awake.as_ref().unwrap().held
}

/// A task runs and the system keeps awake.
fn awake(power: Event) -> Scene {
    let mut scene = Scene::idle();
    scene.task_begins();
    assert_eq!(scene.asides(), ["look at power"]);
    scene.tell(power);
    scene
}

#[test]
fn it_is_kept_awake_from_the_task_s_begin_to_its_end() {
    let mut scene = awake(Event::PowerSeen(Power::NoBattery));
    assert_eq!(scene.asides(), ["keep awake"]);
    assert!(!is_held(&scene), "it has not been granted yet");
    scene.tell(Event::KeptAwake { failure: None });
    assert!(is_held(&scene));
    scene.wait(3 * 3600);
    assert_eq!(
        scene.asides(),
        Vec::<String>::new(),
        "a machine without a battery is looked at once"
    );
    scene.task_ends(0);
    assert_eq!(scene.asides(), ["let sleep"]);
    assert!(!is_held(&scene));
}

#[test]
fn an_idle_runner_keeps_nothing_awake() {
    let mut scene = Scene::idle();
    scene.wait(600);
    assert_eq!(scene.asides(), Vec::<String>::new());
    assert!(!is_held(&scene) && why_not(&scene).is_none());
}

#[test]
fn a_task_that_nobody_can_look_at_counts_as_one_that_runs() {
    let mut scene = awake(Event::PowerSeen(Power::Unknown));
    scene.tell(Event::KeptAwake { failure: None });
    scene.asides();
    scene.reads(|run| run.lock = LockSeen::Unknown);
    assert!(is_held(&scene) && scene.asides().is_empty());
}

#[test]
fn on_a_low_battery_it_may_sleep_and_says_why_and_a_point_more_does_not_make_it_flap() {
    let mut scene = awake(battery(Some(false), Some(31)));
    assert_eq!(scene.asides(), ["keep awake"]);
    scene.tell(Event::KeptAwake { failure: None });
    scene.wait(120);
    assert_eq!(scene.asides(), ["look at power"], "only a battery is looked at again");
    scene.tell(battery(Some(false), Some(29)));
    assert_eq!(scene.asides(), ["let sleep"]);
    assert_eq!(why_not(&scene).unwrap(), "The battery is at 29 %; your limit is 30 %.");
    scene.tell(battery(Some(false), Some(31)));
    assert_eq!(scene.asides(), Vec::<String>::new());
    scene.tell(battery(Some(true), Some(31)));
    assert_eq!(scene.asides(), ["keep awake"], "it was plugged in");
    assert_eq!(why_not(&scene), None);
}

#[test]
fn what_a_battery_does_not_say_is_judged_for_the_task_but_never_against_the_limit() {
    for (seen, keeps) in [
        (Power::Unknown, true),
        (Power::Battery { plugged: None, percent: None }, true),
        (Power::Battery { plugged: None, percent: Some(50) }, true),
        (Power::Battery { plugged: None, percent: Some(10) }, false),
        (Power::Battery { plugged: Some(false), percent: None }, false),
        (Power::Battery { plugged: Some(true), percent: None }, true),
        (Power::Battery { plugged: Some(true), percent: Some(1) }, true),
    ] {
        let mut scene = awake(Event::PowerSeen(seen));
        assert_eq!(!scene.asides().is_empty(), keeps, "{seen:?}");
        assert_eq!(why_not(&scene).is_none(), keeps, "{seen:?}");
    }
}

#[test]
fn switched_off_it_is_let_go_at_once_and_the_battery_is_not_looked_at() {
    let off = Preferences {
        keep_awake: KeepAwakePreference { on: false, battery_floor_percent: 30 },
        ..Preferences::default()
    };
    let mut scene = awake(Event::PowerSeen(Power::NoBattery));
    scene.tell(Event::KeptAwake { failure: None });
    scene.asides();
    scene.tell(Event::PreferencesRead(off));
    assert_eq!(scene.asides(), ["let sleep"]);
    assert_eq!(why_not(&scene).unwrap(), "Staying awake is switched off.");
    scene.task_ends(0);
    scene.asides();
    scene.task_begins();
    assert_eq!(scene.asides(), Vec::<String>::new());
    scene.tell(Event::PreferencesRead(Preferences::default()));
    assert_eq!(scene.asides(), ["look at power"]);
}

#[test]
fn a_system_that_refuses_is_asked_again_while_the_task_runs() {
    let mut scene = awake(Event::PowerSeen(Power::NoBattery));
    scene.tell(Event::KeptAwake { failure: Some("no such service".into()) });
    scene.asides();
    assert_eq!(why_not(&scene).unwrap(), "The system refused: no such service.");
    scene.wait(300);
    assert_eq!(scene.asides(), ["keep awake"]);
    scene.task_ends(0);
    assert!(scene.asides().contains(&"let sleep".to_owned()));
    scene.tell(Event::KeptAwake { failure: None });
    assert!(!is_held(&scene), "an answer that comes too late holds nothing");
}
