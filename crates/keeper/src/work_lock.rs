//! The lock of the working directory: nobody else cleans up in it while a task has it. Its file says under
//! which name a fresh start keeps what lies there.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::clean_up::Word;
use crate::link::Link;
use crate::signals::Signals;
use crate::wait::wait;

/// Whoever cleans up by hand holds the lock for some renames.
const AGAIN: Duration = Duration::from_millis(20);

pub(crate) struct WorkLock {
    file: File,
    is_held: bool,
    /// Of this task.
    name: String,
    work: PathBuf,
    /// Under which is kept what lay there before. None: no task left it.
    before: Option<String>,
}

impl WorkLock {
    pub(crate) fn open(path: &Path, name: &str, work: PathBuf) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = file.open(path)?;
        Ok(Self { file, is_held: false, name: name.to_owned(), work, before: None })
    }

    /// A word of the other side ends the waiting.
    pub(crate) fn take_until(
        &mut self,
        until: Instant,
        link: &mut Link,
        signals: &Signals,
    ) -> anyhow::Result<Option<Word>> {
        while !self.try_take() && Instant::now() < until {
            let ready = wait(&[link.as_fd(), signals.as_fd()], Some(AGAIN))?;
            signals.take();
            if ready.first() == Some(&true)
                && let Some(word) = Word::of(link)?
            {
                return Ok(Some(word));
            }
        }
        Ok(None)
    }

    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Whether it is held now.
    pub(crate) fn try_take(&mut self) -> bool {
        if !self.is_held && self.file.try_lock().is_ok() {
            self.is_held = true;
            self.before = cleanup::left_by(&self.file, &self.work);
        }
        self.is_held
    }

    /// The name under which a fresh start keeps what lies there.
    pub(crate) fn kept_as(&self) -> String {
        self.before.clone().unwrap_or_else(|| cleanup::before(&self.name))
    }

    /// What lies there is this task's from now on, but for what no task made and could not be moved away.
    pub(crate) fn begin(&self, is_fresh: bool) {
        let before = self.kept_as();
        let is_empty = || match std::fs::read_dir(&self.work) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        let stays = cleanup::is_from_before(&before) && !is_fresh && !is_empty();
        let name = if stays { &before } else { &self.name };
        // Where that cannot be written the next one keeps it under the name of an earlier task.
        let _ = cleanup::note(&self.file, &self.work, name);
    }
}
