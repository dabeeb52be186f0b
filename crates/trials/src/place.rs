//! A folder of a trial's own, with a home in it for the product and one for its owner. All that
//! runs there names the folder in its environment, so that it is found and ended with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use host::Folders;
use process::Signal;
use run_dir::RunsFolder;
use tempfile::TempDir;

use crate::leftovers::{Found, that_name};
use crate::until::holds_within;
use crate::{DEADLINE, is_alive, program, until};

/// How many runs are worth a look when a trial fails.
const RUNS_SHOWN: usize = 2;

/// How much longer a helper of the supervisor's may live that ends by itself.
const LINGERS: Duration = Duration::from_secs(20);

pub struct Place {
    folder: TempDir,
    /// The name of the product's home in it.
    home: String,
    /// What programs of this place have in their environment beyond the usual.
    environment: BTreeMap<String, OsString>,
    /// The user and group that programs of this place run as; nothing: those of the trial.
    user: Option<(u32, u32)>,
}

impl Place {
    /// A new one; its name has a space and a letter that is not ASCII, as homes may have.
    pub fn new() -> Self {
        Self::with_home("home")
    }

    /// One whose home for the product has this name.
    pub fn with_home(home: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("trial ü ").tempdir();
        let folder = folder.expect("a temporary folder");
        let home = home.to_owned();
        let place = Self { folder, home, environment: BTreeMap::new(), user: None };
        for name in [place.home.as_str(), "owner", "run", "tmp", "signs"] {
            let path = place.path(name);
            fs::create_dir(&path).expect("a folder in the temporary folder");
            let owners = fs::Permissions::from_mode(0o700);
            fs::set_permissions(&path, owners).expect("a folder of ours");
        }
        place
    }

    /// All programs that are started from now on have this in their environment.
    pub fn set_env(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    /// All programs that are started from now on run as this user; root only.
    pub fn set_user(&mut self, user: u32, group: u32) {
        self.user = Some((user, group));
    }

    /// What lies there under that name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The product's folders.
    pub fn folders(&self) -> Folders {
        Folders::below(&self.path(&self.home))
    }

    pub fn runs(&self) -> RunsFolder {
        RunsFolder::open(&self.folders().state).expect("the folder of runs")
    }

    /// One of our programs, in this place and nowhere else, with nothing on its standard input.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LANG", "C.UTF-8").env("TZ", "UTC").env("RUST_BACKTRACE", "1");
        command.env("RUNNER_TRAY_HOME", self.path(&self.home)).env("RUNNER_TRAY_ALLOW_ROOT", "1");
        command.env("HOME", self.path("owner")).env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("TMPDIR", self.path("tmp")).current_dir(self.root());
        command.env("LOCAL_CIRCLECI_MAX_BACKOFF_MS", "100").stdin(Stdio::null());
        // Never the machine's own: it would be kept awake, or put to sleep.
        command
            .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.path("no-bus").display()));
        command.envs(&self.environment);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// What it says on its errors, where it must fail.
    #[track_caller]
    pub fn runnerctl_fails(&self, arguments: &[&str]) -> String {
        let output = self.command("runnerctl").args(arguments).output().expect("runnerctl runs");
        assert!(!output.status.success(), "runnerctl {arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// What a command of `runnerctl` printed; panics where it fails.
    #[track_caller]
    pub fn runnerctl(&self, arguments: &[&str]) -> String {
        let output = self.command("runnerctl").args(arguments).output().expect("runnerctl runs");
        assert!(
            output.status.success(),
            "runnerctl {arguments:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// All processes of this trial that live now.
    pub fn processes(&self) -> Vec<Found> {
        that_name(self.root().to_str().expect("the folder's name is UTF-8"))
    }

    /// The ends of all logs, and the records of the last runs, for whoever has to find out what went wrong.
    pub fn logs(&self) -> String {
        let mut files = Vec::new();
        let folders = self.folders();
        collect(&folders.logs, &mut files);
        // On a disk that a trial broke there may be none to be read.
        if let Ok(folder) = RunsFolder::open(&folders.state) {
            let mut runs: Vec<_> = folder.list().unwrap_or_default();
            for run in runs.split_off(runs.len().saturating_sub(RUNS_SHOWN)) {
                collect(folder.run(&run).path(), &mut files);
            }
        }
        let read = |path: &PathBuf| {
            let bytes = fs::read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text
                .lines()
                .map(str::trim_end)
                .filter(|line| !line.is_empty() && !is_chatter(line))
                .collect();
            if lines.is_empty() {
                return String::new();
            }
            let last = lines.len().saturating_sub(60);
            let name = path.strip_prefix(self.root()).unwrap_or(path);
            format!("---- {}\n{}\n", name.display(), lines[last..].join("\n"))
        };
        files.iter().map(read).collect()
    }

    /// Ends what is left: TERM, and KILL to what does not heed it. What was found at first.
    fn end_all(&self) -> Vec<Found> {
        let found = self.processes();
        for signal in [Signal::TERM, Signal::CONT, Signal::KILL] {
            for left in self.processes() {
                // It may have ended meanwhile.
                let _ = process::signal(&left.id, signal);
            }
        }
        found
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != ".next" {
                collect(&path, into);
            }
        } else if !is_dull(&path) {
            into.push(path);
        }
    }
    into.sort();
}

fn is_chatter(line: &str) -> bool {
    line.starts_with("noise ") || line.ends_with("effect=Publish") || line.contains("effect=WakeAt")
}

fn is_dull(path: &Path) -> bool {
    let dull = ["keeper.lock", "task.lock", "plan.json", "config.yaml"];
    dull.into_iter().any(|name| path.ends_with(name))
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        if !std::thread::panicking() {
            // What ends by itself may do so a moment later: a helper, or a supervisor that answers no more.
            let _ = holds_within(LINGERS, || self.processes().is_empty());
        }
        let found = self.end_all();
        if std::thread::panicking() {
            eprintln!("still running at the end, and ended: {found:#?}");
            if std::env::var_os("RUNNER_TRAY_TRIALS_KEEP").is_some() {
                self.folder.disable_cleanup(true);
                eprintln!("kept: {}", self.root().display());
            }
            return;
        }
        until(DEADLINE, "everything is ended", || {
            !self.end_all().iter().any(|left| is_alive(&left.id))
        });
        assert!(found.is_empty(), "a trial left these running: {found:#?}");
    }
}
