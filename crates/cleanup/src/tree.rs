//! Deleting whole trees through handles of their folders, in parallel: no path is ever looked up, no
//! link followed, no mount crossed; what stays is told, and the rest goes.
//!
//! Memory and handles are bounded: threads go depth first, a folder's handle is open while folders
//! in it are, and what lies deeper than [`DEEP`] is moved up first.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use process::folder::{
    Facts, FolderReader, Kind, facts_at, facts_of, open_folder, open_up, open_up_opened,
};
use rustix::fs::{AtFlags, renameat, unlinkat};
use rustix::io::Errno;

use crate::names::{Names, as_c};
use crate::place::Place;
use crate::pool::Pool;
use crate::stop::{Progress, Stop};
use crate::why::{Failure, Why};

/// Levels of folders that are entered before those below are moved up into the item's first folder.
const DEEP: u32 = 24;
/// Where they cannot be moved.
const TOO_DEEP: u32 = 100;
/// A folder that is not empty after so many times is being written to.
const PASSES: u32 = 200;
/// Files whose names wait until the folder's folders are known.
const FILES_AT_ONCE: usize = 512;
/// So many files are worth another thread's while: the blocks of large ones are freed outside of
/// their folder's lock.
const WORTH_SHARING: usize = 8;
/// Failures that an item tells one by one.
const TOLD: usize = 100;

/// One tree to delete: an entry of an open folder.
pub(crate) struct Tree {
    pub(crate) folder: Arc<OwnedFd>,
    pub(crate) name: CString,
    /// The folder's path, to tell.
    pub(crate) path: PathBuf,
}

/// What became of a tree.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) freed: AtomicU64,
    pub(crate) removed: AtomicU64,
    pub(crate) failures: Mutex<Vec<Failure>>,
    pub(crate) more_failures: AtomicU64,
}

/// Deletes them all; the results are in the same order.
pub(crate) fn delete(trees: Vec<Tree>, stop: &Stop, progress: &Progress) -> Vec<Arc<Tally>> {
    let tallies: Vec<Arc<Tally>> = trees.iter().map(|_| Arc::default()).collect();
    let first = |(tree, tally): (Tree, &Arc<Tally>)| Portion::first(tree, tally);
    let work = trees.into_iter().zip(&tallies).filter_map(first).collect();
    let shared = Shared { stop, progress, linked: Mutex::new(()), lifted: AtomicU64::new(0) };
    Pool::run(work, |pool| {
        let mut remover = Remover { pool, shared: &shared, reader: FolderReader::default() };
        while let Some(portion) = pool.take() {
            remover.work(portion);
        }
    });
    tallies
}

/// A folder that is being emptied.
struct Folder {
    /// None: it holds the tree and stays.
    above: Option<Arc<Folder>>,
    /// The first folder of the tree; none in itself and above it.
    top: Option<Arc<Folder>>,
    open: Arc<OwnedFd>,
    name: CString,
    facts: Facts,
    depth: u32,
    path: PathBuf,
    tally: Arc<Tally>,
    /// Portions and folders in it that are not done.
    left: AtomicUsize,
    passes: AtomicU32,
    /// Something in it could not be removed.
    keeps: AtomicBool,
    opened_up: AtomicBool,
}

/// Some entries of a folder; they are deleted one after another.
struct Portion {
    folder: Arc<Folder>,
    /// Of folders.
    names: Names,
    /// Of all else; they go first.
    files: Names,
}

impl Portion {
    fn first(tree: Tree, tally: &Arc<Tally>) -> Option<Self> {
        let facts = facts_of(&tree.folder).ok()?;
        let folder = Folder {
            above: None,
            top: None,
            open: tree.folder,
            name: CString::default(),
            facts,
            depth: 0,
            path: tree.path,
            tally: Arc::clone(tally),
            left: AtomicUsize::new(1),
            passes: AtomicU32::new(0),
            keeps: AtomicBool::new(false),
            opened_up: AtomicBool::new(false),
        };
        let mut names = Names::default();
        names.push(&tree.name);
        Some(Self { folder: Arc::new(folder), names, files: Names::default() })
    }
}

impl Folder {
    fn below(self: &Arc<Self>, name: &CStr, open: OwnedFd, facts: Facts) -> Self {
        self.left.fetch_add(1, Ordering::AcqRel);
        let top = self.top.clone().or_else(|| self.above.as_ref().map(|_| Arc::clone(self)));
        Self {
            above: Some(Arc::clone(self)),
            top,
            open: Arc::new(open),
            name: name.to_owned(),
            facts,
            depth: self.depth + 1,
            path: PathBuf::new(),
            tally: Arc::clone(&self.tally),
            left: AtomicUsize::new(1),
            passes: AtomicU32::new(0),
            keeps: AtomicBool::new(false),
            opened_up: AtomicBool::new(false),
        }
    }

    fn path_of(&self, name: &CStr) -> Place {
        let mut parts = vec![name];
        let mut folder = self;
        while let Some(above) = &folder.above {
            parts.push(&folder.name);
            folder = above;
        }
        let mut path = folder.path.clone();
        path.extend(parts.into_iter().rev().map(|part| OsStr::from_bytes(part.to_bytes())));
        path.into()
    }

