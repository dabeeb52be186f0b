//! Every state a keychain can be in, through set-up and status: each is named with its way out, a
//! file is used by explicit choice alone, and a token is only ever used where it was given for.

use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use std::sync::{Arc, Mutex};

use protocol::{Check, Findings, ProblemCode, RunnerState};
use trials::{CLASS, Circle, DEADLINE, Desktop, Mute, Options, Place, RUNNER, Rig, until};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

fn rig_on(desktop: Option<&Desktop>) -> Rig {
    let mut place = Place::new();
    let nowhere = format!("unix:path={}/no-bus", place.path("run").display());
    let address = desktop.map_or(nowhere.as_str(), Desktop::address);
    place.set_env("DBUS_SESSION_BUS_ADDRESS", address);
    let circle = Circle::start(&place);
    Rig::with(place, circle, &USUAL)
}

/// `runnerctl setup` with the token on standard input, and these arguments more.
fn set_up(rig: &Rig, url: &str, more: &[&str]) -> Output {
    let token = File::open(rig.place.path("token-acme-linux")).expect("the server made it");
    let mut command = rig.place.command("runnerctl");
    command.args(["setup", "--resource-class", CLASS, "--name", RUNNER, "--no-wait"]);
    command.args(["--api-url", url, "--releases-url", &format!("{}/releases", rig.circle.url())]);
    if !more.contains(&"no-token") {
        command.arg("--token-stdin").stdin(token);
    }
    command.args(more.iter().filter(|word| **word != "no-token"));
    command.output().expect("runnerctl runs")
}

#[track_caller]
fn assert_set_up(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// So that its next start needs the token again.
fn start_again(rig: &Rig) {
    rig.api.pause(RUNNER).expect("a pause");
    rig.until_state(RunnerState::Paused);
    rig.api.resume(RUNNER).expect("a resume");
}

fn assert_works(rig: &mut Rig) {
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.until_runner("no problem is told any more", |runner| runner.problems.is_empty());
}

#[test]
fn a_locked_keychain_and_one_that_is_gone_are_told_and_heal_when_it_opens() {
    let Some(mut desktop) = Desktop::start() else { return };
    let mut rig = rig_on(Some(&desktop));
    assert_set_up(&set_up(&rig, rig.circle.url(), &[]));
    assert_works(&mut rig);
    desktop.lock();
    start_again(&rig);
    rig.place.until_told(ProblemCode::KeychainLocked, "unlock the keychain");
    desktop.unlock();
    assert_works(&mut rig);

    desktop.end_keychain();
    start_again(&rig);
    rig.place.until_told(ProblemCode::KeychainAbsent, "--token-store file");
    desktop.unlock();
    assert_works(&mut rig);
    rig.finish();
}

#[test]
fn a_prompt_that_nobody_answers_is_told_and_heals_when_it_is_gone() {
    let Some(mut desktop) = Desktop::start() else { return };
    let mut rig = rig_on(Some(&desktop));
    assert_set_up(&set_up(&rig, rig.circle.url(), &[]));
    assert_works(&mut rig);
    // Whoever shows the keychain's prompts; here nobody ever sees to one.
    let prompter = Mute::named(desktop.address(), "org.gnome.keyring.SystemPrompter");
    desktop.lock();
    start_again(&rig);
    rig.place.until_told(ProblemCode::KeychainWaits, "Answer it");
    let refused = rig.api.set_token(RUNNER, &rig.circle.token(CLASS)).unwrap_err();
    assert!(refused.to_string().contains("nobody has answered"), "{refused}");
    let is_child = |words: &str| words.contains("supervisor keychain ");
    until(DEADLINE, "no child waits for it any more", || {
        !rig.place.processes().iter().any(|found| is_child(&found.arguments))
    });
    drop(prompter);
    desktop.unlock();
    assert_works(&mut rig);

    desktop.hang();
    start_again(&rig);
    rig.place.until_told(ProblemCode::KeychainWaits, "Answer it");
    desktop.go_on();
    assert_works(&mut rig);
    rig.finish();
}

#[test]
fn a_token_file_that_is_not_the_owners_alone_is_told_and_not_used() {
    let mut rig = Rig::idle(&USUAL);
    let file = rig.place.folders().tokens().join(RUNNER);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    start_again(&rig);
    let way_out = "runnerctl token set --runner mini";
    let problem = rig.place.until_told(ProblemCode::TokenFileUnusable, way_out).problem;
    assert!(problem.reading.unwrap().contains("mode 0644"));
    rig.api.set_token(RUNNER, &rig.circle.token(CLASS)).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_works(&mut rig);
    rig.finish();
}

/// Answers nobody, and keeps all that it is told.
struct Other {
    url: String,
    told: Arc<Mutex<Vec<u8>>>,
}

impl Other {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let told = Arc::<Mutex<Vec<u8>>>::default();
        std::thread::spawn({
            let told = Arc::clone(&told);
            move || {
                for mut stream in listener.incoming().map_while(Result::ok) {
                    let mut bytes = vec![0; 64 << 10];
                    let length = stream.read(&mut bytes).unwrap_or(0);
                    told.lock().expect("nobody panicked").extend_from_slice(&bytes[..length]);
                }
            }
        });
        Self { url, told }
    }
}

