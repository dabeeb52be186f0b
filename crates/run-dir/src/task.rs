//! The folder of one task of a run.

use std::io;
use std::path::{Path, PathBuf};

use crate::block::make_file;
use crate::record::{self, Record};
use crate::{TaskFinished, TaskLock, TaskNumber, TaskStarted, lock};

/// The task that is prepared before it is known.
pub(crate) const NEXT_TASK: &str = ".next";
const TASK_LOCK: &str = "task.lock";

/// One task's folder, there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDir {
    path: PathBuf,
    number: TaskNumber,
}

impl TaskDir {
    pub(crate) fn at(path: PathBuf, number: TaskNumber) -> Self {
        Self { path, number }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn number(&self) -> TaskNumber {
        self.number
    }

    /// Who runs it.
    pub fn started(&self) -> Record<TaskStarted> {
        record::read(&self.path)
    }

    /// Writes the record in place. Not durable: a power cut ends the task with it.
    pub fn write_started(&self, content: &TaskStarted) -> io::Result<()> {
        record::tell(&self.path, content)
    }

    /// How it ended.
    pub fn finished(&self) -> Record<TaskFinished> {
        record::read(&self.path)
    }

    /// Writes the record in place. Not durable: the history keeps it, and a task of which a power cut
    /// left no end counts as lost with the machine.
    pub fn write_finished(&self, content: &TaskFinished) -> io::Result<()> {
        record::tell(&self.path, content)
    }

    /// What the clean-up before it did; absent where none was done.
    pub fn clean_up(&self) -> PathBuf {
        self.path.join("clean-up.json")
    }

    /// What the clean-up before it had to say.
    pub fn clean_up_log(&self) -> PathBuf {
        self.path.join("clean-up.log")
    }

    /// Whether its guard lives.
    pub fn lock_held(&self) -> io::Result<bool> {
        lock::held(&self.path.join(TASK_LOCK))
    }

    /// Blocks until its guard has ended; for a thread of its own.
    pub fn wait_until_unlocked(&self) -> io::Result<()> {
        lock::wait_until_free(&self.path.join(TASK_LOCK))
    }

    pub(crate) fn take_lock(&self) -> io::Result<Option<TaskLock>> {
        Ok(lock::take(&self.path.join(TASK_LOCK))?.map(TaskLock))
    }

    pub(crate) fn prepare(&self) -> io::Result<()> {
        record::make_room::<TaskStarted>(&self.path)?;
        record::make_room::<TaskFinished>(&self.path)?;
        make_file(&self.path.join(TASK_LOCK)).map(drop)
    }

    pub(crate) fn is_prepared(&self) -> bool {
        record::has_room::<TaskStarted>(&self.path)
            && record::has_room::<TaskFinished>(&self.path)
            && self.path.join(TASK_LOCK).is_file()
    }
}