    fn fail(&self, name: &CStr, why: Why) {
        self.keeps.store(true, Ordering::Relaxed);
        let mut failures = self.tally.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < TOLD {
            failures.push(Failure::new(self.path_of(name), why));
        } else {
            self.tally.more_failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn fail_by(&self, name: &CStr, error: Errno) {
        self.fail(name, Why::of(error, &self.open, Some(&self.facts), name));
    }

    fn unlink(&self, name: &CStr) -> Result<(), Errno> {
        match unlinkat(&self.open, name, AtFlags::empty()) {
            Err(Errno::ACCESS | Errno::PERM) if self.was_opened_up() => {
                unlinkat(&self.open, name, AtFlags::empty())
            }
            done => done,
        }
    }

    /// Read-only folders are opened up, once, if they are ours and of the tree.
    fn was_opened_up(&self) -> bool {
        self.above.is_some()
            && !self.opened_up.swap(true, Ordering::Relaxed)
            && open_up_opened(&self.open).is_ok()
    }
}

struct Shared<'a> {
    stop: &'a Stop,
    progress: &'a Progress,
    /// Held between looking how many names a file has and removing one of several.
    linked: Mutex<()>,
    lifted: AtomicU64,
}

struct Remover<'a> {
    pool: &'a Pool<Portion>,
    shared: &'a Shared<'a>,
    reader: FolderReader,
}

impl Remover<'_> {
    fn work(&mut self, first: Portion) {
        let mut portions = vec![first];
        let mut name = Vec::new();
        if let Some(Portion { folder, names, files }) = portions.first_mut() {
            self.shared.unlink_all(folder, files, names);
        }
        while let Some(portion) = portions.last_mut() {
            if self.shared.stop.is_asked() {
                return;
            }
            let entered = if portion.names.pop(&mut name) {
                let folder = Arc::clone(&portion.folder);
                self.enter(&folder, as_c(&name))
            } else {
                portions.pop().and_then(|done| self.done(done.folder))
            };
            portions.extend(entered);
            if self.pool.is_hungry() {
                self.share(&mut portions);
            }
        }
    }

    /// Opens a folder and removes all in it that is no folder.
    fn enter(&mut self, above: &Arc<Folder>, name: &CStr) -> Option<Portion> {
        if above.depth >= DEEP && self.was_moved_up(above, name) {
            return None;
        }
        if above.depth >= TOO_DEEP {
            above.fail(name, Why::TooDeep);
            return None;
        }
        let open = || open_folder(&above.open, name);
        let opened = open()
            .or_else(|error| {
                if error == Errno::ACCESS && above.was_opened_up() { open() } else { Err(error) }
            })
            .or_else(|error| match error {
                Errno::ACCESS => {
                    open_up(&above.open, name).and_then(|()| open()).map_err(|_| error)
                }
                other => Err(other),
            })
            .and_then(|open| Ok((facts_of(&open)?, open)));
        match opened {
            Ok((facts, _)) if facts.device != above.facts.device => above.fail(name, Why::Mounted),
            Ok((facts, open)) => {
                let folder = Arc::new(above.below(name, open, facts));
                return Some(self.empty(folder));
            }
            Err(Errno::NOENT) => {}
            // Not a folder, or no longer.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                self.shared.unlink(above, name);
            }
            // An empty one needs no look into it.
            Err(error) => match unlinkat(&above.open, name, AtFlags::REMOVEDIR) {
                Ok(()) => self.shared.count(above, 0),
                Err(_) => above.fail_by(name, error),
            },
        }
        None
    }

    /// Moves a folder from far below up into the tree's first one, to be deleted from there.
    fn was_moved_up(&self, above: &Arc<Folder>, name: &CStr) -> bool {
        let Some(top) = &above.top else { return false };
        let number = self.shared.lifted.fetch_add(1, Ordering::Relaxed);
        let Ok(up) = CString::new(format!(".runner-tray-deep-{}-{number}", std::process::id()))
        else {
            return false;
        };
        let up_there = || renameat(&above.open, name, &top.open, &up);
        // Its entry `..` changes, so it must be writable itself.
        let moved = up_there().or_else(|_| {
            above.was_opened_up();
            open_up(&above.open, name).and_then(|()| up_there())
        });
        if moved.is_ok() {
            let mut names = Names::default();
            names.push(&up);
            self.give(top, names, Names::default());
        }
        moved.is_ok()
    }

    /// Removes all that is no folder. The folders come first: where they are a chain, another thread
    /// is at the next one while this one removes.
    fn empty(&mut self, folder: Arc<Folder>) -> Portion {
        let (mut names, mut files) = (Names::default(), Names::default());
        let shared = self.shared;
        let read = self.reader.read(&folder.open, |name, kind| {
            if kind == Kind::Folder {
                names.push(name);
                return true;
            }
            files.push(name);
            if files.len() == FILES_AT_ONCE {
                shared.unlink_all(&folder, &mut files, &mut names);
                return !shared.stop.is_asked();
            }
            true
        });
        // Entered under two names, of which another thread has removed one: it is gone.
        let read = read.or_else(|error| if error == Errno::NOENT { Ok(()) } else { Err(error) });
        if let (Err(error), Some(above)) = (read, &folder.above) {
            above.fail_by(&folder.name, error);
            folder.keeps.store(true, Ordering::Relaxed);
        }
        if self.pool.is_hungry() && names.len() > 0 && files.len() > 0 {
            self.give(&folder, names.give_half(), Names::default());
        }
        if self.pool.is_hungry() && files.len() >= WORTH_SHARING {
            self.give(&folder, Names::default(), files.give_half());
        }
        shared.unlink_all(&folder, &mut files, &mut names);
        Portion { folder, names, files }
    }

    /// A portion is done; with the last one its folder goes, and maybe the one above. What came
    /// meanwhile is the next portion.
    fn done(&mut self, mut folder: Arc<Folder>) -> Option<Portion> {
        loop {
            if folder.left.fetch_sub(1, Ordering::AcqRel) != 1 {
                return None;
            }
            let above = folder.above.clone()?;
            if !self.shared.rmdir(&folder, &above) {
                folder.left.store(1, Ordering::Release);
                return Some(self.empty(folder));
            }
            folder = above;
        }
    }

    /// Half of what is left of the highest folder that has any: that is the most work.
    fn share(&self, portions: &mut [Portion]) {
        if let Some(portion) = portions.iter_mut().find(|portion| portion.names.len() > 1) {
            let names = portion.names.give_half();
            self.give(&portion.folder, names, Names::default());
        }
    }

    /// Of a folder that this thread is not done with.
    fn give(&self, folder: &Arc<Folder>, names: Names, files: Names) {
        folder.left.fetch_add(1, Ordering::AcqRel);
        self.pool.give(Portion { folder: Arc::clone(folder), names, files });
    }
}

