//! Looks in Cargo.lock for the crates that deny.toml bans, so that a test says it too, offline and without cargo-deny.

use std::path::Path;

use anyhow::Context;
use toml::{Table, Value};

/// Each banned crate that is in the dependency tree.
pub(crate) fn found(root: &Path) -> anyhow::Result<Vec<String>> {
    let (deny, lock) = (read(&root.join("deny.toml"))?, read(&root.join("Cargo.lock"))?);
    let banned = banned(&deny).context("deny.toml has no list bans.deny of tables with `crate`")?;
    let locked = locked(&lock).context("Cargo.lock has no list of packages")?;
    Ok(banned
        .into_iter()
        .filter(|name| locked.contains(name))
        .map(|name| format!("Cargo.lock: {name} is banned by deny.toml. See: cargo tree -i {name}"))
        .collect())
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    text.parse().with_context(|| format!("parse {}", path.display()))
}

fn banned(deny: &Table) -> Option<Vec<&str>> {
    names(deny.get("bans")?.get("deny")?, "crate")
}

fn locked(lock: &Table) -> Option<Vec<&str>> {
    names(lock.get("package")?, "name")
}

fn names<'a>(list: &'a Value, key: &str) -> Option<Vec<&'a str>> {
    list.as_array()?.iter().map(|table| table.get(key)?.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test's own temp dir")]
    fn in_workspace(deny: &str, lock: &str) -> anyhow::Result<Vec<String>> {
        let dir = tempfile::tempdir().expect("temp dir");
        std::fs::write(dir.path().join("deny.toml"), deny).expect("write");
        std::fs::write(dir.path().join("Cargo.lock"), lock).expect("write");
        found(dir.path())
    }

    const DENY: &str = "[bans]\ndeny = [{ crate = \"figment\", reason = \"\" }]";

    #[test]
    fn a_banned_crate_is_found_however_deep() {
        let lock = "[[package]]\nname = \"ours\"\n[[package]]\nname = \"figment\"";
        assert_eq!(in_workspace(DENY, lock).expect("readable").len(), 1);
    }

    #[test]
    fn a_name_that_only_begins_like_it_is_another_crate() {
        let lock = "[[package]]\nname = \"figment-like\"";
        assert_eq!(in_workspace(DENY, lock).expect("readable"), Vec::<String>::new());
    }

    #[test]
    fn a_list_that_cannot_be_read_is_an_error_not_a_pass() {
        in_workspace("[bans]", "[[package]]\nname = \"ours\"").expect_err("no list");
    }
}
