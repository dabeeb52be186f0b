//! The trash of a root: a private folder in it, or in one beside it, so that moving something there is
//! one rename. A batch is what one run set aside; by its name it is kept for a while, or is being deleted.

use std::ffi::{CStr, CString, OsStr};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use process::folder::{FolderReader, facts_of, open_above, open_folder, rights};
use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::roots::Root;

/// Its name, of which no plan ever names an entry; in a folder of somebody else's with its user's number,
/// since several users may have one there.
pub const TRASH: &str = ".runner-tray-trash";
/// What a batch has that is being deleted.
const GOING: &str = ".going";
const LIST: &CStr = c"batch.json";
/// Longer than any list.
const LONGEST_LIST: u64 = 256 << 20;

/// Told apart from all others of the root.
static BATCHES: AtomicU64 = AtomicU64::new(0);

/// Whether an entry with this name is a trash, of whichever user.
pub fn is_trash(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let user = name.strip_prefix(TRASH.as_bytes());
    user.is_some_and(|user| user.is_empty() || user.starts_with(b"-"))
}

/// Whether this user's trash is in the folder.
pub(crate) fn has_trash(folder: &Path) -> bool {
    let about = std::fs::metadata(folder);
    about.is_ok_and(|about| folder.join(name_in(about.uid())).is_dir())
}

/// This user's trash in the folder and its batches, by their paths: to be told of, where the folder may not be
/// opened.
pub(crate) fn lying_in(folder: &Path) -> (PathBuf, Vec<Batch>) {
    let owner = std::fs::metadata(folder).map_or(0, |about| about.uid());
    let trash = folder.join(name_in(owner));
    let entries = std::fs::read_dir(&trash).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut batches: Vec<Batch> = names.map(|name| Batch { name }).collect();
    batches.sort_by(|a, b| a.name.cmp(&b.name));
    (trash, batches)
}

/// Of this user, in a folder of `owner`'s.
fn name_in(owner: u32) -> String {
    let own = geteuid().as_raw();
    if own == owner { TRASH.to_owned() } else { format!("{TRASH}-{own}") }
}

/// What one run set aside in one root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    name: String,
}

impl Batch {
    /// When it was set aside.
    pub fn at(&self) -> Option<Timestamp> {
        let seconds = self.name.split('-').next()?.parse().ok()?;
        Timestamp::from_second(seconds).ok()
    }

