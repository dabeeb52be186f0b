//! The agent's log, read on from where it was left, line by line, as what the core understands. Runs
//! on the loop, so it must never wait for anything nor take long.

use std::io::{self, ErrorKind};

use circleci::Meaning;
use jiff::Timestamp;
use memchr::memchr_iter;
use run_dir::{AgentLog, RunDir, TokenMark};
use supervisor_core::{Heard, Link};

use crate::shown_log::{ShownLog, mark_of};

/// The longest line that is looked at; what is longer tells nothing we know. A line of the task agent
/// may hold a whole script.
const LONGEST_LINE: usize = 512 << 10;
/// The most that is read in one turn of the loop. What was just written is in the system's cache, and
/// to read, redact and understand this much takes some 2 ms in a release build (`measured`); after it
/// comes the turn of whatever else has happened. An agent that writes faster than that is read later.
const MOST_AT_ONCE: u64 = 256 << 10;
/// Enough for as many lines as are told.
const TAIL: u64 = 16 << 10;
const TAIL_LINES: usize = 20;

pub(crate) struct LogTail {
    run: RunDir,
    mark: Option<TokenMark>,
    knows_mark: bool,
    place: u64,
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
    pub(crate) fn new(run: &RunDir) -> Self {
        Self {
            run: run.clone(),
            mark: None,
            knows_mark: false,
            place: 0,
            rest: Vec::new(),
            too_long: false,
        }
    }

