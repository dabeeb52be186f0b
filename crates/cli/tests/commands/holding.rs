//! Pause, resume, cancel and the token: what is wished, and what is said of it.

use insta::assert_snapshot;
use serde_json::json;

use crate::fake::{Fake, busy, runner, snapshot};

const PAUSE: &str = "PUT /v1/runners/m/pause";
const RESUME: &str = "DELETE /v1/runners/m/pause";
const TASK: &str = "20261123T165500Z-3f2a.2";

fn idle() -> Fake {
    Fake::with(&[runner("m", json!({}))])
}

fn two() -> Fake {
    Fake::with(&[runner("mac-mini-01", json!({})), busy("mac-mini-02")])
}

#[test]
fn a_pause_without_an_end_lasts_until_resumed() {
    let fake = idle().grants(PAUSE);
    assert_eq!(
        fake.run(&["pause"]),
        "exit code 0\n--- output\nm claims no tasks until you resume it.\n"
    );
    assert_eq!(fake.wishes(), [format!("{PAUSE} {{}}")]);
}

#[test]
fn a_pause_ends_at_one_moment_however_it_was_said() {
    for (args, moment, words) in [
        (&["--for", "1h30m"], "2026-11-23T18:30:00Z", "19:30"),
        (&["--until", "19:30"], "2026-11-23T18:30:00Z", "19:30"),
        (&["--until", "tomorrow 09:00"], "2026-11-24T08:00:00Z", "tomorrow 09:00"),
        (&["--until", "2026-11-24T09:00+01:00"], "2026-11-24T08:00:00Z", "tomorrow 09:00"),
    ] {
        let fake = idle().grants(PAUSE);
        let seen = fake.run(&[&["pause"], &args[..]].concat());
        let said = format!("exit code 0\n--- output\nm claims no tasks until {words}.\n");
        assert_eq!(seen, said, "{args:?}");
        assert_eq!(fake.wishes(), [format!("{PAUSE} {{\"until\":\"{moment}\"}}")], "{args:?}");
    }
}

#[test]
fn a_pause_lets_the_running_task_go_on_and_says_so() {
    let fake = Fake::with(&[busy("m")]).grants(PAUSE);
    assert_snapshot!(fake.run(&["pause", "--note", "a talk"]));
    assert_eq!(fake.wishes(), [format!("{PAUSE} {{\"note\":\"a talk\"}}")]);
}

#[test]
fn a_pause_that_cannot_be_is_wrong_usage_and_wishes_nothing() {
    let fake = idle();
    assert_snapshot!(fake.run(&["pause", "--until", "17:30"]));
    assert_snapshot!(fake.run(&["pause", "--until", "soon"]));
    assert_snapshot!(fake.run(&["pause", "--for", "90"]));
    assert_snapshot!(fake.run(&["pause", "--for", "1h", "--until", "19:00"]));
    assert!(fake.asked().is_empty());
}

#[test]
fn among_several_runners_one_must_be_named() {
    let fake = two().grants("PUT /v1/runners/mac-mini-02/pause");
    for args in [
        &["pause"][..],
        &["resume"],
        &["logs"],
        &["token", "forget"],
        &["config", "show"],
        &["config", "snippet"],
    ] {
        assert_eq!(
            fake.run(args),
            "exit code 2\n--- errors\nerror: There are several runners here: mac-mini-01 and \
             mac-mini-02.\nName the one you mean: --runner NAME\n",
            "{args:?}"
        );
    }
    assert!(fake.wishes().is_empty());
    let seen = fake.run(&["pause", "--runner", "mac-mini-02"]);
    assert!(seen.starts_with("exit code 0"), "{seen}");
    assert_eq!(fake.wishes(), ["PUT /v1/runners/mac-mini-02/pause {}"]);
}

#[test]
fn a_runner_that_is_not_there_is_told_with_those_that_are() {
    assert_snapshot!(two().run(&["pause", "--runner", "mac-mini-03"]));
    assert_snapshot!(two().run(&["pause", "--runner", "a/b"]));
    assert_snapshot!(Fake::with(&[]).run(&["pause"]));
}

