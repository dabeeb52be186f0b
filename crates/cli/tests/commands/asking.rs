//! Resource classes and tokens at CircleCI: what is asked for, with the personal token in the body,
//! and what is said of the answer.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fake::{Fake, runner};

const TOKEN: &str = "personal-t0ken\n";

fn idle() -> Fake {
    Fake::with(&[runner("m", json!({}))])
}

fn body(fake: &Fake, call: &str) -> Value {
    let wishes = fake.wishes();
    let wish = wishes.iter().find_map(|wish| wish.strip_prefix(call)).expect(call);
    serde_json::from_str(wish).expect("a body of JSON")
}

fn listed() -> Value {
    json!([
        {"id": "t-1", "nickname": "default", "created_at": "2026-10-01T08:00:00Z", "used_by": []},
        {"id": "t-2", "nickname": "m", "created_at": null, "used_by": ["m"]},
    ])
}

fn rotated(step: &str, did: &[&str]) -> Value {
    json!({"rotation": rotation(step), "did": did})
}

fn rotation(step: &str) -> Value {
    json!({
        "begun_at": "2026-11-23T17:00:00Z", "nickname": "m-20261123T170000Z",
        "old": ["t-1"], "new": "t-2", "step": step,
    })
}

#[test]
fn classes_are_listed_for_people_and_for_programs() {
    const LIST: &str = "POST /v1/circleci/classes/list";
    let classes = json!([{"id": "c-1", "resource_class": "acme/macos", "description": "minis"}]);
    let fake = idle().on(LIST, classes.clone());
    assert_snapshot!(fake.run_with_input(&["class", "list", "acme"], TOKEN));
    assert_eq!(body(&fake, LIST), json!({"personal_token": "personal-t0ken", "namespace": "acme"}));
    let seen = fake.run_with_input(&["class", "list", "acme", "--json"], TOKEN);
    let json: Value =
        serde_json::from_str(seen.trim_start_matches("exit code 0\n--- output\n")).expect("JSON");
    assert_eq!(json, classes);
    let none = idle().on(LIST, json!([]));
    assert_snapshot!(none.run_with_input(&["class", "list", "acme"], TOKEN));
}

#[test]
fn what_is_no_namespace_is_refused_before_anybody_is_asked() {
    let fake = idle();
    for (word, says) in
        [("acme/macos", "its namespace is acme"), ("a b", "one word"), ("", "one word")]
    {
        let seen = fake.run(&["class", "list", word]);
        assert!(seen.starts_with("exit code 2\n") && seen.contains(says), "{seen}");
    }
    let seen = fake.run_with_input(&["class", "list", "acme"], "");
    assert!(seen.contains("There is no personal API token on standard input."), "{seen}");
    assert_eq!(fake.wishes(), [""; 0]);
}

#[test]
fn a_class_is_shown_with_its_work_and_its_agents() {
    let shown = json!({
        "id": "c-1", "resource_class": "acme/macos", "description": "minis",
        "waiting": 1, "running": 2,
        "agents": [
            {"name": "m", "version": "3.1.11", "last_connected": "2026-11-23T17:00:00Z", "is_busy": true},
            {"name": "other", "version": null, "last_connected": null, "is_busy": null},
        ],
    });
    let fake = idle().on("POST /v1/circleci/classes/show", shown);
    assert_snapshot!(fake.run_with_input(&["class", "show", "acme/macos"], TOKEN));
}

#[test]
fn a_class_is_created_and_deleted() {
    const CREATE: &str = "POST /v1/circleci/classes/create";
    const DELETE: &str = "POST /v1/circleci/classes/delete";
    let created = json!({"id": "c-1", "resource_class": "acme/macos", "description": ""});
    let fake = idle().on(CREATE, created).refuses(
        DELETE,
        409,
        "class-has-tokens",
        "The resource class acme/macos has tokens, so it is not deleted.",
        "Delete its tokens first, or say --force.",
    );
    let words =
        ["class", "create", "acme/macos", "--org-id", "o-1", "--api-url", "https://x.example"];
    assert_snapshot!(fake.run_with_input(&words, TOKEN));
    let asked = body(&fake, CREATE);
    assert_eq!((&asked["org_id"], &asked["api_url"]), (&json!("o-1"), &json!("https://x.example")));
    assert_snapshot!(fake.run_with_input(&["class", "delete", "acme/macos"], TOKEN));
    assert_eq!(body(&fake, DELETE)["force"], false);
    let fake = idle().grants(DELETE);
    let seen = fake.run_with_input(&["class", "delete", "acme/macos", "--force"], TOKEN);
    assert_eq!(seen, "exit code 0\n--- output\nDeleted acme/macos, with the tokens it had.\n");
    assert_eq!(body(&fake, DELETE)["force"], true);
}

