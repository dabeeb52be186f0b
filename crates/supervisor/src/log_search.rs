//! Looks for a word in an agent's log, in little memory and for as long as somebody wants to know.
//! It must never tell anything of a token: what may not be seen is not found either. Reads files,
//! so it belongs on a thread that may wait.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::arch::all::packedpair::Pair;
use memchr::{memchr, memchr_iter, memchr2_iter, memmem, memrchr};
use protocol::{Bytes, FoundLine, LogSearch};

use crate::logs::LogSource;
use crate::shown_log::{ShownLog, Stretch};

/// Longest word that is looked for, in bytes.
pub(crate) const LONGEST_WORD: usize = 256;
/// How much is looked through in one call, so that no call takes long.
const LOOKED_THROUGH: u64 = 256 << 20;
/// What stays in the processor's caches while it is looked through.
const CHUNK: u64 = 512 << 10;
/// How much of a line is shown before and behind what was found in it.
const AROUND: u64 = 2 << 10;
const MARGIN: u64 = AROUND + LONGEST_WORD as u64;
const USUAL_LINES: usize = 200;
const MOST_LINES: usize = 1000;

/// A word to look for: in either case where it has no capital letter of its own (ASCII).
pub(crate) enum Word {
    Exact { finder: Box<memmem::Finder<'static>>, len: usize },
    AnyCase { word: Vec<u8>, rarest: usize },
}

impl Word {
    /// Nothing where that is no word: empty, too long, or more than a line.
    pub(crate) fn new(word: &str) -> Option<Self> {
        if word.is_empty() || word.len() > LONGEST_WORD || word.chars().any(char::is_control) {
            return None;
        }
        let bytes = word.as_bytes().to_vec();
        let has_capital = word.chars().any(char::is_uppercase);
        let has_case = bytes.iter().any(u8::is_ascii_lowercase);
        Some(if has_case && !has_capital {
            let rarest = Pair::new(&bytes).map_or(0, |pair| usize::from(pair.index1()));
            Self::AnyCase { word: bytes, rarest }
        } else {
            Self::Exact {
                finder: Box::new(memmem::Finder::new(&bytes).into_owned()),
                len: bytes.len(),
            }
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Exact { len, .. } => *len,
            Self::AnyCase { word, .. } => word.len(),
        }
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Exact { finder, .. } => finder.find(text),
            Self::AnyCase { word, rarest } => {
                let byte = *word.get(*rarest)?;
                let fits = |at: usize| {
                    let at = at.checked_sub(*rarest)?;
                    text.get(at..at + word.len())?.eq_ignore_ascii_case(word).then_some(at)
                };
                let capital = byte.to_ascii_uppercase();
                if capital == byte {
                    memchr_iter(byte, text).find_map(fits)
                } else {
                    memchr2_iter(byte, capital, text).find_map(fits)
                }
            }
        }
    }
}

/// Lines with the word from `from` on, at most `limit` of them; stops when `gone` is set.
pub(crate) fn search(
    source: &LogSource,
    word: &Word,
    from: u64,
    limit: Option<usize>,
    gone: &AtomicBool,
) -> io::Result<LogSearch> {
    let most = limit.unwrap_or(USUAL_LINES).clamp(1, MOST_LINES);
    let mut log = source.open()?;
    let end = log.end()?;
    let from = log.on_from(from)?;
    let mut look = Look { word, at: from, end, most, found: Vec::new() };
    let stop = end.min(from.saturating_add(LOOKED_THROUGH));
    while look.at < stop && look.found.len() < most && !gone.load(Ordering::Relaxed) {
        look.through(source, &mut log, look.at..stop.min(look.at + CHUNK))?;
    }
    Ok(LogSearch {
        run: Some(source.run.clone()),
        searched: Bytes(look.at.saturating_sub(from)),
        next: (look.at < end).then(|| source.place(look.at)),
        found: look.found,
    })
}

struct Look<'word> {
    word: &'word Word,
    /// As far as it was looked.
    at: u64,
    /// What is behind it must not be seen yet.
    end: u64,
    most: usize,
    found: Vec<FoundLine>,
}

impl Look<'_> {
    fn through(
        &mut self,
        source: &LogSource,
        log: &mut ShownLog,
        chunk: Range<u64>,
    ) -> io::Result<()> {
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
            self.found.push(FoundLine {
                at: source.place(line.shown.start),
                text: stretch.shown(line.shown.clone()),
                whole: line.whole,
            });
            self.at = line.ends;
            if self.found.len() == self.most {
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