#[test]
fn a_refusal_is_told_with_its_way_out() {
    let fake = idle().refuses(
        PAUSE,
        507,
        "cannot-save",
        "The pause cannot be saved: no space left on /Users.",
        "Free some space, then pause again.",
    );
    assert_snapshot!(fake.run(&["pause"]));
}

/// What a resume says, from the reasons that held before it and those that hold after it.
fn resumed(before: &serde_json::Value, after: &serde_json::Value) -> String {
    let paused = |reasons| snapshot(&[runner("m", json!({"pause_reasons": reasons}))]);
    let fake = Fake::absent()
        .on("GET /v1/snapshot", paused(before))
        .on("GET /v1/snapshot", paused(after))
        .grants(RESUME)
        .started();
    let seen = fake.run(&["resume"]);
    assert_eq!(fake.wishes(), [RESUME]);
    seen
}

#[test]
fn resume_clears_the_users_pause_and_names_what_still_holds() {
    let you = json!({"by": "you", "since": "2026-11-23T16:58:00Z"});
    let disk = json!({"by": "disk", "since": "2026-11-23T10:00:00Z",
                      "reading": "free 9.8 GB, needs 15 GB"});
    let schedule = json!({"by": "schedule", "since": "2026-11-23T10:00:00Z",
                          "until": "2026-11-23T18:00:00Z"});
    assert_snapshot!(resumed(&json!([you]), &json!([])));
    assert_snapshot!(resumed(&json!([you, disk, schedule]), &json!([disk, schedule])));
    assert_snapshot!(resumed(&json!([disk]), &json!([disk])));
    assert_snapshot!(resumed(&json!([]), &json!([])));
}

#[test]
fn a_task_is_never_cancelled_without_a_clear_yes() {
    let fake = two();
    assert_snapshot!(fake.run(&["cancel-task", TASK]));
    assert!(fake.wishes().is_empty());
}

#[test]
fn a_confirmed_cancel_names_its_task() {
    let call = "POST /v1/runners/mac-mini-02/cancel";
    let fake = two().grants(call);
    assert_snapshot!(fake.run(&["cancel-task", TASK, "--yes"]));
    assert_eq!(fake.wishes(), [format!("{call} {{\"task\":\"{TASK}\"}}")]);
}

#[test]
fn a_task_that_does_not_run_is_not_cancelled() {
    let fake = two();
    assert_snapshot!(fake.run(&["cancel-task", "other.1", "--yes"]));
    assert_snapshot!(fake.run(&["cancel-task", TASK, "--yes", "--runner", "mac-mini-01"]));
    assert_snapshot!(idle().run(&["cancel-task", TASK, "--yes"]));
    assert_snapshot!(idle().run(&["cancel-task", "--yes"]));
    assert!(fake.wishes().is_empty());
}

const REMOVE: &str = "DELETE /v1/runners/mac-mini-02";

#[test]
fn a_runner_is_never_removed_without_a_clear_yes() {
    let fake = two();
    assert_snapshot!(fake.run(&["remove", "mac-mini-02"]));
    assert!(fake.run(&["remove"]).starts_with("exit code 2"), "it is never guessed");
    for answer in ["n\n", "\n"] {
        let Some((seen, code)) = fake.at_a_terminal("remove mac-mini-02", answer) else { break };
        assert!(seen.contains("Remove mac-mini-02? [y/N]"), "{seen}");
        assert!(seen.contains("Nothing was done.") && code == Some(1), "{seen}");
    }
    assert!(fake.wishes().is_empty());
}

#[test]
fn a_confirmed_removal_says_what_stays() {
    let fake = two().grants(REMOVE);
    assert_snapshot!(fake.run(&["remove", "mac-mini-02", "--yes"]));
    assert_snapshot!(fake.run(&["remove", "mac-mini-02", "--yes", "--json"]));
    assert_eq!(fake.wishes(), [REMOVE; 2]);
    let Some((seen, code)) = fake.at_a_terminal("remove mac-mini-02", "y\n") else { return };
    assert!(seen.contains("mac-mini-02 is removed") && code == Some(0), "{seen}");
    assert_eq!(fake.wishes(), [REMOVE; 3]);
}

