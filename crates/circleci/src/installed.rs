//! The agents on this machine: `agents/<version>/{circleci-runner,release.json}`. Only looks, but for
//! the receipt of one, which learns who else offers it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{AGENT_BINARY, ReleaseError};

/// An agent that can be started once [`verify`] says that it is still what was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledAgent {
    /// The name of its folder below `agents/`.
    pub version: String,
    /// The executable.
    pub path: PathBuf,
    /// Of the archive it came in, as the manifest promised it: 64 lower-case hex digits.
    pub sha256: String,
    /// Of the executable.
    pub binary_sha256: String,
    /// Where the archive lay; that may be another server than the one that offered it.
    pub url: String,
    /// The folders of the manifests that offered it.
    pub offered_by: Vec<String>,
    pub installed_at: Timestamp,
}

/// `release.json`, beside the executable.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) version: String,
    pub(crate) archive_sha256: String,
    pub(crate) binary_sha256: String,
    pub(crate) url: String,
    /// Absent in the oldest receipts, where the archive lay below the manifest's folder.
    #[serde(default)]
    pub(crate) offered_by: Vec<String>,
    pub(crate) installed_at: Timestamp,
}

const RECEIPT: &str = "release.json";

/// The agents below `data/agents`, newest first; folders without a readable receipt are not agents.
pub fn installed(data: &Path) -> Vec<InstalledAgent> {
    let folders = fs::read_dir(data.join("agents")).into_iter().flatten().flatten();
    let mut agents: Vec<_> = folders.filter_map(|entry| read_agent(&entry.path())).collect();
    agents.sort_by(|a, b| (b.installed_at, &b.version).cmp(&(a.installed_at, &a.version)));
    agents
}

/// The newest sound agent that the manifest in the folder `releases_url` once offered; nobody is
/// asked. Reads it whole: call it off the event loop.
pub fn at_hand(data: &Path, releases_url: &str) -> Option<InstalledAgent> {
    installed(data)
        .into_iter()
        .find(|agent| agent.was_offered_by(releases_url) && verify(agent).is_ok())
}

impl InstalledAgent {
    fn was_offered_by(&self, releases_url: &str) -> bool {
        let folder = releases_url.trim_end_matches('/');
        self.offered_by.iter().any(|by| by.trim_end_matches('/') == folder)
            || self.offered_by.is_empty() && self.url.starts_with(&format!("{folder}/"))
    }

    /// Remembers that this folder's manifest offers it too.
    pub(crate) fn is_offered_by(&mut self, releases_url: &str) -> io::Result<()> {
        if self.was_offered_by(releases_url) {
            return Ok(());
        }
        self.offered_by.push(releases_url.trim_end_matches('/').to_owned());
        let receipt = Receipt {
            version: self.version.clone(),
            archive_sha256: self.sha256.clone(),
            binary_sha256: self.binary_sha256.clone(),
            url: self.url.clone(),
            offered_by: self.offered_by.clone(),
            installed_at: self.installed_at,
        };
        receipt.write(self.path.parent().unwrap_or(&self.path))
    }
}

impl Receipt {
    /// Into an agent's folder, in one step.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let new = folder.join(".release.json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&new, folder.join(RECEIPT))
    }
}

pub(crate) fn read_agent(folder: &Path) -> Option<InstalledAgent> {
    let version = folder.file_name()?.to_str().filter(|name| !name.starts_with('.'))?.to_owned();
    let receipt: Receipt = serde_json::from_slice(&fs::read(folder.join(RECEIPT)).ok()?).ok()?;
    Some(InstalledAgent {
        version,
        path: folder.join(AGENT_BINARY),
        sha256: receipt.archive_sha256,
        binary_sha256: receipt.binary_sha256,
        url: receipt.url,
        offered_by: receipt.offered_by,
        installed_at: receipt.installed_at,
    })
}

/// That the executable is still the file that was installed. Reads all of it (tens of megabytes):
/// call it off the event loop, before every start.
pub fn verify(agent: &InstalledAgent) -> Result<(), ReleaseError> {
    let damaged = |reason: &str| ReleaseError::Damaged {
        path: agent.path.clone(),
        reason: reason.to_owned(),
    };
    let about = fs::symlink_metadata(&agent.path).map_err(|error| damaged(&error.to_string()))?;
    if !about.is_file() {
        return Err(damaged("it is not a plain file"));
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(damaged("it is not executable"));
    }
    let found = hash_of(&agent.path).map_err(|error| damaged(&error.to_string()))?;
    if found == agent.binary_sha256 { Ok(()) } else { Err(damaged("its SHA-256 has changed")) }
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}
