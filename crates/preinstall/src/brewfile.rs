//! A Brewfile of items: what Homebrew can install of them.

use std::collections::BTreeSet;

use crate::item::Item;
use crate::machine::{Arch, Machine, Os};
use crate::package::Manager;

/// The text, and the titles of what Homebrew does not have.
pub fn brewfile(items: &[&Item]) -> (String, Vec<String>) {
    let mac = Machine::with(Os::Macos, Arch::Arm, &[]);
    let mut lines = BTreeSet::new();
    let mut left_out = Vec::new();
    for item in items {
        let ways = item.ways(&mac);
        let names = |manager: Manager| ways.map(|ways| ways.of(manager)).unwrap_or_default();
        let (formulae, casks) = (names(Manager::Brew), names(Manager::Cask));
        lines.extend(formulae.iter().map(|name| format!("brew \"{name}\"")));
        lines.extend(casks.iter().map(|name| format!("cask \"{name}\"")));
        if formulae.is_empty() && casks.is_empty() {
            left_out.push(item.title.clone());
        }
    }
    let lines: Vec<String> = lines.into_iter().map(|line| line + "\n").collect();
    (lines.concat(), left_out)
}
