//! The commands that only look.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fake::{Fake, busy, runner, snapshot, task};

/// A machine on which everything that can be shown is shown.
fn everything() -> Vec<Value> {
    vec![
        runner(
            "mac-mini-01",
            json!({
                "state": "draining",
                "headline": "Finishing a task, then paused",
                "task": task(json!({})),
                "pause_reasons": [
                    {"by": "you", "since": "2026-11-23T16:58:00Z", "until": "2026-11-24T08:00:00Z",
                     "note": "giving a talk"},
                    {"by": "disk", "since": "2026-11-22T10:00:00Z",
                     "reading": "free 9.8 GB, needs 15 GB"},
                ],
            }),
        ),
        runner(
            "mac-mini-02",
            json!({
                "state": "problem",
                "headline": "CircleCI refuses the token",
                "agent_pid": null,
                "problems": [{
                    "code": "token-refused",
                    "summary": "CircleCI does not accept this runner's token.",
                    "reading": "status 401, 0.4 s after start",
                    "hint": "Make a new token and set it: runnerctl token set",
                    "details": "05:41:28 7b67e 24ms claim error=unauthorized\nexit status 1",
                    "since": "2026-11-23T16:40:00Z",
                }],
                "boundary": {"kind": "job-user", "user": "ci-jobs",
                             "meaning": "Jobs cannot read your files."},
                "last_task": {
                    "id": "r.9", "runner": "mac-mini-02", "project": "api", "branch": "dev",
                    "job": "lint", "build_number": "9", "link": null,
                    "started_at": "2026-11-23T15:00:00Z", "finished_at": "2026-11-23T15:09:00Z",
                    "result": {"outcome": "failed", "exit_code": 1},
                },
            }),
        ),
        runner(
            "mac-mini-03",
            json!({
                "state": "updating", "headline": "Installing the agent", "agent_version": null,
                "agent_pid": null,
                "install": {"version": "3.1.13", "received": 41_000_000, "total": 63_000_000},
            }),
        ),
        runner(
            "mac-mini-04",
            json!({
                "state": "busy", "headline": "Running a task", "task": task(json!({
                    "id": "r4.1", "project": null, "branch": null, "job": null,
                    "build_number": null, "link": null, "step": null, "directory": null,
                    "cancelling": true,
                    "usage": {"processes": 1, "cpu_percent": null, "cpu_seconds": 0.52,
                              "memory": 41_300_000},
                })),
            }),
        ),
    ]
}

fn page(before: &str) -> Value {
    let task = |id: &str, result: Value, minutes: u32| {
        json!({
            "id": id, "runner": "mac-mini-01", "project": "web-app", "branch": "main",
            "job": "build", "build_number": "123", "link": "https://app.circleci.com/jobs/123",
            "started_at": "2026-11-23T15:00:00Z",
            "finished_at": format!("2026-11-23T15:{minutes:02}:00Z"),
            "result": result,
        })
    };
    let mut unknown = task("r.3", json!({"outcome": "unknown"}), 3);
    for field in ["project", "branch", "job", "build_number", "link"] {
        unknown[field] = Value::Null;
    }
    json!({
        "tasks": [
            task("r.5", json!({"outcome": "succeeded"}), 9),
            task("r.4", json!({"outcome": "failed", "exit_code": 1}), 4),
            unknown,
            task("r.2", json!({"outcome": "cancelled"}), 2),
            task("r.1", json!({"outcome": "lost"}), 1),
        ],
        "before": if before.is_empty() { Value::Null } else { json!(before) },
    })
}

#[test]
fn status_says_what_each_runner_does_and_why() {
    assert_snapshot!(Fake::with(&everything()).run(&["status"]));
}

#[test]
fn status_of_one_runner() {
    let fake = Fake::with(&everything());
    assert_snapshot!(fake.run(&["status", "--runner", "mac-mini-03"]));
    assert_snapshot!(fake.run(&["status", "--runner", "mac-mini-99"]));
}

#[test]
fn status_asks_for_what_tasks_use() {
    let fake = Fake::with(&[]);
    fake.run(&["status"]);
    assert_eq!(fake.asked(), ["GET /v1/snapshot?usage=1"]);
}

#[test]
fn status_without_a_runner_says_how_to_set_one_up() {
    assert_snapshot!(Fake::with(&[]).run(&["status"]));
}

