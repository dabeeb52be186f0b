//! Set-up: what is wished, what is told on the way, and how it ends.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fake::{Fake, runner, snapshot};

const SET_UP: &str = "PUT /v1/runners/mac-mini-01";
const ARGS: &[&str] = &["setup", "--resource-class", "acme/macos", "--name", "mac-mini-01"];

fn done(did: &[&str], needs_token: bool) -> Value {
    json!({"did": did, "needs_token": needs_token})
}

fn mini(change: Value) -> Value {
    runner("mac-mini-01", change)
}

/// A supervisor without runners that grants the set-up.
fn fresh() -> Fake {
    healthy(Fake::with(&[])).on(SET_UP, done(&["Saved mac-mini-01.", "Stored its token."], false))
}

fn healthy(fake: Fake) -> Fake {
    fake.on("GET /v1/health", json!({"version": "0.1.0", "pid": 4711, "protocol": 1}))
}

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [ARGS, more].concat()
}

fn installing(received: u64, total: Option<u64>) -> Value {
    snapshot(&[mini(json!({
        "state": "updating", "headline": "Installing the agent",
        "install": {"version": "3.1.11", "received": received, "total": total},
    }))])
}

#[test]
fn set_up_tells_each_step_until_the_runner_is_ready() {
    let fake = fresh().tells(&[
        installing(0, Some(63_000_000)),
        installing(1_000_000, Some(63_000_000)),
        installing(41_000_000, Some(63_000_000)),
        installing(63_000_000, Some(63_000_000)),
        snapshot(&[mini(json!({"state": "updating", "headline": "Starting the agent"}))]),
        snapshot(&[mini(json!({"state": "updating", "headline": "Starting the agent"}))]),
        snapshot(&[mini(json!({}))]),
    ]);
    assert_snapshot!(fake.run_with_input(&with(&["--token-stdin"]), "s3cret\n"));
    assert_eq!(
        fake.wishes(),
        [format!(r#"{SET_UP} {{"resource_class":"acme/macos","token":"s3cret"}}"#)]
    );
}

#[test]
fn every_choice_reaches_the_supervisor_and_a_relative_folder_is_made_absolute() {
    let fake = fresh().tells(&[snapshot(&[mini(json!({}))])]);
    let mut command = fake.command(&with(&[
        "--working-directory",
        "./work",
        "--api-url",
        "https://ci.acme.example",
        "--releases-url",
        "http://127.0.0.1:9/releases",
        "--job-user",
        "ci-jobs",
        "--token-store",
        "file",
    ]));
    let seen = fake.transcript(command.current_dir("/tmp"));
    assert!(seen.starts_with("exit code 0"), "{seen}");
    assert_eq!(
        fake.wishes(),
        [format!(
            "{SET_UP} {}",
            concat!(
                r#"{"resource_class":"acme/macos","working_directory":"/tmp/work","#,
                r#""api_url":"https://ci.acme.example","releases_url":"http://127.0.0.1:9/releases","#,
                r#""job_user":"ci-jobs","token_store":"file"}"#
            )
        )]
    );
}

#[test]
fn said_twice_it_is_done_once_and_keeps_the_token() {
    let fake = healthy(Fake::with(&[mini(json!({}))]))
        .on(SET_UP, done(&[], false))
        .tells(&[snapshot(&[mini(json!({}))])]);
    assert_snapshot!(fake.run(ARGS));
    let wish = r#"{"resource_class":"acme/macos"}"#;
    assert_eq!(fake.wishes(), [format!("{SET_UP} {wish}")]);
}

#[test]
fn a_paused_a_busy_and_a_draining_runner_are_set_up() {
    for state in ["paused", "busy", "draining"] {
        let change = json!({"state": state, "headline": "Finishing a task, then set up anew"});
        let fake = fresh().tells(&[snapshot(&[mini(change)])]);
        assert_snapshot!(format!("set-up-{state}"), fake.run(ARGS));
    }
}

fn refused(since: &str) -> Value {
    json!({
        "state": "problem", "headline": "CircleCI refuses the token",
        "problems": [{
            "code": "token-refused", "summary": "CircleCI does not accept this runner's token.",
            "reading": "status 401, 0.4 s after start",
            "hint": "Make a new token and set it: runnerctl token set", "since": since,
        }],
    })
}

#[test]
fn trouble_ends_the_wait_with_its_way_out() {
    let fake = fresh().tells(&[
        snapshot(&[mini(json!({"state": "updating", "headline": "Starting the agent"}))]),
        snapshot(&[mini(refused("2026-11-23T16:59:00Z"))]),
    ]);
    assert_snapshot!(fake.run(ARGS));
}

#[test]
fn a_token_that_is_refused_a_moment_later_is_not_called_ready() {
    let now = "2026-11-23T17:00:00Z";
    let starting = json!({"state": "idle", "state_since": now});
    let fake = fresh().tells(&[
        snapshot(&[mini(starting.clone())]),
        snapshot(&[mini(starting.clone())]),
        snapshot(&[mini(refused(now))]),
    ]);
    let seen = fake.run(ARGS);
    assert!(seen.starts_with("exit code 1") && !seen.contains("is ready"), "{seen}");

    let fake = fresh().tells(&[snapshot(&[mini(starting)])]);
    let seen = fake.run(ARGS);
    assert!(seen.starts_with("exit code 0") && seen.contains("is ready"), "{seen}");
}

#[test]
fn trouble_from_before_is_given_time_to_go_away_where_something_was_changed() {
    let old = mini(refused("2026-11-23T16:00:00Z"));
    let fake = healthy(Fake::with(std::slice::from_ref(&old)))
        .on(SET_UP, done(&["Stored its token."], false))
        .tells(&[snapshot(std::slice::from_ref(&old)), snapshot(&[mini(json!({}))])]);
    assert!(fake.run(ARGS).starts_with("exit code 0"), "the old problem went away");

    let fake = healthy(Fake::with(std::slice::from_ref(&old)))
        .on(SET_UP, done(&[], false))
        .tells(&[snapshot(&[old])]);
    assert!(fake.run(ARGS).starts_with("exit code 1"), "nothing was changed, so it stays");
}

#[test]
fn a_job_user_that_cannot_be_used_is_told_with_the_line_to_add() {
    let fake = fresh().tells(&[snapshot(&[mini(json!({
        "state": "problem", "headline": "The job user cannot be used",
        "boundary": {"kind": "job-user", "user": "ci-jobs", "meaning": "Jobs run as ci-jobs."},
        "problems": [{
            "code": "job-user-unusable", "summary": "You may not run commands as ci-jobs.",
            "reading": "sudo: a password is required",
            "hint": "Add this line with visudo:\nme ALL=(ci-jobs) NOPASSWD: ALL",
            "since": "2026-11-23T16:59:00Z",
        }],
    }))])]);
    assert_snapshot!(fake.run(&with(&["--job-user", "ci-jobs"])));
}

#[test]
fn a_wait_that_is_over_is_a_failure_that_says_it_goes_on() {
    let fake = fresh().tells(&[installing(41_000_000, None)]);
    assert_snapshot!(fake.run(&with(&["--wait", "3s"])));
}

#[test]
fn a_download_that_stands_still_is_told_once_with_its_reason() {
    let waits = |until: &str| json!({"why": "https://releases.example/a.tar.gz answered with HTTP status 503", "until": until});
    let standing = |until: &str| {
        snapshot(&[mini(json!({
            "state": "updating", "headline": "Installing the agent",
            "install": {
                "version": "3.1.11", "received": 1_000_000, "total": 63_000_000, "waits": waits(until),
            },
        }))])
    };
    let fake = fresh().tells(&[
        installing(1_000_000, Some(63_000_000)),
        standing("2026-11-23T17:00:01Z"),
        standing("2026-11-23T17:00:03Z"),
        snapshot(&[mini(json!({}))]),
    ]);
    assert_snapshot!(fake.run(ARGS));
}

#[test]
fn a_supervisor_that_ends_meanwhile_is_told() {
    let fake = fresh().tells_and_ends(&[installing(0, None)]);
    assert_snapshot!(fake.run(ARGS));
}

#[test]
fn without_waiting_it_says_what_it_did_and_what_the_boundary_means() {
    let after = snapshot(&[mini(json!({"state": "updating"}))]);
    let fake = healthy(Fake::absent())
        .on("GET /v1/snapshot", snapshot(&[]))
        .on("GET /v1/snapshot", after)
        .on(SET_UP, done(&["Saved mac-mini-01."], false))
        .started();
    assert_snapshot!(fake.run(&with(&["--no-wait"])));
}

#[test]
fn a_runner_without_a_token_is_set_up_but_not_done() {
    let fake = healthy(Fake::absent())
        .on("GET /v1/snapshot", snapshot(&[]))
        .on("GET /v1/snapshot", snapshot(&[mini(json!({"state": "problem"}))]))
        .on(SET_UP, done(&["Saved mac-mini-01."], true))
        .started();
    assert_snapshot!(fake.run(ARGS));
}

#[test]
fn an_empty_token_changes_nothing() {
    let fake = fresh();
    assert_snapshot!(fake.run_with_input(&with(&["--token-stdin"]), " \n"));
    assert!(fake.asked().is_empty());
}

#[test]
fn names_that_cannot_be_are_refused_before_anything_is_asked() {
    let fake = fresh();
    assert_snapshot!(fake.run(&["setup", "--resource-class", "acme", "--name", "m"]));
    assert_snapshot!(fake.run(&["setup", "--resource-class", "acme/m", "--name", "my mac"]));
    assert_snapshot!(fake.run(&["setup", "--name", "m"]));
    assert_snapshot!(fake.run(&with(&["--wait", "soon"])));
    assert!(fake.asked().is_empty());
}

#[test]
fn a_set_up_that_is_refused_is_told_with_its_way_out() {
    let fake = healthy(Fake::with(&[])).refuses(
        SET_UP,
        409,
        "read-only-state",
        "The saved state is from a newer version, so nothing is changed.",
        "Install that version again.",
    );
    assert_snapshot!(fake.run(ARGS));
}

#[test]
fn a_supervisor_that_cannot_be_started_is_told_before_anything_else() {
    let fake = Fake::absent();
    let mut command = fake.command(ARGS);
    let seen = fake.transcript(command.env("RUNNER_TRAY_SUPERVISOR", "/nowhere/supervisor"));
    assert_snapshot!(seen);
}
