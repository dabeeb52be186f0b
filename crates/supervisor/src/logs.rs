//! The agent's log for readers: page by page, forwards and backwards, redacted, from one run to the
//! next. Places stay what they are when the keeper cuts the log. Reads files, so it belongs on a
//! thread that may wait.

use std::io;

use memchr::{memchr, memrchr, memrchr_iter};
use protocol::{Bytes, LogPage, RunId};
use run_dir::{AgentLog, RunDir};

use crate::shown_log::{ShownLog, mark_of};

/// A run whose log is asked for.
#[derive(Debug, Clone)]
pub(crate) struct LogSource {
    pub(crate) run: RunId,
    pub(crate) folder: RunDir,
    /// Nothing will be added to it.
    pub(crate) ended: bool,
    /// The runner's run before it.
    pub(crate) previous: Option<RunId>,
    /// The runner's run after it.
    pub(crate) next: Option<RunId>,
}

impl LogSource {
    pub(crate) fn open(&self) -> io::Result<ShownLog> {
        Ok(ShownLog::new(AgentLog::open(&self.folder)?, mark_of(&self.folder)?, self.ended))
    }

    pub(crate) fn place(&self, byte: u64) -> String {
        format!("{}:{byte}", self.run)
    }
}

const LONGEST_PAGE: u64 = 1 << 20;
const USUAL_PAGE: u64 = 64 << 10;
const SHORTEST_LOOK_BACK: u64 = 16 << 10;

/// The place after all that is written.
pub(crate) const END: u64 = u64::MAX;

/// A place in a run's log: `<run>:<byte>`, or `<run>:end`.
pub(crate) fn place(text: &str) -> Option<(RunId, u64)> {
    let (run, byte) = text.rsplit_once(':')?;
    let byte = if byte == "end" { END } else { byte.parse().ok()? };
    Some((RunId::from(run), byte))
}

/// Which part of a log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    From(u64),
    /// What stands before it.
    Before(u64),
    /// So many lines before the end, and what is written after.
    LastLines(u64),
}

/// What is done with a last line that is not whole yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    Shown,
    HeldBack,
}

/// One page of about `limit` bytes.
pub(crate) fn page(
    source: &LogSource,
    part: Part,
    limit: Option<u64>,
    unfinished: Unfinished,
) -> io::Result<LogPage> {
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE);
    let mut log = source.open()?;
    match part {
        Part::From(from) => forwards(source, &mut log, from, limit, unfinished),
        Part::Before(before) => backwards(source, &mut log, before, limit),
        Part::LastLines(lines) => {
            let from = last_lines_from(&mut log, lines)?;
            forwards(source, &mut log, from, limit, unfinished)
        }
    }
}

/// Where the last lines begin.
fn last_lines_from(log: &mut ShownLog, lines: u64) -> io::Result<u64> {
    let Some(mut more) = lines.checked_sub(1) else { return Ok(END) };
    let end = log.end()?;
    // Most often they are short, and each byte that is read is searched for the token.
    let (mut to, mut length) = (end, SHORTEST_LOOK_BACK);
    loop {
        let wanted = log.back_from(to, length)?;
        let stretch = log.read(wanted, 0)?;
        let start = stretch.part.start;
        for at in memrchr_iter(b'\n', stretch.raw_part()) {
            let line = start + at as u64 + 1;
            if line == end {
                // It ends the last line.
                continue;
            }
            let Some(fewer) = more.checked_sub(1) else { return Ok(line) };
            more = fewer;
        }
        if start >= to {
            return Ok(log.from());
        }
        to = start;
        length = (4 * length).min(LONGEST_PAGE);
    }
}

fn forwards(
    source: &LogSource,
    log: &mut ShownLog,
    from: u64,
    limit: u64,
    unfinished: Unfinished,
) -> io::Result<LogPage> {
    let end = log.end()?;
    let start = if from == END { end } else { log.on_from(from)? };
    // What is held back may be behind a reader that saw it before: its run was over for a moment.
    let stop = start.saturating_add(limit).min(end.max(start));
    let stretch = log.read(start..stop, 0)?;
    let (part, raw) = (stretch.part.clone(), stretch.raw_part());
    let lines = memrchr(b'\n', raw).map_or(0, |at| at + 1);
    let at_stop = part.end >= end;
    // A line that is longer than a page comes in pieces.
    let piece = match whole_characters(raw) {
        0 => raw.len(),
        piece => piece,
    };
    let length = match unfinished {
        Unfinished::Shown | Unfinished::HeldBack if at_stop && source.ended => raw.len(),
        Unfinished::Shown if at_stop => whole_characters(raw),
        Unfinished::HeldBack if at_stop => lines,
        Unfinished::Shown | Unfinished::HeldBack if lines > 0 => lines,
        Unfinished::Shown | Unfinished::HeldBack => piece,
    };
    let to = part.start + length as u64;
    let text = stretch.shown(part.start..to);
    let missed = part.start.saturating_sub(from);
    let at_end = to >= end || length == 0 && at_stop;
    Ok(LogPage { missed: Bytes(missed), ..of(source, log, text, part.start, to, at_end) })
}

fn backwards(
    source: &LogSource,
    log: &mut ShownLog,
    before: u64,
    limit: u64,
) -> io::Result<LogPage> {
    let end = log.end()?;
    let wanted = log.back_from(before, limit)?;
    let stretch = log.read(wanted.clone(), 1)?;
    let (part, (around, at)) = (stretch.part.clone(), stretch.raw());
    let raw = stretch.raw_part();
    let before_it = part.start.checked_sub(at + 1).and_then(|at| usize::try_from(at).ok());
    let begins_a_line = match before_it.and_then(|at| around.get(at)) {
        Some(byte) => *byte == b'\n',
        // Nothing is there before it.
        None => true,
    };
    let skipped = if begins_a_line {
        0
    } else {
        let line = memchr(b'\n', raw).map(|at| at + 1).filter(|at| *at < raw.len());
        line.unwrap_or_else(|| raw.iter().take_while(|byte| is_inside_character(**byte)).count())
    };
    // Of a line of nothing but such bytes a piece is shown as it is.
    let skipped = if skipped < raw.len() { skipped } else { 0 };
    let from = part.start + skipped as u64;
    let text = stretch.shown(from..part.end);
    Ok(of(source, log, text, from, part.end, part.end >= end))
}

fn of(
    source: &LogSource,
    log: &mut ShownLog,
    text: String,
    from: u64,
    to: u64,
    at_end: bool,
) -> LogPage {
    let on = source.next.as_ref().filter(|_| source.ended && at_end);
    let before = if from > log.from() {
        Some(source.place(from))
    } else {
        source.previous.as_ref().map(|run| format!("{run}:end"))
    };
    LogPage {
        text,
        run: Some(source.run.clone()),
        from: source.place(from),
        next: on.map_or_else(|| source.place(to), |run| format!("{run}:0")),
        before,
        at_end: at_end && on.is_none(),
        end: log.end().ok().map(|end| source.place(end)),
        ended: source.ended,
        missed: Bytes(0),
    }
}

/// How many of these bytes do not end within a character (UTF-8); all, where they are no text.
fn whole_characters(bytes: &[u8]) -> usize {
    let inside = bytes.iter().rev().take_while(|byte| is_inside_character(**byte)).count();
    let Some(first) = bytes.len().checked_sub(inside + 1) else { return bytes.len() };
    let length = match bytes.get(first) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        Some(_) | None => 1,
    };
    if inside + 1 < length { first } else { bytes.len() }
}

fn is_inside_character(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests;
