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
    fn a_copy_has_every_byte_in_its_place_but_those_of_tokens(
        token in TOKEN,
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
        piece in 1_usize..50,
    ) {
        let text = parts.join(token.as_bytes());
        let mark = TokenMark::of(&token);
        let mut copied = Vec::new();
        let count = mark.copy_covered(Pieces { text: &text, piece }, &mut copied).unwrap();
        prop_assert_eq!((count, copied.len()), (text.len() as u64, text.len()));
        prop_assert!(!contains(&copied, token.as_bytes()));
        let shown = mark.redact(&text).into_owned();
        prop_assert_eq!(mark.redact(&copied).into_owned(), shown, "it is shown as the text itself is");
    }

    /// Pages of any size, each with what it needs to know of its neighbours, make up the whole.
    #[test]
    fn parts_show_what_the_whole_shows(
        token in prop_oneof![TOKEN.boxed(), "(ab|abc){4,20}".boxed(), "[äöü ]{8}ü".boxed()],
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..6),
        repeated in 1_usize..4,
        part in 1_usize..120,
        edges in prop::collection::vec(0_usize..400, 0..3),
    ) {
        let text = parts.join(&token.as_bytes().repeat(repeated)[..]);
        let mark = TokenMark::of(&token);
        let edges: Vec<usize> = edges.into_iter().filter(|edge| *edge <= text.len()).collect();
        let whole = mark.covers(&text, &edges).shown(&text, 0..text.len());
        let mut shown = Vec::new();
        for at in (0..text.len()).step_by(part) {
            let end = (at + part).min(text.len());
            let from = at.saturating_sub(mark.context());
            let to = (end + mark.context()).min(text.len());
            let edges: Vec<usize> =
                edges.iter().filter(|edge| (from..=to).contains(*edge)).map(|edge| edge - from).collect();
            let around = &text[from..to];
            shown.extend(mark.covers(around, &edges).shown(around, at - from..end - from));
        }
        prop_assert_eq!(String::from_utf8_lossy(&shown), String::from_utf8_lossy(&whole));
    }

    /// Wherever a token was cut in two, neither half is seen at the edge.
    #[test]
    fn half_a_token_at_an_edge_is_hidden(
        token in TOKEN,
        before in any::<Vec<u8>>(),
        after in any::<Vec<u8>>(),
        cut in any::<prop::sample::Index>(),
        first in any::<bool>(),
    ) {
        let (head, rest) = token.as_bytes().split_at(cut.index(token.len() - 1) + 1);
        prop_assume!(!rest.is_empty());
        let mark = TokenMark::of(&token);
        let (text, edge) = if first {
            ([&before, head].concat(), before.len() + head.len())
        } else {
            ([rest, &after].concat(), 0)
        };
        let seen = mark.covers(&text, &[edge]).shown(&text, 0..text.len());
        for piece in token.as_bytes().windows(8) {
            let there_anyway = contains(&before, piece) || contains(&after, piece);
            prop_assert!(there_anyway || !contains(&seen, piece), "{}", String::from_utf8_lossy(&seen));
        }
    }

    #[test]
    fn the_beginning_of_a_token_at_the_end_is_known_as_what_may_be_one(
        token in TOKEN,
        before in any::<Vec<u8>>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let head = cut.index(token.len());
        let text = [&before, &token.as_bytes()[..head]].concat();
        let held = TokenMark::of(&token).may_begin(&text);
        prop_assert!((head..token.len()).contains(&held));
        let line = [&text[..], b"\n"].concat();
        prop_assert_eq!(TokenMark::of(&token).may_begin(&line), 0, "a line's end is no token's");
    }
}

#[test]
fn a_mark_of_an_older_release_finds_tokens_of_any_kind() {
    for token in ["a.plain-token_1234", "one,with:other;bytes!"] {
        let mut mark = serde_json::to_value(TokenMark::of(token)).unwrap();
        mark.as_object_mut().unwrap().remove("plain");
        let mark: TokenMark = serde_json::from_value(mark).unwrap();
        let text = format!("({token}) and {{{token}}}");
        assert_eq!(&*mark.redact(text.as_bytes()), b"([token]) and {[token]}");
        assert_eq!(mark, TokenMark::of(token));
    }
}

#[test]
fn words_beside_an_edge_stay_where_no_token_fits() {
    let mark = TokenMark::of("0123456789abcdef0123456789abcdef");
    let text = b"the last line\n{\"msg\":\"first\"}\n";
    assert_eq!(mark.covers(text, &[0, 14, text.len()]).shown(text, 0..text.len()), text);
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
