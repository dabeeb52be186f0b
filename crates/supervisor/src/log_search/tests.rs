//! A search finds what a reader would see, all of it and nothing else.

use proptest::prelude::*;

use super::*;
use crate::test_log::TestLog;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn answer(log: &TestLog, word: &str, from: u64, limit: Option<usize>) -> LogSearch {
    let word = Word::new(word).expect("a word");
    search(&log.source, &word, from, limit, &AtomicBool::new(false)).unwrap()
}

/// All lines with the word, and how many calls it took.
fn all(log: &TestLog, word: &str, limit: Option<usize>) -> (Vec<String>, u32) {
    let (mut lines, mut from, mut calls) = (Vec::new(), 0, 0);
    loop {
        let found = answer(log, word, from, limit);
        lines.extend(found.found.into_iter().map(|line| line.text));
        calls += 1;
        let Some(next) = found.next else { return (lines, calls) };
        from = crate::logs::place(&next).unwrap().1;
    }
}

fn lines(log: &TestLog, word: &str) -> Vec<String> {
    all(log, word, None).0
}

#[test]
fn lines_are_found_in_both_files_with_their_places() {
    let mut log = TestLog::new(TOKEN);
    log.write("an Error here\nnothing\n");
    log.cut();
    log.write("one more error, error\nthe end\n");
    let found = answer(&log, "error", 0, None);
    let run = &log.source.run;
    let line = |at: u64, text: &str| FoundLine {
        at: format!("{run}:{at}"),
        text: text.to_owned(),
        whole: true,
    };
    assert_eq!(found.found, [line(0, "an Error here"), line(22, "one more error, error")]);
    assert_eq!((found.next, found.searched.0), (None, 52));
    assert_eq!(log.from(22).text, "one more error, error\nthe end\n", "places are those of pages");
}

#[test]
fn a_word_with_a_capital_letter_is_meant_as_it_is() {
    let mut log = TestLog::new(TOKEN);
    log.write("Error\nerror\nERROR\n");
    assert_eq!(lines(&log, "Error"), ["Error"]);
    assert_eq!(lines(&log, "error"), ["Error", "error", "ERROR"]);
    log.write("status=500\nÄrger\närger\n");
    assert_eq!(lines(&log, "=500"), ["status=500"]);
    assert_eq!(lines(&log, "ärger"), ["ärger"], "letters beyond ASCII are meant as they are");
    assert_eq!(lines(&log, "Ärger"), ["Ärger"]);
    assert_eq!(lines(&log, "e"), ["Error", "error", "ERROR", "Ärger", "ärger"]);
}

#[test]
fn no_part_of_a_token_is_found_however_it_is_asked_for() {
    let mut log = TestLog::new(TOKEN);
    log.write(format!("token={TOKEN}; and on\n"));
    for _ in 0..2 {
        for from in 0..TOKEN.len() {
            for to in from + 1..=TOKEN.len() {
                let word = &TOKEN[from..to];
                let by_chance = "token=; and on".contains(word);
                assert_eq!(!lines(&log, word).is_empty(), by_chance, "{word}");
            }
        }
        assert!(lines(&log, "=0123").is_empty() && lines(&log, "cdef;").is_empty());
        assert_eq!(lines(&log, "and on"), ["token=[token]; and on"]);
        assert!(lines(&log, "[token]").is_empty(), "what stands there instead is not in the log");
        log.cut();
    }
}

#[test]
fn half_a_token_at_the_end_is_not_found_while_it_may_go_on() {
    let mut log = TestLog::new(TOKEN);
    log.write(format!("token: {}", &TOKEN[..12]));
    assert!(lines(&log, &TOKEN[..4]).is_empty());
    assert_eq!(lines(&log, "token"), ["token: "]);
}

#[test]
fn answers_are_bounded_and_go_on_where_they_stopped() {
    let mut log = TestLog::new(TOKEN);
    let text: Vec<String> = (0..25_000).map(|n| format!("needle {n}")).collect();
    log.write(text.join("\n"));
    log.write("\n");
    assert_eq!(answer(&log, "needle", 0, None).found.len(), USUAL_LINES);
    assert_eq!(answer(&log, "needle", 0, Some(1_000_000)).found.len(), MOST_LINES);
    let (found, calls) = all(&log, "needle", Some(9_999));
    assert_eq!((found, calls), (text, 3));
}

#[test]
fn of_a_long_line_only_what_is_near_is_given() {
    let mut log = TestLog::new(TOKEN);
    let far = "~".repeat(usize::try_from(CHUNK).unwrap());
    log.write(format!("{far}needle{far}needle{far}\nneedle\n"));
    let found = answer(&log, "needle", 0, None).found;
    assert_eq!(found.len(), 3);
    let longest = usize::try_from(2 * AROUND).unwrap() + "needle".len();
    assert!(found[..2].iter().all(|line| !line.whole && line.text.len() <= longest));
    assert_eq!((found[2].text.as_str(), found[2].whole), ("needle", true));
}

#[test]
fn an_answer_has_only_so_much_text() {
    let mut log = TestLog::new(TOKEN);
    log.write(format!("needle {}\n", "~".repeat(1000)).repeat(3000));
    let text: usize =
        answer(&log, "needle", 0, Some(MOST_LINES)).found.iter().map(|it| it.text.len()).sum();
    assert!((MOST_TEXT..MOST_TEXT + 2000).contains(&text), "{text}");
}

#[test]
fn a_search_ends_when_nobody_waits_for_it() {
    let mut log = TestLog::new(TOKEN);
    log.write("needle\n".repeat(1000));
    let word = Word::new("needle").unwrap();
    let found = search(&log.source, &word, 0, None, &AtomicBool::new(true)).unwrap();
    assert!(found.found.is_empty() && found.next.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Also where words lie across the edges of what is read at once, and of the two files.
    #[test]
    fn exactly_the_lines_with_the_word_are_found(
        // Shorter than what could be a part of a token, which is hidden beside a cut.
        lines in prop::collection::vec(("[ab ]{0,7}", 0_usize..3), 1..40),
        stretch in prop_oneof![Just(0_usize), 500_000_usize..600_000],
        word in "[ab]{1,3}|[AB][ab]?",
        cut in any::<prop::sample::Index>(),
        limit in 1_usize..10,
    ) {
        let mut text: Vec<String> =
            lines.into_iter().map(|(line, capital)| {
                if capital == 0 { line.to_uppercase() } else { line }
            }).collect();
        text.insert(text.len() / 2, "~".repeat(stretch));
        let whole = text.join("\n") + "\n";
        let (head, rest) = whole.split_at(cut.index(whole.len()));
        let mut log = TestLog::new(TOKEN);
        log.write(head);
        log.cut();
        log.write(rest);
        let any_case = word.chars().all(char::is_lowercase);
        let expected: Vec<&String> = text.iter().filter(|line| {
            if any_case { line.to_lowercase().contains(&word) } else { line.contains(&word) }
        }).collect();
        let (found, _) = all(&log, &word, Some(limit));
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    }
}
