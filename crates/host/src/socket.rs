//! The path of the supervisor's socket, however long the state folder's is.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::FoldersError;
use crate::folders::owned_and_closed;

const NAME: &str = "supervisor.sock";
/// What fits into `sun_path` on every system, without its final zero (macOS has 104 bytes).
const LONGEST: usize = 103;

pub(crate) fn socket(state: &Path) -> Result<PathBuf, FoldersError> {
    let usual = state.join(NAME);
    if usual.as_os_str().as_bytes().len() <= LONGEST {
        return Ok(usual);
    }
    let folder = short_folder(state);
    match fs::DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(FoldersError::Io { path: folder, error }),
    }
    // Anybody may have made a folder by that name in /tmp.
    owned_and_closed(&folder)?;
    Ok(folder.join(NAME))
}

/// `DefaultHasher::new` has fixed keys, so every program of one release comes to the same name.
fn short_folder(state: &Path) -> PathBuf {
    let mut hash = DefaultHasher::new();
    state.as_os_str().as_bytes().hash(&mut hash);
    let uid = rustix::process::getuid().as_raw();
    PathBuf::from(format!("/tmp/runner-tray-{uid}-{:08x}", hash.finish() & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_103_bytes_stays_and_a_longer_one_is_shortened() {
        let fits = format!("/{}", "a".repeat(LONGEST - NAME.len() - 2));
        assert_eq!(socket(Path::new(&fits)).unwrap(), Path::new(&fits).join(NAME));
        let home = tempfile::tempdir().unwrap();
        let long = home.path().join("é".repeat(60));
        let short = socket(&long).unwrap();
        assert!(short.as_os_str().len() <= LONGEST);
        assert_eq!(socket(&long).unwrap(), short);
        fs::remove_dir(short.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_short_folder_that_is_somebody_elses_trap_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let long = home.path().join("b".repeat(120));
        std::os::unix::fs::symlink(home.path(), short_folder(&long)).unwrap();
        let refused = socket(&long);
        fs::remove_file(short_folder(&long)).unwrap();
        assert!(refused.unwrap_err().to_string().contains("symbolic link"));
    }
}
