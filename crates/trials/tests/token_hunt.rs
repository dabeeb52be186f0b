//! The token is in the keychain and in the agent's environment, and nowhere else: a whole run, and a
//! look into every file, every process and every answer for every form of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use local_circleci::{NewTask, Outcome};
use protocol::RunnerState;
use trials::{
    CLASS, Circle, DEADLINE, Desktop, Hunt, Listener, Options, Place, RUNNER, Rig, Secret, ask,
    until, until_some,
};

/// The agent prints its own token at start, and so much else that its log is soon cut.
const LEAKS: &str = "leak-token=1,noise-bytes=400";
const SHOW_ENVIRONMENT: &str = r#"
env; export -p; set; tr '\0' '\n' </proc/self/environ
echo "the token is <${CIRCLECI_RUNNER_API_AUTH_TOKEN-not there}>"
"#;

fn set_up(rig: &Rig) {
    let url = rig.circle.url();
    let token = rig.place.path("token-acme-linux");
    let status = rig
        .place
        .command("runnerctl")
        .args(["setup", "--resource-class", CLASS, "--name", RUNNER, "--token-stdin"])
        .args(["--api-url", url, "--releases-url", &format!("{url}/releases")])
        .stdin(File::open(token).expect("the server made it"))
        .output()
        .expect("runnerctl runs");
    assert!(status.status.success(), "{status:?}");
}

/// All that readers are given, by what it is.
fn answers(rig: &Rig) -> BTreeMap<String, Vec<u8>> {
    let mut answers = BTreeMap::new();
    for command in [
        "status",
        "status --json",
        "tasks",
        "tasks --json",
        "history",
        "history --json",
        "logs",
        "logs --all --json",
        "logs --search auth_token",
        "logs -n 20",
        "config show",
        "config show --json",
        "config path",
        "config snippet",
        "agent list",
        "agent list --json",
        "supervisor status --json",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        answers.insert(command.to_owned(), rig.place.runnerctl(&words).into_bytes());
    }
    let socket = rig.place.folders().socket().expect("the path of the socket");
    let of_runner = |what: &str| format!("/v1/runners/{RUNNER}/{what}");
    for path in [
        "/v1/snapshot?usage=1".to_owned(),
        "/v1/history".to_owned(),
        "/v1/agents".to_owned(),
        "/v1/health".to_owned(),
        of_runner("logs"),
        of_runner("config"),
        of_runner("token"),
        format!("/v1/runners/{RUNNER}"),
    ] {
        answers.insert(path.clone(), ask(&socket, &path));
    }
    answers
}

fn assert_none(answers: &BTreeMap<String, Vec<u8>>, secret: &Secret) {
    for (what, answer) in answers {
        // What is searched for may lie in a part of the log that is cut away by now.
        assert!(!answer.is_empty() || what.contains("--search"), "nobody answered {what}");
        assert_eq!(secret.form_in(answer), None, "{what}");
    }
}

fn is_agents_log(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "agent.log")
}

