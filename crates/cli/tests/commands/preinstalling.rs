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
    let mut all_there = plan(&json!([]));
    all_there["human"] = json!([]);
    all_there["left"] = json!([]);
    let fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/plan", all_there)
        .started();
    assert_snapshot!(fake.run(&["preinstall", "install", "web"]));
}

#[test]
fn what_was_named_and_is_not_there_in_the_end_is_a_failure_and_told() {
    // Nothing to install, and yet something is left and something is by hand.
    let fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/plan", plan(&json!([])))
        .started();
    let said = fake.run(&["preinstall", "install", "web", "--json"]);
    assert!(said.starts_with("exit code 1\n"), "{said}");
    assert!(
        said.contains("\"left\"") && said.contains("It is upgraded only where you say so."),
        "{said}"
    );
    // The steps went well, and what the plan left is still not there.
    for (field, value) in [
        (
            "left",
            json!([{ "item": item("node", "too-old", "16"), "why": "It is upgraded only where you say so." }]),
        ),
        ("human", json!([{ "item": "xcode", "title": "Xcode", "words": "Download it." }])),
    ] {
        let mut done = done("installed");
        done[field] = value;
        let said = installs(&[json!([done])], &["preinstall", "install", "web"]).1;
        assert!(said.starts_with("exit code 1\n"), "{field}: {said}");
    }
    // A hint for people about what is there now.
    let mut done = done("installed");
    done["human"] = json!([{ "item": "jq", "title": "jq", "words": "Log in again." }]);
    let said = installs(&[json!([done])], &["preinstall", "install", "web"]).1;
    assert!(said.starts_with("exit code 0\n"), "{said}");
}

/// One with these states in its snapshots, a stream each: all but the last one end.
fn installs(streams: &[Value], words: &[&str]) -> (Fake, String) {
    let mut fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/plan", plan(&steps()))
        .on("GET /v1/preinstall/output?from=0", page("Get:1 jq\n", 0, 9))
        .on("GET /v1/preinstall/output?from=9", page("Setting up jq\n", 9, 23))
        .on("GET /v1/preinstall/output?from=23", page("", 23, 23))
        .grants("POST /v1/preinstall/install");
    for (at, states) in streams.iter().enumerate() {
        let snapshot = |state: &Value| {
            let mut snapshot = crate::fake::snapshot(&[runner("mini", json!({}))]);
            snapshot["preinstall"] = state.clone();
            snapshot
        };
        let states = states.as_array().expect("states");
        let snapshots: Vec<Value> = states.iter().map(snapshot).collect();
        let is_last = at + 1 == streams.len();
        fake = if is_last { fake.tells(&snapshots) } else { fake.tells_and_ends(&snapshots) };
    }
    let fake = fake.started();
    let said = fake.run(words);
    (fake, said)
}

fn page(text: &str, from: u64, next: u64) -> Value {
    json!({ "text": text, "from": from, "next": next, "at_end": true })
}

fn installing(waits: Option<&str>, last_line: &str) -> Value {
    json!({
        "kind": "installing", "id": "p-1", "since": "2026-11-29T10:00:00Z", "step": 1, "steps": 1,
        "title": "Install jq with apt", "items": ["jq"], "last_line": last_line, "waits": waits,
        "cancelling": false, "taken_up": false,
    })
}

#[test]
fn while_it_installs_the_step_and_what_it_waits_for_are_told_once_each() {
    let waits = installing(Some("apt is used by apt-get (process 813)"), "");
    let works = installing(None, "Get:1 jq");
    let states = json!([waits, waits, works, installing(None, "Setting up jq"), done("installed")]);
    let (_, said) = installs(std::slice::from_ref(&states), &["preinstall", "install", "web"]);
    assert_snapshot!("while_it_installs", said);
    let (fake, said) = installs(&[states], &["preinstall", "install", "web", "--verbose"]);
    assert_snapshot!("while_it_installs_with_what_tools_write", said);
    let read = fake.asked().into_iter().filter(|call| call.contains("/output"));
    assert!(read.clone().count() >= 3, "{:?}", read.collect::<Vec<_>>());
    assert_eq!(said.matches("Setting up jq\n").count(), 1, "nothing is shown twice: {said}");
}

#[test]
fn a_supervisor_that_goes_and_comes_back_meanwhile_is_followed_on() {
    let before = json!([installing(None, "Get:1 jq")]);
    let after = json!([installing(None, "Setting up jq"), done("installed")]);
    let (fake, said) = installs(&[before, after], &["preinstall", "install", "web"]);
    assert!(said.starts_with("exit code 0\n"), "{said}");
    assert_eq!(said.matches("Step 1 of 1").count(), 1, "{said}");
    let streams = fake.asked().into_iter().filter(|call| call.starts_with("GET /v1/events"));
    assert_eq!(streams.count(), 2);
}

#[test]
fn another_installation_that_began_since_is_no_success() {
    let mut other = done("installed");
    other["id"] = json!("p-2");
    let (_, said) = installs(&[json!([other])], &["preinstall", "install", "web"]);
    assert!(said.starts_with("exit code 1\n") && said.contains("Another installation"), "{said}");
}

