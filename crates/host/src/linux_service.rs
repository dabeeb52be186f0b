//! systemd's user manager. A unit that a package brought is used as it is; else one is written.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::login_service::{ServiceError, State, UNIT, run, systemd_unit};

fn systemctl(arguments: &[&str]) -> Result<String, ServiceError> {
    run("systemctl", &[&["--user"], arguments].concat())
}

/// `$XDG_CONFIG_HOME/systemd/user` (systemd.unit(5)).
fn folder() -> PathBuf {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map_or_else(PathBuf::new, PathBuf::from).join(".config");
    config.filter(|path| path.is_absolute()).unwrap_or_else(home).join("systemd/user")
}

pub(crate) fn state() -> Result<State, ServiceError> {
    // Also where the manager is "degraded" it answers; without one it does not.
    let properties = ["show", UNIT, "--property=ActiveState,UnitFileState,FragmentPath"];
    let text = systemctl(&properties).map_err(no_manager)?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    };
    let file = of("FragmentPath");
    Ok(State {
        enabled: of("UnitFileState").starts_with("enabled"),
        running: ["active", "activating", "reloading"].contains(&of("ActiveState").as_str()),
        file: if file.is_empty() { folder().join(UNIT) } else { PathBuf::from(file) },
    })
}

pub(crate) fn describe(supervisor: &Path, home: Option<&OsStr>) -> String {
    systemd_unit(supervisor, home)
}

pub(crate) fn enable(supervisor: &Path, home: Option<&OsStr>) -> Result<(), ServiceError> {
    state()?;
    let unit = systemd_unit(supervisor, home);
    if brought()? == Some(unit.clone()) {
        // One of ours would stand before it for ever, with whatever it said when it was written.
        remove_own()?;
    } else {
        write_own(&unit)?;
    }
    systemctl(&["daemon-reload"])?;
    // A link to one that is not used any more goes first: systemd takes it for the same.
    systemctl(&["reenable", "--quiet", UNIT])?;
    systemctl(&["reset-failed", UNIT]).ok();
    systemctl(&["start", UNIT]).map(drop)
}

/// The unit that a package or an administrator brought: the first of the manager's own list of folders that is not
/// in the user's.
fn brought() -> Result<Option<String>, ServiceError> {
    let folders = systemctl(&["show", "--property=UnitPath", "--value"])?;
    // Whatever its folder is called there, ours is no other.
    let own = fs::canonicalize(folder().join(UNIT)).ok();
    let mut others = folders
        .split_whitespace()
        .map(|folder| Path::new(folder).join(UNIT))
        .filter(|file| file.is_absolute() && own != fs::canonicalize(file).ok());
    Ok(others.find_map(|file| fs::read_to_string(file).ok()))
}

fn write_own(unit: &str) -> Result<(), ServiceError> {
    let own = folder().join(UNIT);
    if fs::read_to_string(&own).is_ok_and(|said| said == unit) {
        return Ok(());
    }
    let failed = |error| ServiceError::File { path: own.clone(), error };
    fs::create_dir_all(folder()).map_err(failed)?;
    let new = own.with_extension("service.new");
    fs::File::create(&new)
        .and_then(|mut file| {
            std::io::Write::write_all(&mut file, unit.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, &own))
        .map_err(failed)
}

fn remove_own() -> Result<(), ServiceError> {
    let own = folder().join(UNIT);
    match fs::remove_file(&own) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ServiceError::File { path: own, error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(crate) fn disable() -> Result<(), ServiceError> {
    let known = state()?;
    if known.enabled {
        systemctl(&["disable", "--quiet", UNIT])?;
    }
    if known.running {
        systemctl(&["stop", UNIT])?;
    }
    remove_own()?;
    systemctl(&["daemon-reload"]).map(drop)
}

pub(crate) fn start() -> Result<(), ServiceError> {
    systemctl(&["reset-failed", UNIT]).ok();
    systemctl(&["start", UNIT]).map(drop)
}

fn no_manager(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused { words, .. } => ServiceError::NoManager(words),
        ServiceError::NoManager(_) | ServiceError::File { .. } => error,
    }
}
