//! Real users of this machine, made for a trial and removed with it; root only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::until::holds_within;
use crate::{DEADLINE, has_tools, is_root, until};

fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// A user of this machine for as long as the value lives.
pub struct User {
    pub name: String,
    pub id: u32,
    pub group: u32,
    sudoers: Option<PathBuf>,
}

impl User {
    /// Whether this machine has what is needed; says so where it has not.
    pub fn can_be_made() -> bool {
        is_root() && has_tools(&["useradd", "userdel", "sudo"])
    }

    #[track_caller]
    pub fn make(what: &str) -> Self {
        Self::make_so(what, &[])
    }

    #[track_caller]
    pub fn with_number(what: &str, id: u32) -> Self {
        Self::make_so(what, &["--uid", &id.to_string()])
    }

    #[track_caller]
    fn make_so(what: &str, options: &[&str]) -> Self {
        let name = format!("rt-{what}-{}", std::process::id());
        // Another trial may be making a user just now.
        until(DEADLINE, "the user is made", || {
            let usual = ["--create-home", "--shell", "/bin/bash", &name];
            run("useradd", &[options, &usual].concat())
        });
        let number = |which: &str| {
            let output = Command::new("id").args([which, &name]).output().expect("id runs");
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            text.parse().expect("a user has a number")
        };
        Self { id: number("-u"), group: number("-g"), sudoers: None, name }
    }

    /// This user may run commands as that one (`root` is one, too), and as nobody else.
    #[track_caller]
    pub fn may_run_as(&mut self, other: &str) {
        let path = PathBuf::from(format!("/etc/sudoers.d/{}", self.name));
        let line = format!("{} ALL=({other}) NOPASSWD: ALL\n", self.name);
        run_dir::write_atomically(&path, line.as_bytes()).expect("root may write it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("a file of ours");
        self.sudoers = Some(path);
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if let Some(path) = &self.sudoers {
            let _ = fs::remove_file(path);
        }
        // Another trial may have the list of users just now.
        holds_within(DEADLINE, || run("userdel", &["--remove", "--force", &self.name]));
    }
}