#[test]
fn status_tells_of_trouble_with_the_machine_first() {
    let mut machine = snapshot(&[runner("mac-mini-01", json!({}))]);
    machine["problems"] = json!([{
        "code": "state-newer", "summary": "The saved state is from a newer version.",
        "hint": "Install that version again.", "since": "2026-11-23T08:00:00Z",
    }]);
    let fake = Fake::absent().on("GET /v1/snapshot?usage=1", machine).started();
    assert_snapshot!(fake.run(&["status"]));
}

#[test]
fn status_for_programs_is_the_snapshot() {
    let seen = Fake::with(&everything()).run(&["status", "--json", "--runner", "mac-mini-02"]);
    assert_snapshot!(seen);
}

#[test]
fn text_from_a_job_cannot_drive_the_terminal() {
    let evil = task(json!({
        "project": "\u{1b}]0;owned\u{7}web\u{1b}[2J", "branch": "a\nFAKE  line", "job": "\u{9b}31mx",
    }));
    let fake = Fake::with(&[runner("m", json!({"state": "busy", "task": evil}))]);
    for args in [&["status"][..], &["tasks"], &["cancel-task", "20261123T165500Z-3f2a.2"]] {
        let seen = fake.run(args);
        assert!(!seen.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{seen:?}");
        assert!(!seen.contains("\nFAKE"), "{seen}");
    }
    let json = fake.run(&["tasks", "--json"]);
    assert!(!json.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{json:?}");
    assert!(json.contains("\\u009b31mx"), "{json}");
}

#[test]
fn tasks_are_one_line_each() {
    assert_snapshot!(Fake::with(&everything()).run(&["tasks"]));
    assert_snapshot!(Fake::with(&[runner("m", json!({}))]).run(&["tasks"]));
}

#[test]
fn what_is_not_known_is_never_told_as_no_task() {
    let unknown = runner("m", json!({"state": "unknown", "headline": "Not known"}));
    assert_snapshot!(Fake::with(&[unknown]).run(&["tasks"]));
}

#[test]
fn tasks_for_programs() {
    assert_snapshot!(Fake::with(&[busy("m"), runner("n", json!({}))]).run(&["tasks", "--json"]));
    assert_eq!(Fake::with(&[]).run(&["tasks", "--json"]), "exit code 0\n--- output\n[]\n");
}

#[test]
fn history_is_newest_first_and_says_how_to_go_on() {
    let fake = Fake::absent().on("GET /v1/history?limit=20", page("r.1")).started();
    assert_snapshot!(fake.run(&["history"]));
}

#[test]
fn history_asks_for_what_was_said() {
    let fake = Fake::absent().started();
    fake.run(&["history", "--runner", "m", "--before", "r.1", "--limit", "5"]);
    assert_eq!(fake.asked(), ["GET /v1/history?runner=m&before=r.1&limit=5"]);

    let fake = Fake::with(&[]);
    fake.run(&[
        "history",
        "--result",
        "failed",
        "--project",
        "a/b",
        "--since",
        "2026-11-01T09:00Z",
        "--until",
        "2026-11-02T09:00Z",
    ]);
    let asked = "result=failed&project=a%2Fb&since=2026-11-01T09%3A00%3A00Z\
                 &until=2026-11-02T09%3A00%3A00Z&limit=20";
    assert_eq!(fake.asked(), [format!("GET /v1/history?{asked}")]);
    assert!(fake.run(&["history", "--since", "soon"]).starts_with("exit code 2"));
}

#[test]
fn history_for_programs_and_where_there_is_none() {
    let fake = Fake::absent().on("GET /v1/history?limit=20", page("")).started();
    assert_snapshot!(fake.run(&["history", "--json"]));
    let empty = json!({"tasks": [], "before": null});
    let fake = Fake::absent().on("GET /v1/history?limit=20", empty).started();
    assert_snapshot!(fake.run(&["history"]));
}

#[test]
fn agents_are_listed_with_those_that_use_them() {
    let agents = json!([
        {"version": "3.1.13", "sha256": "0d4d29aadde42911fd1928de7c8c7b6b", "path": "/data/agents/3.1.13",
         "used_by": ["mac-mini-01", "mac-mini-02"]},
        {"version": "3.1.11", "sha256": "dfe5fcd282478d89a2789c579eabc410", "path": "/data/agents/3.1.11",
         "used_by": []},
    ]);
    let fake = Fake::absent().on("GET /v1/agents", agents).started();
    assert_snapshot!(fake.run(&["agent", "list"]));
    assert_snapshot!(fake.run(&["agent", "list", "--json", "--runner", "mac-mini-02"]));
    let fake = Fake::absent().on("GET /v1/agents", json!([])).started();
    assert_snapshot!(fake.run(&["agent", "list"]));
}

#[test]
fn config_shows_what_the_agent_is_told_and_what_to_write_in_a_pipeline() {
    let fake = Fake::with(&[runner("mac-mini-01", json!({}))]);
    let yaml = json!({"yaml": "runner:\n  name: mac-mini-01\n"});
    let fake = fake.on("GET /v1/runners/mac-mini-01/config", yaml);
    assert_snapshot!(fake.run(&["config", "show"]));
    assert_snapshot!(fake.run(&["config", "show", "--json"]));
    assert_snapshot!(fake.run(&["config", "snippet"]));
    assert_eq!(
        Fake::absent().run(&["config", "path"]),
        "exit code 0\n--- output\n[HOME]/config/settings.toml\n"
    );
}

const LOGS: &str = "GET /v1/runners/m/logs";
const MOST: &str = "limit=1048576";

fn log(text: &str, next: &str, at_end: bool) -> Value {
    json!({"text": text, "next": next, "at_end": at_end})
}

fn log_of(run: &str, text: &str, from: u64, next: &str, missed: u64) -> Value {
    json!({
        "text": text, "run": run, "from": format!("{run}:{from}"), "next": next, "before": null,
        "at_end": true, "ended": true, "missed": missed,
    })
}

/// The answer to `runnerctl logs` with that many lines.
fn last(lines: u64) -> String {
    format!("{LOGS}?lines={lines}&{MOST}")
}

#[test]
fn logs_are_printed_to_their_end_page_by_page() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&last(100), log("one\n\u{1b}[31mtwo\u{1b}[0m\n", "r:9", false))
        .on(&last(1), log("three\n", "r:12", true))
        .on(&last(0), log("", "r:12", true))
        .on(&format!("{LOGS}?from=r%3A9&{MOST}"), log("three\n", "r:12", true));
    let all = "exit code 0\n--- output\none\n\u{1b}[31mtwo\u{1b}[0m\nthree\n";
    assert_eq!(fake.run(&["logs"]), all, "in a pipe every byte is kept");
    assert_eq!(fake.run(&["logs", "-n", "1"]), "exit code 0\n--- output\nthree\n");
    assert_eq!(fake.run(&["logs", "-n", "0"]), "exit code 0\n");
    assert_snapshot!(fake.run(&["logs", "--json"]));
}

