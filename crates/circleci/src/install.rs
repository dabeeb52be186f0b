//! Puts a release's agent on this machine, whole and checked or not at all. Never runs one, and never
//! deletes one that is sound. What a broken download left is kept for the next try at the same
//! archive, one file at most, and for no other.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{
    AGENT_BINARY, InstalledAgent, Platform, Progress, Release, ReleaseError, Releases,
    installed::{Receipt, Seal, read_agent},
    progress::Report,
    verify,
};

/// A download under way and what is being made of it.
const INCOMING: &str = ".incoming";

impl Releases {
    /// Makes sure that the server's release `name` (usually [`crate::CURRENT`]) is below
    /// `data/agents`; one that is there and sound is not downloaded again. `now` goes into its
    /// receipt. One installation at a time: a second one is told [`ReleaseError::Busy`].
    pub async fn install(
        &self,
        name: &str,
        data: &Path,
        now: Timestamp,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<InstalledAgent, ReleaseError> {
        let mut report = Report::to(&mut progress);
        let manifest = self.manifest_with(&mut report).await?;
        let release = manifest.release(name, Platform::this_machine()?)?;
        let agents = data.join("agents");
        fs::create_dir_all(&agents).map_err(ReleaseError::io("making the folder", &agents))?;
        let _lock = lock(&agents)?;
        if let Some(agent) = self.sound_agent(data, &release).await {
            return Ok(agent);
        }
        let incoming = Incoming::of(&agents, &release)?;
        report.version(&release.version);
        let done = self.install_by_way_of(&incoming, release, &agents, now, &mut report).await;
        let goes_on = done
            .as_ref()
            .is_err_and(|error| error.may_pass() || matches!(error, ReleaseError::Cancelled));
        // The next installation clears what this cannot.
        let _ = off_the_loop(move || incoming.clear(goes_on)).await;
        done
    }

    async fn install_by_way_of(
        &self,
        incoming: &Incoming,
        release: Release,
        agents: &Path,
        now: Timestamp,
        report: &mut Report<'_>,
    ) -> Result<InstalledAgent, ReleaseError> {
        let folder = incoming.agent();
        let binary = folder.join(AGENT_BINARY);
        let binary_sha256 = self.fetch(&release, &incoming.part, &binary, report).await?;
        let mut receipt = Receipt {
            version: release.version.clone(),
            archive_sha256: release.sha256.clone(),
            binary_sha256,
            url: release.url.to_string(),
            offered_by: vec![self.folder().to_owned()],
            installed_at: now,
            seal: None,
        };
        let (check, incoming, agents) = (self.check, incoming.folder.clone(), agents.to_owned());
        off_the_loop(move || {
            let refused = |reason| ReleaseError::Unsigned { url: release.url.to_string(), reason };
            check(&binary).map_err(refused)?;
            // Its hash was taken while it was written.
            receipt.seal = Seal::of_file(&binary);
            receipt.write(&folder).map_err(ReleaseError::io("writing a file in", &folder))?;
            place(&incoming, &folder, &release, &agents)
        })
        .await
    }

    /// The agent of that archive, where it is here already.
    async fn sound_agent(&self, data: &Path, release: &Release) -> Option<InstalledAgent> {
        let mut agent =
            crate::installed(data).into_iter().find(|agent| agent.sha256 == release.sha256)?;
        let folder = self.folder().to_owned();
        off_the_loop(move || {
            agent.check().ok()?;
            // Without the note it is asked for once more, and found again.
            let _ = agent.is_offered_by(&folder);
            Some(agent)
        })
        .await
    }
}

/// Removes what downloads have left below `data/agents`, where none is under way.
pub fn forget_downloads(data: &Path) -> Result<(), ReleaseError> {
    let agents = data.join("agents");
    if !agents.is_dir() {
        return Ok(());
    }
    let _lock = lock(&agents)?;
    let folder = agents.join(INCOMING);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ReleaseError::io("removing the folder", &folder)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(crate) async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
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

/// `agents/.incoming/`: `<sha256>.part`, and `agent/` while it is being made.
struct Incoming {
    folder: PathBuf,
    part: PathBuf,
}

impl Incoming {
    /// With the part of this release's archive that an earlier try left, and nothing else.
    fn of(agents: &Path, release: &Release) -> Result<Self, ReleaseError> {
        let folder = agents.join(INCOMING);
        let part = folder.join(format!("{}.part", release.sha256));
        let made = Self { folder, part };
        let making = || ReleaseError::io("making the folder", &made.folder);
        match fs::create_dir(&made.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(making()(error));
            }
            Ok(()) | Err(_) => {}
        }
        made.leave_only_the_part().map_err(making())?;
        fs::create_dir(made.agent()).map_err(making())?;
        Ok(made)
    }

    fn agent(&self) -> PathBuf {
        self.folder.join("agent")
    }

    fn leave_only_the_part(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_folder = entry.file_type()?.is_dir();
            if is_folder {
                fs::remove_dir_all(entry.path())?;
            } else if entry.path() != self.part || !entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Leaves at most the part, and that only where it `goes_on`.
    fn clear(&self, goes_on: bool) -> io::Result<()> {
        let has_part = fs::metadata(&self.part).is_ok_and(|part| part.len() > 0);
        if goes_on && has_part {
            return self.leave_only_the_part();
        }
        fs::remove_dir_all(&self.folder)
    }
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
