//! A plan as the first release wrote it loads for ever; one of a later release is not carried out.

use cleanup::{Fate, Plan, Progress, Stop, remove};
use jiff::Timestamp;

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
