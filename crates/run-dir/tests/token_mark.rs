//! A marked token never survives, and nothing else is touched.

use proptest::prelude::*;
use run_dir::TokenMark;

const TOKEN: &str = "[A-Za-z0-9_-]{8,100}";

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_token_is_found_wherever_it_stands() {
    let mark = TokenMark::of("abcabcabd");
    for (text, clean) in [
        ("abcabcabd", "[token]"),
        ("abcabcabcabd", "abc[token]"),
        ("x abcabcabdabcabcabd\ny", "x [token][token]\ny"),
        ("abcabcab\nd", "abcabcab\nd"),
        ("", ""),
    ] {
        assert_eq!(String::from_utf8_lossy(&mark.redact(text.as_bytes())), clean);
    }
}

#[test]
fn a_mark_of_nothing_marks_nothing() {
    assert_eq!(&*TokenMark::of("").redact(b"some text"), b"some text");
}

#[test]
fn the_mark_does_not_hold_the_token() {
    let token = "0123456789abcdef0123456789abcdef";
    let mark = serde_json::to_string(&TokenMark::of(token)).unwrap();
    assert!(!mark.contains(token));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_token_survives_and_all_else_does(
        token in TOKEN,
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
    ) {
        // Between the parts the token; within them it is at most by chance.
        prop_assume!(parts.iter().all(|part| !contains(part, token.as_bytes())));
        let text = parts.join(token.as_bytes());
        let mark = TokenMark::of(&token);
        let clean = mark.redact(&text).into_owned();
        prop_assert!(!contains(&clean, token.as_bytes()));
        if !parts.iter().any(|part| contains(part, b"[token]")) {
            let mut seen = vec![0];
            while let Some(at) = clean[*seen.last().unwrap()..].windows(7).position(|w| w == b"[token]") {
                seen.push(seen.last().unwrap() + at + 7);
            }
            prop_assert_eq!(seen.len(), parts.len());
        }
    }

    #[test]
    fn text_without_the_token_stays_as_it_is(token in TOKEN, text in any::<Vec<u8>>()) {
        prop_assume!(!contains(&text, token.as_bytes()));
        prop_assert!(matches!(TokenMark::of(&token).redact(&text), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn copying_in_pieces_gives_the_same(
        token in TOKEN,
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
        piece in 1_usize..50,
    ) {
        let text = parts.join(token.as_bytes());
        let mark = TokenMark::of(&token);
        let mut copied = Vec::new();
        mark.copy_redacted(Pieces { text: &text, piece }, &mut copied).unwrap();
        prop_assert_eq!(copied, mark.redact(&text).into_owned());
    }
}

/// A reader that gives a few bytes at a time, as a file being written does.
struct Pieces<'text> {
    text: &'text [u8],
    piece: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.piece.min(self.text.len()).min(into.len());
        let (now, later) = self.text.split_at(size);
        into[..size].copy_from_slice(now);
        self.text = later;
        Ok(size)
    }
}
