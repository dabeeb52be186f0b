//! A folder that is ours and that no other user may enter. Never follows a symbolic link to it and
//! never takes one over that belongs to somebody else.

use std::{
    fs::{self, DirBuilder, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::Path,
};

use rustix::process::geteuid;

use crate::FoldersError;

/// Makes `path` (and what leads to it) with mode 0700 where it is missing; one of ours that is open
/// to others is closed.
pub(crate) fn make_private(path: &Path) -> Result<(), FoldersError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    if let Err(error) = made
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(FoldersError::io("making the folder", path)(error));
    }
    let about = ours(path)?;
    if about.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(FoldersError::io("closing the folder", path))?;
    }
    Ok(())
}

/// Makes `path` with mode 0700 in a folder where everybody may write, such as `/tmp`; what is
/// there already must be ours, closed to others, and no link.
pub(crate) fn make_among_strangers(path: &Path) -> Result<(), FoldersError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(FoldersError::io("making the folder", path)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let mode = ours(path)?.mode() & 0o777;
    let is_closed = mode | 0o700 == 0o700;
    if is_closed { Ok(()) } else { Err(FoldersError::Open { path: path.to_owned(), mode }) }
}

/// That `path` is a folder, itself and not through a link, and ours.
fn ours(path: &Path) -> Result<Metadata, FoldersError> {
    let about = fs::symlink_metadata(path).map_err(FoldersError::io("looking at", path))?;
    let (owner, me) = (about.uid(), geteuid().as_raw());
    if about.is_symlink() {
        Err(FoldersError::Symlink { path: path.to_owned() })
    } else if !about.is_dir() {
        Err(FoldersError::NotAFolder { path: path.to_owned() })
    } else if owner != me {
        Err(FoldersError::Foreign { path: path.to_owned(), owner, me })
    } else {
        Ok(about)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_closed_and_an_open_one_of_ours_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        make_private(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_link_a_file_and_a_stranger_s_folder_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink(at("real"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        fs::File::create(at("file")).unwrap();
        for make in [make_private, make_among_strangers] {
            for link in ["link", "dangling"] {
                let refused = make(&at(link));
                assert!(matches!(refused, Err(FoldersError::Symlink { .. })), "{refused:?}");
            }
            assert!(matches!(make(&at("file")), Err(FoldersError::NotAFolder { .. })));
        }
        if geteuid().is_root() {
            fs::create_dir(at("foreign")).unwrap();
            chown(at("foreign"), Some(12_345), None).unwrap();
            for make in [make_private, make_among_strangers] {
                let refused = make(&at("foreign"));
                assert!(matches!(refused, Err(FoldersError::Foreign { owner: 12_345, .. })));
            }
        } else {
            skipped::skipped("only root can make a stranger's folder");
        }
    }

    #[test]
    fn among_strangers_an_open_folder_is_refused_not_mended() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("short");
        make_among_strangers(&folder).unwrap();
        make_among_strangers(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o770)).unwrap();
        let refused = make_among_strangers(&folder);
        assert!(matches!(refused, Err(FoldersError::Open { mode: 0o770, .. })), "{refused:?}");
    }
}
