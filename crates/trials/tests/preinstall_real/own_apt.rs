//! Apt in the middle of its work, and without room: killed, asked a second time, cancelled.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use protocol::{PreinstallEnd, PreinstallNow};
use trials::{DEADLINE, Ours, Place, SmallDisk, until, until_some};

use crate::{Away, HELLO, OF_HELLO, World, apt_has, succeeds};

/// Real apt with a configuration of its own, which no other apt of this machine reads.
struct OwnApt {
    /// Without the spaces of a place's name, which that configuration could not have everywhere.
    folder: tempfile::TempDir,
}

impl OwnApt {
    fn of(place: &mut Place) -> Self {
        let apt = Self { folder: tempfile::tempdir().unwrap() };
        let script = format!(
            "#!/bin/sh\nAPT_CONFIG='{}' exec /usr/bin/apt-get \"$@\"\n",
            apt.path("apt.conf").display()
        );
        let program = apt.path("apt-get");
        run_dir::write_atomically(&program, script.as_bytes()).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        place.set_env("PATH", format!("{}:{path}", apt.folder.path().display()));
        apt
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, text: &str) {
        run_dir::write_atomically(&self.path("apt.conf"), text.as_bytes()).unwrap();
    }
}

/// It stops before it runs dpkg while the file `hold` is there, and says so by `begun`.
struct HeldApt(OwnApt);

impl HeldApt {
    fn of(place: &mut Place) -> Self {
        let held = Self(OwnApt::of(place));
        let (sign, begun) = (held.0.path("hold"), held.0.path("begun"));
        let (hold_at, begun_at) = (sign.display(), begun.display());
        held.0.configure(&format!(
            "DPkg::Pre-Invoke {{ \"while [ -e {hold_at} ]; do : > {begun_at}; sleep 0.05; done\"; }};\n"
        ));
        std::fs::File::create(&sign).unwrap();
        held
    }

    fn has_begun(&self) -> bool {
        self.0.path("begun").exists()
    }

    fn let_go(&self) {
        std::fs::remove_file(self.0.path("hold")).unwrap();
    }
}

impl Drop for HeldApt {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0.path("hold"));
    }
}

/// `runnerctl preinstall install`, until apt has all it needs and is about to run dpkg.
fn begins(world: &World, held: &HeldApt, names: &[&str]) -> Ours {
    let mut command = world.place.command("runnerctl");
    command.args(["preinstall", "install"]).args(names).stdout(Stdio::null()).stderr(Stdio::null());
    let client = Ours::start(command);
    until(Duration::from_mins(5), "apt has all it needs and is about to run dpkg", || {
        held.has_begun()
            && matches!(
                world.api.snapshot().ok().and_then(|it| it.preinstall),
                Some(PreinstallNow::Installing(runs)) if runs.step == 2
            )
    });
    client
}

/// A world whose apt will stop before it installs `hello`, which is not there.
fn held_before_hello() -> Option<(Away, HeldApt, World)> {
    if !apt_has(HELLO) {
        return None;
    }
    let away = Away::now(HELLO);
    let mut place = Place::new();
    let held = HeldApt::of(&mut place);
    Some((away, held, World::with(place, &[OF_HELLO])))
}

#[test]
fn a_supervisor_that_is_killed_leaves_apt_whole() {
    let Some((_away, held, world)) = held_before_hello() else { return };
    let client = begins(&world, &held, &["hello"]);
    let World { supervisor, place, api: _ } = world;
    supervisor.kill();
    // Nobody looks, and dpkg unpacks and sets up.
    held.let_go();
    let world = World::start(place);
    until(DEADLINE, "it was taken up and is over", || {
        matches!(
            world.api.snapshot().ok().and_then(|it| it.preinstall),
            Some(PreinstallNow::Done(receipt))
                if receipt.taken_up && receipt.items.iter().all(|it| it.outcome == PreinstallEnd::Installed)
        )
    });
    let output = world.api.call(async |client| client.preinstall_output(0).await).unwrap();
    assert_eq!(output.text.matches("Setting up hello").count(), 1, "{}", output.text);
    world.installs_nothing_more();
    assert!(is_dpkg_whole());
    client.kill();
    world.finish();
}

/// Nothing is half installed.
fn is_dpkg_whole() -> bool {
    let audit = Command::new("dpkg").arg("--audit").output().unwrap();
    audit.status.success() && audit.stdout.is_empty()
}

#[test]
fn while_apt_works_a_second_one_is_refused_and_a_cancel_lets_it_end_and_begins_nothing_more() {
    let Some((_away, held, world)) = held_before_hello() else { return };
    let mut client = begins(&world, &held, &["hello", "circleci"]);
    let refused = world.place.runnerctl_fails(&["preinstall", "install", "hello"]);
    assert!(refused.contains("An installation runs just now."), "{refused}");
    world.place.runnerctl(&["preinstall", "install", "--cancel"]);
    until(DEADLINE, "the cancel is told", || {
        matches!(
            world.api.snapshot().ok().and_then(|it| it.preinstall),
            Some(PreinstallNow::Installing(runs)) if runs.cancelling
        )
    });
    held.let_go();
    assert_eq!(client.ended("runnerctl").code(), Some(1));
    let receipt =
        until_some(DEADLINE, "it is over", || match world.api.snapshot().ok()?.preinstall {
            Some(PreinstallNow::Done(receipt)) => Some(receipt),
            _ => None,
        });
    assert_eq!(receipt.cut_short.as_deref(), Some("It was cancelled."));
    let end = |id: &str| receipt.items.iter().find(|it| it.item.id == id).unwrap().outcome;
    assert_eq!(end("hello"), PreinstallEnd::Installed, "{receipt:?}");
    assert_eq!(end("circleci"), PreinstallEnd::NotBegun, "{receipt:?}");
    assert!(succeeds("hello", &["--version"]) && is_dpkg_whole());
    world.finish();
}

#[test]
fn on_a_full_disk_apt_says_so_and_with_room_it_installs() {
    if !apt_has(HELLO) {
        return;
    }
    let _away = Away::now(HELLO);
    let mut place = Place::new();
    let apt = OwnApt::of(&mut place);
    let archives = apt.path("archives");
    std::fs::create_dir_all(archives.join("partial")).unwrap();
    apt.configure(&format!("Dir::Cache::archives \"{}/\";\n", archives.display()));
    let world = World::with(place, &[OF_HELLO]);
    let Some(disk) = SmallDisk::over(&archives, &apt.path("left"), "size=16k") else {
        return world.finish();
    };
    let done = world.install(&["hello"]);
    assert_eq!(done.items[0].outcome, PreinstallEnd::Failed, "{done:?}");
    let said = done.items[0].said.as_deref().unwrap();
    assert!(said.contains("You don't have enough free space in"), "{said}");
    assert!(is_dpkg_whole());
    drop(disk);
    world.installs(&["hello"]);
    assert!(is_dpkg_whole());
    world.finish();
}
