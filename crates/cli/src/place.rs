//! Where this user's supervisor and its files are.

use std::path::PathBuf;

use client::Client;

use crate::failure::Failure;

pub(crate) struct Place {
    pub(crate) socket: PathBuf,
    pub(crate) logs: PathBuf,
    /// The settings, which may be edited by hand.
    pub(crate) settings: PathBuf,
}

pub(crate) fn place() -> Result<Place, Failure> {
    let home = std::env::var_os("RUNNER_TRAY_HOME").map(PathBuf::from).ok_or_else(|| {
        Failure::failed("RUNNER_TRAY_HOME is not set", "Name the folder that holds the state.")
    })?;
    Ok(Place {
        socket: home.join("state/supervisor.sock"),
        logs: home.join("state/logs"),
        settings: home.join("config/settings.toml"),
    })
}

/// A client of this user's supervisor, which need not run yet.
pub(crate) fn client() -> Result<Client, Failure> {
    Ok(Client::connect(place()?.socket)?)
}
