//! One test's own world: a server, folders, runners; everything it started ends with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use local_circleci::{Control, NewTask, Server, ServerOptions, Task, TaskNumber, TokenSource};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub(crate) const CLASS: &str = "acme/macos";
pub(crate) const TOKEN: &str = "3a5f0c";
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct World {
    folder: TempDir,
    server: Option<Server>,
    pub(crate) control: Control,
    runners: std::cell::Cell<u32>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = TempDir::with_prefix("stand-in-").unwrap();
        let mut options = options(folder.path());
        change(&mut options);
        let server = Server::start(&options).unwrap();
        let control = server.control();
        Self { folder, server: Some(server), control, runners: std::cell::Cell::new(0) }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("the server was stopped")
    }

    pub(crate) fn stop_server(&mut self) {
        self.server = None;
    }

    /// A folder or file of this world; nothing is made.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A runner to be configured and started.
    pub(crate) fn runner(&self) -> Configured {
        let number = self.runners.replace(self.runners.get() + 1);
        let folder = self.path(&format!("runner-{number}"));
        fs::create_dir(&folder).unwrap();
        let mut configured = Configured { folder, keys: Vec::new(), environment: Vec::new() };
        let workdir = configured.folder.join("work").display().to_string();
        let agents = configured.folder.join("agents").display().to_string();
        for (key, value) in [
            ("api.auth_token", TOKEN),
            ("api.url", self.control.url()),
            ("runner.name", &format!("runner-{number}")),
            ("runner.working_directory", &workdir),
            ("runner.task_agent_directory", &agents),
            ("logging.format", "text"),
        ] {
            configured = configured.key(key, &format!("{value:?}"));
        }
        let scratch = configured.folder.join("tmp");
        fs::create_dir(&scratch).unwrap();
        let scratch = scratch.display().to_string();
        configured.env("LOCAL_CIRCLECI_MAX_BACKOFF_MS", "100").env("TMPDIR", &scratch)
    }

    pub(crate) fn enqueue(&self, script: &str) -> TaskNumber {
        self.control.enqueue(&NewTask::new(CLASS).step("test", script)).unwrap()
    }

    pub(crate) fn task(&self, number: TaskNumber) -> Task {
        self.control.task(number).unwrap()
    }

    /// Queues a task and waits until its own step runs, which goes on until the file that is
    /// returned exists.
    pub(crate) fn enqueue_waiting_task(&self, name: &str) -> (TaskNumber, PathBuf, PathBuf) {
        let (started, go) =
            (self.path(&format!("{name}-started")), self.path(&format!("{name}-go")));
        let script = format!(
            "echo $$ > {started}.new; mv {started}.new {started}; while [ -d {world} ] && ! [ -e {go} ]; do sleep 0.02; done",
            started = started.display(),
            go = go.display(),
            world = self.path("").display(),
        );
        (self.enqueue(&script), started, go)
    }
}

/// What the tests' servers are started with.
pub(crate) fn options(folder: &Path) -> ServerOptions {
    ServerOptions {
        state: Some(folder.join("state")),
        resource_classes: vec![(CLASS.to_owned(), TokenSource::Given(TOKEN.to_owned()))],
        binaries: Some(Path::new(env!("CARGO_BIN_EXE_circleci-runner")).parent().unwrap().into()),
        variant: "log-delay-ms=10".to_owned(),
        ..ServerOptions::default()
    }
}

pub(crate) fn write(path: &Path, text: &str) -> PathBuf {
    let beside = path.with_extension("new");
    fs::File::create(&beside)
        .and_then(|mut it| std::io::Write::write_all(&mut it, text.as_bytes()))
        .unwrap();
    fs::rename(&beside, path).unwrap();
    path.to_owned()
}

/// An executable bash script.
pub(crate) fn write_script(path: &Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = write(path, &format!("#!/bin/bash\n{text}"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Waits for `found`, or fails naming `what`.
pub(crate) fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < give_up_at, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn until_exists(path: &Path) -> String {
    until(&format!("{} exists", path.display()), || fs::read_to_string(path).ok())
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

pub(crate) fn is_alive(pid: u32) -> bool {
    // A zombie still answers to signal 0, so ask for its state.
    let ps = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// A runner's configuration before its start.
pub(crate) struct Configured {
    pub(crate) folder: PathBuf,
    keys: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

impl Configured {
    /// Sets `section.key` to a piece of YAML; the last one counts.
    pub(crate) fn key(mut self, key: &str, yaml: &str) -> Self {
        self.keys.retain(|(known, _)| known != key);
        self.keys.push((key.to_owned(), yaml.to_owned()));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.keys.retain(|(known, _)| known != key);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn variant(self, variant: &str) -> Self {
        self.env("LOCAL_CIRCLECI_VARIANT", variant)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The command, its configuration file written.
    pub(crate) fn command(&self) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_circleci-runner"))
    }

    pub(crate) fn command_of(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let keys_of = |section: &str| {
            let of_section = self.keys.iter().filter_map(|(key, yaml)| {
                let key = key.strip_prefix(section)?.strip_prefix('.')?;
                Some(format!("  {key}: {yaml}\n"))
            });
            format!("{section}:\n{}", of_section.collect::<String>())
        };
        let text = ["api", "runner", "logging"].map(keys_of).concat();
        let config = write(&self.file("config.yaml"), &text);
        let mut command = Command::new(program);
        command.arg("machine").arg("--config").arg(config).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn start(self) -> Running {
        let log = self.file("log");
        let file = fs::File::create(&log).unwrap();
        let mut command = self.command();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Running { child: command.spawn().unwrap(), log, folder: self.folder }
    }

    /// Runs a runner that is expected to end by itself.
    pub(crate) fn run(self) -> (ExitStatus, String) {
        let mut running = self.start();
        let status = running.wait();
        (status, running.log())
    }
}

/// A runner's process; killed with the test.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, which: Signal) {
        signal(self.pid(), which);
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn until_log_has(&self, words: &str) -> String {
        until(&format!("{words:?} in the log"), || Some(self.log()).filter(|it| it.contains(words)))
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the runner's end", || self.child.try_wait().unwrap())
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the runner's log\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
