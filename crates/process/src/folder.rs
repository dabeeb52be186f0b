//! A folder through its handle: opened without following a link or crossing a mount, read, and
//! opened up, so that whoever swaps names meanwhile leads nobody out of it.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, StatVfsMountFlags, fchmod, fstat, fstatvfs, statat};
use rustix::io::Errno;

use crate::os_folder as os;

/// Read with one call to the system.
const ROOM: usize = 64 << 10;

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Folder,
    File,
    Link,
    /// A device, a FIFO or a socket.
    Special,
    /// The file system does not say it in its lists.
    Unknown,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::Directory => Self::Folder,
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Link,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice => Self::Special,
            FileType::Unknown => Self::Unknown,
        }
    }
}

/// What the system knows of one file, folder or link itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub device: u64,
    pub inode: u64,
    pub kind: Kind,
    /// The nine bits of rights, and set-user-id, set-group-id and sticky.
    pub mode: u32,
    pub owner: u32,
    /// How many names it has.
    pub links: u64,
    /// Bytes of disk it takes, holes not counted.
    pub on_disk: u64,
    /// In seconds since 1970; nobody can set it.
    pub changed: i64,
    /// In seconds since 1970; many systems note it once a day at most.
    pub read: i64,
}

/// Of the entry `name`, a link itself and not what it names.
pub fn facts_at(folder: impl AsFd, name: &CStr) -> Result<Facts, Errno> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| os::facts(&stat))
}

/// Of what is open.
pub fn facts_of(open: impl AsFd) -> Result<Facts, Errno> {
    fstat(open).map(|stat| os::facts(&stat))
}

/// Opens the folder `name` in `folder` for reading. `LOOP` or `NOTDIR`: it is no folder but a link or
/// a file. `XDEV`: something is mounted there, be it another part of the same file system.
pub fn open_folder(folder: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    os::open_folder(folder.as_fd(), name)
}

/// Opens the folder above an open one, whatever is mounted where: compare its facts.
pub fn open_above(folder: impl AsFd) -> Result<OwnedFd, Errno> {
    os::open_above(folder.as_fd())
}

/// Opens an absolute path, none of whose parts may be a link.
pub fn open_folder_by_path(path: &Path) -> Result<OwnedFd, Errno> {
    os::open_folder_by_path(path)
}

/// Gives the owner all rights on the folder `name`, if this user owns it and it is none of a mount.
/// A link that takes its place is not followed.
pub fn open_up(folder: impl AsFd, name: &CStr) -> Result<(), Errno> {
    os::open_up(folder.as_fd(), name)
}

/// The same for a folder that is open.
pub fn open_up_opened(folder: impl AsFd) -> Result<(), Errno> {
    let facts = facts_of(&folder)?;
    fchmod(folder, opened_up(facts.mode))
}

pub(crate) fn opened_up(mode: u32) -> Mode {
    os::mode(mode) | Mode::RWXU
}

/// Whether a mark of the file system forbids to remove the entry, whoever asks.
pub fn is_immutable(folder: impl AsFd, name: &CStr) -> bool {
    os::is_immutable(folder.as_fd(), name)
}

/// Whether something is mounted on the entry; also where the system does not say.
pub fn is_mount(folder: impl AsFd, name: &CStr) -> bool {
    os::is_mount(folder.as_fd(), name)
}

/// The nine bits of rights, for a folder that is made like another.
pub fn rights(facts: &Facts) -> Mode {
    os::mode(facts.mode & 0o777)
}

/// What the owner of such an entry types before it can be removed.
pub const MAKE_MUTABLE: &str = os::MAKE_MUTABLE;

/// Where file systems are mounted.
pub fn mount_points() -> io::Result<Vec<PathBuf>> {
    os::mount_points()
}

/// Room on the file system of an open folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeRoom {
    /// Tells file systems apart that had one device number one after the other.
    pub id: u64,
    /// In bytes.
    pub total: u64,
    /// In bytes, for whoever is not root.
    pub free: u64,
    pub read_only: bool,
}

/// By `fstatvfs`.
pub fn room_of(folder: impl AsFd) -> Result<VolumeRoom, Errno> {
    let about = fstatvfs(folder)?;
    Ok(VolumeRoom {
        id: about.f_fsid,
        total: about.f_blocks.saturating_mul(about.f_frsize),
        free: about.f_bavail.saturating_mul(about.f_frsize),
        read_only: about.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

/// Reads folders, one after another, with the same memory.
#[derive(Debug)]
pub struct FolderReader(Vec<u8>);

impl Default for FolderReader {
    fn default() -> Self {
        Self(Vec::with_capacity(ROOM))
    }
}

impl FolderReader {
    /// Tells every entry but `.` and `..`, from the first on, until `each` says false.
    pub fn read(
        &mut self,
        folder: impl AsFd,
        mut each: impl FnMut(&CStr, Kind) -> bool,
    ) -> Result<(), Errno> {
        os::read_folder(folder.as_fd(), self.room(), |name, kind| {
            let is_itself = matches!(name.to_bytes(), b"." | b"..");
            is_itself || each(name, kind.into())
        })
    }

    fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        self.0.clear();
        self.0.spare_capacity_mut()
    }
}