/// Files of the product with the token in it; what the agent itself writes is looked at elsewhere.
fn assert_no_file(rig: &Rig, desktop: &Desktop, secret: &Secret) {
    let folders = ["home", "owner", "run", "tmp", "signs"].map(|name| rig.place.path(name));
    for folder in folders.iter().map(PathBuf::as_path).chain([desktop.folder()]) {
        let mut found = secret.files(folder);
        found.retain(|path, _| !is_agents_log(path));
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// The agent that runs now said its token: it is in its own log, and in nobody's answer.
fn until_the_log_shows_it_taken_out(rig: &Rig) {
    until(DEADLINE, "the log shows that a token was taken out", || {
        rig.place.runnerctl(&["logs", "--all"]).contains("app.auth_token=[token]")
    });
}

#[test]
fn the_token_is_in_the_keychain_and_in_the_agents_environment_and_nowhere_else() {
    let Some(desktop) = Desktop::start() else { return };
    let mut place = Place::new();
    place.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    let circle = Circle::start(&place);
    let token = circle.token(CLASS);
    let secret = Secret::new(&token);
    let hunt = Hunt::begin(secret.clone(), place.root());
    let leaks = Options { variant: LEAKS, ..Options::default() };
    let mut rig = Rig::with(place, circle, &leaks);
    let socket = rig.place.folders().socket().unwrap();
    let first_listener = Listener::of(&socket);
    set_up(&rig);
    rig.until_state(RunnerState::Idle);
    until_the_log_shows_it_taken_out(&rig);
    let written = std::fs::read(rig.run().agent_log()).unwrap();
    assert_eq!(secret.form_in(&written), Some("plain"), "the agent's own log has what it wrote");

    let task = NewTask::new(CLASS).step("show the environment", SHOW_ENVIRONMENT);
    let number = rig.circle.enqueue(&task);
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    let output = rig.circle.output(number);
    assert!(output.contains("the token is <not there>"), "{output}");
    assert_eq!(secret.form_in(output.as_bytes()), None, "{output}");

    let job = rig.long_job();
    job.until_begun();
    rig.place.runnerctl(&["pause", "--note", "a note"]);
    rig.kill_supervisor();
    rig.start_supervisor(&leaks);
    let second_listener = Listener::of(&socket);
    rig.until_state(RunnerState::Draining);
    assert_none(&answers(&rig), &secret);
    assert_no_file(&rig, &desktop, &secret);
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);
    rig.place.runnerctl(&["resume"]);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    assert_none(&answers(&rig), &secret);
    assert_no_file(&rig, &desktop, &secret);

    let mut found = secret.files(&rig.place.folders().state);
    found.retain(|path, _| !is_agents_log(path));
    assert!(found.is_empty(), "{found:#?}");
    for listener in [first_listener, second_listener] {
        let heard = listener.heard();
        assert!(!heard.is_empty());
        assert_eq!(secret.form_in(&heard), None);
    }
    let all = hunt.all();
    assert!(all.iter().any(|words| words.contains("setup --resource-class")), "{all:#?}");
    assert!(hunt.in_arguments().is_empty(), "{:#?}", hunt.in_arguments());
    // The agent, and the wrapper, which comes with the agent's environment and takes it out; what
    // becomes the agent does not have it until then.
    let agents = rig.place.folders().agents();
    let agents = agents.to_str().unwrap();
    let is_agent = |words: &String| words.starts_with(agents);
    let with_it = hunt.in_environment();
    assert!(with_it.iter().any(is_agent), "{with_it:#?}");
    for words in &with_it {
        let wrapper = words.contains("runner-tray-keeper task")
            || words.contains("runner-tray-keeper gate")
                && words.contains("circleci-agent _internal");
        assert!(is_agent(words) || wrapper, "{words}");
    }
    rig.place.runnerctl(&["token", "forget"]);
    rig.finish();
}

#[test]
fn what_is_put_aside_of_an_agents_log_has_its_token_taken_out() {
    // So little that the first cut is to be seen for long before the next.
    let little = "leak-token=1,noise-bytes=80";
    let rig = Rig::bare(&Options { variant: little, ..Options::default() });
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    // A settings file may be edited by hand.
    let settings = rig.place.folders().settings_file();
    let text = std::fs::read_to_string(&settings).unwrap();
    let text = text.replace("[[runner]]\n", "[[runner]]\nlog_limit = 20000\n");
    run_dir::write_atomically(&settings, text.as_bytes()).unwrap();
    let aside = until_some(DEADLINE, "an agent's log is cut", || {
        let run = rig.runs().pop()?;
        let aside = std::fs::read(run.agent_log_before()).ok()?;
        // The first part put aside has the agent's first words; the noise after it is cut again.
        aside.windows(8).any(|part| part == b"starting").then_some(aside)
    });
    let text = String::from_utf8_lossy(&aside);
    assert!(text.contains("app.auth_token=[token]"), "{text}");
    assert_eq!(Secret::new(&rig.circle.token(CLASS)).form_in(&aside), None);
    rig.finish();
}
