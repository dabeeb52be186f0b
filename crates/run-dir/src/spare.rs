//! Replacing a whole file so that a reader, a kill or a power cut finds the old one or the new.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::block::{self, sync_folder};
use crate::record::named;

/// Replaces the file at `path` (0600) by one with these bytes, durable.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    let written = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, path)?;
        sync_folder(folder_of(path))
    };
    written().map_err(|error| {
        // Best effort: the next write truncates it anyway.
        let _ = fs::remove_file(&new);
        named(path, &error)
    })
}

/// A second file of the same size beside a state file, so that the state can be replaced on a full
/// disk: the spare is written in place and the two change names. Contents are padded with spaces,
/// as JSON allows.
#[derive(Clone, Debug)]
pub struct Spare {
    path: PathBuf,
    beside: PathBuf,
    size: usize,
}

impl Spare {
    /// Takes the space beside `path` for contents of up to `size` bytes.
    pub fn reserve(path: &Path, size: usize) -> io::Result<Self> {
        let beside = beside(path, ".spare");
        block::reserve(&beside, size).map_err(|error| named(&beside, &error))?;
        sync_folder(folder_of(path))?;
        Ok(Self { path: path.to_owned(), beside, size })
    }

    /// Replaces the state file, durable.
    pub fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        block::fill(&self.beside, bytes, self.size).map_err(|error| named(&self.beside, &error))?;
        let exchanged = renameat_with(CWD, &self.beside, CWD, &self.path, RenameFlags::EXCHANGE);
        match exchanged {
            Ok(()) => {}
            // The first write has nothing to change names with, and some file systems cannot.
            Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::rename(&self.beside, &self.path).map_err(|error| named(&self.path, &error))?;
                // Without room for a new spare the state is saved all the same.
                let _ = block::reserve(&self.beside, self.size);
            }
            Err(error) => return Err(named(&self.path, &error.into())),
        }
        sync_folder(folder_of(&self.path))
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}
