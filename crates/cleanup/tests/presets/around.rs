//! The test program started again: in a mount namespace of its own, as another user, or to be killed.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use skipped::skipped;

const IN: &str = "PRESETS_TEST_IN";

/// What the test is told when it runs again; None the first time.
pub(crate) fn within() -> Option<String> {
    std::env::var(IN).ok()
}

/// This test, again.
pub(crate) fn again(test: &str, told: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(IN, told).stdin(Stdio::null());
    command
}

/// In a private mount namespace. False: it is there, and must go on; true: it was done there.
pub(crate) fn in_own_mounts(test: &str) -> bool {
    if within().is_some() {
        return false;
    }
    let exe = std::env::current_exe().unwrap();
    let mut there = Command::new("unshare");
    there.args(["-m", "--propagation", "private"]);
    let mut probe = Command::new("unshare");
    let probe = probe.args(["-m", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skipped("there is no mount namespace to be had");
        return true;
    }
    there.arg(exe).args(["--exact", test, "--nocapture"]).env(IN, "mounts");
    let status = there.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "in its mount namespace: {status}");
    true
}

/// As a user without rights. False: it is such a user already; true: it was done there.
pub(crate) fn as_nobody(test: &str) -> bool {
    if within().is_some() || !rustix::process::geteuid().is_root() {
        return false;
    }
    let status = again(test, "nobody").uid(65534).gid(65534).status().unwrap();
    assert!(status.success(), "as nobody: {status}");
    true
}

/// A file system in memory, gone with this.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    pub(crate) fn at(path: &Path, options: &str) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(path);
        assert!(mount.status().unwrap().success());
        Self(path.to_owned())
    }
}

impl Mounted {
    /// What is there, mounted there once more.
    pub(crate) fn onto_itself(path: &Path) -> Self {
        let mut mount = Command::new("mount");
        mount.arg("--bind").arg(path).arg(path);
        assert!(mount.status().unwrap().success());
        Self(path.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
