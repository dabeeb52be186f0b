//! The demo's own home, server and programs, and their end.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use local_circleci::{Control, ServerOptions, ServerProcess, TokenSource};
use protocol::Snapshot;

use crate::keychain::Keychain;

pub(crate) const CLASS: &str = "acme/demo";
pub(crate) const RUNNER: &str = "demo-runner";

pub(crate) struct Place {
    folder: tempfile::TempDir,
    circle: ServerProcess,
    store: &'static str,
}

/// A program that was built beside this one.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    ensure!(path.is_file(), "{} is not there; run ./dev demo, which builds it", path.display());
    Ok(path)
}

impl Place {
    pub(crate) fn make(keychain: &Keychain) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("runner-tray-demo-").tempdir()?;
        let options = ServerOptions {
            state: Some(folder.path().join("circleci")),
            resource_classes: vec![(
                CLASS.into(),
                TokenSource::InFile(folder.path().join("token")),
            )],
            ..ServerOptions::default()
        };
        let circle = ServerProcess::start(&beside("local-circleci")?, &options)?;
        Ok(Self { folder, circle, store: keychain.store() })
    }

    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn circle(&self) -> Control {
        self.circle.control()
    }

    /// A program of ours, in the demo's home.
    pub(crate) fn command(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(beside(name)?);
        command
            .env("RUNNER_TRAY_HOME", self.folder.path().join("home"))
            // The demo's jobs are its own, also for root.
            .env("RUNNER_TRAY_ALLOW_ROOT", "1")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// `runnerctl` with these arguments; an error holds its own words.
    pub(crate) fn runnerctl(&self, arguments: &[&str]) -> Result<String> {
        succeeded(self.command("runnerctl")?.args(arguments).output()?, arguments)
    }

    /// Sets the runner up, as the README does it.
    pub(crate) fn set_up(&self) -> Result<String> {
        let url = self.circle.url();
        let releases = format!("{url}/releases");
        let arguments = [
            "setup",
            "--resource-class",
            CLASS,
            "--name",
            RUNNER,
            "--token-stdin",
            "--token-store",
            self.store,
            "--api-url",
            url,
            "--releases-url",
            &releases,
        ];
        let token = fs::File::open(self.folder.path().join("token"))?;
        succeeded(self.command("runnerctl")?.args(arguments).stdin(token).output()?, &arguments)
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        Ok(serde_json::from_str(&self.runnerctl(&["status", "--json"])?)?)
    }

    pub(crate) fn supervisor_pid(&self) -> Result<u32> {
        Ok(self.snapshot()?.supervisor.pid)
    }

    /// Ends everything in order; what is still there afterwards.
    pub(crate) fn end(self) -> Result<Vec<String>> {
        // Whatever went wrong before, nothing may stay behind.
        let _ = self.runnerctl(&["supervisor", "start"]);
        let _ = self.runnerctl(&["pause"]);
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while std::time::Instant::now() < deadline
            && self.snapshot().is_ok_and(|now| now.runners.iter().any(|r| r.agent_pid.is_some()))
        {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let _ = self.runnerctl(&["token", "forget"]);
        let _ = self.runnerctl(&["supervisor", "stop"]);
        let home = self.folder.path().to_owned();
        drop(self.circle);
        let left = until_gone(&home);
        self.folder.close().with_context(|| format!("removing {}", home.display()))?;
        Ok(left)
    }
}

fn succeeded(output: Output, arguments: &[&str]) -> Result<String> {
    let Output { status, stdout, stderr } = output;
    ensure!(
        status.success(),
        "runnerctl {} said: {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&stderr),
        String::from_utf8_lossy(&stdout)
    );
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Processes whose command line names the demo's home, once they have had time to end.
fn until_gone(home: &Path) -> Vec<String> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let left = naming(home);
        if left.is_empty() || std::time::Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn naming(home: &Path) -> Vec<String> {
    let Ok(listed) = Command::new("ps").args(["-axo", "pid=,args="]).output() else {
        return Vec::new();
    };
    let home = home.display().to_string();
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter(|line| line.contains(&home))
        .map(|line| line.trim().to_owned())
        .collect()
}
