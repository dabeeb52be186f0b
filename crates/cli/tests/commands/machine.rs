//! What holds for the whole machine: preferences, what comes after the task, notices, days.

use serde_json::json;

use crate::fake::{Fake, runner};

const PREFERENCES: &str = r#"{"keep_awake":{"on":true,"battery_floor_percent":30},"notifications":{"problems":true,"pause_ended":true,"tasks":false}}"#;

fn preferences() -> serde_json::Value {
    serde_json::from_str(PREFERENCES).expect("JSON")
}

#[test]
fn preferences_are_shown_and_one_is_changed_at_a_time() {
    let fake = Fake::with(&[])
        .on("GET /v1/preferences", preferences())
        .on("PUT /v1/preferences", preferences());
    let seen = fake.run(&["preferences", "show"]);
    assert!(seen.contains("battery-floor") && seen.contains("30 %"), "{seen}");
    let seen = fake.run(&["preferences", "show", "--json"]);
    assert!(seen.contains("\"battery_floor_percent\": 30"), "{seen}");
    for (args, sent) in [
        (["keep-awake", "off"], r#"{"keep_awake":{"on":false}}"#),
        (["battery-floor", "50%"], r#"{"keep_awake":{"battery_floor_percent":50}}"#),
        (["notify-tasks", "on"], r#"{"notifications":{"tasks":true}}"#),
    ] {
        fake.run(&[&["preferences", "set"][..], &args].concat());
        assert_eq!(fake.wishes().pop().expect("a wish"), format!("PUT /v1/preferences {sent}"));
    }
}

#[test]
fn a_preference_that_cannot_be_is_wrong_usage_and_wishes_nothing() {
    let fake = Fake::with(&[]);
    for args in [["keep-awake", "maybe"], ["battery-floor", "101"], ["music", "on"]] {
        let seen = fake.run(&[&["preferences", "set"][..], &args].concat());
        assert!(seen.starts_with("exit code 2"), "{seen}");
    }
    assert!(fake.wishes().is_empty());
}

#[test]
fn what_comes_after_the_task_is_wished_and_taken_back() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .grants("PUT /v1/after-task")
        .grants("DELETE /v1/after-task");
    let seen = fake.run(&["after-task", "sleep"]);
    assert!(seen.contains("No task runs: the machine sleeps"), "{seen}");
    let seen = fake.run(&["after-task", "cancel"]);
    assert!(seen.contains("Nothing comes after the task."), "{seen}");
    assert_eq!(fake.wishes(), [r#"PUT /v1/after-task {"do":"sleep"}"#, "DELETE /v1/after-task"]);
    assert!(fake.run(&["after-task", "explode"]).starts_with("exit code 2"));
}

#[test]
fn notices_are_listed_and_counted_as_seen_only_when_that_is_said() {
    let notices = json!({
        "notices": [
            {"id": 2, "at": "2026-11-23T16:00:00Z", "about": {"kind": "pause-ended"},
             "title": "mini claims\u{1b}[31m tasks again", "body": "Your pause is over.", "offers": []},
            {"id": 1, "at": "2026-11-23T15:00:00Z", "about": {"kind": "of-the-future"},
             "title": "Something", "body": "", "offers": ["howl"]},
        ],
        "newest": 2, "seen": 1,
    });
    let fake = Fake::with(&[])
        .on("GET /v1/notices?since=0&limit=20", notices)
        .grants("PUT /v1/notices/seen");
    let seen = fake.run(&["notices"]);
    assert!(seen.contains("* ") && seen.contains("mini claims tasks again"), "{seen}");
    assert!(!seen.contains('\u{1b}') && fake.wishes().is_empty(), "{seen}");
    fake.run(&["notices", "--seen", "--json"]);
    assert_eq!(fake.wishes(), [r#"PUT /v1/notices/seen {"up_to":2}"#]);
}

#[test]
fn the_history_is_summed_up_by_days_and_hours() {
    let spans = json!({"tz": "UTC", "spans": [
        {"day": "2026-11-23", "from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z",
         "tasks": 4, "succeeded": 2, "failed": 1, "cancelled": 0, "lost": 1, "unknown": 0,
         "median_seconds": 95.5, "longest_seconds": 600.0, "lent_seconds": 4000.0},
    ]});
    let fake = Fake::with(&[]).on("GET /v1/history/hours?day=2026-11-23&tz=UTC", spans);
    let args = ["history", "--by", "hour", "--since", "2026-11-23"];
    let seen = fake.transcript(fake.command(&args).env("TZ", "UTC"));
    assert!(seen.contains("2026-11-23") && seen.contains("1 h 6 min"), "{seen}");
    let args = ["history", "--by", "day", "--since", "2026-11-23"];
    fake.transcript(fake.command(&args).env("TZ", "UTC"));
    let asked = fake.asked().pop().expect("a call");
    assert!(asked.starts_with("GET /v1/history/days?from=2026-11-23&to="), "{asked}");
    let wrong = fake.run(&["history", "--by", "day", "--result", "failed"]);
    assert!(wrong.starts_with("exit code 2"), "{wrong}");
}

#[test]
fn where_there_is_no_service_manager_it_is_said_and_nothing_is_changed() {
    let seen = Fake::absent().run(&["supervisor", "enable"]);
    assert!(seen.starts_with("exit code 1") && seen.contains("no service manager"), "{seen}");
    assert!(seen.contains("Everything works without it"), "{seen}");
    let seen = Fake::absent().run(&["supervisor", "disable"]);
    assert!(seen.starts_with("exit code 1") && seen.contains("no service manager"), "{seen}");
}
