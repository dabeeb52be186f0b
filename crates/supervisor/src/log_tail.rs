//! The agent's log, read on from where it was left, line by line, as what the core understands.
//! Starts again at the beginning when the keeper has cut the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use circleci::Meaning;
use jiff::Timestamp;
use run_dir::TokenMark;
use supervisor_core::{Heard, Link};

/// The longest line that is looked at; what is longer tells nothing we know.
const LONGEST_LINE: usize = 64 << 10;
/// The most that is read in one turn, so that a flood of lines does not hold up everything else.
const MOST_AT_ONCE: usize = 1 << 20;
const TAIL_LINES: usize = 20;

pub(crate) struct LogTail {
    path: PathBuf,
    mark: Option<TokenMark>,
    offset: u64,
    rest: Vec<u8>,
    too_long: bool,
}

/// What one reading brought.
pub(crate) struct Brought {
    pub(crate) heard: Vec<Heard>,
    /// There is more to read at once.
    pub(crate) more: bool,
}

impl LogTail {
    pub(crate) fn new(path: PathBuf, mark: Option<TokenMark>) -> Self {
        Self { path, mark, offset: 0, rest: Vec::new(), too_long: false }
    }

    /// Reads what is new. A log that is not there yet has nothing to say.
    pub(crate) fn read(&mut self) -> io::Result<Brought> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Brought { heard: Vec::new(), more: false });
            }
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() < self.offset {
            *self = Self::new(self.path.clone(), self.mark.take());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut chunk = Vec::new();
        let read = file.take(MOST_AT_ONCE as u64).read_to_end(&mut chunk)?;
        self.offset += read as u64;
        let mut heard = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.take(piece, &mut heard);
        }
        Ok(Brought { heard, more: read == MOST_AT_ONCE })
    }

    fn take(&mut self, piece: &[u8], heard: &mut Vec<Heard>) {
        if self.rest.len() + piece.len() > LONGEST_LINE {
            self.too_long = true;
            self.rest.clear();
        }
        if !self.too_long {
            self.rest.extend_from_slice(piece);
        }
        if piece.ends_with(b"\n") {
            if !self.too_long {
                let line = match &self.mark {
                    Some(mark) => mark.redact(&self.rest),
                    None => self.rest.as_slice().into(),
                };
                heard.extend(heard_in(&line));
            }
            self.rest.clear();
            self.too_long = false;
        }
    }

    /// The last lines, redacted, for a problem's details; nothing where there are none.
    pub(crate) fn last_lines(&self) -> Option<String> {
        let mut file = File::open(&self.path).ok()?;
        let size = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(16 << 10))).ok()?;
        let mut end = Vec::new();
        file.read_to_end(&mut end).ok()?;
        let end = match &self.mark {
            Some(mark) => mark.redact(&end),
            None => end.as_slice().into(),
        };
        let text = circleci::without_colours(&String::from_utf8_lossy(&end));
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        (!last.is_empty()).then(|| last.join("\n"))
    }
}

fn heard_in(line: &[u8]) -> Vec<Heard> {
    let line = circleci::parse(line);
    let at = match &line {
        circleci::LogLine::TaskAgent(json) => {
            json.text("time").and_then(|time| time.parse::<Timestamp>().ok())
        }
        circleci::LogLine::Span(_) | circleci::LogLine::Other(_) => None,
    };
    circleci::meanings(&line).into_iter().filter_map(|meaning| heard(meaning, at)).collect()
}

fn heard(meaning: Meaning, at: Option<Timestamp>) -> Option<Heard> {
    Some(match meaning {
        Meaning::StartingAgent { version } => Heard::AgentStarted { version },
        Meaning::ClaimOk => Heard::ClaimAnswered,
        Meaning::ClaimFailed { status, error } => {
            let status = status.map(|status| format!("HTTP status {status}"));
            let why: Vec<String> = [status, error].into_iter().flatten().collect();
            Heard::ClaimFailed { why: why.join(", ") }
        }
        Meaning::Unauthorized { text } => Heard::TokenRefused { line: text },
        Meaning::TaskSeen { link: Some(link), .. } => Heard::TaskNamed {
            at,
            link: Link {
                url: Some(link.url),
                project: link.project,
                build_number: link.build_number.map(|number| number.to_string()),
            },
        },
        Meaning::StepStarted { step_type: Some(step), .. } => Heard::StepStarted { at, step },
        Meaning::StepEnded { exit_code, result, .. } => {
            let failed = exit_code.is_some_and(|code| code != 0)
                || result.is_some_and(|result| !matches!(result.as_str(), "" | "success"));
            Heard::StepEnded { at, failed, exit_code }
        }
        Meaning::TaskSeen { link: None, .. }
        | Meaning::StepStarted { step_type: None, .. }
        | Meaning::AgentError { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn log() -> (tempfile::TempDir, File, LogTail) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.log");
        let file = File::options().append(true).create(true).open(&path).unwrap();
        (folder, file, LogTail::new(path, None))
    }

    const STEP: &str = "{\"msg\":\"step start\",\"step_type\":\"run\",\"task-id\":\"t\",\"time\":\"2026-11-23T12:00:00Z\"}\n";

    fn steps(heard: &[Heard]) -> usize {
        heard.iter().filter(|heard| matches!(heard, Heard::StepStarted { .. })).count()
    }

    #[test]
    fn a_line_counts_once_it_is_whole() {
        let (_folder, mut file, mut tail) = log();
        let (head, rest) = STEP.split_at(20);
        file.write_all(head.as_bytes()).unwrap();
        assert_eq!(steps(&tail.read().unwrap().heard), 0);
        file.write_all(rest.as_bytes()).unwrap();
        assert_eq!(steps(&tail.read().unwrap().heard), 1);
        assert_eq!(steps(&tail.read().unwrap().heard), 0);
    }

    #[test]
    fn a_log_that_was_cut_is_read_from_its_beginning() {
        let (_folder, mut file, mut tail) = log();
        file.write_all(STEP.repeat(3).as_bytes()).unwrap();
        assert_eq!(steps(&tail.read().unwrap().heard), 3);
        file.set_len(0).unwrap();
        file.write_all(STEP.as_bytes()).unwrap();
        assert_eq!(steps(&tail.read().unwrap().heard), 1);
    }

    #[test]
    fn an_endless_line_is_passed_over_and_the_next_one_heard() {
        let (_folder, mut file, mut tail) = log();
        file.write_all("x".repeat(LONGEST_LINE * 3).as_bytes()).unwrap();
        file.write_all(b"\n").unwrap();
        file.write_all(STEP.as_bytes()).unwrap();
        let brought = tail.read().unwrap();
        assert_eq!(steps(&brought.heard), 1);
        assert!(!brought.more);
    }
}