#[test]
fn a_whole_log_is_printed_and_what_is_gone_of_it_is_told() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&format!("{LOGS}?lines=0"), log_of("r-1", "", 9, "r-1:9", 0))
        .on(&format!("{LOGS}?from=r-1%3A0&{MOST}"), log_of("r-1", "two\n", 5000, "r-1:5004", 5000));
    let seen = "exit code 0\n--- output\ntwo\n--- errors\n5 kB of the log are not kept any more.\n";
    assert_eq!(fake.run(&["logs", "--all"]), seen);
}

#[test]
fn a_run_is_named_by_itself_or_by_a_task_of_it_and_followed_to_its_end() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&format!("{LOGS}?run=r-1&lines=100&{MOST}"), log_of("r-1", "one\n", 0, "r-1:4", 0));
    for run in ["r-1", "r-1.7"] {
        assert_eq!(fake.run(&["logs", "--run", run]), "exit code 0\n--- output\none\n");
        assert_eq!(fake.run(&["logs", "--run", run, "-f"]), "exit code 0\n--- output\none\n");
    }
    let title = "There is no run r-2 of m, or not any more.";
    let call = format!("{LOGS}?run=r-2&lines=100&{MOST}");
    let fake = fake.refuses(&call, 404, "no-such-run", title, "Kept are: r-1.");
    let seen = fake.run(&["logs", "--run", "r-2"]);
    assert!(seen.starts_with("exit code 1") && seen.contains(title), "{seen}");
}

#[test]
fn a_log_is_printed_from_a_place() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&format!("{LOGS}?lines=0"), log_of("r-1", "", 9, "r-1:9", 0))
        .on(&format!("{LOGS}?from=r-1%3A4&{MOST}"), log_of("r-1", "two\n", 4, "r-1:8", 0));
    for place in ["4", "r-1:4"] {
        assert_eq!(fake.run(&["logs", "--from", place]), "exit code 0\n--- output\ntwo\n");
    }
    let seen = fake.run(&["logs", "--from", "the beginning"]);
    assert!(seen.starts_with("exit code 2") && seen.contains("is no place in a log"), "{seen}");
}

