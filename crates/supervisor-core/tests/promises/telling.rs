//! What the owner is told: what lasts, once an hour at most, and that it is over; every task, if wanted.

use jiff::{SignedDuration, Timestamp};
use protocol::{
    FinishedTask, Notice, NoticeAbout, NoticesSeen, NotificationPreference, PauseBy, Preferences,
    ProblemCode, TaskId, TaskResult,
};
use supervisor_core::{Effect, Event, Heard, NewNotice};

use crate::scene::{Scene, mini};

fn told(scene: &mut Scene) -> Vec<String> {
    let did = scene.asides().into_iter();
    did.filter_map(|did| did.strip_prefix("tell ").map(str::to_owned)).collect()
}

fn claims_fail(scene: &mut Scene) {
    scene.hears(Heard::ClaimFailed { status: None, why: "no route to host".into() });
}

const OFFLINE: &str = "mini: CircleCI cannot be reached";
const WELL: &str = "mini is well again";

#[test]
fn offline_is_told_after_five_minutes_and_that_it_is_over() {
    let mut scene = Scene::idle();
    claims_fail(&mut scene);
    scene.wait(299);
    assert_eq!(told(&mut scene), Vec::<String>::new());
    scene.wait(1);
    assert_eq!(told(&mut scene), [OFFLINE]);
    scene.wait(2 * 3600);
    assert_eq!(told(&mut scene), Vec::<String>::new(), "said once, while it lasts");
    scene.hears(Heard::ClaimAnswered);
    assert_eq!(told(&mut scene), [WELL]);
}

#[test]
fn what_is_over_before_it_was_told_is_not_told_at_all() {
    let mut scene = Scene::idle();
    claims_fail(&mut scene);
    scene.wait(200);
    scene.hears(Heard::ClaimAnswered);
    scene.wait(3600);
    assert_eq!(told(&mut scene), Vec::<String>::new());
}

#[test]
fn the_same_is_told_at_most_once_an_hour() {
    let mut scene = Scene::idle();
    for _ in 0..10 {
        claims_fail(&mut scene);
        scene.wait(301);
        scene.hears(Heard::ClaimAnswered);
        scene.wait(19);
    }
    assert_eq!(told(&mut scene), [OFFLINE, WELL], "ten times in 53 minutes");
    claims_fail(&mut scene);
    scene.wait(3600);
    assert_eq!(told(&mut scene), [OFFLINE], "one that lasts is told when the hour is over");
}

#[test]
fn a_pause_does_not_make_it_well() {
    let mut scene = Scene::idle();
    claims_fail(&mut scene);
    scene.wait(300);
    assert_eq!(told(&mut scene), [OFFLINE]);
    scene.pause(PauseBy::You);
    scene.drains();
    scene.exits(0);
    assert_eq!(scene.problems(), [], "nobody tries any more");
    assert_eq!(told(&mut scene), Vec::<String>::new());
    scene.resume(PauseBy::You);
    scene.starts();
    scene.hears(Heard::ClaimAnswered);
    assert_eq!(told(&mut scene), [WELL]);
}

#[test]
fn a_refused_token_is_told_at_once_and_a_loop_at_the_third_time() {
    let mut scene = Scene::new();
    scene.starts();
    scene.hears(Heard::TokenRefused { line: "401".into() });
    assert_eq!(told(&mut scene), ["mini: CircleCI refuses this runner's token"]);

    let mut scene = Scene::new();
    for time in 1..=4 {
        scene.starts();
        scene.exits(1);
        let told = told(&mut scene);
        assert_eq!(told.is_empty(), time != 3, "{time}: {told:?}");
        scene.wait(60);
    }
}

#[test]
fn what_an_earlier_supervisor_told_is_not_told_again_and_its_end_is() {
    let mut scene = Scene::idle();
    let at = scene.now;
    let notice = Notice {
        id: 1,
        at,
        runner: Some(mini()),
        about: NoticeAbout::Problem { code: ProblemCode::Offline },
        title: String::new(),
        body: String::new(),
        offers: Vec::new(),
    };
    let seen = Some(NoticesSeen { newest: 1, seen: 0 });
    scene.tell(Event::NoticesKept { seen, before: vec![notice] });
    assert_eq!(told(&mut scene), [WELL]);
    claims_fail(&mut scene);
    scene.wait(1000);
    assert_eq!(told(&mut scene), Vec::<String>::new(), "within the hour");
    assert_eq!(scene.core.snapshot().notices, seen);
}

