//! Pages make up the whole, in either direction and across cuts; none shows a piece of a token.

use memchr::memmem;
use proptest::prelude::*;

use super::*;
use crate::log_search::search;
use crate::test_log::{TestLog, text};
use crate::word::Word;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn pages_are_whole_lines_and_follow_one_another() {
    let lines: Vec<String> = (0..200).map(|n| format!("line {n}\n")).collect();
    let whole = lines.concat();
    let mut log = TestLog::new(TOKEN);
    log.write(&whole);
    log.write("an unfinished one");
    let (mut seen, mut from) = (String::new(), 0);
    loop {
        let page = log.page(Part::From(from), 100, Unfinished::HeldBack);
        from = place(&page.next).unwrap().1;
        if page.text.is_empty() {
            assert!(page.at_end);
            break;
        }
        assert!(page.text.ends_with('\n'));
        seen.push_str(&page.text);
    }
    assert_eq!(seen, whole);
    let pages = log.backwards(100);
    assert!(pages.len() > 10 && pages[1..].iter().all(|page| page.text.starts_with("line ")));
    assert_eq!(
        text(&pages),
        format!("{whole}an unfinished "),
        "its last word may be part of a token"
    );
}

#[test]
fn a_page_says_where_it_is_and_how_to_go_on_both_ways() {
    let mut log = TestLog::new(TOKEN);
    log.write("one\ntwo\nthree\n");
    let run = log.source.run.clone();
    let middle = log.page(Part::Before(8), 5, Unfinished::Shown);
    assert_eq!((middle.text.as_str(), middle.from), ("two\n", format!("{run}:4")));
    assert_eq!((middle.next, middle.before), (format!("{run}:8"), Some(format!("{run}:4"))));
    assert_eq!((middle.at_end, middle.ended, middle.missed.0), (false, false, 0));
    let all = log.from(0);
    assert_eq!((all.text.as_str(), all.before, all.at_end), ("one\ntwo\nthree\n", None, true));
    assert_eq!(place(&format!("{run}:end")), Some((run, END)));
    assert_eq!(log.from(END).text, "");
}

#[test]
fn the_last_lines_begin_where_they_begin_however_long_the_log_is() {
    let mut log = TestLog::new(TOKEN);
    let endless = "~".repeat(usize::try_from(LONGEST_PAGE).unwrap());
    log.write(format!("one\n{endless}\n"));
    log.cut();
    log.write("three\nfour\nfi ");
    for (lines, seen) in [(0, ""), (1, "fi "), (2, "four\nfi "), (3, "three\nfour\nfi ")] {
        let page = log.page(Part::LastLines(lines), 100, Unfinished::Shown);
        assert_eq!((page.text.as_str(), page.at_end), (seen, true), "{lines}");
    }
    let begins = |lines| log.page(Part::LastLines(lines), 1, Unfinished::Shown).from;
    let run = log.source.run.clone();
    assert_eq!(
        (begins(4), begins(5), begins(99)),
        (format!("{run}:4"), format!("{run}:0"), format!("{run}:0"))
    );
}

#[test]
fn the_token_is_never_shown() {
    let mut log = TestLog::new(TOKEN);
    log.write(format!("token={TOKEN}\n"));
    assert_eq!(log.from(0).text, "token=[token]\n");
    log.cut();
    assert_eq!(log.from(0).text, "token=[token]\n", "as it was before it was moved aside");
    assert_eq!(log.from(20).text, "\n", "the token began before");
}

#[test]
fn a_follower_goes_on_where_it_was_when_the_log_is_cut() {
    let mut log = TestLog::new(TOKEN);
    log.write("one\ntwo\n");
    let place_after_one = 4;
    log.cut();
    log.write("three, which is longer than what was there before\n");
    let page = log.from(place_after_one);
    assert_eq!(page.text, "two\nthree, which is longer than what was there before\n");
    assert_eq!(page.missed.0, 0);
}

