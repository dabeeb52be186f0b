//! The supervisor that is there, that is not, and that cannot be started.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use std::time::{Duration, Instant};

use assert_cmd::Command;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fake::Fake;

/// A program that stands where the supervisor should.
fn program(fake: &Fake, script: &str) -> PathBuf {
    program_at(fake, &fake.home().join("a program"), script)
}

fn program_at(fake: &Fake, path: &Path, script: &str) -> PathBuf {
    let script = script.replace("$HOME_", &format!("'{}'", fake.home().display()));
    let mut file = std::fs::File::create_new(path).expect("a new file");
    file.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).expect("it can be written");
    file.set_permissions(std::fs::Permissions::from_mode(0o755)).expect("it may be run");
    path.to_owned()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn health(pid: u32) -> Value {
    json!({"version": "0.1.0", "pid": pid, "protocol": 1})
}

#[test]
fn without_a_supervisor_every_command_that_asks_it_exits_with_3_and_the_way_out() {
    let absent = Fake::absent();
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["tasks"],
        &["history"],
        &["logs"],
        &["logs", "-f"],
        &["pause"],
        &["resume"],
        &["cancel-task", "r.1", "--yes"],
        &["token", "set"],
        &["token", "forget"],
        &["agent", "list"],
        &["config", "show"],
        &["config", "snippet"],
        &["supervisor", "status"],
        &["after-task", "sleep"],
        &["after-task", "cancel"],
        &["notices"],
        &["preferences", "show"],
        &["preferences", "set", "keep-awake", "off"],
        &["history", "--by", "day"],
    ] {
        assert_eq!(
            absent.run(args),
            "exit code 3\n--- errors\nerror: The supervisor is not running: nothing answers at \
             [HOME]/state/supervisor.sock (No such file or directory (os error 2)).\n\
             Start it: runnerctl supervisor start\n",
            "{args:?}"
        );
    }
}

#[test]
fn an_answer_of_another_version_is_told_from_no_answer() {
    assert_snapshot!(Fake::absent().started().run(&["status"]));
    let other = Fake::absent().on("GET /v1/snapshot?usage=1", json!({"runners": "many"})).started();
    assert_snapshot!(other.run(&["status"]));
}

#[test]
fn status_of_the_supervisor() {
    let fake = Fake::absent().on("GET /v1/health", health(4711)).started();
    assert_snapshot!(fake.run(&["supervisor", "status"]));
    assert_snapshot!(fake.run(&["supervisor", "status", "--json"]));
    let mut newer = health(4711);
    newer["version"] = json!("0.2.0");
    let fake = Fake::absent().on("GET /v1/health", newer).started();
    assert_snapshot!(fake.run(&["supervisor", "status"]));
    assert_snapshot!(Fake::absent().run(&["supervisor", "status", "--json"]));
}

#[test]
fn one_that_runs_is_not_started_again() {
    let fake = Fake::absent().on("GET /v1/health", health(4711)).started();
    assert_snapshot!(fake.run(&["supervisor", "start"]));
}

#[test]
fn folders_that_cannot_be_used_are_named_with_the_way_out() {
    let fake = Fake::absent();
    let mut command = fake.command(&["status"]);
    let seen = fake.transcript(command.env("RUNNER_TRAY_HOME", "here"));
    assert!(seen.starts_with("exit code 1\n--- errors\nerror: RUNNER_TRAY_HOME"), "{seen}");
}

#[test]
fn one_that_cannot_be_found_is_named() {
    let fake = Fake::absent();
    let mut command = fake.command(&["supervisor", "start"]);
    let seen = fake.transcript(command.env("RUNNER_TRAY_SUPERVISOR", "/nowhere/supervisor"));
    assert_snapshot!(seen);
}

#[test]
fn one_that_ends_at_once_is_told_in_its_own_words() {
    let fake = Fake::absent();
    let program = program(&fake, "echo 'Running as root is refused.' >&2; exit 1");
    let mut command = fake.command(&["supervisor", "start"]);
    assert_snapshot!(fake.transcript(command.env("RUNNER_TRAY_SUPERVISOR", program)));
}

/// Runs `supervisor start`, and lets a supervisor answer once the program has written `began`.
fn start_with(script: &str) -> (Fake, String) {
    let fake = Fake::absent().on("GET /v1/health", health(4711));
    let program = program(&fake, script);
    let mut command = fake.command(&["supervisor", "start"]);
    command.env("RUNNER_TRAY_SUPERVISOR", program).env("PATH", "/usr/bin:/bin");
    answered_once_begun(fake, command)
}