#[test]
fn a_search_prints_lines_with_their_places_until_the_log_ends() {
    let call = format!("{LOGS}/search?word=exit+code");
    let line = |at: &str, text: &str, whole: bool| json!({"at": at, "text": text, "whole": whole});
    let found = |lines: &[Value], next: Option<&str>| json!({"run": "r-1", "found": lines, "next": next, "searched": 100});
    let first = [line("r-1:41", "exit code 1", true), line("r-1:99", "an exit code far", false)];
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&format!("{call}&limit=1000"), found(&first, Some("r-1:200")))
        .on(&format!("{call}&from=r-1%3A200&limit=1000"), found(&[], Some("r-1:300")))
        .on(&format!("{call}&from=r-1%3A300&limit=1000"), found(&first[..1], None));
    assert_snapshot!(fake.run(&["logs", "--search", "exit code"]));
    assert_snapshot!(fake.run(&["logs", "--search", "exit code", "--json"]));
    let fake = fake.on(&format!("{LOGS}/search?word=nowhere&limit=1000"), found(&[], None));
    let seen = "exit code 0\n--- errors\nNothing was found for 'nowhere'.\n";
    assert_eq!(fake.run(&["logs", "--search", "nowhere"]), seen);
}

#[test]
fn a_log_page_that_leads_nowhere_is_the_end() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&last(100), log("one\n", "r:4", false))
        .on(&format!("{LOGS}?from=r%3A4&{MOST}"), log("", "r:4", false));
    assert_eq!(fake.run(&["logs"]), "exit code 0\n--- output\none\n");
}

#[test]
fn a_runner_that_has_not_run_yet_has_an_empty_log() {
    let fake = Fake::with(&[runner("m", json!({}))])
        .on(&last(100), log("", "", true))
        .on(&format!("{LOGS}?lines=0"), log("", "", true));
    assert_eq!(fake.run(&["logs"]), "exit code 0\n");
    assert_eq!(fake.run(&["logs", "--all"]), "exit code 0\n");
}

#[test]
fn logs_that_are_followed_go_on_over_a_supervisor_that_is_started_anew() {
    use std::io::{BufRead, BufReader};

    let mut fake = Fake::with(&[runner("m", json!({}))])
        .on(&last(100), log("one\n", "r:4", true))
        .holds(&format!("{LOGS}?from=r%3A4&wait=1"));
    let program = fake.command(&["logs", "-f"]);
    let mut following = std::process::Command::new(program.get_program())
        .args(program.get_args())
        .env("RUNNER_TRAY_HOME", fake.home())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("runnerctl can be run");
    let mut lines = BufReader::new(following.stdout.take().expect("its output")).lines();
    let mut words = BufReader::new(following.stderr.take().expect("its errors")).lines();
    let mut line = || lines.next().expect("a line").expect("it can be read");
    assert_eq!(line(), "one");

    fake.kill();
    let word = words.next().expect("a word").expect("it can be read");
    assert_eq!(word, "The supervisor went away; waiting for it to come back.");
    let wait = format!("{LOGS}?from=r%3A4&wait=1");
    let mut fake = fake.forget(&wait).on(&wait, log("two\n", "r:8", true));
    let wait = format!("{LOGS}?from=r%3A8&wait=1");
    fake = fake.on(&wait, log("", "next-run:0", true));
    let wait = format!("{LOGS}?from=next-run%3A0&wait=1");
    fake = fake.on(&wait, log("three\n", "next-run:6", true));
    fake = fake.holds(&format!("{LOGS}?from=next-run%3A6&wait=1"));
    fake.start();
    assert_eq!((line(), line()), ("two".to_owned(), "three".to_owned()));

    following.kill().expect("it is ours");
    following.wait().expect("it ends");
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let long = "a line that is long enough to fill a pipe in the end\n".repeat(5000);
    let fake = Fake::with(&[runner("m", json!({}))]).on(&last(100), log(&long, "r:1", true));
    let program = fake.command(&["logs"]);
    let mut child = std::process::Command::new(program.get_program())
        .args(program.get_args())
        .env("RUNNER_TRAY_HOME", fake.home())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("runnerctl can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