#[test]
fn a_follower_that_was_too_slow_is_told_how_much_it_missed() {
    let mut log = TestLog::new(TOKEN);
    log.write("one\ntwo\n");
    log.cut();
    log.write("three\n");
    log.cut();
    let page = log.from(4);
    assert_eq!((page.text.as_str(), page.missed.0), ("three\n", 4));
}

#[test]
fn what_was_not_kept_of_a_log_is_passed_over_both_ways_and_counted() {
    let mut log = TestLog::new(TOKEN);
    log.write("one\ntwo\nthree\nfour\n");
    log.cut_at(4);
    log.write("five\n");
    let (pages, _) = log.forwards(0, 100);
    let seen: Vec<_> = pages.iter().map(|it| (it.text.as_str(), it.missed.0)).collect();
    assert_eq!(seen, [("one\ntwo\n", 0), ("five\n", 11)]);
    assert_eq!(text(&log.backwards(100)), "one\ntwo\nfive\n");
    let last = |lines| log.page(Part::LastLines(lines), 100, Unfinished::Shown).text;
    assert_eq!((last(1).as_str(), last(2).as_str()), ("five\n", "two\n"), "and on from there");
    let word = Word::new("e").unwrap();
    let found = search(&log.source, &word, 0, None, &false.into()).unwrap();
    let found: Vec<_> = found.found.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(found, ["one", "five"]);
    assert_eq!((log.from(10).text.as_str(), log.from(10).missed.0), ("five\n", 9));
}

#[test]
fn a_log_that_somebody_emptied_goes_on_at_its_beginning() {
    let mut log = TestLog::new(TOKEN);
    log.write("one\ntwo\n");
    log.empty_by_hand();
    log.write("new\n");
    assert_eq!(log.from(8).text, "new\n");
}

#[test]
fn an_unfinished_line_is_shown_to_whoever_wants_it_but_for_what_may_be_a_token() {
    let mut log = TestLog::new(TOKEN);
    log.write(format!("Compiling {}", &TOKEN[..10]));
    assert_eq!(log.from(0).text, "");
    let page = log.page(Part::From(0), 100, Unfinished::Shown);
    assert_eq!((page.text.as_str(), page.at_end), ("Compiling ", true));
    log.write(&TOKEN[10..]);
    let next = place(&page.next).unwrap().1;
    let page = log.page(Part::From(next), 100, Unfinished::Shown);
    assert_eq!(page.text, "[token]", "its rest is held back: it may begin another");
    log.write(" done\n");
    let next = place(&page.next).unwrap().1;
    assert_eq!(log.from(next).text, " done\n");
}

#[test]
fn what_is_held_back_comes_when_the_run_is_over() {
    let mut log = TestLog::new(TOKEN);
    log.write("ok");
    assert_eq!(log.page(Part::From(0), 100, Unfinished::Shown).text, "");
    log.source.ended = true;
    let page = log.from(0);
    assert_eq!((page.text.as_str(), page.at_end, page.ended), ("ok", true, true));
    log.write(format!(" {}", &TOKEN[..20]));
    assert_eq!(log.from(0).text, "ok [hidden]", "half a token stays hidden all the same");
}

#[test]
fn a_line_longer_than_a_page_comes_in_pieces_of_whole_characters() {
    let mut log = TestLog::new(TOKEN);
    let words = "größer, ".repeat(100);
    log.write(format!("{words}\nshort\n"));
    for limit in [1, 7, 50] {
        let (pages, _) = log.forwards(0, limit);
        let seen = text(&pages);
        assert!(limit == 1 || seen == format!("{words}\nshort\n"), "{limit}: {seen}");
        let seen = text(&log.backwards(limit));
        assert!(limit == 1 || seen == format!("{words}\nshort\n"), "{limit}: {seen}");
    }
}

#[test]
fn a_run_that_has_ended_leads_to_the_next_and_back_to_the_one_before() {
    let mut log = TestLog::new(TOKEN);
    log.write("one\n");
    log.source.ended = true;
    (log.source.previous, log.source.next) = (Some("a".into()), Some("z".into()));
    let page = log.from(0);
    assert_eq!((page.next.as_str(), page.at_end), ("z:0", false));
    assert_eq!(page.before.as_deref(), Some("a:end"));
    log.source.ended = false;
    assert!(log.from(0).at_end, "who knows what it will still write");
}

