//! Whose work lies in a working directory. The file of its lock says which task was the last that worked
//! there; what lay there before any did is kept under a name of its own, and no rule ever takes it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::place::Place;

/// So begins the name of what no task of ours made.
const BEFORE: &str = "before-";
/// Longer than a name and a path.
const LONGEST: u64 = 8 << 10;

/// The name for what lies in a working directory before `task`, if no task of ours made it.
pub fn before(task: &str) -> String {
    format!("{BEFORE}{task}")
}

/// Whether what is kept under this name was made by no task of ours.
pub fn is_from_before(name: &str) -> bool {
    name.starts_with(BEFORE)
}

/// The name under which what lies in `work` is to be kept, as the file of its lock has it. None: no task
/// worked there yet.
pub fn left_by(lock: &File, work: &Path) -> Option<String> {
    let mut file = lock;
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let (name, of) = (lines.next()?, lines.next()?);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let is_name = !name.is_empty() && name.chars().all(is_plain);
    (is_name && of == written(work)).then(|| name.to_owned())
}

/// From now on what lies in `work` is kept under this name. On a full disk, too: the file only becomes
/// shorter once the new text is in place.
pub fn note(lock: &File, work: &Path, name: &str) -> io::Result<()> {
    let text = format!("{name}\n{}\n", written(work));
    let mut file = lock;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// On one line, and the same however many slashes it was written with.
fn written(work: &Path) -> String {
    Place::from(work.components().collect::<PathBuf>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_holds_for_that_working_directory_and_no_other() {
        let lock = tempfile::tempfile().unwrap();
        let work = Path::new("/w/a\nb");
        assert_eq!(left_by(&lock, work), None);
        for name in ["20261123T181047.123Z-4f2a9c.12", "before-run.1", "run.2"] {
            note(&lock, work, name).unwrap();
            assert_eq!(left_by(&lock, work).as_deref(), Some(name));
            assert_eq!(left_by(&lock, Path::new("/w//a\nb/")).as_deref(), Some(name));
            assert_eq!(left_by(&lock, Path::new("/w")), None);
        }
    }

    #[test]
    fn what_is_no_note_says_nothing() {
        for text in ["", "run.1", "run.1\n", "a b\n/w\n", "../x\n/w\n", "\n/w\n", "run.1\n/other\n"]
        {
            let mut lock = tempfile::tempfile().unwrap();
            lock.write_all(text.as_bytes()).unwrap();
            assert_eq!(left_by(&lock, Path::new("/w")), None, "{text:?}");
        }
    }

    #[test]
    fn what_no_task_made_has_a_name_of_its_own() {
        assert!(is_from_before(&before("run.1")));
        assert!(!is_from_before("run.1") && !is_from_before("by-hand-1790000000"));
    }
}
