//! A token moves between the keychain and a file: whatever comes in between, it is where the settings
//! say, and where a second one may be they say that too.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use protocol::{ProblemCode, RunnerState, TokenStore};
use serde_json::{Value, json};
use trials::{
    CLASS, Circle, DEADLINE, Desktop, Options, Ours, Place, RUNNER, Rig, is_stopped, resume, until,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

fn rig_on(desktop: &Desktop) -> Rig {
    let mut place = Place::new();
    place.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    rig
}

/// One touch of the keychain, as the supervisor's child does it.
fn keychain(rig: &Rig, verb: &str, secret: Option<&str>) -> Value {
    let account = rig.place.folders().keychain_account(RUNNER);
    let request = match secret {
        None => json!({ "account": account }),
        Some(secret) => json!({ "account": account, "secret": secret }),
    };
    let mut command = rig.place.command("runner-tray-supervisor");
    command.args(["keychain", verb]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("our program");
    child.stdin.take().expect("a pipe").write_all(request.to_string().as_bytes()).expect("a pipe");
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice::<Value>(&output.stdout).expect("an answer in JSON")["done"].clone()
}

/// What lies in each store for the runner.
fn stored(rig: &Rig) -> (Option<String>, Option<String>) {
    let file = fs::read_to_string(rig.place.folders().tokens().join(RUNNER)).ok();
    let there = keychain(rig, "get", None);
    (there["Ok"].as_str().map(str::to_owned), file)
}

fn settings(rig: &Rig) -> String {
    fs::read_to_string(rig.place.folders().settings_file()).expect("the settings")
}

/// The token is in one place, whole, and the settings know of no other.
#[track_caller]
fn assert_only_in(rig: &Rig, store: TokenStore) {
    let (keychain, file) = stored(rig);
    let (there, other) = match store {
        TokenStore::Keychain => (keychain, file),
        TokenStore::File => (file, keychain),
    };
    assert!(there.is_some_and(|there| there.contains(&rig.circle.token(CLASS))));
    assert_eq!(other, None);
    assert!(!settings(rig).contains("token_copy"), "{}", settings(rig));
    let codes: Vec<_> = rig.runner().problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, []);
}

/// The next start reads it from where it is.
#[track_caller]
fn assert_starts(rig: &mut Rig) {
    rig.api.pause(RUNNER).expect("there");
    rig.until_state(RunnerState::Paused);
    rig.api.resume(RUNNER).expect("there");
    let job = rig.short_job();
    rig.assert_ended_well(&job);
}

#[test]
fn a_token_moves_there_and_back_while_its_agent_works_on() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(&desktop);
    let job = rig.long_job();
    job.until_begun();
    for (to, store) in [
        ("keychain", TokenStore::Keychain),
        ("file", TokenStore::File),
        ("file", TokenStore::File),
        ("keychain", TokenStore::Keychain),
    ] {
        let said = rig.place.runnerctl(&["token", "move", "--to", to]);
        assert!(said.contains("and nowhere else"), "{said}");
        assert_only_in(&rig, store);
    }
    assert_eq!((rig.runner().state, rig.witness.agents()), (RunnerState::Busy, 1));
    job.let_go();
    rig.assert_ended_well(&job);
    let url = rig.circle.url().to_owned();
    let said = rig.place.runnerctl(&[
        "setup",
        "--resource-class",
        CLASS,
        "--name",
        RUNNER,
        "--token-store",
        "file",
        "--api-url",
        &url,
    ]);
    assert!(said.contains("The token is in a file that only you can read now."), "{said}");
    assert_only_in(&rig, TokenStore::File);
    assert_starts(&mut rig);
    rig.finish();
}

/// Moves it to `to`; the supervisor stops itself at `point`, which is where its own program has it.
#[track_caller]
fn held_in_a_move(rig: &mut Rig, to: &str, point: &str) -> Ours {
    rig.kill_supervisor();
    rig.start_supervisor(&Options { hold_at: Some(point), ..USUAL });
    let mut command = rig.place.command("runnerctl");
    command.args(["token", "move", "--to", to]).stdout(Stdio::null()).stderr(Stdio::null());
    let moving = Ours::start(command);
    let held = rig.place.folders().state.join(format!("held-at-{point}"));
    let supervisor = rig.supervisor.as_ref().expect("just started").id().clone();
    until(DEADLINE, "the supervisor is held", || held.exists() && is_stopped(&supervisor));
    fs::remove_file(held).expect("a file of ours");
    moving
}

