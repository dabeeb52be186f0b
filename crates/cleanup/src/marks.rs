//! What the owner marked as never to be deleted: it, what is in it, and what it is in stay, by whatever
//! path it was named.

use std::path::{Path, PathBuf};

/// The marked paths, as they are written and where they truly are.
pub(crate) struct Marks(Vec<PathBuf>);

impl Marks {
    pub(crate) fn of(never_delete: &[PathBuf]) -> Self {
        let mut all: Vec<PathBuf> = never_delete.iter().flat_map(|it| places_of(it)).collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    pub(crate) fn hold(&self, path: &Path) -> bool {
        self.0.iter().any(|mark| mark.starts_with(path) || path.starts_with(mark))
    }
}

/// A path, where it lies, and what it leads to where it is a link itself.
pub(crate) fn places_of(path: &Path) -> [PathBuf; 3] {
    let itself = path.parent().zip(path.file_name());
    let itself =
        itself.map_or_else(|| path.to_owned(), |(above, name)| true_place(above).join(name));
    [path.to_owned(), itself, true_place(path)]
}

/// Canonical as far as it is there.
fn true_place(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(std::fs::canonicalize(above).ok()?.join(rest))
    });
    there.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_by_whatever_path_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("real/work.kept/run.1")).unwrap();
        std::os::unix::fs::symlink(base.join("real"), base.join("link")).unwrap();
        std::os::unix::fs::symlink(base.join("real"), base.join("real/work.kept/out")).unwrap();
        let hold = |mark: &str, path: &str| Marks::of(&[base.join(mark)]).hold(&base.join(path));
        for mark in ["link/work.kept/run.1", "link/work.kept/run.1/not/there", "link", "real"] {
            assert!(hold(mark, "real/work.kept/run.1"), "{mark}");
        }
        // The link itself, and what it leads to.
        assert!(hold("link/work.kept/out", "real/work.kept/out"));
        assert!(hold("link/work.kept/out", "real/other"));
        assert!(!hold("link/work.kept/run.1", "real/work.kept/run.2"));
        assert!(!hold("link/work.kept/run.1", "real/other"));
    }
}
