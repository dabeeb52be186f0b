//! An empty working directory for a task: the old one is kept beside it, under the task's name. At no
//! moment is there no working directory, and no work is lost, whenever it is killed.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use process::folder::{FolderReader, Kind, facts_at, open_folder, open_folder_by_path};
use rustix::fs::{
    Gid, Mode, RenameFlags, Stat, Uid, fchmod, fchown, fstat, mkdirat, renameat, renameat_with,
};
use rustix::io::Errno;

use crate::trash::c_part;

/// Made before the old one goes, where a file system cannot swap; nobody else's entry has a dot first.
const NEXT: &std::ffi::CStr = c".next";
/// Names that may be taken by what was kept before.
const NAMES: u32 = 1000;

/// What became of a working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshened {
    /// There was nothing in it, or there was none.
    Nothing,
    /// It is empty; what was in it is kept there.
    Kept(PathBuf),
}

/// Why a working directory stays as it is; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FreshError {
    #[error("{path} cannot be read: {why}. Look at its rights: ls -ld -- {path}")]
    Unreachable { path: PathBuf, why: io::Error },
    #[error(
        "{path} is a link, so a fresh one cannot take its place. Name the folder that it leads to as the \
         working directory"
    )]
    Link { path: PathBuf },
    #[error("{path} is no folder. Move it away: mv -- {path} {path}.old")]
    NoFolder { path: PathBuf },
    #[error(
        "{path} is a mount point, so a fresh one cannot take its place. Name a folder inside it as the \
         working directory"
    )]
    Mount { path: PathBuf },
    #[error("{kept} must lie beside {work}, since it is moved there by its name")]
    Apart { work: PathBuf, kept: PathBuf },
    #[error(
        "{above} may not be written to by this user. Give it the right: sudo chown {uid} -- {above}"
    )]
    AboveNotWritable { above: PathBuf, uid: u32 },
    #[error(
        "{path} belongs to user {owner}, who alone can give it on. Give it to this user: sudo chown {uid} -- {path}"
    )]
    NotYours { path: PathBuf, owner: u32, uid: u32 },
    #[error("{path} cannot be kept as {to}: {why}")]
    Failed { path: PathBuf, to: PathBuf, why: io::Error },
}

/// Empties the working directory `work` for a task: what is in it is kept as `kept/<task>`, and an
/// empty folder with the same rights and owner takes its place. Whoever calls holds the task's lock.
pub fn fresh(work: &Path, kept: &Path, task: &str) -> Result<Freshened, FreshError> {
    let Some(swap) = Swap::of(work, kept)? else { return Ok(Freshened::Nothing) };
    let name = swap.make_kept(task)?;
    match renameat_with(&swap.above, &swap.name, &swap.kept, &name, RenameFlags::EXCHANGE) {
        Ok(()) => {}
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => swap.in_two_steps(&name)?,
        Err(error) => return Err(swap.failed(&name, error)),
    }
    Ok(Freshened::Kept(swap.path_of(&name)))
}

/// A working directory with something in it, open, and the folder beside it.
struct Swap<'a> {
    work: &'a Path,
    kept_path: &'a Path,
    above: OwnedFd,
    name: CString,
    about: Stat,
    kept: OwnedFd,
}

