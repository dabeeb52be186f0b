//! A token is replaced while jobs run, whatever dies on the way: said again, the rotation comes to its
//! end, exactly one token is valid then and stored, and no job is lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene has failed")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use local_circleci::UserApi;
use local_circleci::control::Fault;
use protocol::{Asked, OfClass, PersonalToken, ProblemCode, RunnerState, TokenListed};
use trials::{CLASS, DEADLINE, Hunt, Options, Ours, RUNNER, Rig, Secret, is_stopped, until};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// What a command came to.
struct Seen {
    code: Option<i32>,
    all: String,
}

impl Seen {
    #[track_caller]
    fn is(self, code: i32, words: &[&str]) -> String {
        assert_eq!(self.code, Some(code), "{}", self.all);
        for words in words {
            assert!(self.all.contains(words), "no {words:?} in: {}", self.all);
        }
        self.all
    }
}

/// `runnerctl` with the personal token on its standard input.
fn runnerctl(rig: &Rig, args: &[&str]) -> Seen {
    seen(begun(rig, args))
}

fn begun(rig: &Rig, args: &[&str]) -> Ours {
    let mut child = Ours::start(command(rig, args));
    let mut stdin = child.child().stdin.take().unwrap();
    stdin.write_all(rig.circle.personal_token().as_bytes()).unwrap();
    child
}

fn seen(mut child: Ours) -> Seen {
    let mut all = String::new();
    // Short enough for both pipes.
    std::io::Read::read_to_string(&mut child.child().stdout.take().unwrap(), &mut all).unwrap();
    std::io::Read::read_to_string(&mut child.child().stderr.take().unwrap(), &mut all).unwrap();
    Seen { code: child.ended("runnerctl").code(), all }
}

fn command(rig: &Rig, args: &[&str]) -> Command {
    let mut command = rig.place.command("runnerctl");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn tokens(rig: &Rig) -> Vec<TokenListed> {
    let ask = Asked {
        personal_token: PersonalToken(rig.circle.personal_token()),
        api_url: None,
        ask: OfClass { resource_class: CLASS.parse().unwrap() },
    };
    rig.api.call(async |client| client.list_tokens(&ask).await).unwrap()
}

fn only_token(rig: &Rig) -> String {
    let tokens = tokens(rig);
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    tokens[0].id.clone()
}

fn record(rig: &Rig) -> PathBuf {
    rig.place.folders().state.join(format!("rotation-{RUNNER}.json"))
}

/// Exactly one token, another than before, known to be the runner's, and it claims.
#[track_caller]
fn assert_rotated(rig: &mut Rig, old: &str) {
    let tokens = tokens(rig);
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_ne!(tokens[0].id, old);
    assert_eq!(tokens[0].used_by, [RUNNER.parse().unwrap()]);
    assert!(!record(rig).exists());
    let job = rig.short_job();
    rig.assert_ended_well(&job);
}

#[track_caller]
fn assert_healed(rig: &Rig) {
    rig.until_runner("no rotation is told any more", |runner| runner.problems.is_empty());
}

/// Kills the supervisor there in the middle of a job, and says it again.
fn killed_at(point: &'static str, before_the_agent_is_replaced: bool, reading: &str) {
    let mut rig = Rig::idle(&Options { hold_at: Some(point), ..USUAL });
    let old = only_token(&rig);
    let job = rig.long_job();
    job.until_begun();
    let words = ["token", "rotate", "--old-token-id", &old];
    let mut rotate = begun(&rig, &words);
    if !before_the_agent_is_replaced {
        job.let_go();
    }
    let held = rig.place.folders().state.join(format!("held-at-{point}"));
    let supervisor = rig.supervisor.as_ref().unwrap().id().clone();
    until(DEADLINE, "the supervisor is held", || held.exists() && is_stopped(&supervisor));
    rig.kill_supervisor();
    assert!(!rotate.ended("the command").success());
    rig.start_supervisor(&USUAL);
    let left: Vec<String> = tokens(&rig).into_iter().map(|token| token.id).collect();
    assert_eq!(left.contains(&old), point != "rotation-deleted", "{left:?}");
    let problem = rig.place.until_told(ProblemCode::RotationUnfinished, reading).problem;
    assert!(problem.hint.contains("runnerctl token rotate --runner mini"), "{problem:?}");
    job.let_go();
    runnerctl(&rig, &words).is(0, &["mini works with the new token."]);
    rig.assert_ended_well(&job);
    assert_rotated(&mut rig, &old);
    assert_healed(&rig);
    rig.finish();
}

#[test]
fn killed_when_it_is_begun_it_goes_on() {
    killed_at("rotation-begun", true, "no new token is stored yet");
}

#[test]
fn killed_when_the_token_is_created_it_goes_on_and_the_lost_one_is_deleted() {
    killed_at("token-created", true, "no new token is stored yet");
}

#[test]
fn killed_when_the_token_is_stored_it_goes_on() {
    killed_at("token-stored", true, "no new token is stored yet");
}

#[test]
fn killed_when_the_new_token_is_on_record_it_goes_on() {
    killed_at("rotation-recorded", true, "the new token is stored");
}

#[test]
fn killed_when_the_agent_is_to_be_replaced_it_goes_on() {
    killed_at("rotation-swapped", true, "the new token is the runner's");
}

#[test]
fn killed_when_the_new_agent_has_claimed_it_goes_on() {
    killed_at("rotation-proven", false, "the new token works");
}

#[test]
fn killed_when_the_old_token_is_deleted_it_goes_on() {
    killed_at("rotation-deleted", false, "the new token works");
}

#[test]
fn the_running_job_ends_first_and_the_old_token_stays_until_then() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    let words = ["token", "rotate", "--old-token-id", &old, "--wait", "0s"];
    let said = runnerctl(&rig, &words)
        .is(1, &["first claim is answered. Now: Resumes after this task.", "stays"]);
    assert!(said.contains("Created the token mini-"), "{said}");
    assert_eq!(tokens(&rig).len(), 2);
    let agent = rig.runner().agent_pid;
    assert!(agent.is_some());
    job.let_go();
    rig.assert_ended_well(&job);
    // What is known now need not be named again.
    runnerctl(&rig, &["token", "rotate"])
        .is(0, &["Goes on", &format!("Deleted the old token {old}.")]);
    assert_ne!(rig.runner().agent_pid, agent);
    assert_rotated(&mut rig, &old);
    // From now on it is known which token is whose.
    let old = only_token(&rig);
    runnerctl(&rig, &["token", "rotate"]).is(0, &["works with the new token"]);
    assert_rotated(&mut rig, &old);
    rig.finish();
}

