//! Any bytes in what this crate reads: understood or refused in words, and never a panic.

use proptest::prelude::*;

use crate::{Catalogue, Format, Manager, Record, import};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_record_or_refused_in_words(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "\\{\"version\":[0-9]{1,12},\"id\":\"x\",\"began\":\"[0-9T:Z-]{0,20}\",\"rights\":\"(root|sudo|x)\",\"steps\":\\[\\],\"items\":\\[(\\{\"id\":\"[a-z./ ]{0,5}\"\\})?\\]\\}?"
                .prop_map(String::into_bytes),
        ],
    ) {
        if let Err(why) = Record::read(&bytes) {
            prop_assert!(!why.is_empty() && why.len() < 1000, "{why}");
        }
    }

    #[test]
    fn whatever_stands_in_a_list_only_names_of_packages_are_taken_from_it(
        text in prop_oneof![
            "\\PC{0,200}",
            "((brew|cask|tap|mas) ?(\"|')?[a-zA-Z0-9/@+.;$`(){} -]{0,12}(\"|')?(, args: \\[\\])?\n){0,6}",
            "([a-z0-9+.-]{0,9}(=[0-9.]{1,4}|/stable|:amd64)?( [a-z]{1,7})?(;.*)?\n){0,6}",
        ],
        brewfile in any::<bool>(),
    ) {
                let format = if brewfile { Format::Brewfile } else { Format::AptList };
        let found = import(Catalogue::built_in(), format, &text);
        for item in &found.new {
            prop_assert_eq!(item.judge().err(), None);
            prop_assert!(found.items.contains(&item.id));
            for (manager, ways) in
                [Manager::Brew, Manager::Cask, Manager::Apt].into_iter().flat_map(|manager| {
                    item.all_ways().into_iter().map(move |(_, ways)| (manager, ways))
                })
            {
                prop_assert!(ways.of(manager).iter().all(|name| manager.refuses(name).is_none()));
            }
        }
        prop_assert!(found.new.len() + found.left_out.len() <= text.lines().count());
    }
}