#[test]
fn a_runner_that_works_or_is_not_there_is_not_removed() {
    let words = "The runner mac-mini-02 runs a task, so it is not removed.";
    let fake = two().refuses(REMOVE, 409, "busy", words, "Pause it first.");
    assert_snapshot!(fake.run(&["remove", "mac-mini-02", "--yes"]));
    assert_snapshot!(fake.run(&["remove", "mac-mini-03", "--yes"]));
    assert_eq!(fake.wishes(), [REMOVE]);
}

#[test]
fn a_token_goes_from_standard_input_to_the_supervisor_alone() {
    let fake = idle().grants("PUT /v1/runners/m/token");
    let said = "exit code 0\n--- output\nThe token of m is stored.\n";
    assert_eq!(fake.run_with_input(&["token", "set"], " s3cret-t0ken\n"), said);
    assert_eq!(fake.run_with_input(&["token", "set", "--token-stdin"], "s3cret-t0ken"), said);
    assert_eq!(fake.wishes(), [r#"PUT /v1/runners/m/token "s3cret-t0ken""#; 2]);
}

#[test]
fn what_is_no_token_is_neither_sent_nor_repeated() {
    let fake = idle();
    assert_snapshot!(fake.run_with_input(&["token", "set"], "\n"));
    assert_snapshot!(fake.run_with_input(&["token", "set"], "s3cret\nt0ken"));
    assert_snapshot!(fake.run(&["token", "set", "s3cret-t0ken"]));
    assert!(fake.wishes().is_empty());
}

#[test]
fn a_token_that_cannot_be_stored_is_told_with_the_reason() {
    let fake = idle().refuses(
        "PUT /v1/runners/m/token",
        503,
        "token-not-stored",
        "The keychain is locked.",
        "Unlock it, then set the token again.",
    );
    assert_snapshot!(fake.run_with_input(&["token", "set"], "s3cret-t0ken"));
}

#[test]
fn a_token_is_moved() {
    let fake = idle().grants("PUT /v1/runners/m/token/store");
    let said = "exit code 0\n--- output\nThe token of m is in the keychain, and nowhere else.\n";
    assert_eq!(fake.run(&["token", "move", "--to", "keychain"]), said);
    assert_eq!(fake.wishes(), [r#"PUT /v1/runners/m/token/store {"to":"keychain"}"#]);
    assert!(fake.run(&["token", "move"]).starts_with("exit code 2"), "it is never guessed");
}

#[test]
fn a_token_is_forgotten() {
    let fake = idle().grants("DELETE /v1/runners/m/token");
    let said = "exit code 0\n--- output\nThe token of m is forgotten.\n";
    assert_eq!(fake.run(&["token", "forget"]), said);
    assert_eq!(fake.wishes(), ["DELETE /v1/runners/m/token"]);
}

const INSTALL: &str = "PUT /v1/runners/m/install";
const STOP_INSTALL: &str = "DELETE /v1/runners/m/install";

fn installing(install: &serde_json::Value) -> Fake {
    Fake::with(&[runner("m", json!({"agent_version": null, "install": install}))])
}

#[test]
fn a_download_is_stopped_and_gone_on_with() {
    let fake =
        installing(&json!({"version": "3.1.11", "received": 41_000_000, "total": 63_000_000}))
            .grants(STOP_INSTALL);
    assert_snapshot!(fake.run(&["agent", "stop-install"]));
    assert_eq!(fake.wishes(), [STOP_INSTALL]);
    let fake = installing(&json!(null)).grants(INSTALL);
    assert_snapshot!(fake.run(&["agent", "install"]));
    assert_eq!(fake.wishes(), [INSTALL]);
}

#[test]
fn what_is_so_already_is_not_asked_for() {
    let fake = idle();
    assert_snapshot!(fake.run(&["agent", "stop-install"]));
    assert_snapshot!(fake.run(&["agent", "install"]));
    let under_way =
        installing(&json!({"version": "3.1.11", "received": 41_000_000, "total": null}));
    assert_snapshot!(under_way.run(&["agent", "install"]));
    assert!(fake.wishes().is_empty() && under_way.wishes().is_empty());
}
