//! Looks for a word in an agent's log, in little memory and for as long as somebody wants to know.
//! It must never tell anything of a token: what may not be seen is not found either. Reads files,
//! so it belongs on a thread that may wait.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use memchr::{memchr, memrchr};
use protocol::{Bytes, FoundLine, LogSearch};

use crate::logs::LogSource;
use crate::shown_log::{ShownLog, Stretch};
use crate::word::{LONGEST_WORD, Word};

/// How much is looked through in one call, so that no call takes long.
const LOOKED_THROUGH: u64 = 256 << 20;
/// As much is looked through before a second thread helps.
const LOOKED_THROUGH_ALONE: u64 = 8 << 20;
/// What stays in the processor's caches while it is looked through.
const CHUNK: u64 = 512 << 10;
/// How much of a line is shown before and behind what was found in it.
const AROUND: u64 = 2 << 10;
const MARGIN: u64 = AROUND + LONGEST_WORD as u64;
const USUAL_LINES: usize = 200;
const MOST_LINES: usize = 10_000;
/// An answer with more text than this waits for no more lines, in bytes.
const MOST_TEXT: usize = 1 << 20;

/// Lines with the word from `from` on, at most `limit` of them; stops when `gone` is set.
pub(crate) fn search(
    source: &LogSource,
    word: &Word,
    from: u64,
    limit: Option<usize>,
    gone: &AtomicBool,
) -> io::Result<LogSearch> {
    let mut log = source.open()?;
    let end = log.end()?;
    let from = log.on_from(from)?;
    let most = limit.unwrap_or(USUAL_LINES).clamp(1, MOST_LINES);
    let mut look = Look { source, word, gone, end, most, at: from, text: 0, found: Vec::new() };
    let stop = end.min(from.saturating_add(LOOKED_THROUGH));
    look.up_to(stop.min(from.saturating_add(LOOKED_THROUGH_ALONE)), &mut log)?;
    if look.found.is_empty() && look.at < stop {
        look.two_at_once_up_to(stop, &mut log)?;
    } else {
        look.up_to(stop, &mut log)?;
    }
    Ok(LogSearch {
        run: Some(source.run.clone()),
        searched: Bytes(look.at.saturating_sub(from)),
        next: (look.at < end).then(|| source.place(look.at)),
        found: look.found,
    })
}

struct Look<'asked> {
    source: &'asked LogSource,
    word: &'asked Word,
    gone: &'asked AtomicBool,
    /// What is behind it must not be seen yet.
    end: u64,
    most: usize,
    /// As far as it was looked.
    at: u64,
    /// How much text was found.
    text: usize,
    found: Vec<FoundLine>,
}

impl Look<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.most || self.text >= MOST_TEXT
    }

    fn up_to(&mut self, stop: u64, log: &mut ShownLog) -> io::Result<()> {
        while self.at < stop && !self.is_full() && !self.gone.load(Ordering::Relaxed) {
            self.through(log, self.at..stop.min(self.at + CHUNK))?;
        }
        Ok(())
    }

    /// What is seldom is looked for in two parts at once. The second part counts only where the first
    /// one leads right up to it: a line or an answer may have ended elsewhere.
    fn two_at_once_up_to(&mut self, stop: u64, log: &mut ShownLog) -> io::Result<()> {
        let middle = self.at + (stop - self.at) / 2;
        let mut second = Look { at: middle, found: Vec::new(), ..*self };
        let second = thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let mut log = second.source.open()?;
                second.up_to(stop, &mut log).map(|()| second)
            });
            self.up_to(middle, log)?;
            beside.join().unwrap_or_else(|_| Err(io::Error::other("a search broke off")))
        })?;
        if self.at == middle && self.found.len() + second.found.len() <= self.most {
            self.at = second.at;
            self.text += second.text;
            self.found.extend(second.found);
        }
        Ok(())
    }

    fn through(&mut self, log: &mut ShownLog, chunk: Range<u64>) -> io::Result<()> {
        let stretch = log.read(chunk.clone(), MARGIN)?;
        let (text, text_at) = stretch.raw();
        let index =
            |place: u64| usize::try_from(place.saturating_sub(text_at)).unwrap_or(usize::MAX);
        let len = self.word.len();
        self.at = stretch.part.start;
        // What is found begins within the chunk; it may end behind it.
        let last = (index(stretch.part.end) + len - 1).min(index(self.end)).min(text.len());
        while let Some(rest) = text.get(index(self.at)..last)
            && let Some(within) = self.word.find(rest)
        {
            let hit = self.at + within as u64..self.at + (within + len) as u64;
            if stretch.hides(&hit) {
                self.at = hit.start + 1;
                continue;
            }
            let line = line_around(&stretch, &hit, self.end);
            let text = stretch.shown(line.shown.clone());
            self.text += text.len();
            let at = self.source.place(line.shown.start);
            self.found.push(FoundLine { at, text, whole: line.whole });
            self.at = line.ends;
            if self.is_full() {
                return Ok(());
            }
        }
        // A gap ends a part early.
        let ended = stretch.part.end;
        let on = if ended < chunk.end { log.on_from(ended)?.max(ended) } else { ended };
        self.at = self.at.max(if on == chunk.start { chunk.end } else { on });
        Ok(())
    }
}

struct Line {
    shown: Range<u64>,
    /// Where the next line begins, or what is shown of this one ends.
    ends: u64,
    whole: bool,
}

/// The line that was hit; of one that is long only what is near.
fn line_around(stretch: &Stretch<'_>, hit: &Range<u64>, end: u64) -> Line {
    let (text, text_at) = stretch.raw();
    let index = |place: u64| usize::try_from(place.saturating_sub(text_at)).unwrap_or(usize::MAX);
    let first = hit.start.saturating_sub(AROUND).max(text_at);
    let before = text.get(index(first)..index(hit.start)).unwrap_or_default();
    let last = hit.end.saturating_add(AROUND).min(text_at + text.len() as u64).min(end);
    let behind = text.get(index(hit.end)..index(last)).unwrap_or_default();
    let begins = memrchr(b'\n', before).map(|at| first + at as u64 + 1);
    let ends = memchr(b'\n', behind).map(|at| hit.end + at as u64);
    Line {
        shown: begins.unwrap_or(first)..ends.unwrap_or(last),
        ends: ends.map_or(last, |end| end + 1),
        whole: (begins.is_some() || first == text_at && text_at == 0) && ends.is_some(),
    }
}

#[cfg(test)]
mod tests;
