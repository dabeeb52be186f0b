//! Why a folder cannot be used, each with the way out.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    #[error("this user has no home folder; set HOME, or RUNNER_TRAY_HOME to a folder of yours")]
    NoHome,
    #[error("RUNNER_TRAY_HOME is {}, which is not an absolute path; give it from / on", path.display())]
    Relative { path: PathBuf },
    #[error("{} is a symbolic link; Runner Tray needs a folder of its own there", path.display())]
    Symlink { path: PathBuf },
    #[error("{} belongs to the user {owner}, not to you ({own}); use a folder of your own", path.display())]
    Foreign { path: PathBuf, owner: u32, own: u32 },
    #[error("cannot use {}: {error}; check that it is yours and its disk can be written", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{} lies on a network file system ({kind}), where locks cannot be trusted; set \
         RUNNER_TRAY_HOME to a folder on a local disk",
        path.display()
    )]
    Network { path: PathBuf, kind: String },
    #[error(
        "running as root would run every job as root; use your own user, or set \
         RUNNER_TRAY_ALLOW_ROOT=1 where that is meant"
    )]
    Root,
}

impl FoldersError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}
