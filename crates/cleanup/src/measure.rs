//! The size of folders on disk: many at once, in parallel, each within its file system. It only looks,
//! never follows a link, and keeps few handles open however deep a folder is.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use process::folder::{
    Facts, FolderReader, Kind, facts_at, facts_of, open_above, open_folder, open_folder_by_path,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::names::{Names, as_c};
use crate::pool::Pool;
use crate::stop::{Progress, Stop};

/// Of the folders a thread is in, the lowest ones are kept open; those above are found again from
/// below.
const KEPT_OPEN: usize = 32;

/// Files whose names wait until the folder's folders are known.
const FILES_AT_ONCE: usize = 512;

/// Folders that are begun together.
pub(crate) const AT_ONCE: usize = 32;

/// What lies in a folder, itself included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// On disk, in bytes: what is allocated, without holes, each file once however many names it has.
    pub bytes: u64,
    /// Of those, bytes of files that have a name elsewhere too: removing the folder does not free them.
    pub shared: u64,
    /// All that is no folder, by names.
    pub files: u64,
    pub folders: u64,
    /// When something in it was last read, written or put there, as far as the file system notes it.
    pub used: Option<Timestamp>,
    /// The user id that owns the folder itself.
    pub owner: Option<u32>,
    /// Entries that belong to somebody else.
    pub foreign: u64,
    /// Folders that could not be looked into; what is in them is not counted.
    pub unreadable: u64,
    /// Places where another file system is mounted; they are not looked into.
    pub mounts: u64,
    /// False: it was stopped before the end.
    pub complete: bool,
}

impl Size {
    /// What removing the folder gives back.
    pub fn freed(&self) -> u64 {
        self.bytes.saturating_sub(self.shared)
    }
}

/// Measures one folder, whose path has no link in it. An error: it cannot be opened.
pub fn measure(folder: &Path, stop: &Stop, progress: &Progress) -> Result<Size, Errno> {
    let mut sizes = measure_all(&[folder], stop, progress);
    sizes.pop().unwrap_or(Err(Errno::NOENT))
}

/// Measures many folders at once; the results are in the same order.
pub fn measure_all(
    folders: &[&Path],
    stop: &Stop,
    progress: &Progress,
) -> Vec<Result<Size, Errno>> {
    let mut results = Vec::new();
    for some in folders.chunks(AT_ONCE) {
        let done = results.len();
        let mut open = Vec::new();
        for folder in some {
            let opened = open_folder_by_path(folder);
            results.push(opened.as_ref().map(|_| Size::default()).map_err(|error| *error));
            open.push(opened.ok());
        }
        for (index, size) in measure_opened(open, stop, progress) {
            if let Some(result) = results.get_mut(done + index) {
                *result = Ok(size);
            }
        }
    }
    results
}

/// Of folders that are open, by their place in the list.
pub(crate) fn measure_opened(
    folders: Vec<Option<OwnedFd>>,
    stop: &Stop,
    progress: &Progress,
) -> Vec<(usize, Size)> {
    let here = |(index, folder): (usize, Option<OwnedFd>)| Some(Work::Whole(index, folder?));
    let work: Vec<Work> = folders.into_iter().enumerate().filter_map(here).collect();
    let indices: Vec<usize> = work.iter().map(Work::index).collect();
    let gathered = Pool::run(work, |pool| {
        let mut walk = Walk {
            pool,
            stop,
            progress,
            found: HashMap::new(),
            reader: FolderReader::default(),
            files: Names::default(),
        };
        while let Some(work) = pool.take() {
            walk.work(work);
        }
        walk.found
    });
    let mut sums: HashMap<usize, Found> = HashMap::new();
    for (index, found) in gathered.into_iter().flatten() {
        sums.entry(index).or_default().join(found);
    }
    let complete = !stop.is_asked();
    let size = |index: usize| sums.remove(&index).unwrap_or_default().sum(complete);
    indices.iter().copied().zip(indices.iter().copied().map(size)).collect()
}

