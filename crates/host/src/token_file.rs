//! Tokens in files, for machines without a keychain and only where their owner chose so. A file is
//! 0600 in a 0700 folder; one that others may read, that leads elsewhere or is no file is not read but
//! refused, with the command that mends it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, io::Errno, process::geteuid};
use secrecy::{ExposeSecret, SecretString};

use crate::{Folders, keychain::Unavailable, private_folder::make_private};

/// A token has a few dozen bytes; a longer file is something else.
const LONGEST: u64 = 16 << 10;

/// The runner's token, or why there is none.
pub fn get(folders: &Folders, runner: &str) -> Result<SecretString, Unavailable> {
    let path = path(folders, runner)?;
    let refused = |why: &str| Unavailable::Refused(format!("{} {why}", path.display()));
    check_folder(&folders.tokens())?;
    // Neither a link nor a pipe that nobody writes to leads or holds us up.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    let mut file = match options.open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unavailable::Missing),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(refused("is a link; remove it and set the token again"));
        }
        Err(error) => return Err(refused(&format!("cannot be read: {error}"))),
    };
    let about = file.metadata().map_err(|error| refused(&error.to_string()))?;
    if !about.is_file() {
        return Err(refused("is not a file; remove it and set the token again"));
    }
    if about.uid() != geteuid().as_raw() {
        return Err(refused(&format!(
            "belongs to user {}; remove it and set the token again",
            about.uid()
        )));
    }
    if about.mode() & 0o077 != 0 {
        return Err(refused(&format!(
            "has mode {:04o}, so others may have read it: set a new token, or where nobody can \
             have, `chmod 600` it",
            about.mode() & 0o7777
        )));
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

/// A folder that others may write to would let them put a file of theirs in the place of ours.
fn check_folder(folder: &Path) -> Result<(), Unavailable> {
    let refused = |why: &str| Err(Unavailable::Refused(format!("{} {why}", folder.display())));
    let about = match fs::symlink_metadata(folder) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unavailable::Missing),
        Err(error) => return refused(&format!("cannot be looked at: {error}")),
    };
    if !about.is_dir() || about.uid() != geteuid().as_raw() {
        return refused("is no folder of yours; remove it and set the token again");
    }
    if about.mode() & 0o022 != 0 {
        return refused(&format!(
            "has mode {:04o}, so others may put files there: `chmod 700` it and set a new token",
            about.mode() & 0o7777
        ));
    }
    Ok(())
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
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt, chown, symlink},
        process::Command,
    };

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

    /// Refused, with words that name the file or its folder, and never with its content.
    #[track_caller]
    fn assert_refused(folders: &Folders, words: &str) {
        let Err(Unavailable::Refused(why)) = token(folders) else { panic!("it was read") };
        assert!(why.starts_with(folders.tokens().to_str().unwrap()), "{why}");
        assert!(why.contains(words) && !why.contains("hunter2"), "{why}");
    }

    #[test]
    fn a_file_that_others_can_read_or_that_leads_away_or_is_none_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        let keep = || set(&folders, "mac-mini", &SecretString::from("hunter2")).unwrap();
        keep();
        let path = folders.tokens().join("mac-mini");
        for mode in [0o640, 0o604, 0o660, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_refused(&folders, &format!("mode {mode:04o}"));
        }
        fs::rename(&path, home.path().join("elsewhere")).unwrap();
        for target in ["elsewhere", "nowhere"] {
            symlink(home.path().join(target), &path).unwrap();
            assert_refused(&folders, "is a link");
            fs::remove_file(&path).unwrap();
        }
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_refused(&folders, "is not a file");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_refused(&folders, "is not a file");
        fs::remove_dir(&path).unwrap();
        // Set again it is as it should be.
        symlink(home.path().join("elsewhere"), &path).unwrap();
        keep();
        assert_eq!(token(&folders).as_deref(), Ok("hunter2"));
        if geteuid().is_root() {
            chown(&path, Some(12_345), None).unwrap();
            assert_refused(&folders, "belongs to user 12345");
        }
    }

    #[test]
    fn a_folder_that_others_can_write_to_or_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        set(&folders, "mac-mini", &SecretString::from("hunter2")).unwrap();
        fs::set_permissions(folders.tokens(), Permissions::from_mode(0o770)).unwrap();
        assert_refused(&folders, "mode 0770");
        fs::set_permissions(folders.tokens(), Permissions::from_mode(0o700)).unwrap();
        fs::rename(folders.tokens(), home.path().join("elsewhere")).unwrap();
        symlink(home.path().join("elsewhere"), folders.tokens()).unwrap();
        assert_refused(&folders, "is no folder of yours");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folders = Folders::below(Path::new("/nonexistent"));
        for name in ["", ".", "..", "../state", "a/b", "/etc/passwd", "new~", "a\0b"] {
            assert!(matches!(get(&folders, name), Err(Unavailable::Refused(_))), "{name:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_token_is_refused_and_never_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        set(&folders, "mac-mini", &SecretString::from("secret")).unwrap();
        let path = folders.tokens().join("mac-mini");
        let put = |bytes: &[u8]| File::create(&path).unwrap().write_all(bytes).unwrap();
        put(&[0xff, 0xfe, 0x00]);
        assert!(matches!(token(&folders), Err(Unavailable::Refused(_))));
        for nothing in [&b""[..], b"\n", b"  \n\n"] {
            put(nothing);
            assert_eq!(token(&folders), Err(Unavailable::Missing));
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(token(&folders), Err(Unavailable::Refused(_))));
        fs::remove_dir(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(matches!(token(&folders), Err(Unavailable::Refused(_))));
    }

    /// A power cut leaves the old token or the new one, and a name that nobody takes for a token.
    #[test]
    fn whatever_a_power_cut_leaves_of_a_new_token_the_old_one_is_there() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        set(&folders, "mac-mini", &SecretString::from("the-old-token")).unwrap();
        let new = folders.tokens().join("new~");
        for torn in [&b""[..], b"the-n", b"the-new-token", &[0; 13]] {
            File::create(&new).unwrap().write_all(torn).unwrap();
            assert_eq!(token(&folders).as_deref(), Ok("the-old-token"));
            assert!(matches!(get(&folders, "new~"), Err(Unavailable::Refused(_))));
        }
        set(&folders, "mac-mini", &SecretString::from("the-new-token")).unwrap();
        assert_eq!(token(&folders).as_deref(), Ok("the-new-token"));
        assert!(!new.exists());
    }
}