#[test]
fn the_end_of_your_pause_is_told_once_even_where_the_disk_is_full() {
    let mut scene = Scene::idle();
    let until = scene.now + SignedDuration::from_secs(900);
    scene.asks_pause(PauseBy::You, Some(until));
    scene.saves();
    scene.wait(900);
    assert_eq!(told(&mut scene), ["mini claims tasks again"]);
    scene.save_fails();
    scene.wait(60);
    assert_eq!(told(&mut scene), Vec::<String>::new());
}

#[test]
fn a_runner_that_something_else_holds_does_not_claim_again_and_it_is_not_said() {
    let mut scene = Scene::idle();
    let until = scene.now + SignedDuration::from_secs(900);
    scene.pause(PauseBy::Disk);
    scene.asks_pause(PauseBy::You, Some(until));
    scene.saves();
    scene.wait(900);
    assert_eq!(told(&mut scene), ["Your pause of mini is over"]);
}

fn ended(number: u32, project: &str) -> Event {
    Event::TaskIsNew(Box::new(FinishedTask {
        id: TaskId::from(format!("run-1.{number}").as_str()),
        runner: mini(),
        project: Some(project.into()),
        branch: Some("main".into()),
        job: None,
        build_number: Some("12".into()),
        link: Some("https://app.example/12".into()),
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::from_second(240).unwrap(),
        result: TaskResult::Failed { exit_code: Some(1) },
        directory: None,
    }))
}

fn with(scene: &mut Scene, notifications: NotificationPreference) {
    let preferences = Preferences { notifications, ..Preferences::default() };
    scene.tell(Event::PreferencesRead(preferences));
}

#[test]
fn tasks_are_told_where_that_is_wanted_and_then_none_is_swallowed() {
    let mut scene = Scene::idle();
    scene.tell(ended(1, "acme/web-app"));
    assert_eq!(told(&mut scene), Vec::<String>::new(), "off by default");
    with(&mut scene, NotificationPreference { tasks: true, ..NotificationPreference::default() });
    assert_eq!(told(&mut scene), Vec::<String>::new(), "what was not wanted then is past");
    for number in 0..20 {
        scene.tell(ended(number, "acme/web-app"));
    }
    assert_eq!(told(&mut scene), vec!["web-app 12 failed"; 20]);
}

#[test]
fn nothing_is_told_that_is_switched_off() {
    let mut scene = Scene::idle();
    let off = NotificationPreference { problems: false, pause_ended: false, tasks: false };
    with(&mut scene, off);
    claims_fail(&mut scene);
    let until = scene.now + SignedDuration::from_secs(600);
    scene.asks_pause(PauseBy::You, Some(until));
    scene.saves();
    scene.wait(3600);
    assert_eq!(told(&mut scene), Vec::<String>::new());
}

#[test]
fn names_that_a_pipeline_chose_are_one_short_line_and_turn_nothing() {
    let mut scene = Scene::idle();
    with(&mut scene, NotificationPreference { tasks: true, ..NotificationPreference::default() });
    let nasty = format!("acme/\u{1b}[31m<b>\u{202e}\n{}", "x".repeat(100_000));
    let effects = scene.core.handle(ended(1, &nasty), scene.now);
    let is_told = |effect: Effect| {
        if let Effect::Tell(notice) = effect { Some(*notice) } else { None }
    };
    let NewNotice { title, .. } = effects.into_iter().find_map(is_told).unwrap();
    assert!(title.chars().count() < 100 && title.ends_with("… failed"), "{title:?}");
    assert!(!title.contains(['\u{1b}', '\n', '\u{202e}']), "{title:?}");
    assert!(title.contains("<b>"), "whoever shows it decides what is markup: {title:?}");
}
