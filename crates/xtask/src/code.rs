//! What of a Rust file is code: the same text, with comments and literals blanked out and every line where it was.

/// Replaces comments and the contents of literals by spaces. Follows the language as far as rustfmt's output needs.
pub(crate) fn only(source: &str) -> String {
    let mut rest = source;
    let mut code = String::with_capacity(source.len());
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let is_word_inside = before.is_alphanumeric() || before == '_';
        let length = literal_or_comment(rest, is_word_inside);
        let (taken, left) = rest.split_at(length.unwrap_or(first.len_utf8()));
        if length.is_some() {
            code.extend(taken.chars().map(|c| if c == '\n' { c } else { ' ' }));
        } else {
            code.push_str(taken);
        }
        before = first;
        rest = left;
    }
    code
}

/// The bytes of the comment or literal that `text` begins with.
fn literal_or_comment(text: &str, is_word_inside: bool) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    if !is_word_inside && let Some(length) = raw_string(text) {
        return Some(length);
    }
    match text.as_bytes()[0] {
        b'"' => Some(quoted(text, '"')),
        b'\'' if is_char(text) => Some(quoted(text, '\'')),
        _ => None,
    }
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `r"..."`, `br#"..."#`, `cr##"..."##`: no escapes, closed by as many hashes as opened it.
fn raw_string(text: &str) -> Option<usize> {
    let after_prefix = ["br", "cr", "r"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let body = after_prefix.trim_start_matches('#');
    let hashes = after_prefix.len() - body.len();
    let body = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let closed = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + closed)
}

/// From the opening quote to the closing one, which no backslash precedes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A quote opens a character, not a lifetime, when an escape follows or another quote closes it after one character.
fn is_char(text: &str) -> bool {
    let mut following = text.chars().skip(1);
    match following.next() {
        Some('\\') => true,
        Some(_) => following.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        only(source).split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(words("a // unsafe\nb /* unsafe /* deeper */ unsafe */ c"), ["a", "b", "c"]);
    }

    #[test]
    fn literals_are_not_code() {
        assert_eq!(words(r#"a "unsafe \" unsafe" b"#), ["a", "b"]);
        assert_eq!(words("a r#\"unsafe \" unsafe\"# b br\"\\\" c"), ["a", "b", "c"]);
        assert_eq!(words(r"a '\'' b '{' c"), ["a", "b", "c"]);
    }

    #[test]
    fn a_lifetime_opens_no_literal() {
        assert_eq!(
            words("&'a str, 'b' unsafe &'static T"),
            ["&'a", "str,", "unsafe", "&'static", "T"]
        );
    }

    #[test]
    fn a_name_that_ends_in_r_opens_no_raw_string() {
        assert_eq!(words("str\"x\" unsafe"), ["str", "unsafe"]);
    }

    #[test]
    fn every_line_stays_where_it_was() {
        let source = "let a = \"one\ntwo\";\n/* three\nfour */ five";
        assert_eq!(only(source).lines().count(), 4);
        assert_eq!(only(source).lines().last(), Some("        five"));
    }
}
