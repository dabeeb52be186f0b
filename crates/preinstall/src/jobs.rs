//! The user that jobs run as, and what they find: a check and a user's own package manager see no other
//! PATH and no other home.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a user's own package managers put programs, below the home. It is on the PATH of jobs.
pub(crate) const PREFIX: &str = ".local";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jobs {
    pub runner: Option<protocol::RunnerName>,
    pub user: String,
    /// It is another one than the owner: reached by `sudo -n`.
    pub is_job_user: bool,
    pub home: PathBuf,
    /// `PATH` among it. Of a job user: what is set for it; of the owner: all there is.
    pub environment: BTreeMap<String, String>,
}

impl Jobs {
    pub fn path(&self) -> &str {
        self.environment.get("PATH").map_or("", String::as_str)
    }

    pub fn shown(&self) -> protocol::PreinstallJobs {
        let folders = std::env::split_paths(self.path());
        protocol::PreinstallJobs {
            runner: self.runner.clone(),
            user: self.user.clone(),
            job_user: self.is_job_user,
            path: folders.map(|folder| folder.display().to_string()).collect(),
        }
    }

    /// Who has to end what hangs.
    pub(crate) fn other_user(&self) -> Option<&str> {
        self.is_job_user.then_some(self.user.as_str())
    }

    /// The program of that name, as the owner sees it: the first file that may be run.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        find(program, self.path())
    }

    pub(crate) fn below_home(&self, path: &str) -> PathBuf {
        path.strip_prefix("~/").map_or_else(|| PathBuf::from(path), |rest| self.home.join(rest))
    }

    /// A program and its arguments, run as that user with that environment and `more`. No shell reads
    /// them: sudo without a login passes them on as they are.
    pub(crate) fn command(&self, argv: &[String], more: &[(String, String)]) -> Command {
        if self.is_job_user {
            let mut command = Command::new(sudo());
            command.args(["-n", "-H", "-u", &self.user, "--", "/usr/bin/env"]);
            let set = self.environment.iter().map(|(name, value)| format!("{name}={value}"));
            command.args(set);
            command.args(more.iter().map(|(name, value)| format!("{name}={value}")));
            command.args(argv).current_dir("/").stdin(Stdio::null());
            return command;
        }
        as_owner(argv, &self.environment, more)
    }
}

/// What reaches another user.
#[cfg(not(test))]
pub(crate) fn sudo() -> PathBuf {
    PathBuf::from("sudo")
}

#[cfg(test)]
pub(crate) fn sudo() -> PathBuf {
    SUDO.with_borrow(Clone::clone).unwrap_or_else(|| PathBuf::from("sudo"))
}

#[cfg(test)]
thread_local! {
    /// In its place for the test that runs on this thread.
    pub(crate) static SUDO: std::cell::RefCell<Option<PathBuf>> =
        const { std::cell::RefCell::new(None) };
}

/// As this very process's user.
pub(crate) fn as_owner(
    argv: &[String],
    environment: &BTreeMap<String, String>,
    more: &[(String, String)],
) -> Command {
    let name = argv.first().map_or("", String::as_str);
    let path = environment.get("PATH").map_or("", String::as_str);
    let mut command = Command::new(find(name, path).unwrap_or_else(|| PathBuf::from(name)));
    command.args(argv.get(1..).unwrap_or_default());
    command.env_clear().envs(environment).envs(more.iter().map(|(name, value)| (name, value)));
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// By the rule of execvp(3).
pub(crate) fn find(program: &str, path: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|file| is_program(file));
    }
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    let about = std::fs::metadata(file);
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