#[test]
fn a_pause_stays_and_the_old_token_with_it() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Paused);
    let runs = rig.runs().len();
    let words = ["token", "rotate", "--old-token-id", &old, "--wait", "0s"];
    runnerctl(&rig, &words).is(1, &["mini is paused by you: the old token stays valid"]);
    assert_eq!((rig.runs().len(), tokens(&rig).len()), (runs, 2));
    rig.until_state(RunnerState::Paused);
    runnerctl(&rig, &words).is(1, &["Goes on"]);
    assert_eq!(rig.runs().len(), runs, "no agent is started");
    rig.place.until_told(ProblemCode::RotationUnfinished, "no claim with it was answered yet");
    rig.api.resume(RUNNER).unwrap();
    runnerctl(&rig, &["token", "rotate"]).is(0, &["works with the new token"]);
    assert_rotated(&mut rig, &old);
    rig.finish();
}

#[test]
fn an_answer_that_is_lost_leaves_no_token_behind() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    for spoken in [UserApi::Flat, UserApi::Enveloped] {
        rig.circle.control().set_user_api(spoken).unwrap();
        let old = if spoken == UserApi::Flat { old.clone() } else { only_token(&rig) };
        let lost = |method: &str| Fault {
            path: "/api/v3/runner/token".into(),
            method: Some(method.into()),
            times: Some(1),
            lose_answer: true,
            ..Fault::default()
        };
        rig.circle.control().add_fault(&lost("POST")).unwrap();
        let words = ["token", "rotate", "--old-token-id", &old];
        runnerctl(&rig, &words)
            .is(1, &["trouble of its own: HTTP status 502", "Say it again to go on"]);
        assert_eq!(tokens(&rig).len(), 2, "one was created and nobody has it");
        rig.circle.control().add_fault(&lost("DELETE")).unwrap();
        runnerctl(&rig, &words).is(1, &["may have been done all the same"]);
        runnerctl(&rig, &words).is(0, &["works with the new token"]);
        assert_rotated(&mut rig, &old);
    }
    rig.finish();
}

#[test]
fn a_token_that_nobody_created_here_is_asked_for_and_nothing_is_done() {
    let rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    let words = [&*old, "default", "is not known: Runner Tray did not create it", "--keep-old"];
    runnerctl(&rig, &["token", "rotate"]).is(1, &words);
    let named = ["token", "rotate", "--old-token-id", "elsewhere"];
    runnerctl(&rig, &named).is(1, &["There is no token elsewhere of acme/linux."]);
    assert_eq!(only_token(&rig), old);
    assert!(!record(&rig).exists());
    rig.finish();
}

