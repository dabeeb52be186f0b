//! What tools write while they install: a file and no pipe, so that a tool goes on though nobody reads,
//! and bounded. A byte keeps its place when what stands before it is cut away.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// In bytes; what is longer loses its beginning.
const LIMIT: u64 = 8 << 20;
const KEPT: u64 = 256 << 10;
/// Of one answer to a reader.
const PAGE: u64 = 64 << 10;
const LAST_LINES: u64 = 4 << 10;
/// A line is told up to here.
const LONGEST_LINE: usize = 300;

#[derive(Clone, Debug)]
pub struct Output {
    path: PathBuf,
    /// So many bytes were cut away.
    cut: Arc<AtomicU64>,
}

impl Output {
    pub fn at(path: PathBuf) -> Self {
        Self { path, cut: Arc::new(AtomicU64::new(0)) }
    }

    /// Empty, for a new installation.
    pub fn begin(&self) -> io::Result<()> {
        self.cut.store(0, Ordering::Relaxed);
        self.open()?.set_len(0)
    }

    /// To be written to by a tool.
    pub(crate) fn open(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)
    }

    /// A line of ours between the tools'. A full disk keeps nobody from going on.
    pub(crate) fn note(&self, line: &str) {
        let written = self.open().and_then(|mut file| writeln!(file, "{line}"));
        drop(written);
    }

    pub(crate) fn end(&self) -> u64 {
        let length = std::fs::metadata(&self.path).map_or(0, |about| about.len());
        self.cut.load(Ordering::Relaxed) + length
    }

    /// Cuts the beginning away where it has become too long.
    pub(crate) fn bound(&self) -> io::Result<()> {
        let length = std::fs::metadata(&self.path)?.len();
        if length <= LIMIT {
            return Ok(());
        }
        let mut file = OpenOptions::new().read(true).append(true).open(&self.path)?;
        file.seek(SeekFrom::Start(length - KEPT))?;
        let mut kept = Vec::new();
        (&mut file).take(KEPT).read_to_end(&mut kept)?;
        file.set_len(0)?;
        self.cut.fetch_add(length - kept.len() as u64, Ordering::Relaxed);
        file.write_all(&kept)
    }

    /// What stands at a place and after it, a page of it.
    pub fn page(&self, from: u64) -> io::Result<protocol::PreinstallOutput> {
        let cut = self.cut.load(Ordering::Relaxed);
        let from = from.max(cut);
        let bytes = self.read(from - cut, PAGE)?;
        let next = from + bytes.len() as u64;
        Ok(protocol::PreinstallOutput {
            text: clean(&bytes),
            from,
            next,
            at_end: (bytes.len() as u64) < PAGE,
        })
    }

    fn read(&self, from: u64, at_most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(from))?;
                file.take(at_most).read_to_end(&mut bytes)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(bytes)
    }

    /// All that was written after a place and is kept.
    pub(crate) fn after(&self, place: u64) -> String {
        let cut = self.cut.load(Ordering::Relaxed);
        clean(&self.read(place.saturating_sub(cut), LIMIT).unwrap_or_default())
    }

    /// The last line that says anything.
    pub(crate) fn last_line(&self) -> Option<String> {
        self.last_lines(0, 1)
    }

    /// The last lines that say anything, of those after a place.
    pub(crate) fn last_lines(&self, after: u64, count: usize) -> Option<String> {
        let cut = self.cut.load(Ordering::Relaxed);
        let length = std::fs::metadata(&self.path).ok()?.len();
        let from = length.saturating_sub(LAST_LINES).max(after.saturating_sub(cut));
        let text = clean(&self.read(from, LAST_LINES).ok()?);
        last_of(&text, count)
    }
}

/// The last lines of a text that say anything.
pub(crate) fn last_of(text: &str, count: usize) -> Option<String> {
    let mut lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    let last = lines.split_off(lines.len().saturating_sub(count));
    let short = |line: &&str| match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => (*line).to_owned(),
    };
    (!last.is_empty()).then(|| last.iter().map(short).collect::<Vec<_>>().join("\n"))
}

/// Text without colours, and with a line for each that a tool wrote over another.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                // A control sequence ends at its first letter or one of a few signs.
                for c in chars.by_ref() {
                    if ('@'..='~').contains(&c) {
                        break;
                    }
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            '\n' | '\t' => clean.push(c),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_is_read_page_by_page_and_without_colours() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::at(folder.path().join("out"));
        assert_eq!(output.page(0).unwrap().text, "");
        output.begin().unwrap();
        output.note("\u{1b}[31mred\u{1b}[0m\r\n10 %\r20 %\n\n");
        assert_eq!(output.page(0).unwrap().text, "red\n10 %\n20 %\n\n\n");
        assert_eq!(output.last_line().unwrap(), "20 %");
        let end = output.end();
        output.note("more");
        let page = output.page(end).unwrap();
        assert_eq!((page.text.as_str(), page.from, page.at_end), ("more\n", end, true));
        assert_eq!(output.last_lines(end, 5).unwrap(), "more");
    }

    #[test]
    fn the_file_is_bounded_and_places_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::at(folder.path().join("out"));
        output.begin().unwrap();
        let line = "x".repeat(1000);
        let mut file = output.open().unwrap();
        for _ in 0..(LIMIT / 1000 + 10) {
            writeln!(file, "{line}").unwrap();
        }
        writeln!(file, "the end").unwrap();
        let end = output.end();
        output.bound().unwrap();
        assert_eq!(output.end(), end);
        assert!(std::fs::metadata(folder.path().join("out")).unwrap().len() <= KEPT);
        // Whoever has it open writes on at its end.
        writeln!(file, "after it").unwrap();
        let page = output.page(end).unwrap();
        assert_eq!((page.text.as_str(), page.from), ("after it\n", end));
        assert!(output.page(0).unwrap().from > 0, "the beginning is gone, and that is told");
    }
}
