//! Files whose space is taken before it is needed: filled with spaces, and written in place.
//!
//! One write of one block: a reader, a kill or a power cut finds it blank, whole, or torn, and torn
//! is not readable as JSON. On file systems that write every block anew (btrfs, ZFS, APFS) a full
//! disk can still refuse; nothing is lost then, and the error says so.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Creates the file, or blanks it, with at least `size` bytes of space, durable.
pub(crate) fn reserve(path: &Path, size: usize) -> io::Result<()> {
    fill(path, &[], size)
}

/// Writes `bytes` at the start, and spaces behind them over all that is there or reserved; durable.
pub(crate) fn fill(path: &Path, bytes: &[u8], reserved: usize) -> io::Result<()> {
    put(path, bytes, reserved)?.sync_all()
}

/// As [`fill`], and not durable: every process sees it at once, a power cut may undo it.
pub(crate) fn put(path: &Path, bytes: &[u8], reserved: usize) -> io::Result<File> {
    let file = open(path)?;
    let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let size = reserved.max(there).max(bytes.len() + 1);
    let mut block = Vec::with_capacity(size);
    block.extend_from_slice(bytes);
    block.resize(size - 1, b' ');
    block.push(b'\n');
    file.write_all_at(&block, 0)?;
    Ok(file)
}

/// Makes names that were created, renamed or removed in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A folder of our own (0700), and those above it. Not durable.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates an empty file of ours, 0600, or opens the one that is there.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    open(path)
}
