//! Text from outside (a branch, a job's output) must not drive the terminal it is shown on.

use protocol::turns_direction;

/// The same text without escape sequences and control characters; lines and tabs stay.
pub(crate) fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => inert.push(c),
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_until(&mut chars, |c| ('@'..='~').contains(&c)),
            c if c.is_control() || turns_direction(c) => {}
            c => inert.push(c),
        }
    }
    inert
}

/// The same, on one line.
pub(crate) fn inert_line(text: &str) -> String {
    inert(text).replace(['\n', '\t'], " ")
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Passes over what follows an escape character (ECMA-48: control sequences and control strings).
fn skip_escape(chars: &mut Chars) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_until(chars, |c| ('@'..='~').contains(&c));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            skip_until(chars, |c| c == '\u{7}' || c == '\u{9c}' || c == '\\');
        }
        Some(' '..='/') => skip_until(chars, |c| ('0'..='~').contains(&c)),
        Some('0'..='~') => {
            chars.next();
        }
        Some(_) | None => {}
    }
}

/// Up to and with the last character of a sequence; one that is cut short ends with its line.
fn skip_until(chars: &mut Chars, is_last: impl Fn(char) -> bool) {
    while let Some(c) = chars.next_if(|&c| c != '\n') {
        if is_last(c) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{inert, inert_line};

    #[test]
    fn words_lines_and_tabs_stay_as_they_are() {
        let text = "ok\tweb-app \u{2713}\n\n  größer\n";
        assert_eq!(inert(text), text);
    }

    #[test]
    fn nothing_is_left_that_drives_a_terminal() {
        for (text, left) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}2Jcleared", "cleared"),
            ("\u{1b}]0;a title\u{7}after", "after"),
            ("\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bset", "set"),
            ("\u{1b}cfull reset", "full reset"),
            ("over\rwritten\u{8}\u{7f}\0", "overwritten"),
            ("\u{202e}txet\u{200f}", "txet"),
            ("\u{1b}", ""),
            ("\u{1b}]cut short\nnext line", "\nnext line"),
            ("\u{1b}[12\nnext line", "\nnext line"),
        ] {
            assert_eq!(inert(text), left, "{text:?}");
        }
    }

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(inert_line("a\nb\tc"), "a b c");
    }

    proptest! {
        #[test]
        fn nothing_that_is_left_is_obeyed_by_a_terminal(
            text in "(\\PC|\u{1b}|\u{9b}|[\\[\\]PX^_;0-9mHJ\u{7}\u{8}\\r\\n]){0,80}",
        ) {
            let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
            prop_assert!(!inert(&text).contains(obeyed));
            prop_assert!(!inert_line(&text).contains(char::is_control));
        }
    }
}
