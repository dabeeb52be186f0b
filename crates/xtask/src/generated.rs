//! Writes generated files, or says which are stale; never touches a file that is current already.

use std::path::{Path, PathBuf};

use anyhow::Context;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

impl Mode {
    pub(crate) fn named(name: &str) -> Option<Mode> {
        match name {
            "write" => Some(Mode::Write),
            "check" => Some(Mode::Check),
            _ => None,
        }
    }
}

/// One file as it should be.
#[derive(Clone)]
pub(crate) struct Generated {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    /// Whether what is on disk (first) is as good as what was generated (second).
    pub(crate) same: fn(&[u8], &[u8]) -> bool,
}

/// In `Write` mode brings every stale file up to date; in `Check` mode names each of them.
pub(crate) fn settle(files: &[Generated], mode: Mode, root: &Path) -> anyhow::Result<Vec<String>> {
    let mut stale = Vec::new();
    for file in files {
        let is_current = std::fs::read(&file.path).is_ok_and(|old| (file.same)(&old, &file.bytes));
        if is_current {
            continue;
        }
        let name = file.path.strip_prefix(root).unwrap_or(&file.path).display();
        match mode {
            Mode::Write => {
                write(&file.path, &file.bytes)?;
                println!("wrote {name}");
            }
            Mode::Check => {
                stale.push(format!("{name} is stale. Run: cargo xtask generated write"));
            }
        }
    }
    Ok(stale)
}

#[expect(clippy::disallowed_methods, reason = "a cut-short file is seen by the next check")]
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: PathBuf) -> [Generated; 1] {
        [Generated { path, bytes: b"new".to_vec(), same: |old, new| old == new }]
    }

    #[test]
    fn a_stale_file_is_named_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("temp dir");
        let files = one(dir.path().join("a.ts"));
        write(&files[0].path, b"old").expect("write");

        let stale = settle(&files, Mode::Check, dir.path()).expect("check");

        assert_eq!(stale, ["a.ts is stale. Run: cargo xtask generated write"]);
        assert_eq!(std::fs::read(&files[0].path).expect("read"), b"old");
    }

    #[test]
    fn a_missing_file_is_stale() {
        let dir = tempfile::tempdir().expect("temp dir");
        let stale = settle(&one(dir.path().join("a.ts")), Mode::Check, dir.path()).expect("check");
        assert_eq!(stale.len(), 1);
    }

    #[test]
    fn what_was_written_is_current() {
        let dir = tempfile::tempdir().expect("temp dir");
        let files = one(dir.path().join("new folder/a.ts"));
        settle(&files, Mode::Write, dir.path()).expect("write");
        assert!(settle(&files, Mode::Check, dir.path()).expect("check").is_empty());
    }
}
