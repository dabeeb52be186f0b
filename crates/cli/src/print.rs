//! How answers look: sentences, labelled lines, aligned columns. Everything that is shown passes
//! here and is made inert; colour is for terminals only and never the only sign.

use std::fmt::Write as _;
use std::io::{IsTerminal, Result, Write};
use std::os::fd::AsFd;

use serde::Serialize;

use crate::inert::{inert, inert_line};

/// What a text means, not which colour it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Quiet,
    Good,
    Accent,
    Warning,
    Bad,
}

/// Something that is written on: a terminal, a pipe or a file.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    colour: bool,
    terminal: bool,
    /// In characters; text that nobody sees is not broken into lines.
    width: Option<usize>,
    /// The last line is to be replaced by the next.
    passing: bool,
}

/// Where the text of a labelled line begins.
const LABEL_WIDTH: usize = 12;

impl Screen {
    pub(crate) fn stdout() -> Self {
        Self::of(std::io::stdout())
    }

    pub(crate) fn stderr() -> Self {
        Self::of(std::io::stderr())
    }

    fn of(out: impl Write + IsTerminal + AsFd + 'static) -> Self {
        let terminal = out.is_terminal();
        let width = rustix::termios::tcgetwinsize(&out).ok().map(|size| size.ws_col.into());
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        // <https://no-color.org>
        let colour = terminal && !set("NO_COLOR") && !dumb;
        Self {
            out: Box::new(out),
            colour,
            terminal,
            width: width.filter(|&width| width > 0),
            passing: false,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Sentences, as they are.
    pub(crate) fn say(&mut self, text: impl AsRef<str>) -> Result<()> {
        self.end_passing()?;
        for line in self.lines(text.as_ref(), 0) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    pub(crate) fn blank(&mut self) -> Result<()> {
        writeln!(self.out)
    }

    /// One line of texts, each in its tone.
    pub(crate) fn line(&mut self, between: &str, texts: &[(Tone, &str)]) -> Result<()> {
        let texts: Vec<String> =
            texts.iter().map(|(tone, text)| self.paint(*tone, &inert_line(text))).collect();
        writeln!(self.out, "{}", texts.join(between))
    }

    /// A label and its text below a heading; further lines of the text stand below its first.
    pub(crate) fn field(&mut self, label: &str, tone: Tone, text: &str) -> Result<()> {
        self.end_passing()?;
        for (index, line) in self.lines(text, 2 + LABEL_WIDTH).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let label = self.paint(Tone::Quiet, &format!("{label:LABEL_WIDTH$}"));
            writeln!(self.out, "  {label}{}", self.paint(tone, line))?;
        }
        Ok(())
    }

    /// Columns as wide as their widest cell; the last one may be as long as it likes.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) -> Result<()> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| inert_line(cell)).collect()).collect();
        let widths: Vec<usize> = heads
            .iter()
            .enumerate()
            .map(|(column, head)| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(head.len())
            })
            .collect();
        let aligned = |cells: &[String]| {
            let cells: Vec<String> =
                cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        };
        let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
        writeln!(self.out, "{}", self.paint(Tone::Quiet, &aligned(&heads)))?;
        for row in &rows {
            writeln!(self.out, "{}", aligned(row))?;
        }
        Ok(())
    }

    /// A value in its stable shape, for programs.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        writeln!(self.out, "{}", ascii_controls(&text))
    }

    /// The same on one line, where a stream of values is printed.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value)?;
        writeln!(self.out, "{}", ascii_controls(&text))
    }

    /// Text of a log or a file: inert on a terminal, byte for byte in a pipe.
    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        let shown = if self.terminal { inert(text) } else { text.to_owned() };
        self.out.write_all(shown.as_bytes())?;
        self.out.flush()
    }

    /// What is going on, on a line that the next one replaces. Terminals only.
    pub(crate) fn passing(&mut self, text: &str) -> Result<()> {
        if self.terminal {
            write!(self.out, "\r\u{1b}[K{}", inert_line(text))?;
            self.passing = true;
            self.out.flush()?;
        }
        Ok(())
    }

    fn end_passing(&mut self) -> Result<()> {
        if std::mem::take(&mut self.passing) {
            write!(self.out, "\r\u{1b}[K")?;
        }
        Ok(())
    }

    /// The lines of a text, as many as it takes beside `indent` columns.
    fn lines(&self, text: &str, indent: usize) -> Vec<String> {
        let text = inert(text);
        match self.width.and_then(|width| width.checked_sub(indent)).filter(|&room| room >= 20) {
            Some(room) => text.lines().flat_map(|line| broken(line, room)).collect(),
            None => text.lines().map(str::to_owned).collect(),
        }
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => 1,
            Tone::Quiet => 2,
            Tone::Bad => 31,
            Tone::Good => 32,
            Tone::Warning => 33,
            Tone::Accent => 36,
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Breaks a line between words; a word that is too long (a link) stays whole.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = width;
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if let Some(last) = lines.last_mut().filter(|last| last.is_empty() || length <= room) {
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
            room = width;
        }
        room = room.saturating_sub(word.chars().count());
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// JSON leaves the second set of control characters as they are; some terminals obey them.
fn ascii_controls(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        if ('\u{7f}'..='\u{9f}').contains(&c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_between_words_and_links_stay_whole() {
        assert_eq!(broken("", 20), [""]);
        assert_eq!(broken("as short as can be", 20), ["as short as can be"]);
        assert_eq!(
            broken("Jobs run as you and can read what you can.", 20),
            ["Jobs run as you and", "can read what you", "can."]
        );
        assert_eq!(
            broken("see https://app.circleci.com/jobs/123 now", 20),
            ["see", "https://app.circleci.com/jobs/123", "now"]
        );
    }
}
