//! A word to look for in text, as fast as the processor can: in either case where it has no capital
//! letter of its own. Letters beyond ASCII are always meant as they are.

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use memchr::{memchr_iter, memchr2_iter, memmem};

/// In bytes.
pub(crate) const LONGEST_WORD: usize = 256;
/// Of as many bytes all forms in capital and small letters are looked for at once.
const CORE: usize = 3;

pub(crate) struct Word {
    word: Vec<u8>,
    finder: Finder,
}

enum Finder {
    Exact(Box<memmem::Finder<'static>>),
    /// Finds a part of the word, and where in the word that part is.
    ByCore(Box<Searcher>, usize),
    /// A processor for which there is nothing better, or a word that is very short.
    ByByte(u8),
}

impl Word {
    /// Nothing where that is no word: empty, too long, or more than a line.
    pub(crate) fn new(word: &str) -> Option<Self> {
        if word.is_empty() || word.len() > LONGEST_WORD || word.chars().any(char::is_control) {
            return None;
        }
        let bytes = word.as_bytes().to_vec();
        let has_case = bytes.iter().any(u8::is_ascii_lowercase);
        let finder = if !has_case || word.chars().any(char::is_uppercase) {
            Finder::Exact(Box::new(memmem::Finder::new(&bytes).into_owned()))
        } else {
            by_core(&bytes).unwrap_or(Finder::ByByte(*bytes.first()?))
        };
        Some(Self { word: bytes, finder })
    }

    pub(crate) fn len(&self) -> usize {
        self.word.len()
    }

    /// Where it is in the text for the first time.
    pub(crate) fn find(&self, text: &[u8]) -> Option<usize> {
        match &self.finder {
            Finder::Exact(finder) => finder.find(text),
            Finder::ByCore(core, within) => {
                let mut rest = Span::from(0..text.len());
                // One core may lie in another.
                while let Some(hit) = core.find_in(text, rest) {
                    let at = hit.start().checked_sub(*within).filter(|at| self.is_at(text, *at));
                    if at.is_some() {
                        return at;
                    }
                    rest.start = hit.start() + 1;
                }
                None
            }
            Finder::ByByte(first) if first.is_ascii_lowercase() => {
                memchr2_iter(*first, first.to_ascii_uppercase(), text)
                    .find(|at| self.is_at(text, *at))
            }
            Finder::ByByte(first) => memchr_iter(*first, text).find(|at| self.is_at(text, *at)),
        }
    }

    fn is_at(&self, text: &[u8], at: usize) -> bool {
        let there = text.get(at..at + self.word.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(&self.word))
    }
}

/// Looks for the part of the word that is seldom in logs, so that little is found in vain.
fn by_core(word: &[u8]) -> Option<Finder> {
    let cores = word.windows(CORE).enumerate();
    let (within, core) =
        cores.max_by_key(|(_, core)| core.iter().map(|it| seldom(*it)).sum::<u32>())?;
    let mut forms = vec![Vec::new()];
    for byte in core {
        let capital = byte.to_ascii_uppercase();
        let capitals: Vec<Vec<u8>> = if capital == *byte {
            Vec::new()
        } else {
            forms.iter().map(|form: &Vec<u8>| [form.as_slice(), &[capital]].concat()).collect()
        };
        for form in &mut forms {
            form.push(*byte);
        }
        forms.extend(capitals);
    }
    let searcher =
        Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(forms).build()?;
    Some(Finder::ByCore(Box::new(searcher), within))
}

/// How much it says that a byte is there.
fn seldom(byte: u8) -> u32 {
    match byte {
        b' ' | b'"' | b'e' | b't' | b'a' | b'0' | b'1' => 0,
        b'o' | b'i' | b'n' | b's' | b'r' | b'c' | b'd' | b'l' | b':' | b',' | b'.' => 1,
        b'2'..=b'9' | b'-' | b'_' | b'/' | b'=' | b'm' | b'u' | b'p' | b'g' | b'h' | b'f' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_word_is_refused() {
        for word in ["", "two\nlines", "a\u{1b}[0m", &"x".repeat(LONGEST_WORD + 1)] {
            assert!(Word::new(word).is_none(), "{word:?}");
        }
        assert!(Word::new(&"x".repeat(LONGEST_WORD)).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_found_where_it_is_first(text in "[abAB:é ]{0,200}", word in "[abAB:é]{1,6}") {
            let any_case = !word.chars().any(char::is_uppercase);
            let fold = |text: &str| if any_case { text.to_ascii_lowercase() } else { text.to_owned() };
            let found = Word::new(&word).unwrap().find(text.as_bytes());
            prop_assert_eq!(found, fold(&text).find(&fold(&word)));
        }

        #[test]
        fn every_way_of_looking_finds_the_same(text in any::<Vec<u8>>(), word in "[ab]{1,2}|[a-c]{3,5}") {
            let fast = Word::new(&word).unwrap();
            let slow = Word { word: word.clone().into_bytes(), finder: Finder::ByByte(word.as_bytes()[0]) };
            let text: Vec<u8> = text.iter().map(|byte| b"abcABC"[usize::from(*byte) % 6]).collect();
            prop_assert_eq!(fast.find(&text), slow.find(&text));
        }
    }
}
