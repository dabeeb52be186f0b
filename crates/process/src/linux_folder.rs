//! Linux: openat2, getdents, statx, /proc/self/mountinfo.

use std::ffi::{CStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Stat, StatxAttributes,
    StatxFlags, chmod, openat, openat2, seek, statx,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::folder::{Facts, facts_of, opened_up};

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Kernels before 5.6, and containers that refuse it.
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

pub(crate) const MAKE_MUTABLE: &str = "sudo chattr -R -i -a";

pub(crate) fn facts(stat: &Stat) -> Facts {
    Facts {
        device: stat.st_dev,
        inode: stat.st_ino,
        kind: FileType::from_raw_mode(stat.st_mode).into(),
        mode: stat.st_mode & 0o7777,
        owner: stat.st_uid,
        links: stat.st_nlink,
        on_disk: stat.st_blocks.cast_unsigned().saturating_mul(512),
        changed: stat.st_ctime,
        read: stat.st_atime,
    }
}

pub(crate) fn mode(bits: u32) -> Mode {
    Mode::from_bits_truncate(bits)
}

pub(crate) fn open_folder(folder: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    open_here(folder, name, FOLDER | OFlags::RDONLY)
}

fn open_here(folder: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    if !NO_OPENAT2.load(Ordering::Relaxed) {
        let bounds = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
        match openat2(folder, name, flags, Mode::empty(), bounds) {
            Err(Errno::NOSYS | Errno::PERM) => NO_OPENAT2.store(true, Ordering::Relaxed),
            done => return done,
        }
    }
    let opened = openat(folder, name, flags, Mode::empty())?;
    if mount_id(opened.as_fd())? != mount_id(folder)? {
        return Err(Errno::XDEV);
    }
    Ok(opened)
}

/// proc(5): `/proc/PID/fdinfo` has `mnt_id` since Linux 3.15.
fn mount_id(open: BorrowedFd<'_>) -> Result<u64, Errno> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", open.as_raw_fd()))
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let id = text.lines().find_map(|line| line.strip_prefix("mnt_id:"));
    id.and_then(|id| id.trim().parse().ok()).ok_or(Errno::NOSYS)
}

pub(crate) fn open_above(folder: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    openat(folder, c"..", FOLDER | OFlags::RDONLY, Mode::empty())
}

pub(crate) fn open_folder_by_path(path: &Path) -> Result<OwnedFd, Errno> {
    if !NO_OPENAT2.load(Ordering::Relaxed) {
        let flags = FOLDER | OFlags::RDONLY;
        match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Err(Errno::NOSYS | Errno::PERM) => NO_OPENAT2.store(true, Ordering::Relaxed),
            done => return done,
        }
    }
    let mut opened = openat(CWD, c"/", FOLDER | OFlags::PATH, Mode::empty())?;
    for part in path.components().skip(1) {
        opened = openat(&opened, part.as_os_str(), FOLDER | OFlags::PATH, Mode::empty())?;
    }
    openat(&opened, c".", FOLDER | OFlags::RDONLY, Mode::empty())
}

/// A folder without rights can be opened as a place only, and a place has its rights changed through
/// /proc alone.
pub(crate) fn open_up(folder: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    let place = open_here(folder, name, FOLDER | OFlags::PATH)?;
    let facts = facts_of(&place)?;
    if facts.owner != geteuid().as_raw() {
        return Err(Errno::PERM);
    }
    chmod(format!("/proc/self/fd/{}", place.as_raw_fd()), opened_up(facts.mode))
}

pub(crate) fn is_immutable(folder: BorrowedFd<'_>, name: &CStr) -> bool {
    let marks = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    let about = statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE);
    about.is_ok_and(|about| about.stx_attributes.intersects(marks))
}

/// statx(2): the attribute is known since Linux 5.8.
pub(crate) fn is_mount(folder: BorrowedFd<'_>, name: &CStr) -> bool {
    let about = statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE);
    about.is_ok_and(|about| {
        !about.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT)
            || about.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
    })
}

pub(crate) fn read_folder(
    folder: BorrowedFd<'_>,
    room: &mut [MaybeUninit<u8>],
    mut each: impl FnMut(&CStr, FileType) -> bool,
) -> Result<(), Errno> {
    seek(folder, SeekFrom::Start(0))?;
    let mut entries = RawDir::new(folder, room);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if !each(entry.file_name(), entry.file_type()) {
            return Ok(());
        }
    }
    Ok(())
}

pub(crate) fn mount_points() -> io::Result<Vec<PathBuf>> {
    Ok(parse(&std::fs::read("/proc/self/mountinfo")?))
}

/// proc(5): the fifth field, in which space, tab, newline and backslash are octal.
fn parse(mountinfo: &[u8]) -> Vec<PathBuf> {
    let lines = mountinfo.split(|byte| *byte == b'\n');
    let places = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    places.map(|place| OsString::from_vec(unescaped(place)).into()).collect()
}

fn unescaped(place: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(place.len());
    let mut rest = place;
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'\\').then(|| after.get(..3)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            plain.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            plain.push(*first);
            rest = after;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mount_points_with_odd_names_are_read_as_they_are() {
        let text =
            b"25 1 8:1 / / rw - ext4 /dev/a rw\n26 25 0:5 / /a\\040b\\134c\\012 rw - tmpfs x rw\n";
        assert_eq!(parse(text), [PathBuf::from("/"), PathBuf::from("/a b\\c\n")]);
        assert!(mount_points().unwrap().contains(&PathBuf::from("/")));
    }

    proptest! {
        /// As the kernel writes them, among any bytes.
        #[test]
        fn mount_points_of_any_name_are_read_as_they_are(
            before in prop::collection::vec(any::<u8>(), 0..200),
            name in prop::collection::vec(any::<u8>().prop_filter("no name has it", |b| *b != 0), 1..40),
        ) {
            let escaped: Vec<u8> = name
                .iter()
                .flat_map(|byte| match byte {
                    b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
                    other => vec![*other],
                })
                .collect();
            let text = [&before[..], b"\n26 25 0:5 / ", &escaped, b" rw - tmpfs x rw"].concat();
            prop_assert_eq!(parse(&text).pop(), Some(PathBuf::from(OsString::from_vec(name))));
        }
    }

    #[test]
    fn without_openat2_a_link_and_a_mount_are_refused_too() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        let root = openat(CWD, c"/", FOLDER | OFlags::RDONLY, Mode::empty()).unwrap();
        for old in [false, true] {
            NO_OPENAT2.store(old, Ordering::Relaxed);
            let opened = open_folder_by_path(&folder.path().canonicalize().unwrap()).unwrap();
            assert!(open_folder(opened.as_fd(), c"in").is_ok());
            let refused = open_folder(opened.as_fd(), c"link").unwrap_err();
            assert!(matches!(refused, Errno::LOOP | Errno::NOTDIR), "{refused}");
            assert_eq!(open_folder(root.as_fd(), c"proc").unwrap_err(), Errno::XDEV);
            let link = folder.path().canonicalize().unwrap().join("link");
            assert!(open_folder_by_path(&link).is_err());
        }
        NO_OPENAT2.store(false, Ordering::Relaxed);
    }
}
