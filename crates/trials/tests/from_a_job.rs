//! A job does not change the runner it runs on by accident: whichever way its processes have run off,
//! the supervisor refuses what they ask for, and still lets them look.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use local_circleci::{NewTask, Outcome};
use protocol::{ApiError, RunnerState};
use run_dir::RunState;
use trials::{
    CLASS, DEADLINE, Options, RUNNER, Rig, answered, is_alive, program, until, until_some,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// Asks for a change in each of several ways, the later ones when their sign is there. All but the
/// last take out of their environment what a job is told of itself.
const ASKS: &str = r#"
ask() {
    "${@:2}" "$RUNNERCTL" pause > "$SIGNS-words-$1" 2>&1 && code=0 || code=$?
    echo "$code" > "$SIGNS-said-$1.new" && mv "$SIGNS-said-$1.new" "$SIGNS-said-$1"
}
await() { until [ -e "$SIGNS-ask-$1" ]; do sleep 0.05; done; }
export -f ask await

ask in-a-step env -u CIRCLECI
"$RUNNERCTL" status > "$SIGNS-status"
cat > "$SIGNS-runaway" <<'END'
for when in in-the-task after-the-task after-the-run; do await $when; ask $when env -u CIRCLECI; done
# Its parent ends, and the one it ran in has long.
( ( await told; ask told env ) & )
END
( setsid bash "$SIGNS-runaway" > /dev/null 2>&1 < /dev/null & )
until [ -e "$SIGNS-said-in-the-task" ]; do sleep 0.05; done
"#;

struct Signs(PathBuf);

impl Signs {
    fn of(&self, what: &str, when: &str) -> PathBuf {
        let name = self.0.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        self.0.with_file_name(format!("{name}-{what}-{when}"))
    }

    /// Has it asked, and asserts that it was refused, and with these words.
    #[track_caller]
    fn assert_refused(&self, when: &str) {
        File::create(self.of("ask", when)).expect("a file in a folder of ours");
        let code = until_some(DEADLINE, &format!("an answer came {when}"), || {
            fs::read_to_string(self.of("said", when)).ok()
        });
        let words = fs::read_to_string(self.of("words", when)).expect("its words");
        assert_eq!(code.trim(), "1", "{when}: {words}");
        assert!(words.contains("A job asks this"), "{when}: {words}");
    }
}

#[test]
fn whichever_way_a_jobs_process_runs_off_it_is_refused_and_may_look() {
    let rig = Rig::idle(&USUAL);
    let signs = Signs(rig.place.path("signs").join("job"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let task = NewTask::new(CLASS)
        .env("SIGNS", &path(&signs.0))
        .env("RUNNERCTL", &path(&program("runnerctl")))
        .env("RUNNER_TRAY_HOME", &path(&rig.place.path("home")))
        .env("RUNNER_TRAY_ALLOW_ROOT", "1")
        .step("ask", ASKS);
    let number = rig.circle.enqueue(&task);
    signs.assert_refused("in-a-step");
    signs.assert_refused("in-the-task");
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    assert!(
        fs::read_to_string(rig.place.path("signs").join("job-status")).unwrap().contains(RUNNER)
    );

    let run = rig.run();
    let task = run.tasks().unwrap().pop().unwrap();
    let finished = until_some(DEADLINE, "the task is over", || task.finished().written());
    assert!(!finished.left_behind.is_empty(), "the job left a process behind");
    signs.assert_refused("after-the-task");
    assert!(rig.runner().pause_reasons.is_empty(), "nothing of it was done");

    // The owner may, of course; and with the run its keeper ends.
    rig.place.runnerctl(&["pause"]);
    rig.until_state(RunnerState::Paused);
    until(DEADLINE, "the run is over", || matches!(run.state(), RunState::Over(_)));
    signs.assert_refused("after-the-run");
    signs.assert_refused("told");
    until(DEADLINE, "nothing of the job is left", || !finished.left_behind.iter().any(is_alive));
    rig.finish();
}

/// Set for this program when it plays a caller that ends before its call is read.
const PLAYS: &str = "TRIAL_CALLER";

/// The caller below; by itself it does nothing. It leaves its connection to somebody else.
#[test]
#[expect(clippy::zombie_processes, reason = "it is to outlive us")]
fn plays_the_caller() {
    let Some(socket) = std::env::var_os(PLAYS) else { return };
    let stream = UnixStream::connect(socket).unwrap();
    let other = stream.try_clone().unwrap();
    let script = r#"
        until [ -e "$GO" ]; do sleep 0.05; done
        printf 'PUT /v1/runners/mini/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
        printf 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
        cat > "$SAID.new" && mv "$SAID.new" "$SAID"
    "#;
    Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::from(OwnedFd::from(stream)))
        .stdout(Stdio::from(OwnedFd::from(other)))
        .spawn()
        .unwrap();
}

#[test]
fn a_caller_that_has_ended_is_nobody_and_changes_nothing() {
    let rig = Rig::idle(&USUAL);
    let (go, said) = (rig.place.path("go"), rig.place.path("said"));
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "plays_the_caller"])
        .env(PLAYS, rig.place.folders().socket().unwrap())
        .env("GO", &go)
        .env("SAID", &said)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success(), "{ended}");
    File::create(&go).unwrap();
    let answer = until_some(DEADLINE, "an answer came", || fs::read_to_string(&said).ok());
    let (status, kind, body) = answered(&answer).unwrap();
    assert_eq!((status, kind.as_str()), (403, "application/problem+json"), "{body}");
    let refused: ApiError = serde_json::from_str(&body).unwrap();
    assert_eq!(refused.code, "caller-unknown", "{refused:?}");
    assert!(rig.runner().pause_reasons.is_empty());
    rig.finish();
}

