//! The test program started again: in a mount namespace of its own, as another user, or to be killed.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use skipped::skipped;

const IN: &str = "CLEANUP_TEST_IN";

/// What the test is told when it runs again; None the first time.
pub(crate) fn within() -> Option<String> {
    std::env::var(IN).ok()
}

/// This test, again.
pub(crate) fn again(test: &str, told: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--include-ignored"]).env(IN, told);
    command.stdin(Stdio::null());
    command
}

/// In a private mount namespace. False: it ran here, and must go on; true: it was done there.
pub(crate) fn in_own_mounts(test: &str) -> bool {
    if within().is_some() {
        return false;
    }
    let is_root = rustix::process::geteuid().is_root();
    let flags: &[&str] = if is_root { &["-m"] } else { &["--user", "--map-root-user", "-m"] };
    let unshare = |rest: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(flags).args(["--propagation", "private"]).args(rest);
        command
    };
    if !unshare(&["true"]).output().is_ok_and(|output| output.status.success()) {
        skipped("there is no mount namespace to be had");
        return true;
    }
    let exe = std::env::current_exe().unwrap();
    let mut there = unshare(&[exe.to_str().unwrap(), "--exact", test, "--nocapture"]);
    let status = there.env(IN, "mounts").stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "in its mount namespace: {status}");
    true
}

/// As a user without rights. False: it is such a user already; true: it was done there.
pub(crate) fn as_nobody(test: &str, told: &str) -> bool {
    if within().is_some() || !rustix::process::geteuid().is_root() {
        return false;
    }
    let status = again(test, told).uid(65534).gid(65534).status().unwrap();
    assert!(status.success(), "as nobody: {status}");
    true
}

/// Whether only root can do this, and this is not root.
pub(crate) fn needs_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skipped("only root can make this");
    }
    !is_root
}

#[track_caller]
pub(crate) fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