#[derive(PartialEq, Eq)]
enum Entry {
    Folder,
    Other,
}

impl Shared<'_> {
    /// All whose names wait, until it is to stop. What is a folder after all is put to the folders.
    fn unlink_all(&self, folder: &Folder, files: &mut Names, folders: &mut Names) {
        let mut name = Vec::new();
        while files.pop(&mut name) {
            if self.unlink(folder, as_c(&name)) == Entry::Folder {
                folders.push(as_c(&name));
            }
            if files.len().is_multiple_of(64) && self.stop.is_asked() {
                return;
            }
        }
    }

    /// Removes an entry that is no folder, or tells that it is one.
    fn unlink(&self, folder: &Folder, name: &CStr) -> Entry {
        let facts = facts_at(&folder.open, name).or_else(|error| {
            if error == Errno::ACCESS && folder.was_opened_up() {
                facts_at(&folder.open, name)
            } else {
                Err(error)
            }
        });
        let facts = match facts {
            Ok(facts) => facts,
            Err(Errno::NOENT) => return Entry::Other,
            Err(error) => {
                folder.fail_by(name, error);
                return Entry::Other;
            }
        };
        if facts.kind == Kind::Folder {
            return Entry::Folder;
        }
        let removed = if facts.links > 1 {
            let _alone = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
            let links = facts_at(&folder.open, name).map_or(facts.links, |facts| facts.links);
            folder.unlink(name).map(|()| if links == 1 { facts.on_disk } else { 0 })
        } else {
            folder.unlink(name).map(|()| facts.on_disk)
        };
        match removed {
            Ok(bytes) => self.count(folder, bytes),
            Err(Errno::NOENT) => {}
            Err(Errno::ISDIR) => return Entry::Folder,
            Err(error) => folder.fail_by(name, error),
        }
        Entry::Other
    }

    /// False: there is something in it again.
    fn rmdir(&self, folder: &Folder, above: &Folder) -> bool {
        let remove = || unlinkat(&above.open, &folder.name, AtFlags::REMOVEDIR);
        let removed = remove().or_else(|error| match error {
            Errno::ACCESS | Errno::PERM if above.was_opened_up() => remove(),
            other => Err(other),
        });
        match removed {
            Ok(()) => self.count(above, folder.facts.on_disk),
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR) => {
                self.unlink(above, &folder.name);
            }
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                // Somebody changed the names: the next pass over the folder above meets them.
                let there = facts_at(&above.open, &folder.name);
                if !there.is_ok_and(|there| there.inode == folder.facts.inode) {
                    return true;
                }
                let is_expected = folder.keeps.load(Ordering::Relaxed) || self.stop.is_asked();
                if !is_expected && folder.passes.fetch_add(1, Ordering::Relaxed) < PASSES {
                    return false;
                }
                if !is_expected {
                    above.fail(&folder.name, Why::Growing);
                }
                above.keeps.store(true, Ordering::Relaxed);
            }
            Err(error) => above.fail_by(&folder.name, error),
        }
        true
    }

    fn count(&self, folder: &Folder, bytes: u64) {
        folder.tally.freed.fetch_add(bytes, Ordering::Relaxed);
        folder.tally.removed.fetch_add(1, Ordering::Relaxed);
        self.progress.add(1, bytes);
    }
}
