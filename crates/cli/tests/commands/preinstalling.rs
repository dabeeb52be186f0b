//! `runnerctl preinstall`: what it says of checks, plans and installations, and with which exit code.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fake::{Fake, runner};

fn item(id: &str, state: &str, reading: &str) -> Value {
    json!({ "id": id, "title": id.to_uppercase(), "state": state, "reading": reading })
}

fn jobs() -> Value {
    json!({ "user": "ci", "job_user": true, "path": ["/usr/bin", "/bin"] })
}

fn list() -> Value {
    json!({
        "items": [{
            "id": "git", "title": "Git", "what_for": "Checks out the code.", "links": ["https://git-scm.com/"],
            "size": 45_000_000, "own": false,
            "how": { "kind": "packages", "by": "apt", "names": ["git"], "admin": true },
        }, {
            "id": "xcode", "title": "Xcode", "what_for": "Builds apps.", "links": [], "own": false,
            "how": { "kind": "human", "words": "Run these jobs on a Mac." },
        }],
        "presets": [{ "id": "web", "title": "Web", "what_for": "Sites.", "items": ["git"], "own": true }],
        "refused": ["item evil: linux.apt-get: no name."],
    })
}

fn plan(steps: &Value) -> Value {
    json!({
        "id": "p-1", "made_at": "2026-11-29T10:00:00Z", "jobs": jobs(), "steps": steps,
        "human": [{ "item": "xcode", "title": "Xcode", "words": "Download it.", "link": "https://developer.apple.com/xcode/" }],
        "already": [item("git", "present", "2.39.5, /usr/bin/git")],
        "left": [{ "item": item("node", "too-old", "16.20.0; wanted is 18 or newer"), "why": "It is upgraded only where you say so." }],
        "size": 2_000_000, "admin": true,
    })
}

fn steps() -> Value {
    json!([{
        "title": "Install jq with apt", "by": "apt", "command": "sudo apt-get install -y -- jq",
        "items": ["jq"], "size": 2_000_000, "admin": true,
    }])
}

fn done(outcome: &str) -> Value {
    json!({
        "kind": "done", "id": "p-1", "at": "2026-11-29T10:01:00Z", "seconds": 60, "human": [],
        "taken_up": false,
        "items": [{
            "outcome": outcome, "item": item("jq", if outcome == "failed" { "missing" } else { "present" }, "as read"),
            "command": "sudo apt-get install -y -- jq", "said": "E: Unable to locate package jq",
        }],
    })
}

#[test]
fn items_and_presets_are_listed_with_the_way_they_come_here() {
    let fake = Fake::absent().on("GET /v1/preinstall", list()).started();
    assert_snapshot!(fake.run(&["preinstall", "list"]));
}

#[test]
fn a_check_tells_each_state_and_fails_where_one_that_was_named_is_not_there() {
    let found = json!({ "at": "2026-11-29T10:00:00Z", "jobs": jobs(), "items": [
        item("git", "present", "2.39.5, /usr/bin/git"), item("node", "too-old", "16; wanted is 18 or newer"),
        item("go", "too-new", "9; wanted is below 3"), item("jq", "missing", "jq is in no folder of the PATH of jobs"),
        item("ssh", "broken", "`ssh -V` failed (127)"), item("uv", "moonlit", "as only a newer version reads it"),
    ]});
    let fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/check", found)
        .started();
    assert_snapshot!(fake.run(&["preinstall", "check"]));
    assert!(fake.run(&["preinstall", "check", "web"]).starts_with("exit code 1\n"));
}

#[test]
fn a_plan_shows_commands_sizes_and_what_people_do() {
    let fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/plan", plan(&steps()))
        .started();
    assert_snapshot!(fake.run(&["preinstall", "plan", "web"]));
    assert!(fake.run(&["preinstall", "plan"]).starts_with("exit code 2\n"));
}

#[test]
fn an_installation_is_followed_to_its_end_and_a_failure_is_one() {
    for (outcome, code) in [("installed", 0), ("failed", 1)] {
        let mut snapshot = crate::fake::snapshot(&[runner("mini", json!({}))]);
        snapshot["preinstall"] = done(outcome);
        let fake = Fake::absent()
            .on("GET /v1/preinstall", list())
            .on("POST /v1/preinstall/plan", plan(&steps()))
            .grants("POST /v1/preinstall/install")
            .tells(&[snapshot])
            .started();
        let said = fake.run(&["preinstall", "install", "web"]);
        assert!(said.starts_with(&format!("exit code {code}\n")), "{said}");
        assert_snapshot!(format!("installing_{outcome}"), said);
    }
}

#[test]
fn what_is_there_is_not_installed_again() {
    let fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/plan", plan(&json!([])))
        .started();
    assert_snapshot!(fake.run(&["preinstall", "install", "web"]));
}

#[test]
fn the_path_of_jobs_is_shown_with_what_comes_first() {
    let path = json!({
        "runner": "mini", "user": "ci", "first": ["/opt/node/bin"],
        "agent": ["/opt/node/bin", "/usr/bin"], "found": ["/opt/node/bin", "/usr/bin", "/home/ci/.local/bin"],
    });
    let fake = Fake::with(&[runner("mini", json!({}))]).on("GET /v1/runners/mini/path", path);
    assert_snapshot!(fake.run(&["config", "job-path"]));
}
