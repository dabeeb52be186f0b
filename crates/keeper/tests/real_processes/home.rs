//! A state folder of a test's own, with runs, keepers and agents in it. All that was started in it
//! is ended with it, by identity.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use process::{Liveness, Pid, ProcessId, Signal, alive, signal};
use run_dir::{KeeperLock, Plan, Record, RunDir, RunId, RunsFolder, TokenMark};
use tempfile::TempDir;

pub(crate) const KEEPER: &str = env!("CARGO_BIN_EXE_runner-tray-keeper");
pub(crate) const TOKEN: &str = "0123456789abcdef-the-token-of-this-test";

/// An agent that notes every signal, says when it is ready, and ends when told.
const AGENT: &str = r#"#!/usr/bin/env python3
import os, signal, sys, time
here = os.path.dirname(os.path.abspath(__file__))
def got(number, frame):
    with open(here + "/signals", "a") as notes:
        notes.write(signal.Signals(number).name + "\n")
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, got)
with open(here + "/ready", "a") as notes:
    notes.write("%d\n" % os.getpid())
while not os.path.exists(here + "/finish"):
    time.sleep(0.02)
sys.exit(int(open(here + "/finish").read()))
"#;

pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) runs: RunsFolder,
    started: Vec<ProcessId>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    pub(crate) fn below(folder: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("keeper ü ").tempdir_in(folder).unwrap();
        let runs = RunsFolder::open(folder.path()).unwrap();
        fs::write_file(folder.path().join("agent"), AGENT, 0o755);
        Self { folder, runs, started: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write_file(path.clone(), text, 0o755);
        path
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            run: RunId::new(now()),
            runner: "test-runner".to_owned(),
            resource_class: "test/linux".to_owned(),
            settings_mark: String::new(),
            argv: vec![self.path("agent").to_str().unwrap().to_owned()],
            cwd: self.folder.path().to_owned(),
            environment: vec!["PATH".to_owned()],
            agent_version: None,
            working_directory: self.path("work"),
            task_agent_directory: self.path("task-agent"),
            helper: KEEPER.into(),
            job_user: None,
            job_path: run_dir::JobPath::default(),
            token_mark: Some(TokenMark::of(TOKEN)),
            log_limit: 20 * 1024 * 1024,
        }
    }

    pub(crate) fn run(&self, plan: &Plan) -> (RunDir, KeeperLock) {
        self.runs.create(plan, "runner: {}\n").unwrap()
    }

    /// A run whose agent is up and whose keeper is ready.
    pub(crate) fn running(&mut self) -> (RunDir, Child) {
        self.running_with(&self.plan())
    }

    pub(crate) fn running_with(&mut self, plan: &Plan) -> (RunDir, Child) {
        self.up(plan, &[])
    }

    /// The same, and the keeper stops itself at `point`.
    pub(crate) fn running_until(&mut self, point: &str) -> (RunDir, Child) {
        self.up(&self.plan(), &[point])
    }

    fn up(&mut self, plan: &Plan, hold_at: &[&str]) -> (RunDir, Child) {
        let (run, lock) = self.run(plan);
        let keeper = self.keeper(&run, lock, hold_at, &secrets());
        until("the agent is ready", || self.path("ready").exists());
        self.remember(&run);
        (run, keeper)
    }

    /// Starts a keeper as the supervisor does.
    pub(crate) fn keeper(
        &mut self,
        run: &RunDir,
        lock: KeeperLock,
        hold_at: &[&str],
        secrets: &str,
    ) -> Child {
        let mut keeper = keeper_command(run, lock, &["agent"], hold_at).spawn().unwrap();
        self.started.push(ProcessId::of(Pid::of_child(&keeper)).unwrap());
        let mut stdin = keeper.stdin.take().unwrap();
        let _ = stdin.write_all(secrets.as_bytes());
        keeper
    }

    pub(crate) fn adopter(&mut self, run: &RunDir, hold_at: &[&str]) -> Child {
        let lock = run.take_lock().unwrap().expect("nobody holds the lock");
        let args = ["agent", "--adopt"];
        let adopter = keeper_command(run, lock, &args, hold_at).spawn().unwrap();
        self.started.push(ProcessId::of(Pid::of_child(&adopter)).unwrap());
        adopter
    }

    /// Remembers the agent of a run, to end it with the test.
    pub(crate) fn remember(&mut self, run: &RunDir) -> ProcessId {
        let agent = run.started().written().expect("the agent is on record").process;
        self.started.push(agent.clone());
        agent
    }

    /// Remembers a process of the test, to end it with the test.
    pub(crate) fn remember_pid(&mut self, pid: u32) -> ProcessId {
        let id = ProcessId::of(Pid::new(pid).unwrap()).unwrap();
        self.started.push(id.clone());
        id
    }

    /// An empty file, for a script that waits for it.
    pub(crate) fn write(&self, name: &str) {
        fs::write_file(self.path(name), "", 0o600);
    }

    pub(crate) fn finish_agent(&self, code: u8) {
        // Whole or not at all: the agent looks all the time.
        let new = self.path("finish.new");
        fs::write_file(new.clone(), &code.to_string(), 0o644);
        std::fs::rename(new, self.path("finish")).unwrap();
    }

    /// The signals that the agent noted so far.
    pub(crate) fn signals(&self) -> Vec<String> {
        lines(&self.path("signals"))
    }
}

