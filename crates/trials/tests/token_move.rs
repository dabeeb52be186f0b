//! A token moves between the keychain and a file: whatever comes in between, it is where the settings
//! say, and where a second one may be they say that too.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use protocol::{ProblemCode, RunnerState, TokenStore};
use serde_json::{Value, json};
use trials::{CLASS, Circle, DEADLINE, Desktop, Options, Place, RUNNER, Rig, until};

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

/// Each state that a supervisor may leave behind which is killed while it moves a token.
#[test]
fn wherever_a_move_was_cut_off_the_next_supervisor_leaves_one_token_and_it_works() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(&desktop);
    let since = "2026-11-23T10:00:00Z";
    let text = stored(&rig).1.unwrap();
    let plain = settings(&rig);
    let file = rig.place.folders().tokens().join(RUNNER);
    // Which store the settings name, which may have a copy; where it is.
    for (named, copy, in_keychain, in_file) in [
        ("file", "keychain", false, true),
        ("file", "keychain", true, true),
        ("keychain", "file", true, true),
        ("keychain", "file", true, false),
    ] {
        rig.kill_supervisor();
        let copy = format!("token_copy = {{ store = \"{copy}\", since = \"{since}\" }}");
        let named_line = format!("token_store = \"{named}\"\n{copy}");
        let edited = plain.replace("token_store = \"file\"", &named_line);
        assert_ne!(edited, plain);
        run_dir::write_atomically(&rig.place.folders().settings_file(), edited.as_bytes()).unwrap();
        keychain(&rig, "forget", None);
        if in_keychain {
            assert!(keychain(&rig, "set", Some(&text)).get("Ok").is_some());
        }
        if in_file {
            run_dir::write_atomically(&file, text.as_bytes()).unwrap();
            let owners = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&file, owners).unwrap();
        } else {
            let _ = fs::remove_file(&file);
        }
        rig.start_supervisor(&USUAL);
        until(DEADLINE, "the copy is removed", || !settings(&rig).contains("token_copy"));
        let store = if named == "file" { TokenStore::File } else { TokenStore::Keychain };
        rig.until_runner("no problem is told", |runner| runner.problems.is_empty());
        assert_only_in(&rig, store);
        assert_starts(&mut rig);
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
    let problem = rig.runner().problems.remove(0);
    assert_eq!(problem.code, ProblemCode::TokenCopied);
    assert!(problem.hint.contains("runnerctl token move --to file --runner mini"), "{problem:?}");
    assert_starts(&mut rig);

    // So it is after a restart, and until the keychain answers.
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_runner("it is told still", |runner| {
        runner.problems.iter().any(|problem| problem.code == ProblemCode::TokenCopied)
    });
    desktop.go_on();
    rig.place.runnerctl(&["token", "move", "--to", "keychain"]);
    assert_only_in(&rig, TokenStore::Keychain);

    // Taking it out of there hangs too: it is in the file then, and there may be two.
    assert_starts(&mut rig);
    desktop.lock();
    let refused = rig.api.move_token(RUNNER, TokenStore::File).unwrap_err().to_string();
    assert!(refused.contains("keychain is locked"), "{refused}");
    assert!(settings(&rig).contains("token_store = \"keychain\""));
    assert!(stored(&rig).1.is_none());
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
