//! The `local-circleci` program: how tests and the demo start it and speak to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use local_circleci::{NewTask, ServerProcess};
use tempfile::TempDir;

use crate::world::{CLASS, World, options, until, until_exists};

fn binary() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_local-circleci")).to_owned()
}

fn ask(url: &str, words: &[&str]) -> Output {
    Command::new(binary()).args(words).env("LOCAL_CIRCLECI_URL", url).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn it_says_at_its_start_that_it_is_a_stand_in_and_where_it_listens() {
    let folder = TempDir::with_prefix("stand-in-").unwrap();
    let url_file = folder.path().join("url");
    let mut child = Command::new(binary())
        .args(["serve", "--stop-at-eof", "--resource-class", CLASS, "--url-file"])
        .arg(&url_file)
        .arg("--state")
        .arg(folder.path().join("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = until_exists(&url_file);
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the end of its standard input is its end");
    let line = said(&output);
    assert_eq!(line.lines().count(), 1);
    assert!(line.starts_with("local-circleci, a stand-in for CircleCI"), "{line}");
    assert!(line.trim_end().ends_with(url.trim()), "{line}");
    assert!(folder.path().join("state/tokens/acme_macos").exists());
}

#[test]
fn it_refuses_to_listen_elsewhere() {
    let output = ask("", &["serve", "--addr", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("loopback only"));
}

#[test]
fn a_killed_server_comes_back_at_the_same_address_with_its_tasks() {
    let folder = TempDir::with_prefix("stand-in-").unwrap();
    let mut options = options(folder.path());
    let server = ServerProcess::start(&binary(), &options).unwrap();
    let task = server.control().enqueue(&NewTask::new(CLASS).step("a", "true")).unwrap();
    options.addr = server.addr().unwrap();
    server.kill().unwrap();
    let server = ServerProcess::start(&binary(), &options).unwrap();
    assert_eq!(server.control().task(task).unwrap().number, task);
}

#[test]
fn tasks_are_queued_watched_and_read_from_the_command_line() {
    let world = World::new();
    let url = world.control.url();
    let _runner = world.runner().start();
    let enqueue = |script: &str| {
        let output = ask(
            url,
            &[
                "enqueue",
                "--resource-class",
                CLASS,
                "--project",
                "acme/rocket",
                "--branch",
                "main",
                "--job",
                "build",
                "--env",
                "GREETING=hello there",
                "--step",
                script,
            ],
        );
        assert!(output.status.success(), "{output:?}");
        said(&output).trim().to_owned()
    };
    let good = enqueue("greet=echo $GREETING=1");
    let wait = ask(url, &["wait", &good]);
    assert_eq!(wait.status.code(), Some(0));
    assert_eq!(said(&wait), "1 success acme/macos acme/rocket main build runner-0\n");
    assert!(said(&ask(url, &["output", &good])).ends_with("hello there=1\n"));

    let bad = enqueue("fail=exit 4");
    assert_eq!(ask(url, &["wait", &bad]).status.code(), Some(1));
    let tasks = said(&ask(url, &["tasks"]));
    assert_eq!(tasks.lines().count(), 2, "{tasks}");
    let json = ask(url, &["tasks", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json[1]["outcome"], "failed");
}

#[test]
fn a_task_is_cancelled_from_the_command_line() {
    let world = World::new();
    let _runner = world.runner().start();
    let (task, started, _) = world.enqueue_waiting_task("a");
    until_exists(&started);
    assert!(ask(world.control.url(), &["cancel", &task.to_string()]).status.success());
    until("its end", || world.task(task).outcome);
}

#[test]
fn what_is_wrong_is_said_with_a_way_out() {
    let world = World::new();
    let url = world.control.url();
    let step = ["--step", "a=true"];
    let unknown = ask(url, &[&["enqueue", "--resource-class", "acme/none"][..], &step].concat());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("acme/none not found"));
    let elsewhere = ask("https://circleci.com", &["tasks"]);
    assert!(String::from_utf8_lossy(&elsewhere.stderr).contains("speaks to loopback only"));
    let nobody = ask("http://127.0.0.1:9", &["tasks"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("connection refused"));
    assert_eq!(nobody.status.code(), Some(1));
}
