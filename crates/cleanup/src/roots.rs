//! The folders below which something may be removed: given by the owner or a preset, never found.
//! What is too much to be given is refused: /, a home, a mount point, and whatever is above either.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use process::folder::{Facts, VolumeRoom, facts_of, mount_points, open_folder_by_path, room_of};
use rustix::io::Errno;

use crate::place::Place;
use crate::plan::PlannedRoot;
use crate::why::{Failure, Why};

/// Folders whose folders are homes.
const OF_HOMES: [&str; 2] = ["/home", "/Users"];
/// Homes wherever the list of users is.
const HOMES: [&str; 2] = ["/root", "/var/root"];

/// A folder that was given and is not too much; open, so that it stays the same one whatever its
/// path comes to mean.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    pub(crate) open: OwnedFd,
    pub(crate) facts: Facts,
    pub(crate) room: VolumeRoom,
    trash: Option<PathBuf>,
}

/// Why a folder cannot be a root.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    #[error("{path} is not an absolute path. Give the whole path, from / on")]
    NotAbsolute { path: PathBuf },
    #[error("{path} cannot be opened: {why}")]
    Unreachable { path: PathBuf, why: Errno },
    #[error(
        "{path} is the top of the whole file system. Name the folder itself that may be cleaned"
    )]
    Top { path: PathBuf },
    #[error("{path} is or contains {home}, a home. Name a folder inside it")]
    Home { path: PathBuf, home: PathBuf },
    #[error(
        "{path} is or contains {mount}, where a file system is mounted. Name a folder inside it, or unmount it"
    )]
    Mount { path: PathBuf, mount: PathBuf },
    #[error("where file systems are mounted cannot be read, so {path} is not cleaned: {why}")]
    Unknown { path: PathBuf, why: std::io::Error },
}

impl RootError {
    /// What stays at `path` for it.
    pub(crate) fn failure(&self, path: Place) -> Failure {
        match self {
            Self::Mount { mount, .. } => {
                let way_out = Why::Mounted.way_out(&Place::from(mount));
                Failure { path, why: Why::Mounted, way_out }
            }
            Self::NotAbsolute { .. }
            | Self::Unreachable { .. }
            | Self::Top { .. }
            | Self::Home { .. }
            | Self::Unknown { .. } => Failure::new(path, Why::Other(self.to_string())),
        }
    }
}

