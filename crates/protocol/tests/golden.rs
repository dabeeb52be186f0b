//! What the first release says over the local API is understood for ever, this release says the same,
//! and what only a later one says is let be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::path::Path;

use runner_tray_protocol::{
    ApiError, Boundary, HistoryPage, HistorySpans, JobUserCheck, LogPage, NoticeAbout, NoticeOffer,
    Notices, PauseBy, PreinstallNow, PreinstallPlan, ProblemCode, RunnerState, Snapshot,
    TaskResult, TokenSeen,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Puts a field that nobody knows into every object.
fn with_news(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(with_news);
            fields.insert("said_by_a_later_release".into(), json!({ "more": [1, "two", null] }));
        }
        Value::Array(items) => items.iter_mut().for_each(with_news),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_understood<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str) {
    let golden = golden(name);
    let read: T = serde_json::from_value(golden.clone()).unwrap();
    let said = serde_json::to_value(&read).unwrap();
    assert_same(&golden, &said, name);
    let mut news = golden;
    with_news(&mut news);
    let read_with_news: T = serde_json::from_value(news).unwrap();
    assert_eq!(read_with_news, read, "{name}: unknown fields change nothing");
}

/// Every field of the golden file is said again; more may be said.
fn assert_same(golden: &Value, said: &Value, at: &str) {
    match (golden, said) {
        (Value::Object(golden), Value::Object(said)) => {
            for (name, value) in golden {
                let said = said.get(name).unwrap_or_else(|| panic!("{at}.{name} is not said"));
                assert_same(value, said, &format!("{at}.{name}"));
            }
        }
        (Value::Array(golden), Value::Array(said)) => {
            assert_eq!(golden.len(), said.len(), "{at}");
            for (index, (golden, said)) in golden.iter().zip(said).enumerate() {
                assert_same(golden, said, &format!("{at}[{index}]"));
            }
        }
        (golden, said) => assert_eq!(golden, said, "{at}"),
    }
}

#[test]
fn a_snapshot_of_the_first_release() {
    is_understood::<Snapshot>("snapshot.json");
}

#[test]
fn a_page_of_the_history_of_the_first_release() {
    is_understood::<HistoryPage>("history.json");
}

#[test]
fn a_page_of_a_log_of_the_first_release() {
    is_understood::<LogPage>("log.json");
}

#[test]
fn a_refusal_of_the_first_release() {
    is_understood::<ApiError>("problem.json");
}

#[test]
fn notices_of_the_first_release() {
    is_understood::<Notices>("notices.json");
}

#[test]
fn days_and_hours_of_the_first_release() {
    is_understood::<HistorySpans>("history-days.json");
}

#[test]
fn a_check_of_a_job_user_of_the_first_release() {
    is_understood::<JobUserCheck>("job-user.json");
}

#[test]
fn what_preinstall_said_first() {
    is_understood::<PreinstallPlan>("preinstall-plan.json");
    is_understood::<PreinstallNow>("preinstall-installing.json");
    is_understood::<PreinstallNow>("preinstall-done.json");
    let later = json!({ "kind": "dreaming", "of": "tools" });
    assert_eq!(serde_json::from_value::<PreinstallNow>(later).unwrap(), PreinstallNow::Other);
}

#[test]
fn what_a_supervisor_does_not_know_of_is_absent_and_not_off() {
    let mut earlier = golden("snapshot.json");
    let snapshot = earlier.as_object_mut().unwrap();
    for part in ["preferences", "after_task", "keep_awake", "notices"] {
        snapshot.remove(part).unwrap();
    }
    snapshot["runners"][0].as_object_mut().unwrap().remove("token").unwrap();
    let snapshot: Snapshot = serde_json::from_value(earlier).unwrap();
    assert_eq!((snapshot.preferences, snapshot.after_task), (None, None));
    assert_eq!((snapshot.keep_awake, snapshot.notices), (None, None));
    assert_eq!(snapshot.runners[0].token, TokenSeen::Untried);
}

#[test]
fn a_notice_that_only_a_later_release_gives_is_still_told() {
    let mut later = golden("notices.json");
    later["notices"][0]["about"] = json!({ "kind": "moon-rise", "at": "noon" });
    later["notices"][0]["offers"] = json!(["howl", "details"]);
    let notices: Notices = serde_json::from_value(later).unwrap();
    assert_eq!(notices.notices[0].about, NoticeAbout::Other);
    assert_eq!(notices.notices[0].offers, [NoticeOffer::Other, NoticeOffer::Details]);
}

#[test]
fn words_that_only_a_later_release_knows_are_unknown_and_spoil_nothing() {
    let mut later = golden("snapshot.json");
    let runner = &mut later["runners"][0];
    runner["state"] = json!("dreaming");
    runner["pause_reasons"][0]["by"] = json!("the moon");
    runner["problems"][0]["code"] = json!("too-much-moonlight");
    runner["last_task"]["result"] = json!({ "outcome": "postponed", "until": "tomorrow" });
    runner["boundary"] = json!({ "kind": "virtual-machine", "image": "a small one" });
    let snapshot: Snapshot = serde_json::from_value(later).unwrap();
    let runner = &snapshot.runners[0];
    assert_eq!(runner.state, RunnerState::Unknown, "never idle");
    assert_eq!(runner.pause_reasons[0].by, PauseBy::Other);
    assert_eq!(runner.problems[0].code, ProblemCode::Other);
    assert_eq!(runner.last_task.as_ref().unwrap().result, TaskResult::Unknown);
    assert_eq!(runner.boundary, Boundary::Unknown);
}
