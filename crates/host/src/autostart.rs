//! The app that starts with its owner's desktop: an entry of XDG's autostart folder, or a launch
//! agent.
//! Only the app: the supervisor has a service of its own.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::os_desktop;

/// Whether the next login starts it.
pub fn starts_at_login() -> bool {
    let text = file().and_then(fs::read_to_string);
    text.is_ok_and(|text| os_desktop::is_autostart_on(&text))
}

/// Has every login start `program` with `argument`, or none any more.
pub fn start_at_login(program: &Path, argument: &str, on: bool) -> io::Result<()> {
    let file = file()?;
    if !on {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    // Half a file is read by nobody: it gets its name once it is whole.
    let new = file.with_extension("new");
    let mut written = fs::File::create(&new)?;
    written.write_all(os_desktop::autostart(program, argument).as_bytes())?;
    written.sync_all()?;
    fs::rename(&new, &file)
}

fn file() -> io::Result<PathBuf> {
    let dirs = BaseDirs::new().ok_or_else(|| io::Error::other("this user has no home folder"))?;
    Ok(os_desktop::autostart_file(&dirs))
}