#[test]
fn a_token_that_two_runners_share_is_replaced_one_by_one() {
    let rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    rig.api.set_up(&rig.circle, CLASS, "second").unwrap();
    let words = |runner| ["token", "rotate", "--runner", runner, "--old-token-id", &old];
    runnerctl(&rig, &words(RUNNER)).is(1, &["second uses the same token as mini", "--keep-old"]);
    assert_eq!(only_token(&rig), old);
    let keeping = ["token", "rotate", "--runner", RUNNER, "--keep-old"];
    runnerctl(&rig, &keeping).is(0, &["mini works with the new token."]);
    assert_eq!(tokens(&rig).len(), 2);
    runnerctl(&rig, &words("second")).is(0, &["second works with the new token."]);
    let tokens = tokens(&rig);
    assert!(tokens.len() == 2 && !tokens.iter().any(|token| token.id == old), "{tokens:?}");
    rig.finish();
}

#[test]
fn a_token_that_is_set_meanwhile_ends_the_rotation() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    rig.api.pause(RUNNER).unwrap();
    let words = ["token", "rotate", "--old-token-id", &old, "--wait", "0s"];
    runnerctl(&rig, &words).is(1, &["Created the token"]);
    let by_hand = rig.circle.control().new_token(CLASS).unwrap();
    rig.api.set_token(RUNNER, &by_hand).unwrap();
    rig.place.until_told(ProblemCode::RotationUnfinished, "another token was set since");
    runnerctl(&rig, &words).is(1, &["Another token was set for mini", "given up"]);
    assert!(!record(&rig).exists());
    assert_healed(&rig);
    let left: Vec<String> = tokens(&rig).into_iter().map(|token| token.nickname).collect();
    assert_eq!(left, ["default", "default"], "what it created is deleted");
    rig.api.resume(RUNNER).unwrap();
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn a_token_that_cannot_be_stored_is_deleted_again() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    // Nothing can be written where the store writes first.
    let blocked = rig.place.folders().tokens().join("new~");
    std::fs::create_dir(&blocked).unwrap();
    let words = ["token", "rotate", "--old-token-id", &old];
    runnerctl(&rig, &words).is(1, &["cannot be written", "Say it again to go on"]);
    assert_eq!(only_token(&rig), old);
    runnerctl(&rig, &["token", "create", "--runner", RUNNER]).is(1, &["was begun and is not done"]);
    std::fs::remove_dir(&blocked).unwrap();
    runnerctl(&rig, &words).is(0, &["works with the new token"]);
    assert_rotated(&mut rig, &old);
    rig.finish();
}

#[test]
fn a_new_token_that_somebody_deletes_never_costs_the_old_one() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    rig.api.pause(RUNNER).unwrap();
    let words = ["token", "rotate", "--old-token-id", &old, "--wait", "0s"];
    runnerctl(&rig, &words).is(1, &["Created the token"]);
    let new = tokens(&rig).into_iter().find(|token| token.id != old).unwrap().id;
    runnerctl(&rig, &["token", "delete", CLASS, &new]).is(1, &["is that of mini", "--force"]);
    rig.api.resume(RUNNER).unwrap();
    until(DEADLINE, "the new agent has claimed", || {
        let rotation = rig
            .api
            .call(async |client| client.rotation(&RUNNER.parse().expect("a name"), false).await);
        rotation.unwrap().is_some_and(|it| it.step == protocol::RotationStep::Delete)
    });
    runnerctl(&rig, &["token", "delete", CLASS, &new, "--force"]).is(0, &["Deleted the token"]);
    let said = ["was deleted at CircleCI; another one is created", "the old token stays"];
    runnerctl(&rig, &words).is(1, &said);
    let left: Vec<String> = tokens(&rig).into_iter().map(|token| token.id).collect();
    assert!(left.len() == 2 && left.contains(&old), "{left:?}");
    runnerctl(&rig, &["token", "rotate"]).is(0, &["works with the new token"]);
    assert_rotated(&mut rig, &old);
    rig.finish();
}