#[test]
fn the_log_of_a_run_whose_plan_cannot_be_read_is_not_shown() {
    let mut log = TestLog::new(TOKEN);
    log.write(TOKEN);
    std::fs::File::create(log.run.path().join("plan.json")).unwrap();
    let error = page(&log.source, Part::From(0), None, Unfinished::Shown).unwrap_err();
    assert!(error.to_string().contains("plan.json cannot be read"), "{error}");
}

#[test]
fn a_run_that_is_deleted_meanwhile_is_empty() {
    let log = TestLog::new(TOKEN);
    std::fs::remove_dir_all(log.run.path()).unwrap();
    assert_eq!(log.from(0).text, "");
    assert_eq!(log.backwards(10).len(), 1);
}

/// What happens to a log while it is read.
#[derive(Debug, Clone)]
enum Act {
    /// So many bytes of the text.
    Write(usize),
    Cut,
    /// So many bytes were written between copy and cut.
    CutAndLose(usize),
    /// Of more than twice as many bytes not all are kept.
    CutAt(u64),
    Page(u64, bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1_usize..90).prop_map(Act::Write),
        1 => Just(Act::Cut),
        1 => (1_usize..40).prop_map(Act::CutAndLose),
        1 => (1_u64..60).prop_map(Act::CutAt),
        4 => (1_u64..120, any::<bool>()).prop_map(|(limit, whole)| Act::Page(limit, whole)),
    ];
    prop::collection::vec(act, 1..25)
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => random_token(),
        1 => "(xyxy|zyxy){4,12}",
    ]
}

/// As CircleCI's are. One that repeats itself may seem whole across a place where something of it is
/// missing.
fn random_token() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[A-Za-z0-9_-]{16,60}", 1 => "[!-~]{16,60}"]
}

/// The token at any place in binary garbage, words and lines, once or several times.
fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let part = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        "[ a-z=:\"]{0,40}\n?".prop_map(String::into_bytes),
        Just(Vec::new()),
    ];
    prop::collection::vec(part, 1..8)
}

/// A few bytes more than are shown of a part, for on one side of a gap the next ones may be the token's by chance.
const PIECE: usize = 12;

/// All that must not be seen of a token: pieces of it that are not in the text anyway.
struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    fn of(token: &str, parts: &[Vec<u8>]) -> Self {
        let in_text = |piece: &[u8]| parts.iter().any(|part| memmem::find(part, piece).is_some());
        let pieces = token.as_bytes().windows(PIECE).filter(|piece| !in_text(piece));
        Self(pieces.map(<[u8]>::to_vec).collect())
    }

    fn seen_in(&self, shown: &str) -> Option<String> {
        let piece = self.0.iter().find(|piece| memmem::find(shown.as_bytes(), piece).is_some());
        piece.map(|piece| format!("{} in {shown}", String::from_utf8_lossy(piece)))
    }
}

