//! Where Runner Tray refuses to work, because it could not keep its promises there.

use std::path::Path;

use crate::{FoldersError, os};

const ALLOW_ROOT: &str = "RUNNER_TRAY_ALLOW_ROOT";

/// As root every job would be root.
pub fn refuse_root() -> Result<(), FoldersError> {
    let allowed = std::env::var_os(ALLOW_ROOT).is_some_and(|value| value == "1");
    if rustix::process::getuid().is_root() && !allowed { Err(FoldersError::Root) } else { Ok(()) }
}

/// On a network file system a lock that seems held may be nobody's, and the other way round.
pub fn refuse_network_home(folder: &Path) -> Result<(), FoldersError> {
    match os::network_file_system(folder).map_err(FoldersError::io(folder))? {
        None => Ok(()),
        Some(kind) => Err(FoldersError::Network { path: folder.to_owned(), kind }),
    }
}
