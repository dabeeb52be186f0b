//! What is on disk of installations: the record of the one that runs, and what the last one came to. No
//! older word is ever written over a newer one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::preinstall::{Last, Record};
use protocol::PreinstallReceipt;

/// The record of one that runs, as it was written last: by what carries it out, and by who cancels it.
pub(super) struct Kept {
    file: PathBuf,
    last: Mutex<Record>,
}

impl Kept {
    pub(super) fn new(file: PathBuf, record: Record) -> Self {
        Self { file, last: Mutex::new(record) }
    }

    /// One that was cancelled meanwhile stays so.
    pub(super) fn save(&self, record: &Record) -> io::Result<()> {
        let mut last = self.last();
        let cancelled = last.cancelled || record.cancelled;
        *last = Record { cancelled, ..record.clone() };
        save(&self.file, &last)
    }

    pub(super) fn cancel(&self) -> io::Result<()> {
        let mut last = self.last();
        last.cancelled = true;
        save(&self.file, &last)
    }

    fn last(&self) -> MutexGuard<'_, Record> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn save(file: &Path, record: &Record) -> io::Result<()> {
    let text = serde_json::to_vec(record)?;
    run_dir::write_atomically(file, &text).map_err(io::Error::other)
}

/// What the last installation came to.
pub(super) fn keep(file: &Path, receipt: &PreinstallReceipt) -> io::Result<()> {
    let text = serde_json::to_vec(&Last::new(receipt.clone()))?;
    run_dir::write_atomically(file, &text).map_err(io::Error::other)
}

/// None before the first. An error is in words.
pub(super) fn last(file: &Path) -> Result<Option<PreinstallReceipt>, String> {
    match std::fs::read(file) {
        Ok(bytes) => Last::read(&bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let (at, rights) = (jiff::Timestamp::UNIX_EPOCH, ::preinstall::Rights::Root);
        let rest = (Vec::new(), Vec::new());
        Record::new("1".into(), at, None, rights, Vec::new(), Vec::new(), rest)
    }

    #[test]
    fn a_cancel_is_on_disk_and_no_record_written_after_it_takes_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("record.json");
        let kept = Kept::new(file.clone(), record());
        let on_disk = || Record::read(&std::fs::read(&file).unwrap()).unwrap();
        kept.save(&record()).unwrap();
        assert!(!on_disk().cancelled);
        kept.cancel().unwrap();
        assert!(on_disk().cancelled);
        kept.save(&Record { taken_up: 2, ..record() }).unwrap();
        assert_eq!((on_disk().cancelled, on_disk().taken_up), (true, 2));
        let nowhere = Kept::new(folder.path().join("gone/record.json"), record());
        assert!(nowhere.cancel().is_err(), "who cancels is told that it cannot be kept");
    }

    #[test]
    fn what_the_last_one_came_to_is_kept_or_told_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last.json");
        assert_eq!(last(&file), Ok(None));
        let receipt = PreinstallReceipt {
            id: "1".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            seconds: 1,
            items: Vec::new(),
            human: Vec::new(),
            left: Vec::new(),
            cut_short: Some("It was cancelled.".into()),
            taken_up: false,
        };
        keep(&file, &receipt).unwrap();
        assert_eq!(last(&file), Ok(Some(receipt.clone())));
        assert!(keep(&folder.path().join("gone/last.json"), &receipt).is_err());
        run_dir::write_atomically(&file, b"{}").unwrap();
        assert!(last(&file).is_err());
        assert!(last(folder.path()).is_err(), "a folder in its place");
    }
}
