//! macOS: openat, readdir, flags of files, getfsstat. A mount is seen by its device: there are no
//! bind mounts.

use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chmodat, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::folder::{Facts, facts_at, facts_of, opened_up};

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

pub(crate) const MAKE_MUTABLE: &str = "sudo chflags -R nouchg,noschg,nouappnd,nosappnd";

pub(crate) fn facts(stat: &Stat) -> Facts {
    Facts {
        device: u64::from(stat.st_dev.cast_unsigned()),
        inode: stat.st_ino,
        kind: FileType::from_raw_mode(stat.st_mode).into(),
        mode: u32::from(stat.st_mode) & 0o7777,
        owner: stat.st_uid,
        links: u64::from(stat.st_nlink),
        on_disk: stat.st_blocks.cast_unsigned().saturating_mul(512),
        changed: stat.st_ctime,
        read: stat.st_atime,
    }
}

pub(crate) fn mode(bits: u32) -> Mode {
    // All bits of rights are among the low sixteen.
    Mode::from_bits_truncate(u16::try_from(bits & 0o7777).unwrap_or_default())
}

pub(crate) fn open_folder(folder: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let opened = openat(folder, name, FOLDER | OFlags::RDONLY, Mode::empty())?;
    if facts_of(&opened)?.device != facts_of(folder)?.device {
        return Err(Errno::XDEV);
    }
    Ok(opened)
}

pub(crate) fn open_above(folder: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    openat(folder, c"..", FOLDER | OFlags::RDONLY, Mode::empty())
}

/// open(2): `O_NOFOLLOW_ANY` refuses a link in any part of the path, since macOS 11.
pub(crate) fn open_folder_by_path(path: &Path) -> Result<OwnedFd, Errno> {
    let no_links = OFlags::from_bits_retain(libc::O_NOFOLLOW_ANY.cast_unsigned());
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY | no_links;
    openat(CWD, path, flags, Mode::empty())
}

pub(crate) fn open_up(folder: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    let facts = facts_at(folder, name)?;
    if facts.owner != geteuid().as_raw() {
        return Err(Errno::PERM);
    }
    chmodat(folder, name, opened_up(facts.mode), AtFlags::SYMLINK_NOFOLLOW)
}

pub(crate) fn is_immutable(folder: BorrowedFd<'_>, name: &CStr) -> bool {
    let marks = libc::UF_IMMUTABLE | libc::UF_APPEND | libc::SF_IMMUTABLE | libc::SF_APPEND;
    let about = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    about.is_ok_and(|about| about.st_flags & marks != 0)
}

pub(crate) fn is_mount(folder: BorrowedFd<'_>, name: &CStr) -> bool {
    let device = |facts: Result<Facts, Errno>| facts.map(|facts| facts.device);
    let (here, there) = (device(facts_of(folder)), device(facts_at(folder, name)));
    there.is_ok() && here != there
}

pub(crate) fn read_folder(
    folder: BorrowedFd<'_>,
    _: &mut [MaybeUninit<u8>],
    mut each: impl FnMut(&CStr, FileType) -> bool,
) -> Result<(), Errno> {
    // It opens the folder anew, so it begins at the first entry.
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if !each(entry.file_name(), entry.file_type()) {
            return Ok(());
        }
    }
    Ok(())
}

#[expect(unsafe_code, reason = "the list of mounts has no safe interface")]
pub(crate) fn mount_points() -> io::Result<Vec<PathBuf>> {
    // SAFETY: without room the call only counts.
    let count = unsafe { libc::getfsstat(std::ptr::null_mut(), 0, libc::MNT_NOWAIT) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    // Some may be mounted meanwhile.
    let mut list: Vec<libc::statfs> = Vec::with_capacity(count + 16);
    let size = i32::try_from(list.capacity() * size_of::<libc::statfs>()).unwrap_or(i32::MAX);
    // SAFETY: the list has room for `size` bytes.
    let filled = unsafe { libc::getfsstat(list.as_mut_ptr(), size, libc::MNT_NOWAIT) };
    let filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the system filled that many, and there is room for no more.
    unsafe { list.set_len(filled) };
    let place = |mount: &libc::statfs| {
        let name = mount.f_mntonname.iter().map(|byte| byte.cast_unsigned());
        let name: Vec<u8> = name.take_while(|byte| *byte != 0).collect();
        PathBuf::from(OsStr::from_bytes(&name))
    };
    Ok(list.iter().map(place).collect())
}