fn keeper_command(run: &RunDir, lock: KeeperLock, args: &[&str], hold_at: &[&str]) -> Command {
    let mut command = Command::new(KEEPER);
    // A core file goes to where it runs.
    command.args(args).arg(run.path()).current_dir(run.path());
    command.stdin(Stdio::piped()).stdout(lock).stderr(run.open_keeper_log().unwrap());
    for point in hold_at {
        command.env("RUNNER_TRAY_HOLD_AT", point);
    }
    command
}

impl Drop for Home {
    fn drop(&mut self) {
        for id in &self.started {
            let _ = signal(id, Signal::KILL);
            let _ = signal(id, Signal::CONT);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is the owner of its clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

pub(crate) fn secrets() -> String {
    let path = std::env::var("PATH").unwrap();
    let environment = serde_json::json!({"PATH": path, "GREETING": "hello there"});
    serde_json::json!({"environment": environment, "token": TOKEN}).to_string()
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs::read(path).map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}

/// Waits for something that must come to be.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Waits until a process of the run has stopped itself at a point.
#[track_caller]
pub(crate) fn until_held(run: &RunDir, point: &str, pid: Pid) {
    let mark = run.path().join(format!("held-at-{point}"));
    // The mark comes first: only one that has stopped can be continued.
    until("it is held", || {
        let stopped = |look: process::Look| look.state == process::State::Stopped;
        mark.exists() && process::look(pid).unwrap().is_some_and(stopped)
    });
}

#[track_caller]
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("a child ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

pub(crate) fn send(child: &Child, what: Signal) {
    signal(&ProcessId::of(Pid::of_child(child)).unwrap(), what).unwrap();
}

#[track_caller]
pub(crate) fn until_dead(id: &ProcessId) {
    until("a process ends", || alive(id) == Liveness::Dead);
}

pub(crate) fn until_written<T>(what: &str, read: impl Fn() -> Record<T>) -> T {
    let mut found = None;
    until(what, || {
        found = read().written();
        found.is_some()
    });
    found.unwrap()
}

/// Small file work of tests.
pub(crate) mod fs {
    use super::{Path, PathBuf, PermissionsExt};

    #[expect(clippy::disallowed_methods, reason = "tests write no state of the product")]
    #[expect(clippy::needless_pass_by_value, reason = "callers make the path on the spot")]
    pub(crate) fn write_file(path: PathBuf, text: &str, mode: u32) {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn read(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }
}
