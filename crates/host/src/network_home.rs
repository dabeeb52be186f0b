//! Whether a folder lies on this machine. File locks prove that a keeper lives, and over a network
//! they prove nothing.

use std::path::Path;

use crate::{FoldersError, os};

/// Refuses `path` where it, or the nearest folder above it that exists, is on a network file system.
pub fn refuse_network_home(path: &Path) -> Result<(), FoldersError> {
    let existing = path.ancestors().find(|folder| folder.exists()).unwrap_or(path);
    match os::network_file_system(existing) {
        Ok(None) => Ok(()),
        Ok(Some(kind)) => Err(FoldersError::NetworkFileSystem { path: path.to_owned(), kind }),
        Err(error) => Err(FoldersError::io("asking for the file system of", existing)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_folder_is_taken_also_before_it_exists() {
        let home = tempfile::tempdir().unwrap();
        refuse_network_home(home.path()).unwrap();
        refuse_network_home(&home.path().join("not/yet")).unwrap();
    }
}
