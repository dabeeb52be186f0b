//! What may be seen of an agent's log, by places in it. Every reader goes through here: a token that
//! the agent printed must never be shown, nor a piece of one, wherever a reader begins or stops.

use std::cell::OnceCell;
use std::io;
use std::ops::Range;

use run_dir::{AgentLog, Covers, Record, RunDir, TokenMark};

/// One log, open for reading.
pub(crate) struct ShownLog {
    log: AgentLog,
    mark: Option<TokenMark>,
    /// Nobody writes it any more.
    ended: bool,
    buffer: Vec<u8>,
}

/// A stretch of the log with what stands around it; not yet fit to be seen.
pub(crate) struct Stretch<'log> {
    /// The place of the first byte of `around`.
    at: u64,
    around: &'log [u8],
    /// What was asked for, as far as it is there.
    pub(crate) part: Range<u64>,
    mark: Option<&'log TokenMark>,
    edges: Vec<u64>,
    covers: OnceCell<Covers>,
}

/// By what tokens are found in a run's log; an error where that cannot be known, as then nothing of
/// the log may be shown.
pub(crate) fn mark_of(run: &RunDir) -> io::Result<Option<TokenMark>> {
    match run.plan() {
        Record::Written(plan) => Ok(plan.token_mark),
        Record::Absent if !run.path().exists() => Ok(None),
        Record::Absent | Record::Blank | Record::Unreadable(_) | Record::Newer(_) => {
            let why = "its plan.json cannot be read, so a token in its log could not be taken out";
            Err(io::Error::other(format!("{}: {why}", run.path().display())))
        }
    }
}

impl ShownLog {
    pub(crate) fn new(log: AgentLog, mark: Option<TokenMark>, ended: bool) -> Self {
        Self { log, mark, ended, buffer: Vec::new() }
    }

    /// The first place that there still is.
    pub(crate) fn from(&self) -> u64 {
        self.log.from()
    }

    /// The first place from `place` on at which there is or will be something. A place beyond the
    /// end was lost with all that was written: the log was emptied, and goes on with its live file.
    pub(crate) fn on_from(&self, place: u64) -> io::Result<u64> {
        Ok(match self.log.gap() {
            _ if place > self.log.end()? => self.log.live_from(),
            Some(gap) if gap.contains(&place) => gap.end,
            Some(_) | None => place.max(self.from()),
        })
    }

    /// The stretch of at most `most` bytes that ends at `place`, or before it where nothing is there.
    pub(crate) fn back_from(&mut self, place: u64, most: u64) -> io::Result<Range<u64>> {
        let mut end = place.min(self.end()?);
        let mut first = self.from().min(end);
        if let Some(gap) = self.log.gap() {
            if end > gap.end {
                first = first.max(gap.end);
            } else {
                end = end.min(gap.start);
            }
        }
        Ok(first.max(end.saturating_sub(most))..end)
    }

    /// The place up to which the log may be seen now. What may be the beginning of a token is held
    /// back until it is known how it goes on, or that it does not.
    pub(crate) fn end(&mut self) -> io::Result<u64> {
        let end = self.log.end()?;
        let Some(mark) = self.mark.as_ref().filter(|_| !self.ended) else { return Ok(end) };
        let from = end.saturating_sub(mark.context() as u64);
        let from = from.max(self.log.gap().map_or(0, |gap| gap.end));
        let at = self.log.read(from..end, &mut self.buffer)?;
        let end = at + self.buffer.len() as u64;
        Ok(end - mark.may_begin(&self.buffer) as u64)
    }

    /// Reads these places, and `margin` more bytes on both sides for whoever looks beyond. What is
    /// gone is passed over; the part may end early where bytes are missing.
    pub(crate) fn read(&mut self, part: Range<u64>, margin: u64) -> io::Result<Stretch<'_>> {
        let margin = margin + self.mark.as_ref().map_or(0, TokenMark::context) as u64;
        let mut from = part.start.saturating_sub(margin);
        if let Some(gap) = self.log.gap()
            && gap.start <= part.start
        {
            from = from.max(gap.end);
        }
        let at = self.log.read(from..part.end.saturating_add(margin), &mut self.buffer)?;
        let there = at..at + self.buffer.len() as u64;
        let start = part.start.max(there.start);
        let part = start..part.end.min(there.end).max(start);
        let mut edges = self.log.edges();
        if self.ended {
            edges.push(self.log.end()?);
        }
        edges.retain(|edge| (there.start..=there.end).contains(edge));
        Ok(Stretch {
            at,
            around: &self.buffer,
            part,
            mark: self.mark.as_ref(),
            edges,
            covers: OnceCell::new(),
        })
    }
}

impl Stretch<'_> {
    /// The bytes themselves, with all that was read around them, and the place of the first. To be
    /// looked at, and never to be shown.
    pub(crate) fn raw(&self) -> (&[u8], u64) {
        (self.around, self.at)
    }

    /// The part's own bytes. To be looked at, and never to be shown.
    pub(crate) fn raw_part(&self) -> &[u8] {
        self.around.get(self.within(&self.part)).unwrap_or_default()
    }

    /// Places within what was read, as they may be seen.
    pub(crate) fn shown(&self, part: Range<u64>) -> String {
        String::from_utf8_lossy(&self.shown_bytes(&part)).into_owned()
    }

    /// The same as bytes, for whoever puts stretches together.
    pub(crate) fn shown_bytes(&self, part: &Range<u64>) -> Vec<u8> {
        self.covers().shown(self.around, self.within(part))
    }

    /// Whether any of these places must not be seen.
    pub(crate) fn hides(&self, part: &Range<u64>) -> bool {
        self.covers().hide(&self.within(part))
    }

    /// All that is hidden of what was read; not looked for before somebody asks.
    fn covers(&self) -> &Covers {
        self.covers.get_or_init(|| {
            let Some(mark) = self.mark else { return Covers::default() };
            let edges = self.edges.iter().filter_map(|edge| usize::try_from(edge - self.at).ok());
            mark.covers(self.around, &edges.collect::<Vec<usize>>())
        })
    }

    fn within(&self, part: &Range<u64>) -> Range<usize> {
        let within = |place: u64| {
            usize::try_from(place.saturating_sub(self.at))
                .unwrap_or(usize::MAX)
                .min(self.around.len())
        };
        within(part.start)..within(part.end)
    }
}
