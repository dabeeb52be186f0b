//! Runs runnerctl in a sealed home at a fixed moment, and writes down what one would see.

use std::fmt::Write;
use std::io::Read;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use assert_cmd::Command;

use crate::fake::Fake;

impl Fake {
    /// The command, not run yet: 18:00 in Berlin, no colour, no terminal.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("runnerctl");
        command
            .args(args)
            .env_clear()
            .env("RUNNER_TRAY_HOME", self.home())
            .env("RUNNER_TRAY_NOW", "2026-11-23T17:00:00Z")
            .env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
            .timeout(std::time::Duration::from_mins(1));
        command
    }

    /// What one would see: the exit code, standard output and standard error.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        self.transcript(&mut self.command(args))
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> String {
        self.transcript(self.command(args).write_stdin(input))
    }

    /// What stands on a terminal of its own, into which this is typed, and the exit code; nothing, with a
    /// printed line, where no terminal can be made.
    pub(crate) fn at_a_terminal(&self, args: &str, typed: &str) -> Option<(String, Option<i32>)> {
        let script = at_terminal(self, args)?;
        let output = Command::from_std(script)
            .timeout(Duration::from_mins(1))
            .write_stdin(typed)
            .output()
            .expect("script runs");
        Some((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()))
    }

    pub(crate) fn transcript(&self, command: &mut Command) -> String {
        let output = command.output().expect("runnerctl can be run");
        let mut transcript = String::new();
        let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
        writeln!(transcript, "exit code {code}").expect("a text");
        for (name, bytes) in [("output", &output.stdout), ("errors", &output.stderr)] {
            let text = String::from_utf8_lossy(bytes);
            let text = text.replace(&self.home().display().to_string(), "[HOME]");
            if !text.is_empty() {
                write!(transcript, "--- {name}\n{text}").expect("a text");
            }
        }
        transcript
    }
}

/// The command at a terminal, which script(1) makes.
pub(crate) struct Terminal {
    script: Child,
    said: Receiver<Vec<u8>>,
    seen: String,
}

/// script(1) with runnerctl at its terminal; None where there is none.
pub(crate) fn at_terminal(fake: &Fake, words: &str) -> Option<std::process::Command> {
    let has_script = || std::process::Command::new("script").arg("--version").output().is_ok();
    if std::env::consts::OS != "linux" || !has_script() {
        skipped::skipped("there is no script(1) that makes a terminal");
        return None;
    }
    let program = assert_cmd::cargo::cargo_bin!("runnerctl");
    let words = format!("'{}' {words}", program.display());
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &words, "/dev/null"]);
    script.env("RUNNER_TRAY_HOME", fake.home()).env("TERM", "xterm");
    Some(script)
}

impl Terminal {
    pub(crate) fn of(fake: &Fake, words: &str) -> Option<Self> {
        let mut script = at_terminal(fake, words)?;
        let mut script =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script runs");
        let mut stdout = script.stdout.take().expect("a pipe");
        let (hears, said) = channel();
        std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut some) {
                let _ = hears.send(some[..count].to_vec());
            }
        });
        Some(Self { script, said, seen: String::new() })
    }

    /// Waits until that is to be read.
    pub(crate) fn until(&mut self, words: &str) {
        let end = Instant::now() + Duration::from_mins(1);
        while !self.seen.contains(words) {
            let left = end.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(some) => self.seen += &String::from_utf8_lossy(&some),
                Err(error) => panic!("{words:?} did not come ({error}): {}", self.seen),
            }
        }
    }

    /// All that was to be read, and how it ended.
    pub(crate) fn end(mut self) -> (String, ExitStatus) {
        let status = self.script.wait().expect("it ends");
        self.seen.extend(self.said.iter().map(|some| String::from_utf8_lossy(&some).into_owned()));
        (self.seen, status)
    }
}
