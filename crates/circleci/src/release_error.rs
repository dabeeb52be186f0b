//! What can go wrong between the release manifest and an installed agent, each with the way out.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use crate::AddressRefused;

/// Why an agent was not installed, or is not to be started.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Address(#[from] AddressRefused),
    #[error(
        "CircleCI publishes no agent for {os} on {arch}. Runner Tray needs Linux or macOS on a 64-bit Intel or ARM processor."
    )]
    UnsupportedMachine { os: &'static str, arch: &'static str },
    #[error(
        "{url} could not be fetched: {}. Check the network and the releases address, then try again.",
        root_cause(source)
    )]
    Request { url: String, source: reqwest::Error },
    #[error(
        "{url} answered with HTTP status {status}. Check the releases address, then try again."
    )]
    Status { url: String, status: u16 },
    #[error("{url} is larger than the {limit} bytes that are taken. Check the releases address.")]
    TooLarge { url: String, limit: u64 },
    #[error(
        "{url} is not a release manifest ({reason}). Check the releases address: it is the folder that holds manifest.json."
    )]
    Manifest { url: String, reason: String },
    #[error("{url} offers no \"{name}\" for {platform}; it offers: {offered}.")]
    NotOffered { url: String, name: String, platform: String, offered: String },
    #[error(
        "{url} has SHA-256 {found}, but its manifest says {expected}. It was thrown away and nothing was installed. Try again; if it stays so, ask whoever runs the release server."
    )]
    WrongHash { url: String, expected: String, found: String },
    #[error(
        "{url} is not an agent's archive: {reason}. Nothing was installed. Ask whoever runs the release server."
    )]
    Archive { url: String, reason: String },
    #[error("{} is not the file that was installed ({reason}). It will not be started. Install the agent again.", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("another installation is writing to {}. Wait for it to end, then try again.", path.display())]
    Busy { path: PathBuf },
    #[error("{doing} {} failed: {source}. Check that the folder is yours and that its disk has room, then try again.", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl ReleaseError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// The innermost cause: reqwest's own sentence repeats the address and leaves the reason out.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
