//! What lies in a root: its entries, measured, with what is known of their use.

use std::ffi::CString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use process::folder::{FolderReader, Kind, facts_at, open_folder};
use rustix::io::Errno;

use crate::choose::Candidate;
use crate::in_use::{InUse, in_use};
use crate::marks::Marks;
use crate::measure::{AT_ONCE, Size, measure_opened};
use crate::roots::Root;
use crate::stop::{Progress, Stop};
use crate::trash::is_trash;

/// What is asked for, and what is known beside the disk.
pub struct Survey<'a> {
    /// Which of a plan's roots it is.
    pub index: usize,
    /// Whether the entry with this name is meant.
    pub is_meant: &'a dyn Fn(&Path) -> bool,
    /// The lock that is held while the entry is in use.
    pub lock: &'a dyn Fn(&Path) -> Option<PathBuf>,
    /// Whole paths that the owner marked: they, what is in them, and what they are in stay.
    pub never_delete: &'a [PathBuf],
}

/// Measures the entries of a root; the trash is none.
pub fn survey(
    root: &Root,
    asked: &Survey<'_>,
    stop: &Stop,
    progress: &Progress,
) -> Result<Vec<Candidate>, Errno> {
    let names = names(root, asked, stop)?;
    let marks = Marks::of(asked.never_delete);
    let mut candidates = Vec::new();
    for some in names.chunks(AT_ONCE) {
        let folders = some.iter().map(|name| open_folder(&root.open, name).ok()).collect();
        let mut sizes: Vec<Option<Size>> = some.iter().map(|_| None).collect();
        for (index, size) in measure_opened(folders, stop, progress) {
            if let Some(slot) = sizes.get_mut(index) {
                *slot = Some(size);
            }
        }
        let found = some.iter().zip(sizes);
        candidates
            .extend(found.filter_map(|(name, size)| candidate(root, asked, &marks, name, size)));
    }
    Ok(candidates)
}

/// Looks at the entries alone: a folder counts as used when its own entry changed last, and what is in
/// it is not looked at, so that its size stays 0.
pub fn glance(root: &Root, asked: &Survey<'_>, stop: &Stop) -> Result<Vec<Candidate>, Errno> {
    let names = names(root, asked, stop)?;
    let marks = Marks::of(asked.never_delete);
    let found = names.iter().filter_map(|name| {
        let mut candidate = candidate(root, asked, &marks, name, None)?;
        if candidate.size.folders > 0 {
            let used = candidate.size.used;
            candidate.size = Size { used, owner: Some(candidate.owner), ..Size::default() };
        }
        Some(candidate)
    });
    Ok(found.collect())
}

fn names(root: &Root, asked: &Survey<'_>, stop: &Stop) -> Result<Vec<CString>, Errno> {
    let mut names: Vec<CString> = Vec::new();
    FolderReader::default().read(&root.open, |name, _| {
        let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        if !is_trash(path.as_os_str()) && (asked.is_meant)(path) {
            names.push(name.to_owned());
        }
        !stop.is_asked()
    })?;
    names.sort();
    Ok(names)
}

fn candidate(
    root: &Root,
    asked: &Survey<'_>,
    marks: &Marks,
    name: &CString,
    size: Option<Size>,
) -> Option<Candidate> {
    let facts = facts_at(&root.open, name).ok()?;
    let path = PathBuf::from(std::ffi::OsString::from_vec(name.to_bytes().to_vec()));
    let size = size.unwrap_or_else(|| {
        let is_folder = facts.kind == Kind::Folder;
        let used = if is_folder { facts.changed } else { facts.changed.max(facts.read) };
        Size {
            bytes: facts.on_disk,
            shared: if !is_folder && facts.links > 1 { facts.on_disk } else { 0 },
            files: u64::from(!is_folder),
            folders: u64::from(is_folder),
            used: Timestamp::from_second(used).ok(),
            owner: Some(facts.owner),
            unreadable: u64::from(is_folder),
            complete: true,
            ..Size::default()
        }
    });
    let lock = (asked.lock)(&path);
    let whole = root.path().join(&path);
    Some(Candidate {
        root: asked.index,
        inode: facts.inode,
        owner: facts.owner,
        is_in_use: lock.as_deref().is_some_and(|lock| !matches!(in_use(lock), InUse::Free(_))),
        lock: lock.map(Into::into),
        // What was not measured to its end is not judged.
        never_delete: marks.hold(&whole) || !size.complete,
        path: path.into(),
        size,
    })
}
