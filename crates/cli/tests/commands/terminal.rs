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

    /// What stands on a terminal of its own, into which this is typed, and the exit code; nothing, with a
    /// printed line, where no terminal can be made.
    pub(crate) fn at_a_terminal(&self, args: &str, typed: &str) -> Option<(String, Option<i32>)> {
        let has_script = || std::process::Command::new("script").arg("--version").output().is_ok();
        if std::env::consts::OS != "linux" || !has_script() {
            println!("skipped: there is no script(1) that makes a terminal");
            return None;
        }
        let program = assert_cmd::cargo::cargo_bin!("runnerctl");
        let words = format!("'{}' {args}", program.display());
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &words, "/dev/null"])
            .env("RUNNER_TRAY_HOME", self.home())
            .timeout(std::time::Duration::from_mins(1))
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
