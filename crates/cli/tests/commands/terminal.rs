//! Runs runnerctl in a sealed home at a fixed moment, and writes down what one would see.

use std::fmt::Write;

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
