//! This very program on disk: an upgrade replaces it under our feet, and then the new one takes over.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A package manager may put a file there and change it once more.
pub(crate) const SETTLES: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    file: Option<(u64, u64, i64)>,
}

impl Program {
    /// As it is at start, before anybody can have replaced it.
    pub(crate) fn this() -> std::io::Result<Self> {
        let path = host::this_program()?;
        Ok(Self { file: file_at(&path), path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another program lies there now. One that is gone may come back.
    pub(crate) fn was_replaced(&self) -> bool {
        file_at(&self.path).is_some_and(|now| Some(now) != self.file)
    }

    /// Becomes the program that lies there now: same pid, so a service manager notices nothing.
    /// Returns only where that fails.
    pub(crate) fn take_over(&self) -> std::io::Error {
        Command::new(&self.path).args(std::env::args_os().skip(1)).exec()
    }
}

fn file_at(path: &Path) -> Option<(u64, u64, i64)> {
    let about = fs::metadata(path).ok().filter(|about| about.is_file() && about.len() > 0)?;
    Some((about.dev(), about.ino(), about.mtime()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_replaced_by_another_file_and_not_by_its_absence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        run_dir::write_atomically(&path, b"old").unwrap();
        let program = Program { file: file_at(&path), path: path.clone() };
        assert!(!program.was_replaced());
        fs::rename(&path, folder.path().join("aside")).unwrap();
        assert!(!program.was_replaced());
        run_dir::write_atomically(&path, b"new").unwrap();
        assert!(program.was_replaced());
    }
}
