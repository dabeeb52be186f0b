//! What is measured and removed: trees of the bench's own making, and copies of real ones.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FallocateFlags, fallocate, sync};

/// In bytes: what a source file has.
const SMALL: usize = 1000;
const LARGE: u64 = 1_000_000_000;
const LARGE_FILES: usize = 20;
const FILES_IN_A_FOLDER: usize = 40;
const FOLDERS_IN_A_FOLDER: usize = 100;
const LEVELS: usize = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// So many folders of 40 small files each.
    Small {
        folders: usize,
    },
    Sparse,
    Full,
    Deep,
    NodeModules,
    CargoTarget,
}

impl Tree {
    pub(crate) fn all(quick: bool) -> [Self; 6] {
        let folders = if quick { 250 } else { 5000 };
        let small = Self::Small { folders };
        [small, Self::NodeModules, Self::CargoTarget, Self::Deep, Self::Sparse, Self::Full]
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Small { folders } => {
                format!("{} small files in {folders} folders", folders * FILES_IN_A_FOLDER)
            }
            Self::Sparse => format!("{LARGE_FILES} sparse files of 1 GB"),
            Self::Full => format!("{LARGE_FILES} full files of 1 GB"),
            Self::Deep => format!("{LEVELS} levels, {FILES_IN_A_FOLDER} files each"),
            Self::NodeModules => "a node_modules".to_owned(),
            Self::CargoTarget => "a cargo target".to_owned(),
        }
    }

    /// Makes it; all of it is on the disk then.
    pub(crate) fn make(self, path: &Path) -> Result<()> {
        match self {
            Self::Small { folders } => small(path, folders)?,
            Self::Sparse => large(path, |file| Ok(file.set_len(LARGE)?))?,
            Self::Full => {
                large(path, |file| Ok(fallocate(file, FallocateFlags::empty(), 0, LARGE)?))?;
            }
            Self::Deep => deep(path)?,
            Self::NodeModules => copy(&project("ui/node_modules")?, path)?,
            Self::CargoTarget => {
                let mut room = Room { files: 20_000, bytes: 2_000_000_000 };
                copy_some(&cargo_target()?, path, &mut room)?;
            }
        }
        sync();
        Ok(())
    }
}

fn small(path: &Path, folders: usize) -> Result<()> {
    let text = [b'x'; SMALL];
    for number in 0..folders {
        let (above, own) = (number / FOLDERS_IN_A_FOLDER, number % FOLDERS_IN_A_FOLDER);
        let folder = path.join(format!("package-{above}/module-{own}"));
        fs::create_dir_all(&folder)?;
        for file in 0..FILES_IN_A_FOLDER {
            File::create(folder.join(format!("source-{file}.rs")))?.write_all(&text)?;
        }
    }
    Ok(())
}

fn large(path: &Path, write: impl Fn(&File) -> Result<()>) -> Result<()> {
    fs::create_dir(path)?;
    (0..LARGE_FILES).try_for_each(|number| {
        let file = File::create(path.join(format!("image-{number}")))?;
        write(&file).context("a file of 1 GB")
    })
}

fn deep(path: &Path) -> Result<()> {
    let mut folder = path.to_owned();
    for _ in 0..LEVELS {
        fs::create_dir(&folder)?;
        for file in 0..FILES_IN_A_FOLDER {
            File::create(folder.join(file.to_string()))?.write_all(b"x")?;
        }
        folder.push("d");
    }
    Ok(())
}

fn copy(real: &Path, path: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").arg(real).arg(path).status()?;
    ensure!(status.success(), "{} was not copied: {status}", real.display());
    Ok(())
}

/// So much may still be copied.
struct Room {
    files: usize,
    bytes: u64,
}

/// The same tree without what there is no room for: after many builds a target is larger than any disk is
/// free. What a build removes meanwhile is not missed.
fn copy_some(real: &Path, path: &Path, room: &mut Room) -> Result<()> {
    fs::create_dir(path)?;
    let mut entries: Vec<_> = fs::read_dir(real).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(about) = entry.metadata() else { continue };
        let to = path.join(entry.file_name());
        if about.is_dir() {
            copy_some(&entry.path(), &to, room)?;
        } else if about.is_file() && room.files > 0 && about.len() <= room.bytes {
            match fs::copy(entry.path(), &to) {
                Ok(bytes) => {
                    room.files -= 1;
                    room.bytes = room.bytes.saturating_sub(bytes);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).context(to.display().to_string()),
            }
        }
    }
    Ok(())
}

/// Of this project.
fn project(path: &str) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::canonicalize(&path)
        .with_context(|| format!("{} is missing; ./dev test makes it", path.display()))
}

/// What cargo has built of this project for its tests.
fn cargo_target() -> Result<PathBuf> {
    let release = trials::program("bench");
    let target = release.ancestors().nth(2).context("the bench lies in a cargo target")?;
    let debug = target.join("debug");
    ensure!(debug.is_dir(), "{} is missing; ./dev test makes it", debug.display());
    Ok(debug)
}

/// A folder for trees on the disk that the project is on; gone with this value.
pub(crate) struct Yard(tempfile::TempDir);

impl Yard {
    pub(crate) fn new() -> Result<Self> {
        let release = trials::program("bench");
        let target = release.ancestors().nth(2).unwrap_or(Path::new("/nowhere"));
        Ok(Self(tempfile::Builder::new().prefix("bench-disk-").tempdir_in(target)?))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.0.path().join(TREE)
    }

    /// The file system's kind, and how it is mounted.
    pub(crate) fn file_system(&self) -> String {
        let mut told = Command::new("findmnt");
        told.args([OsStr::new("-nro"), "FSTYPE,OPTIONS".as_ref(), "--target".as_ref()]);
        let output = told.arg(self.path()).output();
        let text = output.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

/// What every tree is called.
pub(crate) const TREE: &str = "tree";
