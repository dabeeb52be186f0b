//! Tasks and their output as files below one folder, written before anybody is told of a change;
//! it must never hold more than one open.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::queue::Record;
use crate::control::TaskNumber;
use crate::private_file;

/// `STATE/tasks/<number>/{task.json, <step>.log}`, all readable by the owner alone.
pub(super) struct Store {
    tasks: PathBuf,
}

impl Store {
    pub(super) fn open(state: &Path) -> anyhow::Result<Self> {
        let tasks = state.join("tasks");
        private_file::make_folder(&tasks)
            .with_context(|| format!("cannot make the folder {}", tasks.display()))?;
        Ok(Self { tasks })
    }

    /// All records that were saved, in no order.
    pub(super) fn load(&self) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.tasks)? {
            let path = entry?.path().join("task.json");
            if !path.exists() {
                continue;
            }
            let text =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let record = serde_json::from_slice(&text).with_context(|| {
                format!("{} is no task of this version; start with another --state", path.display())
            })?;
            records.push(record);
        }
        Ok(records)
    }

    pub(super) fn save(&self, record: &Record) -> anyhow::Result<()> {
        let folder = self.folder(record.task.number);
        let saved = private_file::make_folder(&folder)
            .and_then(|()| private_file::replace(&folder.join("task.json"), &as_json(record)));
        saved.with_context(|| format!("cannot save task {}", record.task.number))
    }

    /// Adds what lies behind `offset` of the output so far; what is known already is dropped, so
    /// that a task agent may send a piece twice.
    pub(super) fn append_output(
        &self,
        number: TaskNumber,
        step: u32,
        offset: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        let path = self.folder(number).join(format!("{step}.log"));
        let mut file: File = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let known = file.metadata()?.len().saturating_sub(offset);
        let known = usize::try_from(known).unwrap_or(usize::MAX).min(bytes.len());
        file.write_all(&bytes[known..])
    }

    /// Empty when the step printed nothing, or does not exist.
    pub(super) fn output(&self, number: TaskNumber, step: u32) -> Vec<u8> {
        fs::read(self.folder(number).join(format!("{step}.log"))).unwrap_or_default()
    }

    fn folder(&self, number: TaskNumber) -> PathBuf {
        self.tasks.join(number.to_string())
    }
}

fn as_json(record: &Record) -> Vec<u8> {
    serde_json::to_vec_pretty(record).unwrap_or_else(|error| unreachable!("a record: {error}"))
}
