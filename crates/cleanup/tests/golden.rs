//! What the first release wrote loads for ever: plans, drafts, receipts, and what is asked for. A plan of
//! a later release is not carried out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use cleanup::preset::{Around, Choice, Detail, Done, Draft, FreeGoal, Undo};
use cleanup::work::{Request, Said, TaskCleanUp, TaskCleaned, Work};
use cleanup::{Fate, Plan, Progress, Stop, remove};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const FIRST: &str = include_str!("golden/plan-v1.json");

#[test]
fn a_plan_of_the_first_release_loads_and_is_written_the_same() {
    let plan: Plan = serde_json::from_str(FIRST).unwrap();
    assert_eq!(plan.items.len(), 2);
    assert_eq!(plan.items[1].path.to_string(), "new\\nline\\xff");
    assert_eq!(plan.bytes(), 2_100_004_096);
    assert_eq!(plan.refused(), None);
    let again: serde_json::Value = serde_json::to_value(&plan).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(FIRST).unwrap());
}

#[test]
fn a_plan_of_a_later_release_or_one_that_leads_out_is_refused_whole() {
    let plan: Plan = serde_json::from_str(FIRST).unwrap();
    let mut later = plan.clone();
    later.version = 2;
    let mut out = plan.clone();
    out.items[0].path = "../home".into();
    let mut top = plan;
    top.roots[0].path = "/".into();
    for plan in [later, out, top] {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let receipt = remove::set_aside(&plan, now).delete(&Stop::never(), &Progress::default());
        let refused = |fate: &Fate| matches!(fate, Fate::Refused(_));
        assert!(receipt.items.iter().all(|item| refused(&item.fate)), "{receipt:?}");
        assert_eq!(receipt.items.len(), 2);
    }
}

/// As a helper is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    choices: Vec<Choice>,
    around: Around,
    goals: Vec<FreeGoal>,
    detail: Detail,
    undo: Undo,
}

#[track_caller]
fn is_written_as_it_was<T: Serialize + for<'a> Deserialize<'a>>(text: &str) -> T {
    let read: T = serde_json::from_str(text).unwrap();
    let again = serde_json::to_value(&read).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    read
}

#[test]
fn what_is_asked_drafted_and_done_is_read_and_written_as_the_first_release_did() {
    let asked: Asked = is_written_as_it_was(include_str!("golden/asked-v1.json"));
    assert!(asked.choices.iter().all(|choice| choice.resolved().is_ok()));
    let draft: Draft = is_written_as_it_was(include_str!("golden/draft-v1.json"));
    assert!(!draft.is_empty());
    let done: Done = is_written_as_it_was(include_str!("golden/done-v1.json"));
    assert_eq!(done.freed(), 1_100_004_096);
}

#[test]
fn what_a_helper_is_asked_and_says_is_read_and_written_as_the_first_release_did() {
    let request: Request = is_written_as_it_was(include_str!("golden/request-v1.json"));
    assert!(matches!(request.work, Work::BeforeTask(_)));
    let said: Said = is_written_as_it_was(include_str!("golden/said-v1.json"));
    assert!(matches!(said, Said::BeforeTask { .. }));
    let plan: TaskCleanUp = is_written_as_it_was(include_str!("golden/task-clean-up-v1.json"));
    assert!(plan.before.is_some());
    let cleaned: TaskCleaned = is_written_as_it_was(include_str!("golden/task-cleaned-v1.json"));
    assert_eq!(cleaned.milliseconds, 12);
}

/// The last line of what a helper says to these words.
fn last_said(words: &str) -> Said {
    let mut said = Vec::new();
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    cleanup::work::serve(words.as_bytes(), &mut said, now, &Stop::never()).unwrap();
    let last = said.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap();
    serde_json::from_slice(last).unwrap()
}

#[test]
fn a_request_that_is_none_or_of_a_later_release_is_answered_with_why() {
    let later = include_str!("golden/request-v1.json").replace('\n', "");
    let later = later.replacen("\"version\": 1", "\"version\": 2", 1);
    for (words, why) in [("{}\n", "the request:"), (later.as_str(), "of a later release (2)")] {
        let Said::Failed { why: told } = last_said(words) else { panic!("{words}") };
        assert!(told.contains(why), "{told}");
    }
    let missing =
        r#"{"version":1,"within_seconds":null,"work":{"measure":{"folders":["/not/there"]}}}"#;
    let Said::Measured { sizes } = last_said(missing) else { panic!("measured") };
    assert!(sizes[0].size.is_err());
}
