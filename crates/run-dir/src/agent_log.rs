//! The agent's log as one text, though it lies in two files. Each byte has a place, counted from the
//! first byte of the run, and keeps it when the keeper moves it aside; a reader must never be given
//! one byte for another, whatever the keeper does meanwhile.
//!
//! A cut (`log_cut.rs`) shows in the names of files, which change at once or not at all: while
//! `agent.log.cutting` is there, agent.log may be emptied at any moment, and once it is emptied that
//! file takes the name `agent.log.1`. So what was read is right if afterwards there is no
//! `agent.log.cutting`, and agent.log.1 is still the same file.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::RunDir;
use crate::record::named;

/// How often, and how far apart, a patient reader looks whether a cut is over.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);
/// A cut may end just between two looks of a reader that does not wait.
const LOOKS_AT_ONCE: u32 = 3;

/// Both files of one log, open. It survives their being cut and deleted.
#[derive(Debug)]
pub struct AgentLog {
    run: RunDir,
    waits: bool,
    before: Option<Before>,
    live: Option<File>,
    /// A keeper was killed in the midst of a cut.
    half_cut: bool,
    /// Bytes at the beginning of the live file that are in `before` too, because of that.
    twice: u64,
}

/// The part that was moved aside, which never changes.
#[derive(Debug)]
struct Before {
    file: File,
    id: (u64, u64),
    part: Aside,
}

/// Where a part that was moved aside belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aside {
    /// The place of its first byte.
    pub(crate) from: u64,
    /// How many bytes of it were kept.
    pub(crate) kept: u64,
    /// The place where the log goes on.
    pub(crate) to: u64,
}

impl AgentLog {
    /// Opens what is there; a log that was never written is empty. Waits while it is being cut, so
    /// not for a thread that has other things to do.
    pub fn open(run: &RunDir) -> io::Result<Self> {
        Self::look(run, true)
    }

    /// The same without waiting: where the log is just being cut, or is cut while it is read, the
    /// error is [`ErrorKind::WouldBlock`].
    pub fn open_at_once(run: &RunDir) -> io::Result<Self> {
        Self::look(run, false)
    }

    fn look(run: &RunDir, waits: bool) -> io::Result<Self> {
        for _ in 0..looks(waits) {
            let before = Before::open(&run.agent_log_before())?;
            let live = open(&run.agent_log())?;
            let log = Self { run: run.clone(), waits, before, live, half_cut: false, twice: 0 };
            if log.is_still_so()? {
                return Ok(log);
            }
            if !run.lock_held().unwrap_or(true)
                && let Some(log) = Self::half_cut(run, waits)?
            {
                return Ok(log);
            }
            if waits {
                thread::sleep(BETWEEN_LOOKS);
            }
        }
        Err(is_cut(run))
    }

    /// What a keeper left that was killed in the midst of a cut.
    fn half_cut(run: &RunDir, waits: bool) -> io::Result<Option<Self>> {
        let Some(before) = Before::open(&run.agent_log_cutting())? else { return Ok(None) };
        let live = open(&run.agent_log())?;
        let was_emptied = len(live.as_ref())? < before.part.kept;
        let twice = if was_emptied { 0 } else { before.part.kept };
        Ok(Some(Self {
            run: run.clone(),
            waits,
            before: Some(before),
            live,
            half_cut: true,
            twice,
        }))
    }

    /// The first place that there still is.
    pub fn from(&self) -> u64 {
        let from = |part: Aside| if part.kept > 0 { part.from } else { part.to };
        self.before.as_ref().map_or(0, |before| from(before.part))
    }

    /// The place after the last byte that is written now.
    pub fn end(&self) -> io::Result<u64> {
        Ok(self.live_from() + len(self.live.as_ref())?.saturating_sub(self.twice))
    }

    /// The first place in the live file.
    pub fn live_from(&self) -> u64 {
        self.before.as_ref().map_or(0, |before| before.part.to)
    }

    /// Places of bytes that are known to be lost.
    pub fn gap(&self) -> Option<Range<u64>> {
        let part = self.before.as_ref()?.part;
        let gap = part.from + part.kept..part.to;
        (!gap.is_empty()).then_some(gap)
    }

    /// Places at which bytes may be missing: where what was moved aside begins and ends.
    pub fn edges(&self) -> Vec<u64> {
        let Some(Before { part, .. }) = &self.before else { return Vec::new() };
        let first = (part.from > 0).then_some(part.from);
        first.into_iter().chain([part.from + part.kept, part.to]).collect()
    }

    /// Reads what is there of these places into `bytes`, and gives the place of the first of them.
    /// Places that are gone are passed over; it ends before a gap, and at the end of the log.
    pub fn read(&mut self, wanted: Range<u64>, bytes: &mut Vec<u8>) -> io::Result<u64> {
        for _ in 0..looks(self.waits) {
            let at = self.read_once(&wanted, bytes)?;
            if self.is_still_so()? {
                return Ok(at);
            }
            *self = Self::look(&self.run, self.waits)?;
        }
        Err(is_cut(&self.run))
    }

