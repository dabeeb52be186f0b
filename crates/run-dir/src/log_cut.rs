//! Moves what the agent wrote aside and cuts its log to nothing in place, as the agent writes into
//! the file itself. It must never leave the log uncut, nor move a byte to another place in it; how
//! readers tell is in `agent_log.rs`. What is written between the copy and the cut is lost.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use crate::agent_log::Aside;
use crate::record::named;
use crate::{RunDir, TokenMark};

/// So many times the log's limit are moved aside: a writer that is faster than the copying must
/// neither keep it busy for good nor fill the disk twice.
const AT_MOST: u64 = 2;

impl RunDir {
    /// Moves all of agent.log to agent.log.1, each token covered, in place of what was there. Even if
    /// that fails (a full disk) agent.log is empty afterwards: what is bounded must stay so.
    /// Of a log that is far beyond its limit the first part is kept.
    pub fn cut_agent_log(&self, mark: Option<&TokenMark>, limit: u64) -> io::Result<()> {
        self.finish_log_cut()?;
        let path = self.agent_log();
        let log = File::options().read(true).write(true).open(&path);
        let log = log.map_err(|error| named(&path, &error))?;
        if log.metadata()?.len() == 0 {
            // What was moved aside before is better than nothing.
            return Ok(());
        }
        let aside = self.copy_aside(&log, mark, limit.saturating_mul(AT_MOST));
        let aside = aside.and_then(|copied| {
            fs::rename(self.agent_log_new(), self.agent_log_cutting())?;
            Ok(copied)
        });
        log.set_len(0).map_err(|error| named(&path, &error))?;
        match aside {
            Ok(copied) => {
                fs::rename(self.agent_log_cutting(), self.agent_log_before())?;
                copied
            }
            Err(error) => {
                // Nothing of it is of use, and its space is.
                let _ = fs::remove_file(self.agent_log_new());
                Err(error)
            }
        }
    }

    /// Ends a cut in the midst of which a keeper was killed.
    pub fn finish_log_cut(&self) -> io::Result<()> {
        let cutting = match File::open(self.agent_log_cutting()) {
            Ok(cutting) => cutting,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(named(&self.agent_log_cutting(), &error)),
        };
        let aside = Aside::read(&cutting, cutting.metadata()?.len())?;
        let log = File::options().write(true).open(self.agent_log())?;
        // Shorter than what was moved: it was emptied already.
        if log.metadata()?.len() >= aside.kept {
            log.set_len(0)?;
        }
        fs::rename(self.agent_log_cutting(), self.agent_log_before())
    }

    /// Fills agent.log.new. Where there is no room for it the part before makes some; where that is
    /// not enough either, only the places are kept, and why is in the answer.
    fn copy_aside(
        &self,
        log: &File,
        mark: Option<&TokenMark>,
        most: u64,
    ) -> io::Result<io::Result<()>> {
        let from = match File::open(self.agent_log_before()) {
            Ok(before) => Aside::read(&before, before.metadata()?.len())?.to,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(named(&self.agent_log_before(), &error)),
        };
        let mut new = self.new_aside()?;
        let mut copied = copy(log, &new, mark, most);
        if copied.is_err() {
            end_with(&new, Aside { from, kept: 0, to: from })?;
            fs::rename(self.agent_log_new(), self.agent_log_before())?;
            new = self.new_aside()?;
            copied = copy(log, &new, mark, most);
        }
        let kept = copied.as_ref().map_or(0, |copied| *copied);
        let to = from + kept.max(log.metadata()?.len());
        end_with(&new, Aside { from, kept, to })?;
        Ok(copied.map(drop))
    }

    fn new_aside(&self) -> io::Result<File> {
        let options = &mut fs::OpenOptions::new();
        let new = options.write(true).create(true).truncate(true).mode(0o600);
        new.open(self.agent_log_new()).map_err(|error| named(&self.agent_log_new(), &error))
    }
}

fn end_with(new: &File, aside: Aside) -> io::Result<()> {
    new.set_len(aside.kept)?;
    new.write_all_at(aside.line().as_bytes(), aside.kept)
}

fn copy(log: &File, new: &File, mark: Option<&TokenMark>, most: u64) -> io::Result<u64> {
    let log = Log { file: log, at: 0 }.take(most);
    // Written where it belongs, whatever was written and cut before.
    let new = New { file: new, at: 0 };
    match mark {
        Some(mark) => mark.copy_covered(log, new),
        None => io::copy(&mut { log }, &mut { new }),
    }
}

/// The log from its beginning.
struct Log<'file> {
    file: &'file File,
    at: u64,
}

impl Read for Log<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

struct New<'file> {
    file: &'file File,
    at: u64,
}

impl io::Write for New<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
