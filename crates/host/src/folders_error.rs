//! Why a folder, or whoever starts the product, is refused; each with the way out. Sentences without
//! their final period: whoever shows them goes on or ends.

use std::{
    io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    #[error(
        "your home folder is not known: HOME is not set and the system has no entry for you. Set HOME or RUNNER_TRAY_HOME to an absolute path"
    )]
    NoHome,
    #[error("RUNNER_TRAY_HOME is \"{}\", which is not an absolute path. Give the whole path, from / on, or unset it", path.display())]
    NotAbsolute { path: PathBuf },
    #[error("{} is a symbolic link, and secrets are not kept behind one. Replace it by a folder, or set RUNNER_TRAY_HOME to where the files shall be", path.display())]
    Symlink { path: PathBuf },
    #[error("{} is not a folder. Move it away", path.display())]
    NotAFolder { path: PathBuf },
    #[error("{} belongs to user {owner}, but you are user {me}. Give it to yourself with chown, or set RUNNER_TRAY_HOME to a folder of your own", path.display())]
    Foreign { path: PathBuf, owner: u32, me: u32 },
    #[error("{} is open to other users (mode {mode:o}). Close it with chmod 700, or remove it", path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("{} is on a network file system ({kind}), where file locks cannot be trusted. Set RUNNER_TRAY_HOME to a folder on a disk of this machine", path.display())]
    NetworkFileSystem { path: PathBuf, kind: String },
    #[error(
        "as root Runner Tray does not run, because every job would be root too. Start it as an ordinary user, or set RUNNER_TRAY_ALLOW_ROOT=1 if this machine is only a test"
    )]
    Root,
    #[error("{doing} {} failed: {source}. Check that its folder is yours and that its disk has room", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl FoldersError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
