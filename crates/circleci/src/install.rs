//! The agents on this machine: `agents/<version>/{circleci-runner,release.json}`, put there whole or
//! not at all. Never runs one, and never deletes one that is sound.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    AGENT_BINARY, Platform, Progress, Release, ReleaseError, Releases,
    download::Limits,
    unpack::{UnpackError, unpack},
};

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
    pub url: String,
    pub installed_at: Timestamp,
}

/// `release.json`, beside the executable.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    version: String,
    archive_sha256: String,
    binary_sha256: String,
    url: String,
    installed_at: Timestamp,
}

const RECEIPT: &str = "release.json";
/// Downloads and half-made folders; cleared at the start of every installation.
const INCOMING: &str = ".incoming";

/// The agents below `data/agents`, newest first; folders without a readable receipt are not agents.
pub fn installed(data: &Path) -> Vec<InstalledAgent> {
    let folders = fs::read_dir(data.join("agents")).into_iter().flatten().flatten();
    let mut agents: Vec<_> = folders.filter_map(|entry| read_agent(&entry.path())).collect();
    agents.sort_by(|a, b| (b.installed_at, &b.version).cmp(&(a.installed_at, &a.version)));
    agents
}

fn read_agent(folder: &Path) -> Option<InstalledAgent> {
    let version = folder.file_name()?.to_str().filter(|name| !name.starts_with('.'))?.to_owned();
    let receipt: Receipt = serde_json::from_slice(&fs::read(folder.join(RECEIPT)).ok()?).ok()?;
    Some(InstalledAgent {
        version,
        path: folder.join(AGENT_BINARY),
        sha256: receipt.archive_sha256,
        binary_sha256: receipt.binary_sha256,
        url: receipt.url,
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

impl Releases {
    /// Makes sure that the server's release `name` (usually [`crate::CURRENT`]) is below
    /// `data/agents`; one that is there and sound is not downloaded again. `now` goes into its
    /// receipt. One installation at a time: a second one is told [`ReleaseError::Busy`].
    pub async fn install(
        &self,
        name: &str,
        data: &Path,
        now: Timestamp,
        mut progress: impl FnMut(Progress),
    ) -> Result<InstalledAgent, ReleaseError> {
        let release = self.manifest().await?.release(name, Platform::this_machine()?)?;
        let agents = data.join("agents");
        fs::create_dir_all(&agents).map_err(ReleaseError::io("making the folder", &agents))?;
        let _lock = lock(&agents)?;
        if let Some(agent) = sound_agent(data, &release).await {
            return Ok(agent);
        }
        let incoming = agents.join(INCOMING);
        let done = self.install_by_way_of(&incoming, release, &agents, now, &mut progress).await;
        // The next installation clears it if this cannot.
        let _ = fs::remove_dir_all(&incoming);
        done
    }

    async fn install_by_way_of(
        &self,
        incoming: &Path,
        release: Release,
        agents: &Path,
        now: Timestamp,
        progress: &mut impl FnMut(Progress),
    ) -> Result<InstalledAgent, ReleaseError> {
        clear(incoming).map_err(ReleaseError::io("making the folder", incoming))?;
        let archive = incoming.join("archive");
        self.fetch(&release, &archive, progress).await?;
        progress(Progress::Unpacking);
        let (incoming, agents, limits) = (incoming.to_owned(), agents.to_owned(), self.limits);
        off_the_loop(move || {
            let made = make(&incoming, &archive, &release, limits, now)?;
            place(&incoming, &made, &release, &agents)
        })
        .await
    }
}

async fn sound_agent(data: &Path, release: &Release) -> Option<InstalledAgent> {
    let agent = installed(data).into_iter().find(|agent| agent.sha256 == release.sha256)?;
    off_the_loop(move || verify(&agent).is_ok().then_some(agent)).await
}

async fn off_the_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn lock(agents: &Path) -> Result<File, ReleaseError> {
    let path = agents.join(".lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(ReleaseError::io("opening", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(ReleaseError::Busy { path: agents.to_owned() }),
        Err(fs::TryLockError::Error(error)) => Err(ReleaseError::io("locking", &path)(error)),
    }
}

fn clear(incoming: &Path) -> io::Result<()> {
    match fs::remove_dir_all(incoming) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => fs::create_dir(incoming),
    }
}

/// The new agent's folder, complete and on disk, still below `incoming`.
fn make(
    incoming: &Path,
    archive: &Path,
    release: &Release,
    limits: Limits,
    now: Timestamp,
) -> Result<PathBuf, ReleaseError> {
    let folder = incoming.join("agent");
    fs::create_dir(&folder).map_err(ReleaseError::io("making the folder", &folder))?;
    let binary = folder.join(AGENT_BINARY);
    let binary_sha256 = match unpack(archive, &binary, limits.binary) {
        Ok(sha256) => sha256,
        Err(UnpackError::Io(error)) => return Err(ReleaseError::io("writing", &binary)(error)),
        Err(UnpackError::Refused(reason)) => {
            return Err(ReleaseError::Archive { url: release.url.to_string(), reason });
        }
    };
    let receipt = Receipt {
        version: release.version.clone(),
        archive_sha256: release.sha256.clone(),
        binary_sha256,
        url: release.url.to_string(),
        installed_at: now,
    };
    let path = folder.join(RECEIPT);
    write_receipt(&path, &receipt).map_err(ReleaseError::io("writing", &path))?;
    Ok(folder)
}

fn write_receipt(path: &Path, receipt: &Receipt) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(&serde_json::to_vec_pretty(receipt)?)?;
    file.sync_all()
}

/// Moves the folder to its place in one step. A damaged agent makes room; a sound one of the same
/// version but from another archive stays, and the new one gets the archive's hash to its name.
fn place(
    incoming: &Path,
    made: &Path,
    release: &Release,
    agents: &Path,
) -> Result<InstalledAgent, ReleaseError> {
    let mut target = agents.join(&release.version);
    let is_another =
        |agent: InstalledAgent| agent.sha256 != release.sha256 && verify(&agent).is_ok();
    if read_agent(&target).is_some_and(is_another) {
        target = agents.join(format!("{}+{}", release.version, &release.sha256[..8]));
    }
    let moving = || ReleaseError::io("moving the new agent to", &target);
    if fs::symlink_metadata(&target).is_ok() {
        fs::rename(&target, incoming.join("damaged")).map_err(moving())?;
    }
    sync_folder(made).map_err(moving())?;
    fs::rename(made, &target).map_err(moving())?;
    sync_folder(agents).map_err(moving())?;
    read_agent(&target).ok_or_else(|| ReleaseError::Damaged {
        path: target.clone(),
        reason: "its receipt is gone".to_owned(),
    })
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
