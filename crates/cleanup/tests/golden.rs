//! What the first release wrote loads for ever: plans, drafts, receipts, and what is asked for. A plan of
//! a later release is not carried out.

use cleanup::preset::{Around, Choice, Detail, Done, Draft, FreeGoal, Undo};
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
