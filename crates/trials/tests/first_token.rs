//! The first set-up, killed anywhere: there is never a token of a runner that the settings do not
//! name, and said again it comes to its end.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene has failed")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use protocol::{ProblemCode, RunnerState};
use trials::{CLASS, DEADLINE, Options, Ours, RUNNER, Rig, is_stopped, until};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

fn set_up(rig: &Rig) -> Command {
    // The server made it.
    let token = File::open(rig.place.path("token-acme-linux")).unwrap();
    let mut command = rig.place.command("runnerctl");
    command.args(["setup", "--resource-class", CLASS, "--name", RUNNER, "--no-wait"]);
    command.args(["--token-store", "file", "--token-stdin", "--api-url", rig.circle.url()]);
    command.args(["--releases-url", &format!("{}/releases", rig.circle.url())]).stdin(token);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn tokens(rig: &Rig) -> Vec<String> {
    let there = fs::read_dir(rig.place.folders().tokens()).into_iter().flatten().flatten();
    there.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn is_named(rig: &Rig) -> bool {
    let settings = fs::read_to_string(rig.place.folders().settings_file()).unwrap_or_default();
    settings.contains(RUNNER)
}

/// The supervisor is killed there, and started again.
fn killed_at(point: &str) -> Rig {
    let mut rig = Rig::bare(&Options { hold_at: Some(point), ..USUAL });
    rig.circle.token(CLASS);
    let mut command = Ours::start(set_up(&rig));
    let held = rig.place.folders().state.join(format!("held-at-{point}"));
    let supervisor = rig.supervisor.as_ref().unwrap().id().clone();
    until(DEADLINE, "the supervisor is held", || held.exists() && is_stopped(&supervisor));
    rig.kill_supervisor();
    assert!(!command.ended("the command").success());
    assert!(is_named(&rig), "whatever is stored, it is known whose it is");
    rig.start_supervisor(&USUAL);
    rig
}

fn assert_works(mut rig: Rig) {
    rig.until_state(RunnerState::Idle);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    assert_eq!(tokens(&rig), [RUNNER]);
    rig.finish();
}

#[test]
fn killed_before_the_token_is_stored_its_runner_lacks_one_and_says_so() {
    let rig = killed_at("runner-named");
    assert_eq!(tokens(&rig), [""; 0]);
    rig.until_problem(ProblemCode::TokenMissing);
    assert!(set_up(&rig).status().unwrap().success());
    assert_works(rig);
}

#[test]
fn killed_after_the_token_is_stored_its_runner_works() {
    let rig = killed_at("first-token-stored");
    assert_eq!(tokens(&rig), [RUNNER]);
    assert_works(rig);
}

#[test]
fn a_token_that_cannot_be_stored_leaves_neither_token_nor_runner() {
    let rig = Rig::bare(&USUAL);
    rig.circle.token(CLASS);
    // Nothing can be written where the store writes first.
    let blocked = rig.place.folders().tokens().join("new~");
    fs::create_dir_all(&blocked).unwrap();
    let private = Permissions::from_mode(0o700);
    fs::set_permissions(rig.place.folders().tokens(), private).unwrap();
    assert!(!set_up(&rig).status().unwrap().success());
    assert!(!is_named(&rig) && rig.api.runner(RUNNER).is_none());
    fs::remove_dir(&blocked).unwrap();
    assert!(set_up(&rig).status().unwrap().success());
    assert_works(rig);
}
