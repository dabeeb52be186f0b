//! State that cannot be read, odd homes, clocks that are set: what runs goes on, nothing is guessed,
//! and all is well again once it is mended.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use client::ClientError;
use jiff::{SignedDuration, Timestamp};
use process::Signal;
use protocol::{ProblemCode, RunnerState};
use trials::{Circle, DEADLINE, Options, Place, RUNNER, Rig, is_root, until, until_some};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// As an editor or a crash leaves it.
fn write(path: &Path, text: &[u8]) {
    run_dir::write_atomically(path, text).expect("a file of ours");
}

#[track_caller]
fn until_no_problem(rig: &Rig) {
    until(DEADLINE, "no problem is told", || {
        rig.api.snapshot().is_ok_and(|snapshot| snapshot.problems.is_empty())
    });
}

#[track_caller]
fn assert_refused(done: Result<(), ClientError>, code: &str) {
    let refused = done.expect_err("it is refused");
    let ClientError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.code, code, "{refused:?}");
    assert!(!refused.hint.is_empty(), "{refused:?}");
}

fn wanted_that_cannot_be_read(text: &[u8], code: ProblemCode) {
    let mut rig = Rig::idle(&USUAL);
    let wanted = rig.place.folders().wanted_file();
    let job = rig.long_job();
    job.until_begun();
    rig.kill_supervisor();
    let good = fs::read(&wanted).unwrap();
    write(&wanted, text);

    rig.start_supervisor(&USUAL);
    let problem = rig.until_common_problem(code);
    assert!(problem.reading.is_some_and(|reading| reading.contains("wanted.json")));
    assert!(!problem.hint.is_empty());
    rig.until_state(RunnerState::Busy);
    assert_refused(rig.api.pause(RUNNER), "read-only-state");
    assert_refused(rig.api.resume(RUNNER), "read-only-state");
    job.let_go();
    rig.assert_ended_well(&job);
    let job = rig.short_job();
    rig.assert_ended_well(&job);

    // Its agent ends, and none is started in its place.
    let keeper = trials::keeper(&rig.run()).unwrap();
    process::signal(&keeper, Signal::TERM).unwrap();
    rig.until_runner("the agent is gone", |runner| runner.agent_pid.is_none());
    let waits = rig.short_job();
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_common_problem(code);
    assert_eq!((rig.runs().len(), rig.witness.agents()), (1, 1));
    assert_eq!(fs::read(&wanted).unwrap(), text);

    rig.kill_supervisor();
    write(&wanted, &good);
    rig.start_supervisor(&USUAL);
    rig.assert_ended_well(&waits);
    until_no_problem(&rig);
    rig.finish();
}

#[test]
fn with_wanted_cut_short_what_runs_goes_on_and_nothing_is_started_or_written() {
    wanted_that_cannot_be_read(b"{\"version\": 1, \"run", ProblemCode::StateUnreadable);
}

#[test]
fn with_wanted_empty_what_runs_goes_on_and_nothing_is_started_or_written() {
    wanted_that_cannot_be_read(b"", ProblemCode::StateUnreadable);
}

#[test]
fn with_wanted_from_a_newer_version_what_runs_goes_on_and_nothing_is_started_or_written() {
    wanted_that_cannot_be_read(
        b"{\"version\": 99, \"runners\": [\"of another shape\"]}",
        ProblemCode::StateNewer,
    );
}

#[test]
fn with_settings_that_are_nonsense_what_runs_goes_on_and_a_pause_holds() {
    let mut rig = Rig::idle(&USUAL);
    let settings = rig.place.folders().settings_file();
    let good = fs::read(&settings).unwrap();
    let job = rig.long_job();
    job.until_begun();
    let nonsense = b"[[runner]\nname = nonsense";
    write(&settings, nonsense);
    let problem = rig.until_common_problem(ProblemCode::SettingsUnreadable);
    assert!(problem.reading.is_some_and(|reading| reading.contains("settings.toml")));
    assert!(!problem.hint.is_empty());
    for _ in 0..2 {
        rig.until_state(RunnerState::Busy);
        let spec = rig.circle.spec(trials::CLASS);
        let set_up = rig.api.set_up_as("another", spec, None).map(drop);
        assert_refused(set_up, "settings-unreadable");
        rig.kill_supervisor();
        rig.start_supervisor(&USUAL);
        rig.until_common_problem(ProblemCode::SettingsUnreadable);
    }
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    job.let_go();
    rig.assert_ended_well(&job);
    until_some(DEADLINE, "the agent is gone", || rig.run().exit().written());
    let waits = rig.short_job();
    assert_eq!((rig.runs().len(), rig.witness.agents()), (1, 1));
    assert_eq!(fs::read(&settings).unwrap(), nonsense);

    write(&settings, &good);
    rig.until_state(RunnerState::Paused);
    rig.api.resume(RUNNER).unwrap();
    rig.assert_ended_well(&waits);
    until_no_problem(&rig);
    rig.finish();
}

fn a_whole_run_in(home: &str) -> Rig {
    let place = Place::with_home(home);
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    let job = rig.long_job();
    job.until_begun();
    rig.place.runnerctl(&["pause"]);
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Draining);
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);
    assert!(rig.place.runnerctl(&["status"]).contains(RUNNER));
    rig.place.runnerctl(&["resume"]);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig
}