fn answered_once_begun(mut fake: Fake, mut command: Command) -> (Fake, String) {
    let started = std::thread::spawn(move || command.output().expect("runnerctl can be run"));
    let began = fake.home().join("began");
    until("the program has begun", || began.exists());
    fake.start();
    std::fs::File::create(fake.home().join("answers")).expect("a file of ours");
    let output = started.join().expect("it ended");
    (fake, String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn one_that_is_started_shares_neither_terminal_nor_folder_with_who_started_it() {
    let (fake, said) = start_with(
        "cd -P .; echo $$ $PWD > $HOME_/new; mv $HOME_/new $HOME_/began; exec sleep 300",
    );
    assert_eq!(said, "The supervisor is started (version 0.1.0, pid 4711).\n");
    let began = std::fs::read_to_string(fake.home().join("began")).expect("what it wrote");
    let (pid, folder) = began.trim().split_once(' ').expect("a pid and a folder");
    let pid = rustix::process::Pid::from_raw(pid.parse().expect("a number")).expect("a pid");
    assert_eq!(folder, "/");
    assert_eq!(rustix::process::getsid(Some(pid)), Ok(pid), "it has a session of its own");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
}

/// systemd takes one that has let its socket go, and has not ended yet, for one that runs.
const SYSTEMCTL: &str = r#"
case "$*" in
    *show*)
        now=inactive
        if [ -e $HOME_/told ] && [ ! -e $HOME_/ended ]; then now=active; : > $HOME_/ended; fi
        echo "ActiveState=$now"
        echo UnitFileState=enabled
        echo FragmentPath=$HOME_/unit;;
    *reset-failed*) ;;
    *start*) if [ -e $HOME_/ended ]; then : > $HOME_/began; else : > $HOME_/told; fi;;
esac"#;

#[test]
fn a_service_manager_is_told_again_once_the_one_that_was_ending_has_ended() {
    if std::env::consts::OS != "linux" {
        return;
    }
    let fake = Fake::absent().on("GET /v1/health", health(4711));
    let supervisor = program(&fake, "touch $HOME_/by-itself");
    let mut command = fake.command(&["supervisor", "start"]);
    command.env("RUNNER_TRAY_SUPERVISOR", &supervisor);
    let home = command.get_envs().find(|(name, _)| *name == host::HOME_VARIABLE);
    let home = home.and_then(|(_, home)| home).map(OsStr::to_owned);
    let unit = host::login_service::systemd_unit(&supervisor, home.as_deref());
    let mut file = std::fs::File::create(fake.home().join("unit")).expect("a new file");
    file.write_all(unit.as_bytes()).expect("it can be written");
    let bin = fake.home().join("bin");
    std::fs::create_dir(&bin).expect("a folder of ours");
    program_at(&fake, &bin.join("systemctl"), SYSTEMCTL);
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let (fake, said) = answered_once_begun(fake, command);
    assert_eq!(said, "The supervisor is started (version 0.1.0, pid 4711).\n");
    assert!(!fake.home().join("by-itself").exists(), "systemd starts it, and nobody else");
}

#[test]
fn one_that_was_killed_and_has_its_socket_still_is_waited_for() {
    let fake = Fake::absent().on("GET /v1/health", health(4711));
    let program =
        program(&fake, "touch $HOME_/began; while [ ! -e $HOME_/answers ]; do sleep 0.02; done");
    let socket = fake.socket();
    std::fs::create_dir_all(socket.parent().expect("a folder")).expect("a folder of ours");
    let dying = UnixListener::bind(&socket).expect("a socket of ours");
    let dies = std::thread::spawn(move || {
        drop(dying.accept().expect("somebody asks"));
        std::fs::remove_file(&socket).expect("it was ours");
    });
    let mut command = fake.command(&["supervisor", "start"]);
    command.env("RUNNER_TRAY_SUPERVISOR", program).env("PATH", "/usr/bin:/bin");
    let (_, said) = answered_once_begun(fake, command);
    dies.join().expect("it was asked");
    assert_eq!(said, "The supervisor is started (version 0.1.0, pid 4711).\n");
}

#[test]
fn of_two_that_are_started_at_once_the_one_that_stays_counts() {
    let (_, said) = start_with(
        "touch $HOME_/began; while [ ! -e $HOME_/answers ]; do sleep 0.02; done; exit 1",
    );
    assert_eq!(said, "The supervisor is started (version 0.1.0, pid 4711).\n");
}

#[test]
fn stop_waits_until_it_is_gone_and_says_what_goes_on() {
    let fake = Fake::absent()
        .on("POST /v1/stop", json!({"pid": 4711, "left_running": ["a", "b"]}))
        .on("GET /v1/health", health(4711))
        .on("GET /v1/health", health(4712))
        .started();
    assert_snapshot!(fake.run(&["supervisor", "stop"]));
}

#[test]
fn stop_where_none_runs_is_done_already() {
    let said = "exit code 0\n--- output\nThe supervisor does not run.\n";
    assert_eq!(Fake::absent().run(&["supervisor", "stop"]), said);
}

#[test]
fn a_stop_that_is_refused_is_told() {
    let title = "A job of this machine may not change its runner.";
    let fake = Fake::absent()
        .refuses("POST /v1/stop", 403, "from-a-job", title, "Ask from a terminal of your own.")
        .started();
    assert_snapshot!(fake.run(&["supervisor", "stop"]));
}
