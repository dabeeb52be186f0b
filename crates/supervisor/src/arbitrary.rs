//! Any bytes in what this program reads of others: understood or refused, and never a panic.

use cleanup::work::Said;
use host::Folders;
use proptest::prelude::*;
use protocol::{Findings, RunnerName};

use crate::cleanup::Lines;
use crate::rotate::Record;

/// Bytes of every kind, and text that is nearly right.
fn bytes(nearly: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly.prop_map(String::into_bytes)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_job_users_helper_prints_its_answer_is_heard(
        before in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(1_usize..40, 1..20),
        nearly in bytes("\\{\"[a-z_]{1,12}\":(\\{(\"[a-z]{1,7}\":(-?[0-9]{1,22}|\\[\\]|null|\"x\"),?){0,3}\\}|\\[\\])\\}"),
    ) {
        let failed = serde_json::to_vec(&Said::Failed { why: "no room".into() }).unwrap();
        let whole = [&before[..], b"\n", &nearly, b"\n", &failed, b"\n"].concat();
        let (mut lines, mut said, mut rest) = (Lines::default(), Vec::new(), &whole[..]);
        for cut in cuts.into_iter().cycle() {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            said.extend(lines.hear(now).unwrap());
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(said.pop(), Some(Said::Failed { why: "no room".into() }));
    }

    #[test]
    fn any_bytes_are_a_rotation_or_named_with_their_file(
        bytes in bytes("\\{\"version\":[0-9]{1,12}(,\"(begun_at|old|new|resource_class)\":(\\[\\]|\"[a-z/0-9]{0,9}\"|null)){0,4}\\}?"),
    ) {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        folders.ensure().unwrap();
        let runner: RunnerName = "mini".parse().unwrap();
        let file = folders.state.join("rotation-mini.json");
        run_dir::write_atomically(&file, &bytes).unwrap();
        match Record::read(&folders, &runner) {
            Ok(record) => prop_assert!(record.is_some()),
            Err(why) => prop_assert!(why.to_string().contains("rotation-mini.json")),
        }
        prop_assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_findings_or_none(
        bytes in bytes("\\{\"findings\":\\[(\\{\"check\":\"[a-z]{0,9}\",\"level\":\"(ok|bad|x)\"\\},?){0,3}\\]\\}"),
    ) {
        let _ = serde_json::from_slice::<Findings>(&bytes);
    }
}

#[test]
fn a_line_without_end_is_refused_and_not_kept() {
    let (mut lines, endless) = (Lines::default(), vec![b'~'; 1 << 20]);
    assert!((0..=64).any(|_| lines.hear(&endless).is_none()));
}
