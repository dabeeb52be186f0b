//! A list of packages for apt, one a line.

use std::collections::BTreeSet;

use crate::item::Item;
use crate::machine::{Arch, Machine, Os};
use crate::package::Manager;

/// The text, and the titles of what apt does not have.
pub fn apt_list(items: &[&Item]) -> (String, Vec<String>) {
    let debian = Machine::with(Os::Linux, Arch::X86, &[]);
    let mut lines = BTreeSet::new();
    let mut left_out = Vec::new();
    for item in items {
        let names = item.ways(&debian).map(|ways| ways.of(Manager::Apt)).unwrap_or_default();
        lines.extend(names.iter().map(|name| format!("{name}\n")));
        if names.is_empty() {
            left_out.push(item.title.clone());
        }
    }
    (lines.into_iter().collect(), left_out)
}
