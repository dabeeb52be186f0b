//! A list of packages for apt, one a line.

use std::collections::BTreeSet;

use crate::item::Item;
use crate::machine::{Machine, Os};
use crate::package::Manager;

/// For such a machine, or for a Debian of which no more is known where it has no such list: the text, and
/// the titles of what apt does not have.
pub fn apt_list(items: &[&Item], machine: &Machine) -> (String, Vec<String>) {
    let machine = match machine.os {
        Os::Linux => machine,
        Os::Macos => &Machine::with(Os::Linux, machine.arch, &[]),
    };
    let mut lines = BTreeSet::new();
    let mut left_out = Vec::new();
    for item in items {
        let names = item.ways(machine).map(|ways| ways.of(Manager::Apt)).unwrap_or_default();
        lines.extend(names.iter().map(|name| format!("{name}\n")));
        if names.is_empty() {
            left_out.push(item.title.clone());
        }
    }
    (lines.into_iter().collect(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, Catalogue};

    #[test]
    fn a_list_has_the_names_that_packages_have_in_this_release() {
        let all = Catalogue::built_in();
        let items: Vec<&Item> =
            ["docker", "docker-compose", "xcode"].iter().map(|id| all.item(id).unwrap()).collect();
        let on = |os: Os, suites: &[&str]| Machine {
            suites: suites.iter().map(ToString::to_string).collect(),
            ..Machine::with(os, Arch::X86, &[])
        };
        for (machine, names) in [
            (on(Os::Linux, &["debian-12", "debian"]), "docker-compose\ndocker.io\n"),
            (on(Os::Linux, &["debian-13", "debian"]), "docker-cli\ndocker-compose\ndocker.io\n"),
            (on(Os::Linux, &["ubuntu-24.04", "ubuntu"]), "docker-compose-v2\ndocker.io\n"),
            (on(Os::Macos, &[]), "docker-cli\ndocker-compose\ndocker.io\n"),
        ] {
            assert_eq!(apt_list(&items, &machine), (names.to_owned(), vec!["Xcode".to_owned()]));
        }
    }
}
