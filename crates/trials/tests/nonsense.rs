//! Files and calls that are nonsense: edited by hand, grown to megabytes, nested a hundred thousand
//! deep, no files at all. What runs goes on, nothing is started on the strength of it, nothing is
//! written over, and all is well once it is mended.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use protocol::{ProblemCode, RunnerState};
use trials::{DEADLINE, Options, RUNNER, Rig, call, until};

/// What stands in a file's place.
enum Nonsense {
    Bytes(Vec<u8>),
    Pipe,
    Folder,
    /// A symbolic link to this.
    Link(&'static str),
}

use Nonsense::{Bytes, Folder, Link, Pipe};

impl Nonsense {
    fn text(text: impl Into<String>) -> Self {
        Bytes(text.into().into_bytes())
    }

    /// As an editor does it: beside the file, then in its place.
    fn put(&self, path: &Path) {
        let beside = path.with_extension("beside");
        match self {
            Bytes(bytes) => run_dir::write_atomically(&beside, bytes).unwrap(),
            Pipe => assert!(Command::new("mkfifo").arg(&beside).status().unwrap().success()),
            Folder => fs::create_dir(&beside).unwrap(),
            Link(target) => symlink(target, &beside).unwrap(),
        }
        // At once where it can be: nobody sees a moment without the file.
        if fs::rename(&beside, path).is_err() {
            remove(path);
            fs::rename(&beside, path).unwrap();
        }
    }
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

const DEEP: usize = 100_000;

/// Text of many megabytes, far beyond what any of these files may have.
fn megabytes(piece: &str) -> String {
    piece.repeat((10 << 20) / piece.len())
}

fn no_files() -> Vec<(&'static str, Nonsense)> {
    vec![
        ("a pipe that nobody writes to", Pipe),
        ("a folder", Folder),
        ("a file without end", Link("/dev/zero")),
        ("a link to itself", Link("settings.toml")),
    ]
}

/// A runner at work, and the supervisor's pid, which must be the same in the end.
fn busy() -> (Rig, trials::Job, u32) {
    let mut rig = Rig::idle(&Options::default());
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    let pid = rig.api.health().unwrap().pid;
    (rig, job, pid)
}

#[test]
fn settings_of_every_kind_of_nonsense_stop_nothing_and_are_left_alone() {
    let (mut rig, job, supervisor) = busy();
    let settings = rig.place.folders().settings_file();
    let good = fs::read_to_string(&settings).unwrap();
    let mut all = vec![
        ("10 MB of comments", Nonsense::text(good.clone() + &megabytes("# more and more\n"))),
        ("10 MB of runners", Nonsense::text(megabytes("[[runner]]\nname = \"a\"\n"))),
        (
            "arrays in arrays",
            Nonsense::text(format!("a = {}{}", "[".repeat(DEEP), "]".repeat(DEEP))),
        ),
        ("tables in tables", Nonsense::text(format!("a = {}", "{a = ".repeat(DEEP)))),
        ("a key of keys", Nonsense::text(format!("a{} = 1", ".a".repeat(DEEP)))),
        ("a table of tables", Nonsense::text(format!("[a{}]", ".a".repeat(DEEP)))),
        (
            "a huge number",
            Nonsense::text(good.clone() + &format!("log_limit = {}\n", "9".repeat(DEEP))),
        ),
        ("a number below zero", Nonsense::text(good.clone() + "log_limit = -1\n")),
        ("a time without end", Nonsense::text(good.clone() + "max_run_time = \"99999999999h\"\n")),
        ("bytes that are no text", Bytes((0..=255).cycle().take(4096).collect())),
        ("zeros", Bytes(vec![0; 4096])),
        ("no TOML", Nonsense::text("{\"runner\": []}")),
        (
            "a runner without a name",
            Nonsense::text("[[runner]]\nresource_class = \"acme/linux\"\n"),
        ),
        ("one runner twice", Nonsense::text(good.repeat(2))),
        ("a name that is a path", Nonsense::text(good.replace("\"mini\"", "\"../../mini\""))),
        ("a runner that is a number", Nonsense::text("runner = 3\n")),
    ];
    all.extend(no_files());
    for (name, nonsense) in &all {
        nonsense.put(&settings);
        let problem = rig.until_common_problem(ProblemCode::SettingsUnreadable);
        let reading = problem.reading.unwrap();
        assert!(reading.contains("settings.toml"), "{name}: {reading}");
        assert!(reading.len() < 2_000, "{name}: told in {} bytes", reading.len());
        rig.until_state(RunnerState::Busy);
        match nonsense {
            Bytes(bytes) => assert_eq!(&fs::read(&settings).unwrap(), bytes, "{name}"),
            Pipe | Folder | Link(_) => {}
        }
        Nonsense::text(good.clone()).put(&settings);
        rig.until_well();
    }
    assert_eq!(rig.api.health().unwrap().pid, supervisor);
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

#[test]
fn settings_that_can_be_read_and_not_be_followed_start_nothing_and_say_why() {
    let mut rig = Rig::idle(&Options::default());
    let settings = rig.place.folders().settings_file();
    let good = fs::read_to_string(&settings).unwrap();
    for (line, word, code) in [
        ("max_run_time = \"0s\"", "max_run_time", ProblemCode::CannotStart),
        ("working_directory = \"relative\"", "working_directory", ProblemCode::CannotStart),
        ("working_directory = \"/proc/nobody/may\"", "/proc/nobody/may", ProblemCode::CannotStart),
        ("job_user = \"nobody at all\"", "nobody at all", ProblemCode::JobUserUnusable),
        // The token was given for another server.
        (
            "api_url = \"http://runner.example.com\"",
            "runner.example.com",
            ProblemCode::TokenMissing,
        ),
        ("api_url = \"what is this\"", "what is this", ProblemCode::TokenMissing),
        ("releases_url = \"what is this\"", "what is this", ProblemCode::ReleasesRefused),
    ] {
        let key = line.split(' ').next().unwrap();
        let others = good.lines().filter(|known| !known.starts_with(key));
        let edited = others.chain([line]).collect::<Vec<_>>().join("\n");
        Nonsense::text(edited).put(&settings);
        let told = rig.place.until_told(code, word);
        let runner = told.runner.unwrap();
        assert_eq!((runner.state, runner.agent_pid), (RunnerState::Problem, None), "{line}");
        assert_eq!(runner.problems, [told.problem], "{line}: this and nothing else");
        Nonsense::text(good.clone()).put(&settings);
        rig.assert_works_again();
    }
    rig.finish();
}

#[test]
fn wants_of_every_kind_of_nonsense_start_nothing_and_are_left_alone() {
    let (mut rig, job, _) = busy();
    let wanted = rig.place.folders().wanted_file();
    rig.kill_supervisor();
    let good = fs::read(&wanted).unwrap();
    let deep =
        |open: &str| Nonsense::text(format!("{{\"version\":1,\"runners\":{}", open.repeat(DEEP)));
    let mut all = vec![
        ("arrays in arrays", deep("[")),
        ("objects in objects", deep("{\"a\":")),
        ("10 MB of spaces", Nonsense::text(megabytes(" ") + "{\"version\":1}")),
        ("a huge version", Nonsense::text(format!("{{\"version\":{}}}", "9".repeat(DEEP)))),
        ("a version with a point", Nonsense::text("{\"version\":1e400}")),
        ("a version below zero", Nonsense::text("{\"version\":-1}")),
        ("a version twice", Nonsense::text("{\"version\":1,\"version\":1}")),
        ("runners that are a text", Nonsense::text("{\"version\":1,\"runners\":\"all\"}")),
        (
            "a moment that never was",
            Nonsense::text(
                "{\"version\":1,\"runners\":{\"mini\":{\"pauses\":[{\"by\":\"you\",\"since\":\"9999-99-99\"}]}}}",
            ),
        ),
        ("bytes that are no text", Bytes((0..=255).cycle().take(4096).collect())),
        ("zeros", Bytes(vec![0; 64 << 10])),
    ];
    all.extend(no_files());
    for (name, nonsense) in &all {
        nonsense.put(&wanted);
        rig.start_supervisor(&Options::default());
        let problem = rig.until_common_problem(ProblemCode::StateUnreadable);
        assert!(problem.reading.unwrap().contains("wanted.json"), "{name}");
        rig.until_state(RunnerState::Busy);
        assert!(rig.api.pause(RUNNER).is_err(), "{name}");
        rig.kill_supervisor();
        match nonsense {
            Bytes(bytes) => assert_eq!(&fs::read(&wanted).unwrap(), bytes, "{name}"),
            Pipe | Folder | Link(_) => {}
        }
    }
    Bytes(good).put(&wanted);
    rig.start_supervisor(&Options::default());
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

#[test]
fn records_of_every_kind_of_nonsense_count_as_busy_until_they_can_be_read() {
    let (mut rig, job, _) = busy();
    let run = rig.run();
    let (task, _) = rig.task(&run);
    let number = |field: &str| {
        let bytes = fs::read(run.path().join("started.json")).unwrap();
        let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        value["process"][field] = serde_json::json!(1e300);
        Nonsense::text(value.to_string())
    };
    for (folder, file, nonsense) in [
        (run.path(), "started.json", Nonsense::text("[".repeat(DEEP))),
        (run.path(), "started.json", number("pid")),
        (
            run.path(),
            "plan.json",
            Nonsense::text(format!("{{\"version\":1{}", ",\"a\":{".repeat(DEEP))),
        ),
        (run.path(), "exit.json", Bytes((1..=255).cycle().take(4096).collect())),
        (run.path(), "exit.json", Pipe),
        (run.path(), "drain.json", Link("/dev/zero")),
        (run.path(), "drain.json", Nonsense::text("{\"version\":99999999999999999999}")),
        (run.path(), "cancel.json", Folder),
        (run.path(), "cancel.json", Nonsense::text(megabytes("{\"version\":1}"))),
        (task.path(), "started.json", Nonsense::text("{\"version\":1,\"at\":9e999}")),
    ] {
        let path = folder.join(file);
        let good = fs::read(&path).unwrap();
        rig.kill_supervisor();
        nonsense.put(&path);
        rig.start_supervisor(&Options::default());
        // Whether a task runs is known by its lock, whatever stands in its record.
        if folder == run.path() {
            let about = if file == "plan.json" { "runs/" } else { file };
            rig.place.until_told(ProblemCode::RunUnreadable, about);
        }
        // Without a plan nobody knows whose it is.
        let state = rig.api.runner(RUNNER).map_or(RunnerState::Unknown, |runner| runner.state);
        assert!(matches!(state, RunnerState::Busy | RunnerState::Unknown), "{file}: {state:?}");
        Bytes(good).put(&path);
        rig.until_state(RunnerState::Busy);
        rig.until_well();
    }
    assert!(run.drain().is_unwritten() && run.cancel().is_unwritten());
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    assert_eq!((rig.witness.agents(), trials::signals_heard(&run)), (1, 0));
    rig.finish();
}

#[test]
fn a_pause_that_no_record_can_vouch_for_is_told_and_goes_out_once_it_can_be_read() {
    let (mut rig, job, _) = busy();
    let run = rig.run();
    let path = run.path().join("drain.json");
    let blank = fs::read(&path).unwrap();
    Nonsense::text("{").put(&path);
    rig.place.until_told(ProblemCode::RunUnreadable, "drain.json");
    rig.api.pause(RUNNER).unwrap();
    rig.until_runner("it is to be paused", |runner| !runner.pause_reasons.is_empty());
    let told = rig.place.until_told(ProblemCode::RunUnreadable, "a pause may not reach it");
    assert_eq!(told.runner.unwrap().state, RunnerState::Busy, "it was not told to stop");
    assert_eq!(trials::signals_heard(&run), 0);
    Bytes(blank).put(&path);
    rig.until_state(RunnerState::Draining);
    until(DEADLINE, "the TERM is sent", || run.drain_sent().written().is_some());
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);
    rig.until_well();
    assert_eq!(trials::signals_heard(&run), 1);
    rig.api.resume(RUNNER).unwrap();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn calls_of_every_kind_of_nonsense_are_refused_and_the_next_one_is_answered() {
    let (mut rig, job, supervisor) = busy();
    let socket = rig.place.folders().socket().unwrap();
    let say = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may be refused before all is said.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    let every_byte: Vec<u8> = (0..=255).cycle().take(64 << 10).collect();
    for bytes in [
        &b""[..],
        &every_byte,
        &[0; 4096],
        b"GET",
        b"GET /v1/health",
        b"GET /v1/health HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PUT /v1/runners/mini/pause HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
        b"PUT /v1/runners/mini/pause HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"PUT /v1/runners/mini/pause HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
    ] {
        assert!(!String::from_utf8_lossy(&say(bytes)).starts_with("HTTP/1.1 2"), "{bytes:?}");
    }
    let long = format!("GET /v1/health HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", megabytes("x"));
    assert!(!String::from_utf8_lossy(&say(long.as_bytes())).starts_with("HTTP/1.1 2"));
    for body in [
        "[".repeat(DEEP),
        "{\"until\":".repeat(DEEP),
        format!("{{\"note\":\"{}\"}}", megabytes("x")),
        "{\"until\":1e999}".to_owned(),
        "{\"until\":\"9999999-01-01T00:00:00Z\"}".to_owned(),
        "\u{0}".to_owned(),
        String::new(),
    ] {
        let head = "Content-Type: application/json\r\nContent-Length: ";
        let body = format!("{head}{}\r\n\r\n{body}", body.len());
        for to in
            ["PUT /v1/runners/mini/pause", "PUT /v1/runners/mini", "PUT /v1/runners/mini/token"]
        {
            let (status, kind, answer) = call(&socket, to, &body);
            assert!((400..500).contains(&status), "{to}: {status} {answer}");
            assert_eq!(kind, "application/problem+json", "{to}: {answer}");
        }
    }
    for path in [
        "/v1/history?limit=99999999999999999999",
        "/v1/history?before=%00",
        "/v1/runners/%2e%2e%2f/logs",
        "/v1/runners/%ff/config",
    ] {
        let (status, ..) = call(&socket, &format!("GET {path}"), "\r\n");
        assert!((200..500).contains(&status), "{path}: {status}");
    }
    // Those that never come to the point are in nobody's way.
    let silent: Vec<UnixStream> = (0..200).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    assert_eq!(rig.api.health().unwrap().pid, supervisor);
    drop(silent);
    assert_eq!(rig.runner().state, RunnerState::Busy);
    assert!(rig.runner().pause_reasons.is_empty());
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_history_that_is_no_database_is_told_and_no_task_is_lost_for_it() {
    let mut rig = Rig::idle(&Options::default());
    rig.assert_works_again();
    let history = rig.place.folders().history_file();
    let aside = rig.place.path("aside");
    fs::create_dir(&aside).unwrap();
    rig.kill_supervisor();
    // With its journal, in which the newest may be.
    let files = ["", "-wal", "-shm"].map(|ending| format!("history.sqlite{ending}"));
    let state = history.parent().unwrap();
    let move_all = |from: &Path, to: &Path| {
        for file in files.iter().filter(|file| from.join(file).exists()) {
            fs::rename(from.join(file), to.join(file)).unwrap();
        }
    };
    move_all(state, &aside);
    for nonsense in [Bytes((0..=255).cycle().take(64 << 10).collect()), Folder] {
        nonsense.put(&history);
        rig.start_supervisor(&Options::default());
        let job = rig.short_job();
        rig.assert_ended_well(&job);
        let problem = rig.until_common_problem(ProblemCode::HistoryUnavailable);
        assert!(problem.reading.unwrap().contains("history.sqlite"));
        rig.kill_supervisor();
    }
    for file in &files {
        remove(&state.join(file));
    }
    move_all(&aside, state);
    rig.start_supervisor(&Options::default());
    until(DEADLINE, "all three tasks are in the history", || {
        rig.api.history().is_ok_and(|tasks| tasks.len() == 3)
    });
    rig.until_well();
    rig.finish();
}
