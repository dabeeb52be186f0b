//! Kernel file locks: held = the holder lives. They need no clean-up after a kill.
//!
//! A lock belongs to the open file, so it is handed to a child by handing over the descriptor, and
//! is free once the last copy is closed. Whoever only asks takes it shared for a moment, so that
//! two who ask do not mistake each other for a holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::process::Stdio;

use crate::block;

/// The lock of a run, held. Give it to the keeper as its standard output:
/// `command.stdout(Stdio::from(lock))`. The lock is the keeper's alone only after the `Command`
/// is dropped too, since that keeps a copy of the descriptor.
#[derive(Debug)]
pub struct KeeperLock(pub(crate) File);

impl From<KeeperLock> for Stdio {
    fn from(lock: KeeperLock) -> Self {
        lock.0.into()
    }
}

/// The lock of a task, held by its guard.
#[derive(Debug)]
pub struct TaskLock(pub(crate) File);

impl std::os::fd::AsFd for TaskLock {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Takes the lock alone. `None`: somebody holds it.
pub(crate) fn take(path: &Path) -> io::Result<Option<File>> {
    let file = block::make_file(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Somebody who only asks has it shared for a moment.
        match file.try_lock_shared() {
            Ok(()) => file.unlock()?,
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::yield_now();
    }
}

/// Whether somebody holds the lock. A missing lock file is an error: it cannot tell.
pub(crate) fn held(path: &Path) -> io::Result<bool> {
    match OpenOptions::new().read(true).open(path)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Blocks until nobody holds the lock.
pub(crate) fn wait_until_free(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(path)?.lock_shared()
}

/// Whether `file` is the file at `path` and is what holds its lock.
pub(crate) fn is_held_by(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (ours, there) = (file.metadata()?, std::fs::metadata(path)?);
    if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) || !held(path)? {
        return Ok(false);
    }
    // Somebody holds it; locking it again succeeds only for the open file that does.
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