#[test]
fn a_home_may_have_spaces_quotes_and_letters_of_any_script() {
    a_whole_run_in("my  'own' \"home\" $HOME `id` %s #ü 家 \\n").finish();
}

#[test]
fn a_home_too_long_for_a_socket_has_a_short_closed_folder_for_it() {
    let rig = a_whole_run_in(&"long ".repeat(25));
    let socket = rig.place.folders().socket().unwrap();
    let folder = socket.parent().unwrap().to_owned();
    assert!(rig.place.folders().state.as_os_str().len() > 103);
    assert!(socket.as_os_str().len() <= 103 && !socket.starts_with(rig.place.root()));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    rig.finish();
    fs::remove_dir(folder).unwrap();
}

#[test]
fn of_supervisors_that_are_started_at_once_one_works_and_the_others_say_so() {
    let mut rig = Rig::bare(&USUAL);
    rig.kill_supervisor();
    let start = || {
        let mut command = rig.place.command("runner-tray-supervisor");
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        trials::Ours::start(command)
    };
    let mut started: Vec<_> = (0..5).map(|_| start()).collect();
    let mut words = Vec::new();
    until(DEADLINE, "all but one have ended", || {
        started.retain_mut(|supervisor| {
            let ended = supervisor.child().try_wait().expect("a child of ours");
            if let Some(status) = ended {
                assert!(!status.success());
                let stderr = supervisor.child().stderr.take().expect("a pipe");
                words.push(std::io::read_to_string(stderr).expect("what it said"));
            }
            ended.is_none()
        });
        started.len() <= 1
    });
    assert_eq!(words.len(), 4);
    for words in &words {
        assert!(words.contains("another supervisor works with"), "{words}");
    }
    let working = started.pop().unwrap();
    let pid = until_some(DEADLINE, "it answers", || rig.api.health().ok()).pid;
    assert_eq!(pid, working.id().pid.get());
    working.kill();
    rig.start_supervisor(&USUAL);
    rig.finish();
}

#[test]
fn root_is_refused_unless_it_is_allowed_in_so_many_words() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for allowed in [None, Some("0"), Some("yes")] {
        let mut command = place.command("runner-tray-supervisor");
        command.env_remove("RUNNER_TRAY_ALLOW_ROOT");
        command.envs(allowed.map(|allowed| ("RUNNER_TRAY_ALLOW_ROOT", allowed)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains("RUNNER_TRAY_ALLOW_ROOT"), "{words}");
        assert!(!place.folders().state.exists());
    }
}

#[test]
fn a_pause_outlives_the_supervisor_and_ends_at_its_moment_though_that_is_dead_then() {
    let mut rig = Rig::idle(&USUAL);
    rig.api.pause_for(RUNNER, SignedDuration::from_hours(1)).unwrap();
    rig.until_state(RunnerState::Paused);
    let before = rig.runner().pause_reasons;
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Paused);
    assert_eq!(rig.runner().pause_reasons, before);
    assert!(before[0].until.is_some());

    let a_moment = SignedDuration::from_secs(6);
    rig.api.pause_for(RUNNER, a_moment).unwrap();
    let end = now() + a_moment;
    rig.kill_supervisor();
    until(DEADLINE, "the moment has passed", || now() > end);
    rig.start_supervisor(&USUAL);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    assert!(rig.runner().pause_reasons.is_empty());

    let run = rig.run();
    rig.api.pause_for(RUNNER, SignedDuration::from_secs(8)).unwrap();
    until_some(DEADLINE, "its agent drains", || run.drain().written());
    rig.until_state(RunnerState::Idle);
    assert_ne!(rig.run(), run, "another agent waits for tasks");
    rig.finish();
}

#[expect(clippy::disallowed_methods, reason = "a trial is the owner of its clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn pause_for_an_hour(rig: &Rig) {
    rig.place.runnerctl(&["pause", "--for", "1h"]);
    rig.until_state(RunnerState::Paused);
}

#[test]
fn a_clock_that_is_set_forward_ends_a_pause_and_keeps_all_else_going() {
    let Some((clock, mut rig)) = Rig::with_clock(&USUAL) else { return };
    pause_for_an_hour(&rig);
    clock.set("+2h");
    rig.poke();
    rig.until_state(RunnerState::Idle);
    pause_for_an_hour(&rig);
    rig.kill_supervisor();
    clock.set("+4h");
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Idle);
    let job = rig.long_job();
    job.until_begun();
    clock.set("+2d");
    rig.until_state(RunnerState::Busy);
    job.let_go();
    rig.assert_ended_well(&job);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let Some((clock, mut rig)) = Rig::with_clock(&USUAL) else { return };
    let job = rig.long_job();
    job.until_begun();
    clock.set("-1d");
    rig.until_state(RunnerState::Busy);
    job.let_go();
    rig.assert_ended_well(&job);
    pause_for_an_hour(&rig);
    clock.set("-2d");
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Paused);
    rig.place.runnerctl(&["resume"]);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    // Back-off and names of runs go by the clock too.
    clock.set("-3d");
    let run = rig.run();
    let agent = run.started().written().unwrap().process;
    trials::kill(&agent);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    until(DEADLINE, "all tasks are in the history", || rig.api.history().unwrap().len() == 3);
    rig.finish();
}