impl<'a> Swap<'a> {
    /// None: there is nothing to keep.
    fn of(work: &'a Path, kept_path: &'a Path) -> Result<Option<Self>, FreshError> {
        let unreachable = |path: &Path, why: Errno| FreshError::Unreachable {
            path: path.to_owned(),
            why: why.into(),
        };
        let (above_path, name) = parted(work)
            .filter(|(above, _)| kept_path.parent() == Some(above))
            .ok_or_else(|| FreshError::Apart { work: work.into(), kept: kept_path.into() })?;
        let (_, kept_name) = parted(kept_path)
            .ok_or_else(|| FreshError::Apart { work: work.into(), kept: kept_path.into() })?;
        let Ok(above_path) = fs::canonicalize(above_path) else { return Ok(None) };
        let above =
            open_folder_by_path(&above_path).map_err(|why| unreachable(&above_path, why))?;
        let facts = match facts_at(&above, &name) {
            Ok(facts) => facts,
            Err(Errno::NOENT) => {
                was_killed_between(&above, &kept_name, &name);
                return Ok(None);
            }
            Err(why) => return Err(unreachable(work, why)),
        };
        match facts.kind {
            Kind::Folder => {}
            Kind::Link => return Err(FreshError::Link { path: work.into() }),
            Kind::File | Kind::Special | Kind::Unknown => {
                return Err(FreshError::NoFolder { path: work.into() });
            }
        }
        let open = match open_folder(&above, &name) {
            Ok(open) => open,
            Err(Errno::XDEV) => return Err(FreshError::Mount { path: work.into() }),
            Err(why) => return Err(unreachable(work, why)),
        };
        if is_empty(&open).map_err(|why| unreachable(work, why))? {
            return Ok(None);
        }
        let about = fstat(&open).map_err(|why| unreachable(work, why))?;
        let own = rustix::process::geteuid();
        if about.st_uid != own.as_raw() && !own.is_root() {
            let (owner, uid) = (about.st_uid, own.as_raw());
            return Err(FreshError::NotYours { path: work.into(), owner, uid });
        }
        let kept = match mkdirat(&above, &kept_name, Mode::from_raw_mode(about.st_mode)) {
            Ok(()) => {
                let kept = open_folder(&above, &kept_name);
                kept.and_then(|kept| as_before(&kept, &about).map(|()| kept))
            }
            Err(Errno::EXIST) => open_folder(&above, &kept_name),
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
                return Err(FreshError::AboveNotWritable { above: above_path, uid: own.as_raw() });
            }
            Err(error) => Err(error),
        };
        let kept = kept.map_err(|why| match why {
            Errno::LOOP | Errno::NOTDIR => FreshError::NoFolder { path: kept_path.into() },
            Errno::XDEV => FreshError::Mount { path: kept_path.into() },
            why => unreachable(kept_path, why),
        })?;
        Ok(Some(Self { work, kept_path, above, name, about, kept }))
    }

    /// An empty folder of that name, or the next one that is free.
    fn make_kept(&self, task: &str) -> Result<CString, FreshError> {
        let task = task.replace(['/', '\0'], "-");
        for number in 0..NAMES {
            let name = if number == 0 { task.clone() } else { format!("{task}.{number}") };
            let name = c_part(OsStr::new(&name));
            match self.make(&name) {
                Ok(()) => return Ok(name),
                Err(Errno::EXIST) => {}
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
                    let (above, uid) = (self.kept_path.into(), rustix::process::geteuid().as_raw());
                    return Err(FreshError::AboveNotWritable { above, uid });
                }
                Err(error) => return Err(self.failed(&name, error)),
            }
        }
        Err(self.failed(&c_part(OsStr::new(&task)), Errno::EXIST))
    }

    /// In `kept`, empty, with the rights and the owner of the working directory.
    fn make(&self, name: &CString) -> Result<(), Errno> {
        mkdirat(&self.kept, name, Mode::RWXU)?;
        as_before(&open_folder(&self.kept, name)?, &self.about)
    }

    /// Where a file system cannot swap: killed between the two renames, the next call does the second.
    fn in_two_steps(&self, name: &CString) -> Result<(), FreshError> {
        let next = CString::from(NEXT);
        match self.make(&next) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(self.failed(name, error)),
        }
        // An empty folder gives its name to the one that is moved there.
        renameat(&self.above, &self.name, &self.kept, name)
            .map_err(|error| self.failed(name, error))?;
        renameat(&self.kept, &next, &self.above, &self.name).map_err(|error| {
            // Back: a task needs a working directory more than an empty one.
            let _ = renameat(&self.kept, name, &self.above, &self.name);
            self.failed(name, error)
        })
    }

    /// Takes away what was made for it.
    fn failed(&self, name: &CString, error: Errno) -> FreshError {
        let _ = rustix::fs::unlinkat(&self.kept, name, rustix::fs::AtFlags::REMOVEDIR);
        FreshError::Failed { path: self.work.into(), to: self.path_of(name), why: error.into() }
    }

    fn path_of(&self, name: &CString) -> PathBuf {
        self.kept_path.join(Path::new(name.to_str().unwrap_or_default()))
    }
}

fn parted(path: &Path) -> Option<(&Path, CString)> {
    Some((path.parent()?, c_part(path.file_name()?)))
}

/// The working directory is gone and the next one lies ready: it takes its place.
fn was_killed_between(above: &OwnedFd, kept: &CString, name: &CString) {
    if let Ok(kept) = open_folder(above, kept) {
        let _ = renameat_with(&kept, NEXT, above, name, RenameFlags::NOREPLACE);
    }
}

fn as_before(folder: &OwnedFd, about: &Stat) -> Result<(), Errno> {
    let (there, owner) = (fstat(folder)?, Uid::from_raw(about.st_uid));
    if (there.st_uid, there.st_gid) != (about.st_uid, about.st_gid) {
        fchown(folder, Some(owner), Some(Gid::from_raw(about.st_gid)))?;
    }
    fchmod(folder, Mode::from_raw_mode(about.st_mode))
}

fn is_empty(folder: &OwnedFd) -> Result<bool, Errno> {
    let mut empty = true;
    FolderReader::default().read(folder, |_, _| {
        empty = false;
        false
    })?;
    Ok(empty)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (work, kept) = (base.join("work"), base.join("work.kept"));
        fs::create_dir_all(work.join("project")).unwrap();
        fs::set_permissions(&work, fs::Permissions::from_mode(0o750)).unwrap();
        (folder, work, kept)
    }

    fn is_fresh(work: &Path) -> bool {
        let mode = fs::metadata(work).unwrap().permissions().mode() & 0o7777;
        mode == 0o750 && fs::read_dir(work).unwrap().next().is_none()
    }

    #[test]
    fn where_a_file_system_cannot_swap_two_steps_do_the_same() {
        let (_folder, work, kept) = place();
        let swap = Swap::of(&work, &kept).unwrap().unwrap();
        let name = swap.make_kept("a").unwrap();
        swap.in_two_steps(&name).unwrap();
        assert!(is_fresh(&work) && kept.join("a/project").exists());
        assert!(!kept.join(".next").exists());
    }

    #[test]
    fn killed_between_the_two_steps_the_next_call_does_the_second() {
        let (_folder, work, kept) = place();
        let swap = Swap::of(&work, &kept).unwrap().unwrap();
        swap.make(&CString::from(NEXT)).unwrap();
        fs::rename(&work, kept.join("a")).unwrap();
        assert_eq!(fresh(&work, &kept, "b").unwrap(), Freshened::Nothing);
        assert!(is_fresh(&work) && kept.join("a/project").exists());
    }

    #[test]
    fn what_cannot_be_kept_stays_and_says_so() {
        let (_folder, work, kept) = place();
        let swap = Swap::of(&work, &kept).unwrap().unwrap();
        let name = swap.make_kept("a").unwrap();
        fs::create_dir(kept.join("a/taken")).unwrap();
        let error = swap.in_two_steps(&name).unwrap_err();
        assert!(matches!(error, FreshError::Failed { .. }), "{error}");
        assert!(error.to_string().contains("cannot be kept as"), "{error}");
        assert!(work.join("project").exists() && kept.join("a/taken").exists());
    }
}