    /// It cannot be put back any more.
    pub fn is_going(&self) -> bool {
        self.name.ends_with(GOING)
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The trash, open.
pub(crate) struct Trash {
    open: OwnedFd,
}

/// A batch, open.
pub(crate) struct OpenBatch {
    pub(crate) batch: Batch,
    pub(crate) open: OwnedFd,
    trash: Trash,
}

/// What was set aside: entry `n` of the batch was at path `n` of the list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct List {
    version: u32,
    pub(crate) items: Vec<Place>,
    /// The folder that the paths begin at. None: the one that the trash lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root: Option<Place>,
}

impl Trash {
    /// None: there is none.
    pub(crate) fn of(root: &Root) -> Result<Option<Self>, Errno> {
        let opened = || {
            let lies_in = lies_in(root, false)?;
            Ok(Self { open: open_folder(&lies_in, &name_of(&lies_in)?)? })
        };
        match opened() {
            Ok(trash) => trash.checked().map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn make(root: &Root) -> Result<Self, Errno> {
        let lies_in = lies_in(root, true)?;
        let name = name_of(&lies_in)?;
        match mkdirat(&lies_in, &name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        Self { open: open_folder(&lies_in, &name)? }.checked()
    }

    /// In a folder that others may write to, somebody else may have made it.
    fn checked(self) -> Result<Self, Errno> {
        let facts = facts_of(&self.open)?;
        let is_ours = facts.owner == geteuid().as_raw() && facts.mode & 0o022 == 0;
        if is_ours { Ok(self) } else { Err(Errno::PERM) }
    }

    pub(crate) fn batches(&self) -> Result<Vec<Batch>, Errno> {
        let mut batches = Vec::new();
        FolderReader::default().read(&self.open, |name, _| {
            if let Ok(name) = name.to_str() {
                batches.push(Batch { name: name.to_owned() });
            }
            true
        })?;
        batches.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(batches)
    }

    pub(crate) fn open_batch(self, batch: &Batch) -> Result<OpenBatch, Errno> {
        let open = open_folder(&self.open, &c(&batch.name))?;
        Ok(OpenBatch { batch: batch.clone(), open, trash: self })
    }

    /// If nothing is left in it.
    pub(crate) fn remove_if_empty(root: &Root) {
        if let Ok(lies_in) = lies_in(root, false)
            && let Ok(name) = name_of(&lies_in)
        {
            let _ = unlinkat(&lies_in, &name, AtFlags::REMOVEDIR);
        }
    }
}

fn name_of(lies_in: &OwnedFd) -> Result<CString, Errno> {
    Ok(c(&name_in(facts_of(lies_in)?.owner)))
}

/// The folder that a root's trash lies in: itself, or one beside it, whatever its path has come to mean.
fn lies_in(root: &Root, make: bool) -> Result<OwnedFd, Errno> {
    let Some(beside) = root.trash() else { return open_folder(&root.open, c".") };
    let name = c_part(beside.file_name().unwrap_or_default());
    let above = open_above(&root.open)?;
    match open_folder(&above, &name) {
        Err(Errno::NOENT) if make => {}
        opened => return opened,
    }
    // As a fresh start makes it: whoever may read one may read the other.
    match mkdirat(&above, &name, rights(&root.facts)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    open_folder(&above, &name)
}

impl OpenBatch {
    /// A new one, for entries that are at `items` from the root on. Where its list cannot be written,
    /// for want of space, nothing of it can be put back: then it is going from the first.
    pub(crate) fn make(root: &Root, items: &[Place], now: Timestamp) -> Result<Self, Errno> {
        let trash = Trash::make(root)?;
        let number = BATCHES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:010}-{}-{number}", now.as_second(), std::process::id());
        mkdirat(&trash.open, &name, Mode::RWXU)?;
        let open = open_folder(&trash.open, &c(&name))?;
        let mut made = Self { batch: Batch { name }, open, trash };
        if made.write(root, items).is_err() {
            let _ = unlinkat(&made.open, LIST, AtFlags::empty());
            made.go()?;
        }
        Ok(made)
    }

    fn write(&self, root: &Root, items: &[Place]) -> std::io::Result<()> {
        let of = root.trash().map(|_| Place::from(root.path()));
        let list = List { version: 1, items: items.to_vec(), root: of };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.open, LIST, flags, Mode::RUSR | Mode::WUSR)?;
        std::fs::File::from(file).write_all(&serde_json::to_vec(&list)?)
    }

    /// What was where. An error: it was never written, a power cut or somebody else tore it, or it is
    /// of a later release. All that was set aside lies where it is then, until it is swept.
    pub(crate) fn list(&self) -> std::io::Result<List> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = std::fs::File::from(openat(&self.open, LIST, flags, Mode::empty())?);
        let mut text = Vec::new();
        if file.metadata()?.is_file() {
            file.take(LONGEST_LIST).read_to_end(&mut text)?;
        }
        let list: List = serde_json::from_slice(&text).map_err(|error| {
            std::io::Error::other(format!("what was where cannot be read any more ({error})"))
        })?;
        if list.version > 1 {
            return Err(std::io::Error::other("it was set aside by a later release"));
        }
        Ok(list)
    }

    /// From now on it is being deleted, by whoever comes by.
    pub(crate) fn go(&mut self) -> Result<(), Errno> {
        if !self.batch.is_going() {
            let going = format!("{}{GOING}", self.batch.name);
            renameat(&self.trash.open, c(&self.batch.name), &self.trash.open, c(&going))?;
            self.batch.name = going;
        }
        Ok(())
    }

    /// All that is in it.
    pub(crate) fn names(&self) -> Result<Vec<CString>, Errno> {
        let mut names = Vec::new();
        FolderReader::default().read(&self.open, |name, _| {
            names.push(name.to_owned());
            true
        })?;
        Ok(names)
    }

    /// The list and the batch itself, if nothing else is left in it.
    pub(crate) fn remove_if_empty(&self) {
        let is_empty = |names: Vec<CString>| names.iter().all(|name| name.as_c_str() == LIST);
        if self.names().is_ok_and(is_empty) {
            let _ = unlinkat(&self.open, LIST, AtFlags::empty());
            let _ = unlinkat(&self.trash.open, c(&self.batch.name), AtFlags::REMOVEDIR);
        }
    }

    /// Where it lies, to tell.
    pub(crate) fn path(&self, root: &Root) -> PathBuf {
        let name = lies_in(root, false).and_then(|lies_in| facts_of(&lies_in));
        let name = name.map_or_else(|_| TRASH.to_owned(), |facts| name_in(facts.owner));
        root.trash().unwrap_or(root.path()).join(name).join(&self.batch.name)
    }

    pub(crate) fn is_list(name: &CStr) -> bool {
        name == LIST
    }
}

fn c(name: &str) -> CString {
    CString::new(name).unwrap_or_default()
}

/// A part of a path, as the system wants it.
pub(crate) fn c_part(part: &OsStr) -> CString {
    CString::new(part.as_bytes()).unwrap_or_default()
}