#[test]
fn killed_anywhere_in_a_move_the_next_supervisor_leaves_one_token_and_it_works() {
    use TokenStore::{File, Keychain};
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(&desktop);
    let name = |store| if store == File { "file" } else { "keychain" };
    for (from, to) in [(File, Keychain), (Keychain, File)] {
        // What is in the store it came from and in the other when the supervisor is killed, and which
        // of them it is in afterwards.
        for (point, there, then) in [
            ("token-copy-noted", (true, false), from),
            ("token-copied", (true, true), from),
            ("token-place-changed", (true, true), to),
            ("token-copy-removed", (false, true), to),
        ] {
            rig.api.move_token(RUNNER, from).expect("it is moved");
            let mut moving = held_in_a_move(&mut rig, name(to), point);
            let (keychain, file) = stored(&rig);
            let found = match from {
                File => (file.is_some(), keychain.is_some()),
                Keychain => (keychain.is_some(), file.is_some()),
            };
            assert_eq!(found, there, "{from:?} {point}");
            assert!(settings(&rig).contains("token_copy"), "{from:?} {point}: {}", settings(&rig));
            rig.kill_supervisor();
            assert!(!moving.ended("the command").success());
            rig.start_supervisor(&USUAL);
            until(DEADLINE, "the copy is removed", || !settings(&rig).contains("token_copy"));
            rig.until_well();
            assert_only_in(&rig, then);
            assert_starts(&mut rig);
        }
    }
    rig.finish();
}

#[test]
fn a_keychain_that_hangs_in_between_costs_nothing_and_what_it_may_hold_is_told() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(&desktop);
    desktop.hang();
    let refused = rig.api.move_token(RUNNER, TokenStore::Keychain).unwrap_err().to_string();
    assert!(refused.contains("it is used from where it was"), "{refused}");
    rig.place.until_told(ProblemCode::TokenCopied, "runnerctl token move --to file --runner mini");
    assert_starts(&mut rig);

    // So it is after a restart, and until the keychain answers.
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_problem(ProblemCode::TokenCopied);
    desktop.go_on();
    rig.place.runnerctl(&["token", "move", "--to", "keychain"]);
    assert_only_in(&rig, TokenStore::Keychain);

    // A locked one gives nothing out, so nothing is moved.
    assert_starts(&mut rig);
    desktop.lock();
    let refused = rig.api.move_token(RUNNER, TokenStore::File).unwrap_err().to_string();
    assert!(refused.contains("keychain is locked"), "{refused}");
    assert!(settings(&rig).contains("token_store = \"keychain\""));
    assert!(stored(&rig).1.is_none());
    rig.finish();
}

#[test]
fn a_keychain_that_gives_a_token_out_and_then_hangs_may_have_a_copy_and_that_is_told() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(&desktop);
    rig.api.move_token(RUNNER, TokenStore::Keychain).unwrap();
    // It is in the file already, and the settings say so; what is left is to take it out of there.
    let mut moving = held_in_a_move(&mut rig, "file", "token-place-changed");
    desktop.hang();
    resume(rig.supervisor.as_ref().unwrap().id());
    assert!(!moving.ended("the command").success());
    rig.place.until_told(ProblemCode::TokenCopied, "runnerctl token move --to file --runner mini");
    assert!(settings(&rig).contains("token_store = \"file\""), "{}", settings(&rig));
    assert_starts(&mut rig);

    desktop.go_on();
    rig.place.runnerctl(&["token", "move", "--to", "file"]);
    rig.until_well();
    assert_only_in(&rig, TokenStore::File);
    rig.finish();
}

#[test]
fn a_forgotten_token_is_forgotten_in_both_places() {
    let Some(desktop) = Desktop::start() else { return };
    let rig = rig_on(&desktop);
    let text = stored(&rig).1.unwrap();
    keychain(&rig, "set", Some(&text));
    rig.place.runnerctl(&["token", "forget"]);
    assert_eq!(stored(&rig), (None, None));
    rig.finish();
}
