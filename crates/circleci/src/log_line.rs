//! One line of the agent's log, taken apart as far as its form is known: the task agent's JSON, a
//! span in text form, or free text. Any bytes are taken; none may panic.

use serde_json::{Map, Value};

/// What a line is.
#[derive(Debug, Clone, PartialEq)]
pub enum LogLine {
    TaskAgent(TaskAgentLine),
    Span(SpanLine),
    /// Free text, without colours.
    Other(String),
}

/// A line of JSON; the task agent writes them into the agent's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskAgentLine(Map<String, Value>);

/// `HH:MM:SS <5 hex> <n>ms <name> key=value ...`, written when the span ends (CircleCI's `ex`
/// library, `texttrace`). There is no date, the zone is the agent's own, and most idle spans are
/// left out: silence means nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanLine {
    /// `HH:MM:SS`; empty where a span came as JSON.
    pub time: String,
    /// The tail of the trace id; empty where a span came as JSON.
    pub trace: String,
    pub milliseconds: f64,
    pub name: String,
    /// In the order written. Values are unquoted in the log: one that holds ` word=` is cut there.
    pub fields: Vec<(String, String)>,
}

impl TaskAgentLine {
    /// The value of `key`, a number as its digits; the log writes both `task-id` and `task_id`
    /// kinds of keys, so `-` and `_` are one. Empty = None.
    pub fn text(&self, key: &str) -> Option<String> {
        let same = |other: &str| {
            other.len() == key.len()
                && other.bytes().zip(key.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_'))
        };
        let value = self.0.iter().find(|(other, _)| same(other)).map(|(_, value)| value)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

impl SpanLine {
    /// The value of the first field `key`; empty = None.
    pub fn field(&self, key: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(other, _)| other == key)?;
        (!value.is_empty()).then_some(value)
    }
}

/// Takes a line apart: JSON, else the span form, else free text. A trailing line end is dropped.
pub fn parse(line: &[u8]) -> LogLine {
    let text = without_colours(&String::from_utf8_lossy(line));
    let text = text.trim_end_matches(['\r', '\n']);
    if let Some(line) = json(text) {
        return line;
    }
    span(text).map_or_else(|| LogLine::Other(text.to_owned()), LogLine::Span)
}

fn json(text: &str) -> Option<LogLine> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    let Ok(Value::Object(object)) = serde_json::from_str(text) else { return None };
    // The shape of `logging.format: json` is not documented; an event with a name and no message is
    // what CircleCI's own library would make of a span.
    let is_span = object.get("name").is_some_and(Value::is_string) && !object.contains_key("msg");
    let line = TaskAgentLine(object);
    if !is_span {
        return Some(LogLine::TaskAgent(line));
    }
    Some(LogLine::Span(SpanLine {
        time: String::new(),
        trace: String::new(),
        milliseconds: line.text("duration_ms").and_then(|it| it.parse().ok()).unwrap_or(0.0),
        name: line.text("name").unwrap_or_default(),
        fields: line.0.keys().filter_map(|key| Some((key.clone(), line.text(key)?))).collect(),
    }))
}

fn span(text: &str) -> Option<SpanLine> {
    let mut words = text.splitn(4, ' ');
    let (time, trace, duration) = (words.next()?, words.next()?, words.next()?);
    let rest = words.next().unwrap_or_default();
    if !is_time(time) || trace.len() != 5 || !trace.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let milliseconds =
        duration.strip_suffix("ms")?.parse::<f64>().ok().filter(|it| it.is_finite())?;
    let (name, fields) = name_and_fields(rest);
    Some(SpanLine { time: time.to_owned(), trace: trace.to_owned(), milliseconds, name, fields })
}

fn is_time(text: &str) -> bool {
    text.len() == 8
        && text.bytes().enumerate().all(|(at, byte)| match at {
            2 | 5 => byte == b':',
            _ => byte.is_ascii_digit(),
        })
}

/// Splits `claim app.loop_name=claim:  mode=agent` at every word that begins with `key=`; all before
/// the first is the span's name, and what follows a key up to the next is its value.
fn name_and_fields(text: &str) -> (String, Vec<(String, String)>) {
    let mut name = String::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for word in text.split(' ') {
        match word.split_once('=') {
            Some((key, value)) if is_key(key) => fields.push((key.to_owned(), value.to_owned())),
            _ => {
                let open = fields.last_mut().map_or(&mut name, |(_, value)| value);
                open.push(' ');
                open.push_str(word);
            }
        }
    }
    for (_, value) in &mut fields {
        value.truncate(value.trim_end().len());
    }
    (name.trim().to_owned(), fields)
}

fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// `text` without terminal escapes (`ESC [ ... letter`, `ESC ] ... BEL`, other two-byte escapes).
pub fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => {
                chars.by_ref().find(|c| ('\u{40}'..='\u{7e}').contains(c));
            }
            Some(']') => {
                chars.by_ref().find(|c| matches!(c, '\u{07}' | '\u{1b}'));
            }
            Some(_) | None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(line: &str) -> Vec<(String, String)> {
        match parse(line.as_bytes()) {
            LogLine::Span(span) => span.fields,
            other @ (LogLine::TaskAgent(_) | LogLine::Other(_)) => panic!("not a span: {other:?}"),
        }
    }

