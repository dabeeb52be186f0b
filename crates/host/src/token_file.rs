//! Tokens in files, for machines without a keychain and only where their owner chose so. A file is
//! 0600 in a 0700 folder; one that others may read is not read but refused.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use secrecy::{ExposeSecret, SecretString};

use crate::{Folders, keychain::Unavailable, private_folder::make_private};

/// A token has a few dozen bytes; a longer file is something else.
const LONGEST: u64 = 16 << 10;

/// The runner's token, or why there is none.
pub fn get(folders: &Folders, runner: &str) -> Result<SecretString, Unavailable> {
    let path = path(folders, runner)?;
    let refused = |why: &str| Unavailable::Refused(format!("{} {why}", path.display()));
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = match OpenOptions::new().read(true).custom_flags(nofollow).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unavailable::Missing),
        Err(error) => return Err(refused(&format!("cannot be read: {error}"))),
    };
    let about = file.metadata().map_err(|error| refused(&error.to_string()))?;
    if !about.is_file() || about.uid() != geteuid().as_raw() {
        return Err(refused("is not a file of yours. Remove it and set the token again."));
    }
    if about.mode() & 0o077 != 0 {
        return Err(refused("can be read by others. Remove it and set a new token."));
    }
    let mut token = String::new();
    Read::by_ref(&mut file)
        .take(LONGEST)
        .read_to_string(&mut token)
        .map_err(|error| refused(&format!("cannot be read: {error}")))?;
    match token.trim_end() {
        "" => Err(Unavailable::Missing),
        token => Ok(SecretString::from(token)),
    }
}

/// Keeps the runner's token; on disk when this returns.
pub fn set(folders: &Folders, runner: &str, token: &SecretString) -> Result<(), Unavailable> {
    let path = path(folders, runner)?;
    let folder = folders.tokens();
    make_private(&folder).map_err(|error| Unavailable::Refused(error.to_string()))?;
    write(&folder, &path, token).map_err(|error| {
        Unavailable::Refused(format!("{} cannot be written: {error}", path.display()))
    })
}

fn write(folder: &Path, path: &Path, token: &SecretString) -> io::Result<()> {
    // A name that no runner's file can have.
    let new = folder.join("new~");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(token.expose_secret().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// Forgets the runner's token; one that is not there is forgotten already.
pub fn forget(folders: &Folders, runner: &str) -> Result<(), Unavailable> {
    let path = path(folders, runner)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Unavailable::Refused(format!("{} cannot be removed: {error}", path.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn path(folders: &Folders, runner: &str) -> Result<PathBuf, Unavailable> {
    let is_a_name = !["", ".", ".."].contains(&runner)
        && !runner.contains(|c: char| matches!(c, '/' | '~') || c.is_control());
    if is_a_name {
        Ok(folders.tokens().join(runner))
    } else {
        Err(Unavailable::Refused(format!("\"{}\" is no name for a file", runner.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt, os::unix::fs::symlink};

    use super::*;

    fn token(folders: &Folders) -> Result<String, Unavailable> {
        get(folders, "mac-mini").map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_token_is_kept_replaced_and_forgotten_in_a_closed_file() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        assert_eq!(token(&folders), Err(Unavailable::Missing));
        for secret in ["first", "second"] {
            set(&folders, "mac-mini", &SecretString::from(secret)).unwrap();
            assert_eq!(token(&folders).as_deref(), Ok(secret));
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folders.tokens().join("mac-mini")), 0o600);
        assert_eq!(mode(&folders.tokens()), 0o700);
        assert_eq!(fs::read_dir(folders.tokens()).unwrap().count(), 1);
        forget(&folders, "mac-mini").unwrap();
        forget(&folders, "mac-mini").unwrap();
        assert_eq!(token(&folders), Err(Unavailable::Missing));
    }

    #[test]
    fn a_file_that_others_can_read_or_that_leads_away_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        set(&folders, "mac-mini", &SecretString::from("secret")).unwrap();
        let path = folders.tokens().join("mac-mini");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(token(&folders), Err(Unavailable::Refused(_))));
        fs::rename(&path, home.path().join("elsewhere")).unwrap();
        symlink(home.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(token(&folders), Err(Unavailable::Refused(_))));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folders = Folders::below(Path::new("/nonexistent"));
        for name in ["", ".", "..", "../state", "a/b", "/etc/passwd", "new~", "a\0b"] {
            assert!(matches!(get(&folders, name), Err(Unavailable::Refused(_))), "{name:?}");
        }
    }
}
