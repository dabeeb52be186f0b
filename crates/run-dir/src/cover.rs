//! Parts of a text that must not be seen, and what is seen instead. A part of the text is shown the
//! same whether it is shown alone or with what stands around it.

use std::ops::Range;

/// One part that is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cover {
    pub(crate) hides: Range<usize>,
    pub(crate) shows: &'static [u8],
}

/// All that is hidden of a text; parts may lie in one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covers {
    /// In the order in which they begin.
    covers: Vec<Cover>,
    longest: usize,
}

impl Covers {
    pub(crate) fn new(mut covers: Vec<Cover>) -> Self {
        covers.sort_by_key(|cover| cover.hides.start);
        let longest = covers.iter().map(|cover| cover.hides.len()).max().unwrap_or_default();
        Self { covers, longest }
    }

    pub fn is_empty(&self) -> bool {
        self.covers.is_empty()
    }

    /// Those that may reach into a text that begins there, and all after them.
    fn reaching(&self, start: usize) -> &[Cover] {
        let is_before = |cover: &Cover| cover.hides.start + self.longest <= start;
        self.covers.split_at(self.covers.partition_point(is_before)).1
    }

    /// Whether any byte of this part is hidden.
    pub fn hide(&self, part: &Range<usize>) -> bool {
        let mut near = self.reaching(part.start).iter();
        let mut near = near.by_ref().take_while(|cover| cover.hides.start < part.end);
        near.any(|cover| part.start < cover.hides.end)
    }

    /// The part as it may be seen. What is hidden shows where it begins, and there alone.
    pub fn shown(&self, text: &[u8], part: Range<usize>) -> Vec<u8> {
        self.write(text, part, |cover, hidden, is_first, out| {
            if is_first && hidden.start == cover.hides.start {
                out.extend_from_slice(cover.shows);
            }
        })
    }

    /// The part as it may be seen, as long as it is; `fill` is as long as anything hidden.
    pub(crate) fn filled(&self, text: &[u8], part: Range<usize>, fill: &[u8]) -> Vec<u8> {
        self.write(text, part, |cover, hidden, _, out| {
            let from = hidden.start - cover.hides.start;
            out.extend_from_slice(fill.get(from..from + hidden.len()).unwrap_or_default());
        })
    }

    /// `hide` is told each cover, what it hides of the part and no cover before it does, and whether
    /// it begins where no other one is.
    fn write(
        &self,
        text: &[u8],
        part: Range<usize>,
        mut hide: impl FnMut(&Cover, Range<usize>, bool, &mut Vec<u8>),
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(part.len());
        let (mut at, mut hidden_to) = (part.start, 0);
        // What begins before may lie in what begins before that.
        for cover in self.reaching(part.start.saturating_sub(self.longest)) {
            let (start, end) = (cover.hides.start, cover.hides.end);
            if start >= part.end {
                break;
            }
            out.extend_from_slice(text.get(at..start.max(at)).unwrap_or_default());
            at = at.max(start);
            let hidden = at..end.min(part.end).max(at);
            if !hidden.is_empty() {
                hide(cover, hidden.clone(), start >= hidden_to, &mut out);
            }
            at = hidden.end;
            hidden_to = hidden_to.max(end);
        }
        out.extend_from_slice(text.get(at..part.end).unwrap_or_default());
        out
    }
}