#[test]
fn a_token_is_shown_only_to_whoever_asks_for_it() {
    const CREATE: &str = "POST /v1/circleci/tokens/create";
    let created = json!({
        "id": "t-1", "nickname": "default", "created_at": null, "used_by": [], "token": "s3cret",
    });
    let fake = idle().on(CREATE, created);
    let seen = fake.run_with_input(&["token", "create", "acme/macos"], TOKEN);
    assert!(seen.starts_with("exit code 2") && seen.contains("--show"), "{seen}");
    assert_eq!(fake.wishes(), Vec::<String>::new());
    assert_snapshot!(fake.run_with_input(&["token", "create", "acme/macos", "--show"], TOKEN));
    assert_eq!(body(&fake, CREATE)["nickname"], "default");
}

#[test]
fn a_token_for_a_runner_goes_to_its_store_unseen() {
    const CREATE: &str = "POST /v1/runners/m/new-token";
    let created = json!({"id": "t-1", "nickname": "m", "created_at": null, "used_by": ["m"]});
    let fake = idle().on(CREATE, created);
    assert_snapshot!(fake.run_with_input(&["token", "create", "--runner", "m"], TOKEN));
    assert_eq!(body(&fake, CREATE), json!({"personal_token": "personal-t0ken", "nickname": "m"}));
    for both in [
        ["token", "create", "--runner", "m", "--show"],
        ["token", "create", "acme/macos", "--runner", "m"],
    ] {
        assert!(fake.run_with_input(&both, TOKEN).starts_with("exit code 2"));
    }
    assert!(fake.run_with_input(&["token", "create"], TOKEN).starts_with("exit code 2"));
}

#[test]
fn tokens_are_listed_without_themselves_and_deleted_by_id() {
    let fake = idle()
        .on("POST /v1/circleci/tokens/list", listed())
        .grants("POST /v1/circleci/tokens/delete");
    assert_snapshot!(fake.run_with_input(&["token", "list", "acme/macos"], TOKEN));
    let seen = fake.run_with_input(&["token", "delete", "acme/macos", "t-1"], TOKEN);
    assert_eq!(seen, "exit code 0\n--- output\nDeleted the token t-1 of acme/macos.\n");
}

#[test]
fn a_rotation_is_followed_to_its_end() {
    const ROTATE: &str = "POST /v1/runners/m/rotation";
    const FOLLOW: &str = "GET /v1/runners/m/rotation";
    let fake = idle()
        .on(ROTATE, rotated("prove", &["Created the token m-1 (t-2) and stored it."]))
        .on(ROTATE, rotated("done", &["Deleted the old token t-1."]))
        .on(FOLLOW, rotation("prove"))
        .on(FOLLOW, rotation("delete"))
        .on(&format!("{FOLLOW}?wait=1"), rotation("delete"));
    assert_snapshot!(fake.run_with_input(&["token", "rotate", "--old-token-id", "t-1"], TOKEN));
    assert_eq!(
        body(&fake, ROTATE),
        json!({"personal_token": "personal-t0ken", "old_token": "t-1", "keep_old": false})
    );
}

#[test]
fn a_rotation_that_may_not_wait_says_what_it_would_wait_for() {
    let paused = json!({"pause_reasons": [{"by": "disk", "since": "2026-11-23T16:00:00Z"}]});
    let fake = Fake::with(&[runner("m", paused)])
        .on("POST /v1/runners/m/rotation", rotated("prove", &[]))
        .on("GET /v1/runners/m/rotation", rotation("prove"));
    assert_snapshot!(fake.run_with_input(&["token", "rotate", "--wait", "0s"], TOKEN));
}

#[test]
fn where_the_old_token_is_not_known_those_there_are_are_shown() {
    let fake = idle().on("POST /v1/circleci/tokens/list", listed()).refuses(
        "POST /v1/runners/m/rotation",
        409,
        "old-token-unknown",
        "Which token of acme/macos m uses is not known: Runner Tray did not create it.",
        "Find it with `runnerctl token list acme/macos` and say --old-token-id ID.",
    );
    assert_snapshot!(fake.run_with_input(&["token", "rotate"], TOKEN));
}

#[test]
fn what_is_no_personal_token_is_neither_sent_nor_repeated() {
    let fake = idle();
    for input in ["", "two words\n"] {
        let seen = fake.run_with_input(&["class", "list", "acme"], input);
        assert!(seen.starts_with("exit code 2") && !seen.contains("two words"), "{seen}");
    }
    assert_eq!(fake.wishes(), Vec::<String>::new());
}