    /// Reads what is new. A log that is not there yet has nothing to say, nor has one that is just
    /// being cut: the end of that is told by the folder.
    pub(crate) fn read(&mut self) -> io::Result<Brought> {
        match self.read_on() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Ok(Brought { heard: Vec::new(), more: false })
            }
            brought => brought,
        }
    }

    fn read_on(&mut self) -> io::Result<Brought> {
        let mut log = self.open(false)?;
        let end = log.end()?;
        let from = log.on_from(self.place)?;
        if from != self.place {
            // What came between is lost.
            self.rest.clear();
            self.too_long = self.place > 0;
        }
        let stretch = log.read(from..end.min(from.saturating_add(MOST_AT_ONCE)).max(from), 0)?;
        let (text, end_of_part) = (stretch.shown_bytes(&stretch.part), stretch.part.end);
        self.place = end_of_part;
        let mut heard = Vec::new();
        let mut begun = 0;
        for end in memchr_iter(b'\n', &text) {
            self.take(text.get(begun..end).unwrap_or_default());
            begun = end + 1;
            if !std::mem::take(&mut self.too_long) {
                heard.extend(heard_in(&self.rest));
            }
            self.rest.clear();
        }
        self.take(text.get(begun..).unwrap_or_default());
        Ok(Brought { heard, more: end_of_part > from && end_of_part < end })
    }

    fn take(&mut self, piece: &[u8]) {
        self.too_long |= self.rest.len() + piece.len() > LONGEST_LINE;
        if self.too_long {
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(piece);
        }
    }

    fn open(&mut self, ended: bool) -> io::Result<ShownLog> {
        if !self.knows_mark {
            self.mark = mark_of(&self.run)?;
            self.knows_mark = true;
        }
        Ok(ShownLog::new(AgentLog::open_at_once(&self.run)?, self.mark.clone(), ended))
    }

    /// The last lines of a run that is over, redacted, for a problem's details; nothing where there
    /// are none.
    pub(crate) fn last_lines(&mut self) -> Option<String> {
        let mut log = self.open(true).ok()?;
        let part = log.back_from(u64::MAX, TAIL).ok()?;
        let stretch = log.read(part, 0).ok()?;
        let text = circleci::without_colours(&stretch.shown(stretch.part.clone()));
        // What was in pieces between colours is whole without them.
        let text = match &self.mark {
            Some(mark) => String::from_utf8_lossy(&mark.redact(text.as_bytes())).into_owned(),
            None => text,
        };
        // Whoever shows it may be a terminal.
        let harmless = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let text: String = text.chars().filter(harmless).collect();
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
            let words = status.map(|status| format!("HTTP status {status}"));
            let why: Vec<String> = [words, error].into_iter().flatten().collect();
            Heard::ClaimFailed { status, why: why.join(", ") }
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
    use super::*;
    use crate::test_log::TestLog;

    proptest::proptest! {
        #[test]
        fn any_bytes_of_a_line_mean_something_or_nothing(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            json in "(\"(time|msg|step_type|build_uri|exit_code|duration)\":(\"[ -!#-\\[\\]-~]{0,20}\"|[0-9]{1,25}|null|\\[\\]),){0,6}",
        ) {
            let _ = heard_in(&bytes);
            let _ = heard_in(format!("{{{}}}", json.trim_end_matches(',')).as_bytes());
        }
    }

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const STEP: &str = "{\"msg\":\"step start\",\"step_type\":\"run\",\"task-id\":\"t\",\"time\":\"2026-11-23T12:00:00Z\"}\n";

    fn log() -> (TestLog, LogTail) {
        let log = TestLog::new(TOKEN);
        let tail = LogTail::new(&log.run);
        (log, tail)
    }

    fn steps(tail: &mut LogTail) -> usize {
        let mut steps = 0;
        loop {
            let brought = tail.read().unwrap();
            let is_step = |heard: &&Heard| matches!(heard, Heard::StepStarted { .. });
            steps += brought.heard.iter().filter(is_step).count();
            if !brought.more {
                return steps;
            }
        }
    }

    #[test]
    fn a_line_counts_once_it_is_whole() {
        let (mut log, mut tail) = log();
        let (head, rest) = STEP.split_at(20);
        log.write(head);
        assert_eq!(steps(&mut tail), 0);
        log.write(rest);
        assert_eq!(steps(&mut tail), 1);
        assert_eq!(steps(&mut tail), 0);
    }

    #[test]
    fn a_log_that_is_cut_is_read_on_where_it_was_left() {
        let (mut log, mut tail) = log();
        log.write(STEP.repeat(3));
        assert_eq!(steps(&mut tail), 3);
        log.write(STEP);
        log.cut();
        log.write(STEP.repeat(5));
        assert_eq!(steps(&mut tail), 6, "what was moved aside unread is read there");
    }

    #[test]
    fn a_supervisor_that_is_new_reads_what_was_moved_aside_too() {
        let (mut log, mut tail) = log();
        log.write(STEP.repeat(2));
        log.cut();
        log.write(STEP);
        assert_eq!(steps(&mut tail), 3);
    }

    #[test]
    fn an_endless_line_is_passed_over_and_the_next_one_heard() {
        let (mut log, mut tail) = log();
        log.write("x".repeat(LONGEST_LINE * 3));
        log.write("\n");
        log.write(STEP);
        assert_eq!(steps(&mut tail), 1);
        assert!(tail.rest.is_empty());
    }

    #[test]
    fn a_line_with_a_whole_script_in_it_is_heard() {
        let (mut log, mut tail) = log();
        let script = format!("\"command\":\"{}\",\"msg\"", "make; ".repeat(50_000));
        log.write(STEP.replace("\"msg\"", &script));
        assert_eq!(steps(&mut tail), 1);
    }

    #[test]
    fn a_turn_reads_no_more_than_its_share() {
        let (mut log, mut tail) = log();
        log.write(STEP.repeat(10_000));
        let brought = tail.read().unwrap();
        assert!(brought.more && !brought.heard.is_empty());
        assert!(brought.heard.len() as u64 * STEP.len() as u64 <= MOST_AT_ONCE);
        assert_eq!(brought.heard.len() + steps(&mut tail), 10_000);
    }

    #[test]
    fn nothing_is_heard_of_half_a_token() {
        let (mut log, mut tail) = log();
        let line = format!("unauthorized: invalid token {TOKEN} given\n");
        let (head, rest) = line.split_at(40);
        log.write(head);
        let mut told = tail.read().unwrap().heard;
        log.write(rest);
        told.extend(tail.read().unwrap().heard);
        let told = format!("{told:?}");
        assert!(!told.contains("01234567"), "{told}");
    }

    #[test]
    fn the_last_lines_begin_within_a_token_and_show_nothing_of_it() {
        let (mut log, mut tail) = log();
        let last = "y".repeat(usize::try_from(TAIL).unwrap() - 12);
        log.write(format!("x {TOKEN}\n{last}\n"));
        let lines = tail.last_lines().unwrap();
        assert!(lines.ends_with('y') && !lines.contains("abcdef"), "{lines}");
        // Colours within it, which are taken out.
        let (head, rest) = TOKEN.split_at(7);
        log.write(format!("\n{head}\u{1b}[0m{rest}\n"));
        assert!(tail.last_lines().unwrap().ends_with("[token]"));
    }

    #[test]
    fn a_log_that_is_just_being_cut_keeps_nobody_waiting() {
        let (mut log, mut tail) = log();
        log.write(STEP);
        log.cut();
        let keeper = log.run.take_lock().unwrap();
        let at = |name: &str| log.run.path().join(name);
        std::fs::rename(at("agent.log.1"), at("agent.log.cutting")).unwrap();
        assert_eq!(steps(&mut tail), 0);
        std::fs::rename(at("agent.log.cutting"), at("agent.log.1")).unwrap();
        assert_eq!(steps(&mut tail), 1);
        drop(keeper);
    }

    /// How long a turn takes: `cargo test -p runner-tray-supervisor measured -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn measured() {
        let (mut log, mut tail) = log();
        log.write(STEP.repeat(100_000));
        let begun = std::time::Instant::now();
        let mut turns = 0;
        while tail.read().unwrap().more {
            turns += 1;
        }
        println!("{:?} a turn of {MOST_AT_ONCE} bytes", begun.elapsed() / turns);
    }
}