/// The pages as a person sees them: what was not kept shows between two of them, and the end of what
/// stands before is no part of what comes after.
fn in_order(pages: &[LogPage]) -> String {
    let pairs = pages.iter().zip(pages.iter().skip(1));
    let rest = pairs.map(|(page, next)| {
        let missing = if page.next == next.from { "" } else { "\n" };
        format!("{missing}{}", next.text)
    });
    pages.iter().take(1).map(|page| page.text.clone()).chain(rest).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_token_is_seen_on_any_way_of_reading(
        token in random_token(),
        parts in parts(),
        acts in acts(),
        limit in 5_u64..200,
    ) {
        let pieces = Pieces::of(&token, &parts);
        let mut log = TestLog::new(&token);
        let stream = parts.join(token.as_bytes());
        let mut rest = &stream[..];
        let mut followed = Vec::new();
        let mut at = 0;
        for act in acts {
            match act {
                Act::Write(most) => {
                    let (now, later) = rest.split_at(most.min(rest.len()));
                    log.write(now);
                    rest = later;
                }
                Act::Cut => {
                    log.cut();
                }
                Act::CutAt(limit) => {
                    log.cut_at(limit);
                }
                Act::CutAndLose(most) => {
                    if log.cut() {
                        rest = &rest[most.min(rest.len())..];
                    }
                }
                Act::Page(limit, whole) => {
                    let unfinished = if whole { Unfinished::HeldBack } else { Unfinished::Shown };
                    let page = log.page(Part::From(at), limit, unfinished);
                    at = place(&page.next).unwrap().1;
                    followed.push(page);
                    let last = log.page(Part::Before(END), limit, Unfinished::Shown);
                    let before = log.page(Part::Before(at), limit, Unfinished::Shown);
                    prop_assert_eq!(pieces.seen_in(&last.text), None);
                    prop_assert_eq!(pieces.seen_in(&before.text), None);
                }
            }
        }
        let still_running = in_order(&log.backwards(limit));
        prop_assert_eq!(pieces.seen_in(&still_running), None);
        log.source.ended = true;
        followed.extend(log.forwards(at, limit).0);
        prop_assert_eq!(pieces.seen_in(&in_order(&followed)), None);
        let (forwards, backwards) = (log.forwards(0, limit).0, log.backwards(limit));
        prop_assert_eq!(pieces.seen_in(&in_order(&forwards)), None);
        prop_assert_eq!(pieces.seen_in(&in_order(&backwards)), None);
        let mut tail = crate::log_tail::LogTail::new(&log.run);
        prop_assert_eq!(pieces.seen_in(&tail.last_lines().unwrap_or_default()), None);
        for piece in pieces.0.iter().step_by(7) {
            let word = Word::new(std::str::from_utf8(piece).unwrap()).unwrap();
            let found = search(&log.source, &word, 0, None, &false.into()).unwrap();
            prop_assert!(found.found.is_empty(), "{:?}", found);
        }
    }

    /// Without losses a follower sees all there is, once, however it is cut and paged.
    #[test]
    fn whatever_is_cut_meanwhile_nothing_is_lost_or_repeated(
        token in token(),
        lines in prop::collection::vec(("[ a-zäöü=]{0,60}", any::<bool>()), 1..20),
        steps in prop::collection::vec((10_u64..200, any::<bool>(), 0_u8..4, 1_usize..300), 20),
    ) {
        let whole = lines.iter().fold(String::new(), |whole, (line, with)| {
            let token = if *with { token.as_str() } else { "" };
            whole + line + " " + token + " " + line + "\n"
        });
        let mut log = TestLog::new(&token);
        let (mut followed, mut at, mut rest) = (String::new(), 0, whole.as_bytes());
        for (limit, whole_lines, what, most) in steps {
            let (now, later) = rest.split_at(most.min(rest.len()));
            log.write(now);
            rest = later;
            let unfinished = if whole_lines { Unfinished::HeldBack } else { Unfinished::Shown };
            let pages = if what == 0 {
                let (pages, next) = log.forwards(at, limit);
                at = next;
                // A keeper cuts what is long; two cuts between two looks would be a loss.
                let written = std::fs::metadata(log.run.agent_log()).unwrap().len();
                if written > 2 * token.len() as u64 {
                    log.cut();
                }
                pages
            } else {
                let page = log.page(Part::From(at), limit, unfinished);
                at = place(&page.next).unwrap().1;
                vec![page]
            };
            prop_assert!(pages.iter().all(|page| page.missed.0 == 0));
            followed.push_str(&text(&pages));
        }
        log.write(rest);
        followed.push_str(&text(&log.forwards(at, 100).0));
        let shown = run_dir::TokenMark::of(&token).redact(whole.as_bytes()).into_owned();
        // Words at an edge that could have been half a token are hidden, and nothing else is.
        if followed.contains("[hidden]") {
            prop_assert!(followed.lines().count() == lines.len(), "{}", followed);
        } else {
            prop_assert_eq!(followed, String::from_utf8_lossy(&shown));
        }
    }
}