#[test]
fn settings_edited_by_hand_never_send_a_token_to_another_server() {
    for key in ["api_url", "releases_url"] {
        let mut rig = Rig::idle(&USUAL);
        let other = Other::start();
        let file = rig.place.folders().settings_file();
        let before = fs::read_to_string(&file).unwrap();
        let line = before.lines().find(|line| line.starts_with(key)).unwrap();
        // The agent that is there is from elsewhere, so this place of releases must know it.
        let there = if key == "api_url" { other.url.clone() } else { same_by_another_name(&rig) };
        let after = before.replace(line, &format!("{key} = \"{there}\""));
        run_dir::write_atomically(&file, after.as_bytes()).unwrap();
        let told = rig.place.until_told(ProblemCode::TokenMissing, "runnerctl token set");
        let problem = told.problem;
        assert!(problem.summary.contains("for this server"), "{problem:?}");
        assert!(problem.reading.unwrap().contains("was given for acme/linux at http"));
        let told = other.told.lock().unwrap().clone();
        assert_eq!(trials::Secret::new(&rig.circle.token(CLASS)).form_in(&told), None);

        // And back: it is the same token for the same server.
        run_dir::write_atomically(&file, before.as_bytes()).unwrap();
        assert_works(&mut rig);
        rig.finish();
    }
}

fn same_by_another_name(rig: &Rig) -> String {
    format!("{}/releases", rig.circle.url().replace("127.0.0.1", "localhost"))
}

#[test]
fn without_a_session_bus_set_up_says_so_and_uses_a_file_by_explicit_choice_alone() {
    let mut rig = rig_on(None);
    let refused = set_up(&rig, rig.circle.url(), &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no keychain in this session"), "{words}");
    assert!(words.contains("--token-store file"), "{words}");
    assert!(!rig.place.folders().tokens().exists(), "nobody chose a file");

    assert_set_up(&set_up(&rig, rig.circle.url(), &["--token-store", "file"]));
    assert_works(&mut rig);
    assert!(rig.place.folders().tokens().exists());
    rig.finish();
}

#[test]
fn a_new_token_replaces_the_old_one_and_the_agent_after_its_task() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(Some(&desktop));
    assert_set_up(&set_up(&rig, rig.circle.url(), &[]));
    let job = rig.long_job();
    job.until_begun();
    let token = rig.circle.control().new_token(CLASS).unwrap();
    rig.api.set_token(RUNNER, &token).unwrap();
    rig.until_state(RunnerState::Draining);
    assert_eq!(rig.witness.agents(), 1);
    job.let_go();
    rig.assert_ended_well(&job);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    assert_eq!(rig.witness.agents(), 2);
    let agent = rig.run().started().written().unwrap().process;
    let environment = std::fs::read(format!("/proc/{}/environ", agent.pid)).unwrap();
    assert_eq!(trials::Secret::new(&token).form_in(&environment), Some("plain"));
    rig.finish();
}