#[test]
fn a_new_token_that_is_gone_at_the_last_moment_is_told() {
    let mut rig = Rig::idle(&Options { hold_at: Some("rotation-proven"), ..USUAL });
    let old = only_token(&rig);
    let rotate = begun(&rig, &["token", "rotate", "--old-token-id", &old]);
    let supervisor = rig.supervisor.as_ref().unwrap().id().clone();
    until(DEADLINE, "the supervisor is held", || is_stopped(&supervisor));
    rig.circle.control().revoke_tokens(CLASS).unwrap();
    trials::resume(&supervisor);
    seen(rotate).is(1, &["was deleted at CircleCI; the old one stays", "Say it again to go on"]);
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    runnerctl(&rig, &["token", "rotate"]).is(0, &["another one is created", "works with the new"]);
    assert_rotated(&mut rig, &old);
    rig.finish();
}

#[test]
fn an_old_token_that_stays_listed_is_not_taken_for_deleted() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    let refused = Fault {
        path: "/api/v3/runner/token".into(),
        method: Some("DELETE".into()),
        times: Some(1),
        // Which is also how CircleCI refuses.
        status: Some(404),
        ..Fault::default()
    };
    rig.circle.control().add_fault(&refused).unwrap();
    let words = ["token", "rotate", "--old-token-id", &old];
    runnerctl(&rig, &words).is(1, &["still lists the old token", "Say it again to go on"]);
    assert_eq!(tokens(&rig).len(), 2);
    runnerctl(&rig, &words).is(0, &["Deleted the old token"]);
    assert_rotated(&mut rig, &old);
    rig.finish();
}

#[test]
fn a_token_that_is_set_while_another_is_created_is_kept() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    let by_hand = rig.circle.control().new_token(CLASS).unwrap();
    let slow = Fault {
        path: "/api/v3/runner/token".into(),
        method: Some("POST".into()),
        wait_after_ms: 12_000,
        ..Fault::default()
    };
    rig.circle.control().add_fault(&slow).unwrap();
    let words = ["token", "rotate", "--old-token-id", &old];
    let rotate = begun(&rig, &words);
    until(DEADLINE, "the new token is created", || tokens(&rig).len() == 3);
    rig.api.set_token(RUNNER, &by_hand).unwrap();
    seen(rotate).is(1, &["was changed at the same moment"]);
    runnerctl(&rig, &words).is(1, &["Another token was set for mini", "given up"]);
    assert_eq!(tokens(&rig).len(), 2);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn a_runner_that_works_for_another_class_meanwhile_is_left_alone() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    rig.api.pause(RUNNER).unwrap();
    let words = ["token", "rotate", "--old-token-id", &old, "--wait", "0s"];
    runnerctl(&rig, &words).is(1, &["Created the token"]);
    let other = rig.circle.control().new_token("acme/other").unwrap();
    rig.api.set_up_as(RUNNER, rig.circle.spec("acme/other"), Some(&other)).unwrap();
    runnerctl(&rig, &words)
        .is(1, &["works for another now; it is given up", "A token named mini-"]);
    assert!(!record(&rig).exists());
    rig.quiesce();
    rig.finish();
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_nothing_is_done() {
    let rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    run_dir::write_atomically(&record(&rig), b"{\"version\":1,").unwrap();
    let words = ["token", "rotate", "--old-token-id", &old];
    runnerctl(&rig, &words).is(1, &["cannot be read", "rotation-mini.json", "Move the file away"]);
    assert_eq!(only_token(&rig), old);
    rig.place.until_told(ProblemCode::RotationUnreadable, "rotation-mini.json");
    std::fs::remove_file(record(&rig)).unwrap();
    assert_healed(&rig);
    rig.finish();
}

#[test]
fn neither_token_is_anywhere_but_where_it_belongs() {
    let mut rig = Rig::idle(&USUAL);
    let old = only_token(&rig);
    let personal = Secret::new(&rig.circle.personal_token());
    let hunt = Hunt::begin(personal.clone(), rig.place.root());
    runnerctl(&rig, &["token", "rotate", "--old-token-id", &old]).is(0, &[]);
    assert_rotated(&mut rig, &old);
    assert!(hunt.all().iter().any(|words| words.contains("rotate")), "{:?}", hunt.all());
    assert!(hunt.in_arguments().is_empty() && hunt.in_environment().is_empty());
    let home = rig.place.path("home");
    assert_eq!(personal.files(&home), std::collections::BTreeMap::new());
    let kept = rig.place.folders().tokens().join(RUNNER);
    let text = std::fs::read_to_string(&kept).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&text).unwrap();
    let new = Secret::new(stored["token"].as_str().unwrap());
    assert_eq!(new.files(&home).into_keys().collect::<Vec<_>>(), [kept]);
    rig.finish();
}
