//! launchd: a `LaunchAgent` in the owner's own folder, in the graphical session, where the keychain is.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::login_service::{LABEL, ServiceError, State, launch_agent, run};

fn file() -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(PathBuf::new, PathBuf::from);
    home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))
}

fn domain() -> String {
    format!("gui/{}", rustix::process::getuid().as_raw())
}

fn launchctl(arguments: &[&str]) -> Result<String, ServiceError> {
    run("/bin/launchctl", arguments)
}

pub(crate) fn state() -> Result<State, ServiceError> {
    launchctl(&["print", &domain()]).map_err(|error| match error {
        ServiceError::Refused { words, .. } => ServiceError::NoManager(words),
        ServiceError::NoManager(_) | ServiceError::File { .. } => error,
    })?;
    let known = launchctl(&["print", &format!("{}/{LABEL}", domain())]);
    let running = known.is_ok_and(|text| text.lines().any(|line| line.trim() == "state = running"));
    Ok(State { enabled: file().exists(), running, file: file() })
}

pub(crate) fn describe(supervisor: &Path, home: Option<&OsStr>) -> String {
    launch_agent(supervisor, home)
}

pub(crate) fn enable(supervisor: &Path, home: Option<&OsStr>) -> Result<(), ServiceError> {
    let path = file();
    let failed = |error| ServiceError::File { path: path.clone(), error };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let new = path.with_extension("plist.new");
    fs::File::create(&new)
        .and_then(|mut file| {
            std::io::Write::write_all(&mut file, launch_agent(supervisor, home).as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, &path))
        .map_err(failed)?;
    // One that is loaded already has the old description.
    launchctl(&["bootout", &format!("{}/{LABEL}", domain())]).ok();
    launchctl(&["bootstrap", &domain(), &path.display().to_string()]).map(drop)
}

pub(crate) fn disable() -> Result<(), ServiceError> {
    launchctl(&["bootout", &format!("{}/{LABEL}", domain())]).ok();
    match fs::remove_file(file()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ServiceError::File { path: file(), error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// `kickstart` without `-k`: one that runs goes on.
pub(crate) fn start() -> Result<(), ServiceError> {
    launchctl(&["kickstart", &format!("{}/{LABEL}", domain())]).map(drop)
}