/// Every refusal is a document with a code and a way out, whatever was not understood.
#[test]
fn what_is_not_understood_is_refused_as_a_problem_with_a_way_out() {
    let rig = Rig::idle(&USUAL);
    let socket = rig.place.folders().socket().unwrap();
    let json = |body: &str| {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let long = json(&format!("{{\"note\":\"{}\"}}", "x".repeat(3 << 20)));
    let plain = "Content-Length: 2\r\n\r\n{}".to_owned();
    let none = "\r\n".to_owned();
    for (call, more, status, code) in [
        ("GET /", &none, 404, "no-such-call"),
        ("GET /v2/snapshot", &none, 404, "no-such-call"),
        ("PUT /v1/snapshot", &none, 405, "wrong-method"),
        ("OPTIONS /v1/runners/mini/pause", &none, 405, "wrong-method"),
        ("GET /v1/snapshot?usage=much", &none, 400, "bad-request"),
        ("GET /v1/events?usage=-1", &none, 400, "bad-request"),
        ("GET /v1/history?limit=many", &none, 400, "bad-request"),
        ("GET /v1/history?runner=a%20b", &none, 400, "bad-request"),
        ("GET /v1/runners/a%20b/logs", &none, 400, "bad-request"),
        ("GET /v1/runners/%ff/config", &none, 400, "bad-request"),
        ("GET /v1/runners/mini/logs?limit=-1", &none, 400, "bad-request"),
        ("GET /v1/runners/mini/logs/search?limit=x", &none, 400, "bad-request"),
        (
            "POST /v1/circleci/tokens/list",
            &json("{\"personal_token\":\"hunter2\"}"),
            422,
            "bad-request",
        ),
        ("DELETE /v1/runners/..%2f/token", &none, 400, "bad-request"),
        ("DELETE /v1/runners/nobody/pause", &none, 404, "no-such-runner"),
        ("PUT /v1/runners/mini/pause", &json("{"), 400, "bad-request"),
        ("PUT /v1/runners/mini/pause", &json("3"), 422, "bad-request"),
        ("PUT /v1/runners/mini/pause", &plain, 415, "bad-request"),
        ("PUT /v1/runners/mini/pause", &long, 413, "bad-request"),
        ("PUT /v1/runners/mini/token", &json("{\"hunter2\":1}"), 422, "bad-request"),
        ("PUT /v1/runners/mini", &json("{\"token\":\"hunter2\"}"), 422, "bad-request"),
    ] {
        let (answered, kind, body) = trials::call(&socket, call, more);
        assert_eq!(
            (answered, kind.as_str()),
            (status, "application/problem+json"),
            "{call}: {body}"
        );
        let refused: ApiError = serde_json::from_str(&body).unwrap();
        assert_eq!((refused.status, refused.code.as_str()), (status, code), "{call}: {refused:?}");
        assert!(refused.title.ends_with('.') && refused.hint.ends_with('.'), "{call}: {refused:?}");
        assert!(!body.contains("hunter2"), "{call}: {body}");
    }
    assert_eq!(rig.runner().state, RunnerState::Idle);
    rig.finish();
}
