//! `agent`: what is started, how, and what is written down of its end.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use process::{Liveness, Pid, Signal, alive};
use run_dir::{End, Exit, Record, RunState};

use crate::home::{
    Home, KEEPER, TOKEN, fs, lines, secrets, send, until, until_held, until_written, wait,
};

fn exit_of(run: &run_dir::RunDir) -> End {
    let exit: Exit = run.exit().written().expect("the end is on record");
    exit.end
}

#[test]
fn an_exit_code_is_recorded() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    assert_eq!(run.state(), RunState::Kept);
    home.finish_agent(7);
    assert!(wait(&mut keeper).success());
    assert_eq!(exit_of(&run), End::Code(7));
    assert!(matches!(run.state(), RunState::Over(_)));
}

#[test]
fn the_signal_that_ended_the_agent_is_recorded() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    let agent = run.started().written().unwrap().process;
    process::signal(&agent, Signal::KILL).unwrap();
    wait(&mut keeper);
    assert_eq!(exit_of(&run), End::Signal(9));
}

#[test]
fn the_agent_gets_exactly_its_environment_and_the_token() {
    let mut home = Home::new();
    let mut plan = home.plan();
    plan.argv = ["/usr/bin/env", "-0"].map(str::to_owned).into();
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    wait(&mut keeper);
    let log = fs::read(&run.agent_log()).unwrap();
    let mut environment: Vec<&str> = log.split_terminator('\0').collect();
    environment.sort_unstable();
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    let token = format!("CIRCLECI_RUNNER_API_AUTH_TOKEN={TOKEN}");
    assert_eq!(environment, [token.as_str(), "GREETING=hello there", path.as_str()]);
}

#[test]
fn the_token_is_in_no_argument_and_in_no_file_but_what_the_agent_printed() {
    let mut home = Home::new();
    let (run, keeper) = home.running();
    for process in [Pid::of_child(&keeper), run.started().written().unwrap().process.pid] {
        let arguments = std::fs::read(format!("/proc/{process}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&arguments).contains(TOKEN));
    }
    let mut environment = None;
    until("the keeper, without the token, can be looked into", || {
        environment = process::environ(Pid::of_child(&keeper));
        environment.is_some()
    });
    let environment = environment.unwrap();
    assert!(environment.iter().all(|(_, value)| value != TOKEN), "the keeper's own environment");
    for file in walk(home.folder.path()) {
        let text = std::fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(TOKEN), "{}", file.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn the_agent_has_a_session_of_its_own_and_its_log_as_its_only_output() {
    let mut home = Home::new();
    let mut plan = home.plan();
    let script =
        "umask; ps -o sid= -p $$; echo $$; find /proc/$$/fd -type l -printf '%f -> %l\\n'; true";
    plan.argv = ["/bin/bash", "-c", script].map(str::to_owned).into();
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    wait(&mut keeper);
    let mut log = lines(&run.agent_log());
    log[3..].sort();
    assert_eq!(log[0], "0022");
    assert_eq!(log[1].trim(), log[2], "its session is its own");
    let log_path = run.agent_log();
    let path = log_path.display();
    assert_eq!(
        log[3..],
        ["0 -> /dev/null".to_owned(), format!("1 -> {path}"), format!("2 -> {path}")]
    );
}

#[test]
fn files_are_for_the_owner_only() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    home.finish_agent(0);
    wait(&mut keeper);
    for entry in std::fs::read_dir(run.path()).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", entry.path().display());
    }
}

#[test]
fn an_agent_that_cannot_be_run_is_recorded_with_the_reason() {
    let mut home = Home::new();
    let mut plan = home.plan();
    plan.argv = vec![home.path("no such agent").to_str().unwrap().to_owned()];
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    assert!(wait(&mut keeper).success());
    let End::NeverStarted(why) = exit_of(&run) else { panic!("{:?}", run.exit()) };
    assert!(why.contains("no such agent") && why.contains("No such file"), "{why}");
}

#[test]
fn a_stop_before_the_start_means_that_nothing_is_started() {
    let home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let mut keeper = Command::new(KEEPER)
        .arg("agent")
        .arg(run.path())
        .stdin(Stdio::piped())
        .stdout(lock)
        .stderr(run.open_keeper_log().unwrap())
        .spawn()
        .unwrap();
    // Ready for signals, and waiting for the secrets.
    until_written("the keeper is ready", || run.keeper());
    send(&keeper, Signal::TERM);
    assert!(wait(&mut keeper).success());
    assert!(matches!(exit_of(&run), End::NeverStarted(_)));
    assert!(run.started().is_unwritten());
    assert!(!home.path("ready").exists());
}

#[test]
fn a_stop_between_the_record_and_the_word_means_that_nothing_is_started() {
    let mut home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let mut keeper = home.keeper(&run, lock, &["started-written"], &secrets());
    until_held(&run, "started-written", Pid::of_child(&keeper));
    let gate = home.remember(&run);
    send(&keeper, Signal::TERM);
    send(&keeper, Signal::CONT);
    wait(&mut keeper);
    assert!(matches!(exit_of(&run), End::NeverStarted(_)));
    until("the gate has gone", || alive(&gate) == Liveness::Dead);
    assert!(!home.path("ready").exists());
}

#[test]
fn without_secrets_nothing_is_started() {
    let mut home = Home::new();
    for document in ["", "{", "{\"token\":\"x\"}"] {
        let (run, lock) = home.run(&home.plan());
        let mut keeper = home.keeper(&run, lock, &[], document);
        wait(&mut keeper);
        assert!(matches!(exit_of(&run), End::NeverStarted(_)), "{document:?}");
    }
}

#[test]
fn a_keeper_that_was_not_handed_the_lock_refuses() {
    let home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let free = std::fs::File::open(run.path().join("keeper.lock")).unwrap();
    let outputs = [Stdio::null(), Stdio::from(free)];
    for stdout in outputs {
        let mut keeper = Command::new(KEEPER)
            .arg("agent")
            .arg(run.path())
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = keeper.stdin.take().unwrap().write_all(secrets().as_bytes());
        assert_eq!(wait(&mut keeper).code(), Some(1));
    }
    drop(lock);
    // And not even a free lock is taken by a keeper itself.
    let free = std::fs::File::open(run.path().join("keeper.lock")).unwrap();
    let mut keeper = Command::new(KEEPER)
        .arg("agent")
        .arg(run.path())
        .stdin(Stdio::null())
        .stdout(free)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(wait(&mut keeper).code(), Some(1));
    assert!(matches!(run.keeper(), Record::Blank));
}

#[test]
fn a_killed_keeper_takes_nothing_with_it() {
    let mut home = Home::new();
    let (run, mut keeper) = home.running();
    let agent = run.started().written().unwrap().process;
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    assert_eq!(run.state(), RunState::Orphan(agent.clone()));
    assert_eq!(alive(&agent), Liveness::Alive);
    assert_eq!(home.signals(), Vec::<String>::new());
}