    fn read_once(&self, wanted: &Range<u64>, bytes: &mut Vec<u8>) -> io::Result<u64> {
        let mut at = wanted.start.max(self.from());
        let mut filled = 0;
        bytes.resize(size(wanted.end.saturating_sub(at)), 0);
        if let Some(Before { file, part, .. }) = &self.before {
            let kept_to = part.from + part.kept;
            if at < kept_to {
                let most = size(kept_to.min(wanted.end).saturating_sub(at));
                filled = read_at(file, at - part.from, bytes.get_mut(..most))?;
                if filled < most || kept_to < part.to {
                    bytes.truncate(filled);
                    return Ok(at);
                }
            } else {
                at = at.max(part.to);
                bytes.truncate(size(wanted.end.saturating_sub(at)));
            }
        }
        let live_at = (at + filled as u64).saturating_sub(self.live_from()) + self.twice;
        if let Some(live) = &self.live {
            filled += read_at(live, live_at, bytes.get_mut(filled..))?;
        }
        bytes.truncate(filled);
        Ok(at)
    }

    /// Whether no cut has begun since the files were opened.
    fn is_still_so(&self) -> io::Result<bool> {
        let id = |there: Option<Metadata>| there.map(|there| (there.dev(), there.ino()));
        // A file that is held open keeps its number for itself.
        let held = self.before.as_ref().map(|before| before.id);
        let cutting = id(metadata(&self.run.agent_log_cutting())?);
        if self.half_cut {
            return Ok(cutting == held && len(self.live.as_ref())? >= self.twice);
        }
        let before = id(metadata(&self.run.agent_log_before())?);
        Ok(cutting.is_none() && before == held || self.is_gone()?)
    }

    /// Whether the whole run was deleted, which changes nothing of what is open.
    fn is_gone(&self) -> io::Result<bool> {
        Ok(metadata(self.run.path())?.is_none())
    }
}

impl Before {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = open(path)? else { return Ok(None) };
        let there = file.metadata()?;
        let part = Aside::read(&file, there.len())?;
        Ok(Some(Self { file, id: (there.dev(), there.ino()), part }))
    }
}

const BEGINS: &str = "\n[Runner Tray: bytes ";
const ENDS: &str = " of the agent's log, moved aside]\n";
/// Longer than the line is with the largest numbers.
const LONGEST: u64 = 256;

/// No log ever comes so far; beyond it places could not be counted on.
const LAST_PLACE: u64 = 1 << 60;

impl Aside {
    /// The last line of the file, for its readers and for people.
    pub(crate) fn line(self) -> String {
        format!("{BEGINS}{} to {}{ENDS}", self.from, self.to)
    }

    /// Without such a line it is the beginning of the log, as far as anybody knows.
    pub(crate) fn read(file: &File, len: u64) -> io::Result<Self> {
        let from = len.saturating_sub(LONGEST);
        let mut end = vec![0; size(len - from)];
        let filled = read_at(file, from, Some(&mut end))?;
        end.truncate(filled);
        Ok(Self::parse(&end, from).unwrap_or(Self { from: 0, kept: len, to: len }))
    }

    fn parse(end: &[u8], end_at: u64) -> Option<Self> {
        let at = memchr::memmem::rfind(end, BEGINS.as_bytes())?;
        let line = std::str::from_utf8(end.get(at + BEGINS.len()..)?).ok()?;
        let (from, to) = line.strip_suffix(ENDS)?.split_once(" to ")?;
        let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
        let kept = end_at + at as u64;
        (from.checked_add(kept)? <= to && to <= LAST_PLACE).then_some(Self { from, kept, to })
    }
}

fn looks(waits: bool) -> u32 {
    if waits { LOOKS } else { LOOKS_AT_ONCE }
}

fn is_cut(run: &RunDir) -> io::Error {
    let log = run.agent_log();
    io::Error::new(ErrorKind::WouldBlock, format!("{} is just being cut", log.display()))
}

fn open(path: &Path) -> io::Result<Option<File>> {
    there(path, File::open(path))
}

fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    there(path, fs::metadata(path))
}

fn there<T>(path: &Path, result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(named(path, &error)),
    }
}

fn len(file: Option<&File>) -> io::Result<u64> {
    file.map_or(Ok(0), |file| Ok(file.metadata()?.len()))
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// As many bytes as there are.
fn read_at(file: &File, at: u64, into: Option<&mut [u8]>) -> io::Result<usize> {
    let mut rest = into.unwrap_or_default();
    let mut filled = 0;
    while !rest.is_empty() {
        match file.read_at(rest, at + filled as u64) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                rest = rest.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
