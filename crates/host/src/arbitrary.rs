//! Any bytes in what is read of this machine: understood or unknown, and never a panic.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use crate::keychain::{Answer, Request};
use crate::power::{Power, from_pmset_batt, from_supplies};
use crate::sleep::{Sleep, from_pmset};
use crate::{os, os_machine};

/// Bytes of every kind, and text that is nearly right.
fn bytes(nearly: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly.prop_map(String::into_bytes)]
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).unwrap().write_all(bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mounts_are_of_a_network_or_not(
        text in "([0-9]{1,3} [0-9]{1,3} 0:5[0-9] / /[a-z ]{0,4} rw( -)? ?(fuse\\.sshfs|fuse|ext4)? ?[a-z]{0,4}\n){0,4}",
        odd in "\\PC{0,100}",
    ) {
        for text in [text, odd] {
            let _ = os::fuse_kind(&text, 0, 52);
        }
    }

    #[test]
    fn any_system_has_a_name_or_none_and_sleeps_or_that_is_unknown(
        release in bytes("(PRETTY_NAME|VERSION_ID|=|\"|'|\n| |[a-z0-9]{1,5}){0,20}"),
        state in bytes("(mem|disk|\n| ){0,4}"),
        logind in bytes("(IdleAction|=|suspend|ignore|#|\\[Login\\]|\n| ){0,20}"),
    ) {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join("etc/os-release"), &release);
        put(&root.path().join("sys/power/state"), &state);
        put(&root.path().join("etc/systemd/logind.conf"), &logind);
        let (name, version) = os_machine::system_name(root.path());
        prop_assert!(name != Some(String::new()) && version != Some(String::new()));
        let _ = Sleep::at(root.path());
    }

    #[test]
    fn any_words_of_pmset_are_understood_or_unknown(
        text in "(sleep|AC Power|drawing from '|Battery|-InternalBattery-0|%|;|\n|\t| |[0-9]{1,25}){0,20}",
        odd in "\\PC{0,100}",
    ) {
        for text in [text, odd] {
            let _ = from_pmset(&text);
            if let Power::Battery { percent: Some(percent), .. } = from_pmset_batt(&text) {
                prop_assert!(percent <= 100);
            }
        }
    }

    #[test]
    fn any_batteries_have_at_most_all_they_can_hold(
        supplies in prop::collection::vec(
            (bytes("Battery|Mains|USB|UPS"), bytes("-?[0-9]{1,12}"), bytes("Charging|Full|Discharging"), bytes("[01]")),
            0..4,
        ),
    ) {
        let folder = tempfile::tempdir().unwrap();
        for (number, (kind, capacity, status, online)) in supplies.into_iter().enumerate() {
            let supply = folder.path().join(number.to_string());
            for (file, text) in
                [("type", kind), ("capacity", capacity), ("status", status), ("online", online)]
            {
                put(&supply.join(file), &text);
            }
        }
        if let Power::Battery { percent: Some(percent), .. } = from_supplies(folder.path()) {
            prop_assert!(percent <= 100);
        }
    }

    #[test]
    fn any_bytes_are_a_request_and_an_answer_of_the_keychain_or_refused_without_a_word_of_them(
        bytes in bytes("\\{\"(account|secret|done)\":(\"hunter2\"|\\{\"Ok\":\"hunter2\"\\}|[0-9]{1,22})(,\"secret\":\"hunter2\")?\\}?"),
    ) {
        if let Err(error) = Request::read(&bytes) {
            prop_assert_eq!(error.to_string(), "this is no keychain request");
        }
        let _ = serde_json::from_slice::<Answer>(&bytes);
    }
}