/// What one thread found in one of the folders.
#[derive(Default)]
struct Found {
    size: Size,
    used: Option<i64>,
    /// Files with several names: how many there are, how many were seen, and the bytes.
    linked: HashMap<u64, (u64, u64, u64)>,
}

impl Found {
    fn add(&mut self, facts: &Facts) {
        if facts.kind == Kind::Folder {
            self.size.folders += 1;
            self.used = self.used.max(Some(facts.changed));
        } else {
            self.size.files += 1;
            self.used = self.used.max(Some(facts.changed.max(facts.read)));
        }
        if facts.links > 1 && facts.kind != Kind::Folder {
            self.linked.entry(facts.inode).or_insert((facts.links, 0, facts.on_disk)).1 += 1;
        } else {
            self.size.bytes += facts.on_disk;
        }
    }

    fn join(&mut self, other: Self) {
        let (sum, size) = (&mut self.size, other.size);
        sum.bytes += size.bytes;
        sum.files += size.files;
        sum.folders += size.folders;
        sum.foreign += size.foreign;
        sum.unreadable += size.unreadable;
        sum.mounts += size.mounts;
        sum.owner = sum.owner.or(size.owner);
        self.used = self.used.max(other.used);
        for (inode, (links, seen, bytes)) in other.linked {
            self.linked.entry(inode).or_insert((links, 0, bytes)).1 += seen;
        }
    }

    fn sum(mut self, complete: bool) -> Size {
        for (links, seen, bytes) in self.linked.into_values() {
            self.size.bytes += bytes;
            if seen < links {
                self.size.shared += bytes;
            }
        }
        self.size.used = self.used.and_then(|used| Timestamp::from_second(used).ok());
        self.size.complete = complete;
        self.size
    }
}

enum Work {
    Whole(usize, OwnedFd),
    /// Some folders in a folder that is being measured.
    Some(usize, u32, Frame),
}

impl Work {
    fn index(&self) -> usize {
        match self {
            Self::Whole(index, _) | Self::Some(index, _, _) => *index,
        }
    }
}

/// A folder whose folders are being measured.
struct Frame {
    open: Option<Arc<OwnedFd>>,
    device: u64,
    inode: u64,
    names: Names,
}

struct Walk<'a> {
    pool: &'a Pool<Work>,
    stop: &'a Stop,
    progress: &'a Progress,
    found: HashMap<usize, Found>,
    reader: FolderReader,
    /// Of the folder that is looked at.
    files: Names,
}