impl Root {
    /// Takes the folder at `path`, made canonical.
    pub fn given(path: &Path) -> Result<Self, RootError> {
        if !path.is_absolute() {
            return Err(RootError::NotAbsolute { path: path.to_owned() });
        }
        let unreachable = |why| RootError::Unreachable { path: path.to_owned(), why };
        let canonical = fs::canonicalize(path)
            .map_err(|error| unreachable(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        refuse_too_much(&canonical)?;
        Self::open(canonical).map_err(unreachable)
    }

    /// As [`Root::given`]; but a folder that everybody shares may be a mount point, as those for temporary
    /// files often are. In one that [`Root::is_shared`] only entries of this user's are to be named.
    pub fn shared(path: &Path) -> Result<Self, RootError> {
        let refused = match Self::given(path) {
            Err(refused @ RootError::Mount { .. }) => refused,
            other => return other,
        };
        let opened = fs::canonicalize(path).ok().and_then(|path| Self::open(path).ok());
        opened.filter(Self::is_shared).ok_or(refused)
    }

    /// As [`Root::given`]; but file systems that are mounted further down do not keep it from being one, and
    /// are told. For a folder of ours: whoever plans leaves out what holds one, since a rename would move it.
    pub fn above_mounts(path: &Path) -> Result<(Self, Vec<PathBuf>), RootError> {
        let refused = match Self::given(path) {
            Ok(root) => return Ok((root, Vec::new())),
            Err(refused @ RootError::Mount { .. }) => refused,
            Err(other) => return Err(other),
        };
        let Ok(path) = fs::canonicalize(path) else { return Err(refused) };
        let mut mounts = mount_points().unwrap_or_else(|_| vec![path.clone()]);
        mounts.retain(|mount| mount.starts_with(&path));
        if mounts.contains(&path) {
            return Err(refused);
        }
        match Self::open(path) {
            Ok(root) => Ok((root, mounts)),
            Err(_) => Err(refused),
        }
    }

    /// For what lies in its trash alone: no deletion crosses a mount, and no rename back moves one.
    pub(crate) fn of_trash(path: &Path) -> Result<Self, RootError> {
        Self::shared(path).or_else(|_| Ok(Self::above_mounts(path)?.0))
    }

    /// Everybody may write to it, and remove what is their own alone (mode 1777).
    pub fn is_shared(&self) -> bool {
        self.facts.mode & 0o1777 == 0o1777
    }

    /// Again, by a path that was canonical before: no part of it may be a link now.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Errno> {
        let open = open_folder_by_path(&path)?;
        let (facts, room) = (facts_of(&open)?, room_of(&open)?);
        Ok(Self { path, open, facts, room, trash: None })
    }

    /// What goes from here goes to the trash of `folder`, which lies beside it and is made when it is
    /// needed: for a folder in which somebody must find nothing of ours.
    #[must_use]
    pub fn with_trash_in(self, folder: PathBuf) -> Self {
        Self { trash: Some(folder), ..self }
    }

    pub(crate) fn trash(&self) -> Option<&Path> {
        self.trash.as_deref()
    }

    /// The one that a plan was made for; words why it is not, or is too much.
    pub(crate) fn again(planned: &PlannedRoot) -> Result<Self, String> {
        let path = planned.path.to_path_buf();
        if !path.is_absolute() || path.parent().is_none() {
            return Err(format!("{} cannot be a root", planned.path));
        }
        if let Some(home) = homes().into_iter().find(|home| home.starts_with(&path)) {
            return Err(RootError::Home { path, home }.to_string());
        }
        if planned.trash.as_ref().is_some_and(|trash| !is_beside(trash, &path)) {
            return Err(format!("{} has a trash that is not beside it", planned.path));
        }
        let mut root = Self::open(path).map_err(|why| format!("{}: {why}", planned.path))?;
        root.trash = planned.trash.as_ref().map(|trash| trash.to_path_buf());
        if !planned.is(&root) {
            return Err(format!("{} is not the folder that the plan was made for", planned.path));
        }
        Ok(root)
    }

    /// Canonical when it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As a plan notes it.
    pub fn planned(&self) -> PlannedRoot {
        PlannedRoot::of(self)
    }

    /// Free bytes on its volume, now.
    pub fn free(&self) -> Option<u64> {
        room_of(&self.open).ok().map(|room| room.free)
    }
}

/// Two folders of one folder.
pub(crate) fn is_beside(one: &Path, other: &Path) -> bool {
    one != other && one.file_name().is_some() && one.parent() == other.parent()
}

fn refuse_too_much(path: &Path) -> Result<(), RootError> {
    let own = || path.to_owned();
    if path.parent().is_none() {
        return Err(RootError::Top { path: own() });
    }
    if let Some(home) = homes().into_iter().find(|home| home.starts_with(path)) {
        return Err(RootError::Home { path: own(), home });
    }
    let mounts = mount_points().map_err(|why| RootError::Unknown { path: own(), why })?;
    if let Some(mount) = mounts.into_iter().find(|mount| mount.starts_with(path)) {
        return Err(RootError::Mount { path: own(), mount });
    }
    Ok(())
}

/// Of everybody the system lists here, and of whoever runs this; canonical where they exist.
fn homes() -> BTreeSet<PathBuf> {
    let listed = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let listed = listed.lines().filter_map(|line| line.split(':').nth(5)).map(PathBuf::from);
    let inside = OF_HOMES.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let inside = inside.filter_map(|entry| Some(entry.ok()?.path()));
    let own = std::env::var_os("HOME").map(PathBuf::from);
    let fixed = HOMES.iter().chain(&OF_HOMES).map(PathBuf::from);
    let all = listed.chain(inside).chain(own).chain(fixed);
    all.filter(|home| home.is_absolute())
        .flat_map(|home| [fs::canonicalize(&home).unwrap_or_default(), home])
        .filter(|home| home.parent().is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_refused_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        for path in ["/", "//", "/.", "/usr/..", link.to_str().unwrap()] {
            let refused = Root::given(Path::new(path));
            assert!(matches!(refused, Err(RootError::Top { .. })), "{path}: {refused:?}");
        }
        assert!(matches!(Root::given(Path::new("a/b")), Err(RootError::NotAbsolute { .. })));
        assert!(matches!(Root::given(Path::new("/proc")), Err(RootError::Mount { .. })));
        assert!(matches!(Root::given(Path::new("/no/such")), Err(RootError::Unreachable { .. })));
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap();
        assert!(matches!(
            Root::given(&home),
            Err(RootError::Home { .. } | RootError::Mount { .. })
        ));
        let above = home.parent().unwrap().to_owned();
        assert!(Root::given(&above).is_err());
        assert!(Root::given(folder.path()).is_ok());
    }

    #[test]
    fn a_link_to_a_good_folder_is_that_folder() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("real");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("link")).unwrap();
        assert_eq!(Root::given(&folder.path().join("link")).unwrap().path(), real);
        assert!(Root::open(folder.path().canonicalize().unwrap().join("link")).is_err());
    }
}
