//! The folder of one run: its records by name, its lock, its logs and its tasks.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::block::make_folder;
use crate::record::{self, Record};
use crate::task::NEXT_TASK;
use crate::{
    Cancel, CancelSent, Drain, DrainLost, DrainSent, Exit, KeeperLock, KeeperRecord, Plan, Started,
    TaskDir, TaskLock, TaskNumber, lock,
};

pub(crate) const CONFIG: &str = "config.yaml";
pub(crate) const KEEPER_LOCK: &str = "keeper.lock";
pub(crate) const UNRECORDED_LOCK: &str = "unrecorded.lock";
pub(crate) const KEEPER_LOG: &str = "keeper.log";
pub(crate) const AGENT_LOG: &str = "agent.log";
const TASKS: &str = "tasks";

/// One run's folder, there or not. Cheap to make and to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

macro_rules! records {
    ($($(#[$doc:meta])* $read:ident, $write:ident by $how:ident: $content:ty;)*) => {
        impl RunDir {
            $($(#[$doc])*
            pub fn $read(&self) -> Record<$content> {
                record::read(&self.path)
            }

            /// Writes the record in place and makes it durable; who the keeper is nobody asks after
            /// a power cut, so that is only told.
            pub fn $write(&self, content: &$content) -> io::Result<()> {
                record::$how(&self.path, content)
            })*

            /// Takes the space for all records, and blanks them.
            pub(crate) fn reserve_records(&self) -> io::Result<()> {
                $(record::reserve::<$content>(&self.path)?;)*
                Ok(())
            }

            /// Whether all records are there, at full size and blank.
            pub(crate) fn is_prepared(&self) -> bool {
                $(record::has_room::<$content>(&self.path))&&*
                    && [CONFIG, KEEPER_LOCK, UNRECORDED_LOCK, KEEPER_LOG, AGENT_LOG].iter().all(|file| self.path.join(file).is_file())
            }
        }
    };
}

records! {
    /// What was to be run.
    plan, write_plan by write: Plan;
    /// Who the keeper is.
    keeper, write_keeper by tell: KeeperRecord;
    /// Who the agent is.
    started, write_started by write: Started;
    /// Whether the first TERM is on its way.
    drain, write_drain by write: Drain;
    /// Whether the first TERM was sent.
    drain_sent, write_drain_sent by write: DrainSent;
    /// Whether the first TERM is proven lost.
    drain_lost, write_drain_lost by write: DrainLost;
    /// Whether the user cancels a task.
    cancel, write_cancel by write: Cancel;
    /// What was done about it.
    cancel_sent, write_cancel_sent by write: CancelSent;
    /// How the run ended.
    exit, write_exit by write: Exit;
}

impl RunDir {
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The agent's configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// What is done before each task, as the supervisor has it done; absent where nothing is.
    pub fn clean_up(&self) -> PathBuf {
        self.path.join("clean-up.json")
    }

    /// The agent's stdout and stderr. It is cut to nothing when it grows beyond the limit, and may hold
    /// the token where the agent itself printed it: to read it there is [`crate::AgentLog`], to show
    /// what was read [`crate::TokenMark`].
    pub fn agent_log(&self) -> PathBuf {
        self.path.join(AGENT_LOG)
    }

    /// The part of the log before that, each token in it covered. Its last line names the places it
    /// belongs to. May be absent.
    pub fn agent_log_before(&self) -> PathBuf {
        self.path.join("agent.log.1")
    }

    /// That part while it is being copied.
    pub(crate) fn agent_log_new(&self) -> PathBuf {
        self.path.join("agent.log.new")
    }

    /// That part while agent.log is being cut.
    pub(crate) fn agent_log_cutting(&self) -> PathBuf {
        self.path.join("agent.log.cutting")
    }

    /// What the keeper has to say; give it as the keeper's standard error.
    pub fn keeper_log(&self) -> PathBuf {
        self.path.join(KEEPER_LOG)
    }

    /// Opens keeper.log to append to (0600).
    pub fn open_keeper_log(&self) -> io::Result<File> {
        open_log(&self.keeper_log())
    }

    /// Opens agent.log to append to (0600).
    pub fn open_agent_log(&self) -> io::Result<File> {
        open_log(&self.agent_log())
    }

    /// Whether a keeper lives, or is about to.
    pub fn lock_held(&self) -> io::Result<bool> {
        lock::held(&self.path.join(KEEPER_LOCK))
    }

    /// Takes the keeper's lock, to hand it to an adopter. `None`: somebody holds it.
    pub fn take_lock(&self) -> io::Result<Option<KeeperLock>> {
        Ok(lock::take(&self.path.join(KEEPER_LOCK))?.map(KeeperLock))
    }

    /// Whether `file` is this run's keeper.lock and holds it.
    pub fn lock_is_held_by(&self, file: &File) -> io::Result<bool> {
        lock::is_held_by(file, &self.path.join(KEEPER_LOCK))
    }

    /// Blocks until no keeper lives; for a thread of its own. Takes the lock shared for a moment.
    pub fn wait_until_unlocked(&self) -> io::Result<()> {
        lock::wait_until_free(&self.path.join(KEEPER_LOCK))
    }

    /// For whoever runs a task that could get no folder: held as long as the task runs, it says at
    /// least that one does, and since when. Needs no space.
    pub fn take_unrecorded_lock(&self, now: Timestamp) -> io::Result<Option<TaskLock>> {
        let Some(file) = lock::take(&self.path.join(UNRECORDED_LOCK))? else { return Ok(None) };
        file.set_modified(SystemTime::try_from(now).map_err(io::Error::other)?)?;
        Ok(Some(TaskLock(file)))
    }

    /// Since when a task runs that has no folder; `None`: none does. Runs of the first release have
    /// no such lock and no such word.
    pub fn unrecorded_task(&self) -> io::Result<Option<Timestamp>> {
        let path = self.path.join(UNRECORDED_LOCK);
        match lock::held(&path) {
            Ok(false) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(true) => {
                let since = fs::metadata(&path)?.modified()?;
                Timestamp::try_from(since).map(Some).map_err(io::Error::other)
            }
        }
    }

    /// Blocks until no such task runs; for a thread of its own.
    pub fn wait_until_no_unrecorded_task(&self) -> io::Result<()> {
        lock::wait_until_free(&self.path.join(UNRECORDED_LOCK))
    }

    pub(crate) fn has_next_task(&self) -> bool {
        TaskDir::at(self.tasks_folder().join(NEXT_TASK), TaskNumber(0)).is_prepared()
    }

    /// Deletes the folder of a task that is over and needed no more.
    pub fn remove_task(&self, number: TaskNumber) -> io::Result<()> {
        let gone = self.tasks_folder().join(format!(".gone-{number}"));
        // First out of sight: what is half deleted must not be taken for a task.
        match fs::rename(self.task(number).path(), &gone) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::remove_dir_all(&gone)
    }

    /// The folder of the tasks; a new task appears in it by a rename.
    pub fn tasks_folder(&self) -> PathBuf {
        self.path.join(TASKS)
    }

    pub fn task(&self, number: TaskNumber) -> TaskDir {
        TaskDir::at(self.tasks_folder().join(number.to_string()), number)
    }

    /// The tasks of this run, first to last.
    pub fn tasks(&self) -> io::Result<Vec<TaskDir>> {
        let mut numbers: Vec<TaskNumber> = Vec::new();
        for entry in fs::read_dir(self.tasks_folder())? {
            numbers.extend(
                entry?.file_name().to_str().and_then(|name| name.parse::<TaskNumber>().ok()),
            );
        }
        numbers.sort();
        Ok(numbers.into_iter().map(|number| self.task(number)).collect())
    }

    /// Takes the disk space for the next task's records.
    pub fn reserve_next_task(&self) -> io::Result<()> {
        let next = self.tasks_folder().join(NEXT_TASK);
        make_folder(&next)?;
        TaskDir::at(next, TaskNumber(0)).prepare()
    }

    /// Makes the folder of a new task, locked.
    pub fn claim_task(&self) -> io::Result<(TaskDir, TaskLock)> {
        let next = TaskDir::at(self.tasks_folder().join(NEXT_TASK), TaskNumber(0));
        if !next.is_prepared() {
            self.reserve_next_task()?;
        }
        let lock = next.take_lock()?.ok_or_else(|| {
            io::Error::other(format!("{} is locked by another process", next.path().display()))
        })?;
        let last = self.tasks()?.last().map_or(0, |task| task.number().0);
        let task = self.task(TaskNumber(last + 1));
        // Onto a folder that is not empty a rename fails, so no task takes another's place.
        // Not synced: no process outlives a power cut, so then nobody looks for this name.
        fs::rename(next.path(), task.path())?;
        Ok((task, lock))
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