impl Walk<'_> {
    fn work(&mut self, work: Work) {
        let index = work.index();
        let mut found = self.found.remove(&index).unwrap_or_default();
        let (owner, first) = match work {
            Work::Whole(_, folder) => {
                let Ok(facts) = facts_of(&folder) else { return };
                found.size.owner = Some(facts.owner);
                (facts.owner, self.look(folder, &facts, index, facts.owner, &mut found))
            }
            Work::Some(_, owner, frame) => (owner, frame),
        };
        self.descend(index, owner, first, &mut found);
        self.found.insert(index, found);
    }

    /// Depth first, with a stack of its own: a folder may be deeper than a thread's stack.
    fn descend(&mut self, index: usize, owner: u32, first: Frame, found: &mut Found) {
        let mut frames = vec![first];
        let mut name = Vec::new();
        while let Some(frame) = frames.last_mut() {
            if self.stop.is_asked() {
                return;
            }
            let Some(open) = frame.open.clone() else {
                found.size.unreadable += frame.names.len() as u64;
                frames.pop();
                continue;
            };
            if !frame.names.pop(&mut name) {
                frames.pop();
                if let Some(above) = frames.last_mut()
                    && above.open.is_none()
                {
                    above.open = above.find_again(&open);
                }
                continue;
            }
            let entered = self.enter(&open, as_c(&name), frame.device, index, owner, found);
            if let Some(entered) = entered {
                frames.push(entered);
                if let Some(far) = frames.len().checked_sub(KEPT_OPEN + 1) {
                    frames[far].open = None;
                }
            }
            if self.pool.is_hungry() {
                self.share(index, owner, &mut frames);
            }
        }
    }

    fn enter(
        &mut self,
        above: &OwnedFd,
        name: &CStr,
        device: u64,
        index: usize,
        owner: u32,
        found: &mut Found,
    ) -> Option<Frame> {
        match open_folder(above, name).and_then(|folder| Ok((facts_of(&folder)?, folder))) {
            Ok((facts, _)) if facts.device != device => found.size.mounts += 1,
            Ok((facts, folder)) => return Some(self.look(folder, &facts, index, owner, found)),
            Err(Errno::XDEV) => found.size.mounts += 1,
            Err(Errno::NOENT) => {}
            Err(_) => {
                // The folder itself is seen, or what took its place.
                if let Ok(facts) = facts_at(above, name) {
                    found.add(&facts);
                    found.size.unreadable += u64::from(facts.kind == Kind::Folder);
                }
            }
        }
        None
    }

    /// Counts the folder and all in it that is no folder. Its folders come first: where they are a
    /// chain, another thread is at the next one while this one counts.
    fn look(
        &mut self,
        folder: OwnedFd,
        facts: &Facts,
        index: usize,
        owner: u32,
        found: &mut Found,
    ) -> Frame {
        let mut frame =
            Frame { open: None, device: facts.device, inode: facts.inode, names: Names::default() };
        let (entries_before, bytes_before) = (found.size.files, found.size.bytes);
        found.add(facts);
        found.size.foreign += u64::from(facts.owner != owner);
        let (stop, files) = (self.stop, &mut self.files);
        let read = self.reader.read(&folder, |name, kind| {
            if kind == Kind::Folder {
                frame.names.push(name);
            } else {
                files.push(name);
                if files.len() == FILES_AT_ONCE {
                    count_files(&folder, files, &mut frame.names, owner, found);
                    return !stop.is_asked();
                }
            }
            true
        });
        found.size.unreadable += u64::from(read.is_err());
        let folder = Arc::new(folder);
        frame.open = Some(Arc::clone(&folder));
        if self.pool.is_hungry() && frame.names.len() > 0 && self.files.len() > 0 {
            self.give_half(index, owner, &mut frame);
        }
        count_files(&folder, &mut self.files, &mut frame.names, owner, found);
        let entries = 1 + found.size.files - entries_before;
        self.progress.add(entries, found.size.bytes - bytes_before);
        frame
    }

    /// Half of what is left of the highest folder that has any: that is the most work.
    fn share(&self, index: usize, owner: u32, frames: &mut [Frame]) {
        let shared = frames.iter_mut().find(|frame| frame.open.is_some() && frame.names.len() > 1);
        if let Some(frame) = shared {
            self.give_half(index, owner, frame);
        }
    }

    fn give_half(&self, index: usize, owner: u32, frame: &mut Frame) {
        let names = frame.names.give_half();
        let given = Frame { open: frame.open.clone(), names, ..*frame };
        self.pool.give(Work::Some(index, owner, given));
    }
}

/// All whose names wait. What is a folder after all is put to the folders.
fn count_files(
    folder: &OwnedFd,
    files: &mut Names,
    folders: &mut Names,
    owner: u32,
    found: &mut Found,
) {
    let mut name = Vec::new();
    while files.pop(&mut name) {
        let Ok(facts) = facts_at(folder, as_c(&name)) else { continue };
        if facts.kind == Kind::Folder {
            folders.push(as_c(&name));
        } else {
            found.add(&facts);
            found.size.foreign += u64::from(facts.owner != owner);
        }
    }
}

impl Frame {
    /// From a folder in it; not if that was moved elsewhere meanwhile.
    fn find_again(&self, below: &OwnedFd) -> Option<Arc<OwnedFd>> {
        let above = open_above(below).ok()?;
        let facts = facts_of(&above).ok()?;
        let is_it = (facts.device, facts.inode) == (self.device, self.inode);
        is_it.then(|| Arc::new(above))
    }
}