    #[test]
    fn values_may_hold_spaces() {
        let line = "06:00:08 a8093 1ms claim a=one two  three b= c=x error=dial tcp: no such host";
        let expected =
            [("a", "one two  three"), ("b", ""), ("c", "x"), ("error", "dial tcp: no such host")];
        assert_eq!(fields(line), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn colours_make_no_difference() {
        let plain = "06:00:08 a8093 1.5ms claim result=success";
        let coloured = "\u{1b}[2m06:00:08\u{1b}[0m \u{1b}[38;5;12ma8093\u{1b}[0m 1.5ms \u{1b}[1mclaim\u{1b}[0m result=\u{1b}[32msuccess\u{1b}[0m";
        assert_eq!(parse(coloured.as_bytes()), parse(plain.as_bytes()));
    }

    #[test]
    fn almost_a_span_is_free_text() {
        for line in [
            "06:00:08 a809 1ms claim",
            "06:00:08 a809z 1ms claim",
            "6:00:08 a8093 1ms claim",
            "06:00:08 a8093 1s claim",
            "06:00:08 a8093 NaNms claim",
            "06:00:08 a8093",
            "{\"cut\":",
            "[1]",
            "",
        ] {
            assert_eq!(parse(line.as_bytes()), LogLine::Other(line.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = crate::meanings(&parse(&bytes));
        }

        #[test]
        fn nothing_that_looks_like_a_span_makes_it_panic(
            tail in "(\\PC|\u{1b}|[ =:.\\[\\]m\"{}]){0,80}",
        ) {
            let _ = crate::meanings(&parse(format!("06:00:08 a8093 1ms {tail}").as_bytes()));
            let _ = crate::meanings(&parse(format!("{{\"msg\":\"step start\",{tail}").as_bytes()));
        }

        #[test]
        fn a_span_comes_back_as_it_was_written(
            name in "[a-z]{1,8}( [A-Za-z/:]{1,8}){0,3}",
            fields in prop::collection::vec(("[a-z][a-z._]{0,8}", "[a-zA-Z0-9/:?&=]{0,9}( [a-z:]{1,6}){0,3}"), 0..5),
        ) {
            let mut written = format!("23:59:59 0ff1c 12.345ms {name}");
            for (key, value) in &fields {
                written.extend([" ", key, "=", value]);
            }
            let line = parse(format!("{written}
    ").as_bytes());
            let expected = SpanLine {
                time: "23:59:59".to_owned(),
                trace: "0ff1c".to_owned(),
                milliseconds: 12.345,
                name,
                fields,
            };
            prop_assert_eq!(line, LogLine::Span(expected));
        }
    }
}
