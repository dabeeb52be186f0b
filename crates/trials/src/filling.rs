//! Taking all that a disk has, and giving it back: its space, or its inodes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::{DEADLINE, until};

/// A disk of a trial's own.
pub trait Fills {
    /// Where it is mounted.
    fn at(&self) -> &Path;

    /// Takes all space that is left. The file that is made once stays and grows.
    fn fill(&self) {
        let filler = File::options().create(true).append(true).open(self.at().join("filler"));
        let mut filler = filler.expect("a file on a disk of ours");
        let part = vec![b'x'; 1 << 20];
        // What others give back meanwhile is taken, too.
        until(DEADLINE, "the disk is full", || {
            for size in [1 << 20, 4096, 1] {
                while filler.write_all(&part[..size]).is_ok() {}
            }
            self.is_full()
        });
    }

    fn is_full(&self) -> bool {
        let probe = self.at().join("probe");
        let full = File::create(&probe).is_ok_and(|mut file| file.write_all(b"x").is_err());
        let _ = fs::remove_file(probe);
        full
    }

    fn free(&self) {
        fs::remove_file(self.at().join("filler")).expect("a file of ours");
    }

    /// Takes all inodes that are left.
    fn use_up_inodes(&self) {
        let folder = self.at().join("inodes");
        let _ = fs::create_dir(&folder);
        let last = fs::read_dir(&folder).map_or(0, Iterator::count);
        let mut names = (last..).map(|number| folder.join(number.to_string()));
        until(DEADLINE, "no inode is left", || {
            while names.next().is_some_and(|name| File::create(name).is_ok()) {}
            !self.has_inodes()
        });
    }

    fn has_inodes(&self) -> bool {
        let probe = self.at().join("probe");
        let has = File::create(&probe).is_ok();
        let _ = fs::remove_file(probe);
        has
    }

    fn free_inodes(&self) {
        fs::remove_dir_all(self.at().join("inodes")).expect("files of ours");
    }
}