#[test]
fn a_forgotten_token_is_missing_from_the_next_start_on() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(Some(&desktop));
    assert_set_up(&set_up(&rig, rig.circle.url(), &[]));
    rig.until_state(RunnerState::Idle);
    rig.place.runnerctl(&["token", "forget"]);
    start_again(&rig);
    rig.place.until_told(ProblemCode::TokenMissing, "runnerctl token set");
    let token = rig.circle.token(CLASS);
    rig.api.set_token(RUNNER, &token).unwrap();
    assert_works(&mut rig);
    rig.finish();
}

#[test]
fn another_server_never_gets_the_token_that_was_given_for_this_one() {
    let Some(desktop) = Desktop::start() else { return };
    let mut rig = rig_on(Some(&desktop));
    assert_set_up(&set_up(&rig, rig.circle.url(), &[]));
    rig.until_state(RunnerState::Idle);
    // The same server by another name.
    let other = rig.circle.url().replace("127.0.0.1", "localhost");
    let output = set_up(&rig, &other, &["no-token"]);
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    assert!(words.contains("The token is forgotten"), "{words}");
    rig.place.until_told(ProblemCode::TokenMissing, "runnerctl token set");
    assert_set_up(&set_up(&rig, &other, &[]));
    assert_works(&mut rig);
    rig.finish();
}

/// What the doctor finds about tokens, each with its way out.
fn found_about_tokens(rig: &Rig) -> Vec<(String, Option<String>)> {
    let mut doctor = rig.place.command("runnerctl");
    doctor.args(["doctor", "--json", "--reach", rig.circle.url()]);
    let found = doctor.output().expect("runnerctl runs").stdout;
    let found: Findings = serde_json::from_slice(&found).expect("findings");
    let about = found.findings.into_iter().filter(|finding| finding.check == Check::Token);
    about.map(|finding| (finding.subject, finding.mend)).collect()
}

#[test]
fn a_token_whose_runner_was_taken_out_of_the_settings_is_told_and_forgotten_by_its_name() {
    let Some(desktop) = Desktop::start() else { return };
    let forget = "runnerctl token forget --runner mini";
    for store in ["keychain", "file"] {
        let mut rig = rig_on(Some(&desktop));
        assert_set_up(&set_up(&rig, rig.circle.url(), &["--token-store", store]));
        rig.until_state(RunnerState::Idle);
        let file = rig.place.folders().settings_file();
        let before = fs::read(&file).unwrap();
        let take_out = || {
            run_dir::write_atomically(&file, b"# nobody\n").unwrap();
            until(DEADLINE, "its runner is gone", || rig.api.runner(RUNNER).is_none());
        };
        take_out();
        let told = found_about_tokens(&rig);
        let is_told = |told: &[(String, Option<String>)]| {
            told.iter().any(|(subject, mend)| {
                subject.starts_with("mini, in ")
                    && mend.as_ref().is_some_and(|it| it.contains(forget))
            })
        };
        assert!(is_told(&told), "{store}: {told:?}");

        // Put back it works with the token that is there still, and nothing is told.
        run_dir::write_atomically(&file, &before).unwrap();
        assert_works(&mut rig);
        let told = found_about_tokens(&rig);
        assert!(!is_told(&told), "{store}: {told:?}");

        let file = rig.place.folders().settings_file();
        run_dir::write_atomically(&file, b"# nobody\n").unwrap();
        until(DEADLINE, "its runner is gone", || rig.api.runner(RUNNER).is_none());
        rig.kill_supervisor();
        rig.start_supervisor(&USUAL);
        let said = rig.place.runnerctl(&["token", "forget", "--runner", RUNNER]);
        assert!(said.contains("The token of mini is forgotten"), "{said}");
        let told = found_about_tokens(&rig);
        assert!(!is_told(&told), "{store}: {told:?}");
        let mut again = rig.place.command("runnerctl");
        let again = again.args(["token", "forget", "--runner", RUNNER]).output().unwrap();
        assert_eq!(again.status.code(), Some(1), "there is none any more: {again:?}");
        run_dir::write_atomically(&file, &before).unwrap();
        rig.place.until_told(ProblemCode::TokenMissing, "runnerctl token set");
        rig.finish();
    }
}