#[test]
fn what_the_last_one_came_to_is_shown_later_too() {
    for (state, code, says) in [
        (done("installed"), 0, "1 of 1 are there now"),
        (done("failed"), 1, "E: Unable to locate package jq"),
        (installing(None, "Get:1 jq"), 1, "An installation runs just now."),
        (json!({ "kind": "checking", "done": 1, "of": 2 }), 1, "Tools are looked at just now."),
        (Value::Null, 1, "Nothing is known of an installation."),
    ] {
        let mut snapshot = crate::fake::snapshot(&[runner("mini", json!({}))]);
        snapshot["preinstall"] = state;
        let fake = Fake::absent().on("GET /v1/snapshot", snapshot).started();
        let said = fake.run(&["preinstall", "last"]);
        assert!(said.starts_with(&format!("exit code {code}\n")) && said.contains(says), "{said}");
    }
}

#[test]
fn one_that_is_gone_without_a_word_is_no_success_and_waited_for_no_longer() {
    let states = json!([installing(None, "Get:1 jq"), null]);
    let (_, said) = installs(&[states], &["preinstall", "install", "web"]);
    assert!(said.starts_with("exit code 1\n") && said.contains("is not known"), "{said}");
}

#[test]
fn what_was_not_allowed_is_told_with_the_command_to_run() {
    let mut refused = done("not-begun");
    refused["items"][0]["item"]["state"] = json!("missing");
    refused["items"][0]["said"] = json!("You did not allow it.");
    let (_, said) = installs(&[json!([refused])], &["preinstall", "install", "web"]);
    assert!(said.starts_with("exit code 1\n"), "{said}");
    assert!(
        said.contains("to run      sudo apt-get install")
            && said.contains("why         You did not"),
        "{said}"
    );
}

#[test]
fn at_a_terminal_it_asks_first_and_a_no_installs_nothing() {
    for (answer, yes, begins) in
        [("n\n", "", false), ("\n", "", false), ("y\n", "", true), ("", " --yes", true)]
    {
        let mut snapshot = crate::fake::snapshot(&[runner("mini", json!({}))]);
        snapshot["preinstall"] = done("installed");
        let fake = Fake::absent()
            .on("GET /v1/preinstall", list())
            .on("POST /v1/preinstall/plan", plan(&steps()))
            .grants("POST /v1/preinstall/install")
            .tells(&[snapshot])
            .started();
        let words = format!("preinstall install web{yes}");
        let Some((said, code)) = fake.at_a_terminal(&words, answer) else { return };
        assert_eq!(said.contains("Install this? [y/N]"), yes.is_empty(), "{said}");
        let began =
            fake.wishes().iter().any(|call| call.starts_with("POST /v1/preinstall/install"));
        assert_eq!(began, begins, "{answer:?}{yes}: {said}");
        assert_eq!(said.contains("Nothing was installed."), !begins, "{said}");
        assert_eq!(code, Some(i32::from(!begins)), "{said}");
    }
}

#[test]
fn what_a_list_leaves_out_is_told_beside_it_and_in_it_for_programs() {
    let exported = json!({ "text": "brew \"git\"\n", "left_out": ["Xcode has no package there."] });
    let fake = Fake::absent()
        .on("GET /v1/preinstall", list())
        .on("POST /v1/preinstall/export", exported)
        .started();
    assert_snapshot!("exported", fake.run(&["preinstall", "export", "brewfile", "web"]));
    let for_programs = fake.run(&["preinstall", "export", "brewfile", "web", "--json"]);
    assert_snapshot!("exported_for_programs", for_programs);
}

#[test]
fn a_list_that_is_read_becomes_a_preset_for_people_and_for_programs() {
    let imported = json!({
        "preset": { "id": "web", "title": "web", "what_for": "From a list of packages.", "items": ["git", "apt-sl"], "own": true },
        "new": ["apt-sl"], "left_out": ["Line 3 is left out, it is no package's name: -y"],
    });
    let fake = Fake::absent().on("POST /v1/preinstall/import", imported).started();
    for (name, more) in [("imported", None), ("imported_for_programs", Some("--json"))] {
        let words = ["preinstall", "import", "-", "--preset", "web"].into_iter().chain(more);
        let words: Vec<&str> = words.collect();
        let said = fake.run_with_input(&words, "git\nsl\n-y\n");
        assert_snapshot!(name, said);
    }
    let asked =
        r#"POST /v1/preinstall/import {"format":"apt-list","text":"git\nsl\n-y\n","preset":"web"}"#;
    assert_eq!(fake.wishes(), [asked, asked]);
}

#[test]
fn a_cancel_answers_programs_without_a_sentence() {
    let fake = Fake::absent().grants("DELETE /v1/preinstall/install").started();
    let cancel = ["preinstall", "install", "--cancel"];
    assert_snapshot!("cancelled", fake.run(&cancel));
    let for_programs = fake.run(&[&cancel[..], &["--json"][..]].concat());
    assert_snapshot!("cancelled_for_programs", for_programs);
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
