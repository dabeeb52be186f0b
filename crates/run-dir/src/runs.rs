//! The folder of all runs: makes new ones, lists what is there.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::block::{make_file, make_folder, reserve, sync_folder};
use crate::record::{self, named};
use crate::run::CONFIG;
use crate::{KeeperLock, Plan, RunDir, RunId, run};

/// The run that is prepared before it is known.
const NEXT: &str = ".next";
/// Bytes kept free for config.yaml.
const CONFIG_RESERVED: usize = 16384;

/// `runs/` in the state folder. One supervisor owns it; readers need no lock.
#[derive(Clone, Debug)]
pub struct RunsFolder {
    path: PathBuf,
}

impl RunsFolder {
    /// Opens `state_dir/runs`, and makes it where it is missing (0700).
    pub fn open(state_dir: &Path) -> io::Result<Self> {
        let path = state_dir.join("runs");
        make_folder(&path)
            .and_then(|()| sync_folder(state_dir))
            .map_err(|error| named(&path, &error))?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the disk space for the next run, so that it can be created on a full disk. Call it at
    /// start and some time after every [`Self::create`]: it waits for the disk often, unless all is
    /// there. An error only means that there is no such reserve.
    pub fn reserve_next(&self) -> io::Result<()> {
        let next = self.path.join(NEXT);
        let run = RunDir::at(next.clone());
        if run.is_prepared() && run.has_next_task() {
            return Ok(());
        }
        make_folder(&next)?;
        run.reserve_records()?;
        reserve(&next.join(CONFIG), CONFIG_RESERVED)?;
        for file in [run::KEEPER_LOCK, run::UNRECORDED_LOCK, run::KEEPER_LOG, run::AGENT_LOG] {
            make_file(&next.join(file))?.sync_all()?;
        }
        run.reserve_next_task()?;
        sync_folder(&next)?;
        sync_folder(&self.path)
    }

    /// Makes the run's folder, with plan and configuration, and locks it for the keeper. A kill in
    /// between leaves no folder by that name.
    pub fn create(&self, plan: &Plan, config_yaml: &str) -> io::Result<(RunDir, KeeperLock)> {
        let next = self.prepared()?;
        let lock = next.take_lock()?.ok_or_else(|| {
            io::Error::other(format!("{} is locked by another process", next.path().display()))
        })?;
        fill(&next, plan, config_yaml)?;
        Ok((self.publish(&next, &plan.run)?, lock))
    }

    /// The prepared folder, blank.
    pub(crate) fn prepared(&self) -> io::Result<RunDir> {
        let next = RunDir::at(self.path.join(NEXT));
        // Half filled by a supervisor that was killed, or not there: either way make it right.
        if !next.is_prepared() {
            self.reserve_next()?;
        }
        Ok(next)
    }

    /// Gives the filled folder its name, which is what makes it a run. Not durable: a power cut that
    /// takes the name away takes all processes of the run, too.
    pub(crate) fn publish(&self, next: &RunDir, id: &RunId) -> io::Result<RunDir> {
        let path = self.path.join(id.as_str());
        fs::rename(next.path(), &path).map_err(|error| named(&path, &error))?;
        Ok(RunDir::at(path))
    }

    /// The runs that have a folder, oldest name first.
    pub fn list(&self) -> io::Result<Vec<RunId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        found.sort();
        Ok(found)
    }

    /// The run by that name, there or not.
    pub fn run(&self, id: &RunId) -> RunDir {
        RunDir::at(self.path.join(id.as_str()))
    }

    /// Deletes a run that is over. Refused while its lock is held.
    pub fn remove(&self, id: &RunId) -> io::Result<()> {
        let run = self.run(id);
        if run.lock_held().unwrap_or(false) {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!("{} has a keeper still", run.path().display()),
            ));
        }
        fs::remove_dir_all(run.path()).map_err(|error| named(run.path(), &error))?;
        sync_folder(&self.path)
    }
}

pub(crate) fn fill(next: &RunDir, plan: &Plan, config_yaml: &str) -> io::Result<()> {
    record::write(next.path(), plan)?;
    let path = next.path().join(CONFIG);
    let config = make_file(&path)?;
    // Only this run's agent reads it.
    let written = config
        .write_all_at(config_yaml.as_bytes(), 0)
        .and_then(|()| config.set_len(config_yaml.len() as u64));
    written.map_err(|error| named(&path, &error))
}
