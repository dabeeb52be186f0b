//! How much room a volume has, and what it forbids.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::{os, os_machine};

/// The volume on which a path lies, or will lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Tells volumes apart.
    pub device: u64,
    /// In bytes.
    pub total: u64,
    /// In bytes, for whoever is not root.
    pub free: u64,
    /// All inodes and the free ones; absent where the file system has no fixed number of them.
    pub inodes: Option<(u64, u64)>,
    pub read_only: bool,
    /// No program may be started from it.
    pub no_exec: bool,
    /// The kind of network file system it is; absent = on this machine.
    pub network: Option<String>,
}

impl Room {
    /// Of `path`, or of the nearest folder above it that exists.
    pub fn of(path: &Path) -> io::Result<Self> {
        let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(path);
        let about = statvfs(there)?;
        Ok(Self {
            device: std::fs::metadata(there)?.dev(),
            total: about.f_blocks.saturating_mul(about.f_frsize),
            free: about.f_bavail.saturating_mul(about.f_frsize),
            inodes: (about.f_files > 0).then_some((about.f_files, about.f_favail)),
            read_only: about.f_flag.contains(StatVfsMountFlags::RDONLY),
            no_exec: os_machine::no_exec(there)?,
            network: os::network_file_system(there)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_exist_yet_has_the_room_of_the_folder_it_will_lie_in() {
        let home = tempfile::tempdir().unwrap();
        let there = Room::of(home.path()).unwrap();
        let to_be = Room::of(&home.path().join("not/yet")).unwrap();
        assert_eq!(there.device, to_be.device);
        assert!(there.total >= there.free && there.total > 0 && !there.read_only);
    }
}
