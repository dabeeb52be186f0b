//! The folder for what a job user must reach: its runners' working directories, the task agent, the
//! keeper. Outside the owner's home, which is closed to others.

use std::env;
use std::path::{Path, PathBuf};

use crate::{Account, Folders, HOME_VARIABLE, os};

impl Folders {
    /// Below `RUNNER_TRAY_HOME` where that is set, else a folder of this owner's in a place that all
    /// users reach; an admin makes that once.
    pub fn shared(&self) -> PathBuf {
        match env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
            Some(home) => Path::new(&home).join("shared"),
            None => Path::new(os::SHARED).join(owner()),
        }
    }
}

/// The owner's name, or number where the list of users does not have it.
fn owner() -> String {
    match Account::mine() {
        Ok(Some(account)) => account.user,
        Ok(None) | Err(_) => rustix::process::geteuid().as_raw().to_string(),
    }
}
