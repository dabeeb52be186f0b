//! What a task means for the machine: it stays awake, sleeps afterwards if somebody asked for that, and
//! its owner is told; on real buses, with stand-ins for logind and for whoever shows notifications.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use protocol::{NoticeAbout, PauseBy, ProblemCode, RunnerState, Snapshot};
use trials::{
    Circle, DEADLINE, Desktop, Logind, Notifications, Options, Ours, Place, Rig, until, until_some,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// A rig whose runner is idle, with these variables more.
fn rig_with(environment: &[(&str, &str)]) -> Rig {
    let mut place = Place::new();
    for (name, value) in environment {
        place.set_env(name, value);
    }
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    rig
}

fn rig_on(system: &Desktop) -> Rig {
    rig_with(&[("DBUS_SYSTEM_BUS_ADDRESS", system.address())])
}

fn snapshot(rig: &Rig) -> Snapshot {
    rig.api.snapshot().expect("a snapshot")
}

fn is_held(rig: &Rig) -> bool {
    rig.api.snapshot().is_ok_and(|shown| shown.keep_awake.is_some_and(|awake| awake.held))
}

fn try_command(rig: &Rig, arguments: &[&str]) -> Output {
    rig.place.command("runnerctl").args(arguments).output().expect("runnerctl runs")
}

#[test]
fn the_machine_stays_awake_while_a_task_runs_whatever_becomes_of_the_supervisor() {
    let Some(system) = Desktop::without_keychain() else { return };
    let logind = Logind::start(system.address());
    let mut rig = rig_on(&system);
    assert_eq!(
        (logind.held(), logind.inhibited().len()),
        (0, 0),
        "an idle runner keeps nothing awake"
    );

    let job = rig.long_job();
    until(DEADLINE, "the machine is kept awake", || logind.held() == 1 && is_held(&rig));
    let [what, who, _, mode] = logind.inhibited().pop().expect("it was asked");
    assert_eq!(
        [what.as_str(), who.as_str(), mode.as_str()],
        ["sleep:idle", "Runner Tray", "block"]
    );

    rig.kill_supervisor();
    until(DEADLINE, "a supervisor that is gone holds nothing", || logind.held() == 0);
    rig.start_supervisor(&USUAL);
    until(DEADLINE, "the next one sees the task", || logind.held() == 1 && is_held(&rig));

    rig.place.runnerctl(&["preferences", "set", "keep-awake", "off"]);
    until(DEADLINE, "the owner's word counts at once", || logind.held() == 0);
    let status = rig.place.runnerctl(&["status"]);
    assert!(status.contains("Staying awake is switched off."), "{status}");
    rig.place.runnerctl(&["preferences", "set", "keep-awake", "on"]);
    until(DEADLINE, "and so does the next", || logind.held() == 1);

    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "it may sleep again", || logind.held() == 0 && !is_held(&rig));
    rig.finish();
}

#[test]
fn on_a_low_battery_it_may_sleep_and_says_so() {
    let Some(system) = Desktop::without_keychain() else { return };
    let logind = Logind::start(system.address());
    let supplies = tempfile::tempdir().expect("a folder");
    let battery = supplies.path().join("BAT0");
    std::fs::create_dir(&battery).expect("a folder");
    for (file, text) in [("type", "Battery"), ("capacity", "12"), ("status", "Discharging")] {
        run_dir::write_atomically(&battery.join(file), text.as_bytes()).expect("a file");
    }
    let mut rig = rig_with(&[
        ("DBUS_SYSTEM_BUS_ADDRESS", system.address()),
        ("RUNNER_TRAY_POWER_SUPPLIES", supplies.path().to_str().expect("UTF-8")),
    ]);
    let job = rig.long_job();
    let why = until_some(DEADLINE, "it says why", || snapshot(&rig).keep_awake?.why_not);
    assert_eq!(why, "The battery is at 12 %; your limit is 30 %.");
    assert_eq!(logind.inhibited().len(), 0);
    rig.place.runnerctl(&["preferences", "set", "battery-floor", "5"]);
    until(DEADLINE, "it is enough now", || logind.held() == 1);
    job.let_go();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn the_machine_sleeps_after_the_task_once_and_never_again() {
    let Some(system) = Desktop::without_keychain() else { return };
    let logind = Logind::start(system.address());
    let mut rig = rig_on(&system);
    let job = rig.long_job();
    until(DEADLINE, "the machine is kept awake", || logind.held() == 1);
    let said = rig.place.runnerctl(&["after-task", "sleep"]);
    assert!(said.contains("the machine sleeps"), "{said}");
    rig.until_runner("it claims no more", |runner| {
        runner.pause_reasons.iter().any(|reason| reason.by == PauseBy::AfterTask)
    });
    assert!(snapshot(&rig).after_task.is_some() && logind.told().is_empty());
    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "the machine is told to sleep", || logind.told() == ["Suspend false"]);
    // The stand-in notes that we let go by a thread of its own.
    until(DEADLINE, "nothing of ours hinders it", || logind.held() == 0);
    assert_eq!(snapshot(&rig).after_task, None);
    let wanted =
        std::fs::read_to_string(rig.place.folders().wanted_file()).expect("what is wanted");
    assert!(!wanted.contains("after_task"), "{wanted}");

    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Idle);
    assert_eq!(logind.told(), ["Suspend false"]);
    rig.finish();
}

#[test]
fn what_logind_refuses_is_told_in_its_words_and_the_runner_goes_on() {
    let Some(system) = Desktop::without_keychain() else { return };
    let logind = Logind::start(system.address());
    logind.refuses();
    let mut rig = rig_on(&system);
    let job = rig.long_job();
    let why = until_some(DEADLINE, "it says why", || snapshot(&rig).keep_awake?.why_not);
    assert!(why.contains("The system refused: No."), "{why}");
    rig.place.runnerctl(&["after-task", "restart"]);
    job.let_go();
    rig.assert_ended_well(&job);
    let reading = "Interactive authentication required";
    rig.place.until_told(ProblemCode::AfterTaskRefused, reading);
    rig.until_state(RunnerState::Idle);
    rig.place.runnerctl(&["after-task", "cancel"]);
    assert!(snapshot(&rig).problems.is_empty());
    rig.finish();
}

#[test]
fn the_supervisor_ends_after_the_task_and_leaves_nothing_behind() {
    let mut rig = rig_with(&[]);
    let job = rig.long_job();
    rig.until_state(RunnerState::Busy);
    rig.place.runnerctl(&["after-task", "quit"]);
    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "no supervisor answers", || rig.api.health().is_err());
    let server = rig.circle.id().clone();
    drop(rig.supervisor.take());
    until(DEADLINE, "nothing but the server is left", || {
        rig.place.processes().iter().all(|left| left.id == server)
    });
}

#[test]
fn a_button_of_a_notification_resumes_what_was_paused_after_the_task() {
    let Some(session) = Desktop::without_keychain() else { return };
    let server = Notifications::start(session.address(), &["actions", "body", "body-markup"]);
    let mut rig = rig_with(&[("DBUS_SESSION_BUS_ADDRESS", session.address())]);
    rig.place.runnerctl(&["preferences", "set", "notify-tasks", "on"]);
    let job = rig.long_job();
    rig.until_state(RunnerState::Busy);
    rig.place.runnerctl(&["after-task", "pause"]);
    job.let_go();
    rig.assert_ended_well(&job);
    let paused = until_some(DEADLINE, "the pause is told", || {
        server.seen().into_iter().find(|seen| seen.title == "Paused, as you asked")
    });
    assert_eq!(&paused.actions[2..], ["resume", "Resume"], "after the click on it itself");
    until(DEADLINE, "the task is told too", || {
        server.seen().iter().any(|seen| seen.title.ends_with("succeeded"))
    });
    rig.until_state(RunnerState::Paused);
    until(DEADLINE, "the button resumes", || {
        server.press(paused.id, "resume");
        rig.runner().state == RunnerState::Idle
    });

    let kept = rig.api.call(async |client| client.notices(0, None).await).expect("notices");
    assert_eq!(kept.seen.newest, u64::try_from(kept.notices.len()).unwrap());
    assert!(
        kept.notices.iter().any(|notice| matches!(notice.about, NoticeAbout::TaskEnded { .. }))
    );
    assert_eq!(snapshot(&rig).notices, Some(kept.seen));
    rig.place.runnerctl(&["notices", "--seen"]);
    let seen = snapshot(&rig).notices.expect("notices");
    assert_eq!(seen.seen, seen.newest);

    // What was told and seen outlives the supervisor.
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    assert_eq!(snapshot(&rig).notices, Some(seen));
    rig.finish();
}

/// All that the supervisor has written into its logs.
fn written_down(rig: &Rig) -> String {
    let logs = std::fs::read_dir(&rig.place.folders().logs).expect("the logs").flatten();
    logs.map(|log| std::fs::read_to_string(log.path()).unwrap_or_default()).collect()
}

#[test]
fn open_on_a_task_s_notification_opens_its_page_and_details_the_app() {
    let Some(session) = Desktop::without_keychain() else { return };
    let server = Notifications::start(session.address(), &["actions", "body"]);
    let mut place = Place::new();
    let (bin, opened) = (place.path("bin"), place.path("opened"));
    std::fs::create_dir_all(&bin).expect("a folder");
    let there = opened.display();
    let browser = format!("#!/bin/sh\necho \"$1\" > '{there}.new' && mv '{there}.new' '{there}'\n");
    run_dir::write_atomically(&bin.join("xdg-open"), browser.as_bytes()).expect("a program");
    std::fs::set_permissions(bin.join("xdg-open"), Permissions::from_mode(0o755))
        .expect("its mode");
    let path = std::env::var("PATH").unwrap_or_default();
    place.set_env("PATH", format!("{}:{path}", bin.display()));
    place.set_env("DBUS_SESSION_BUS_ADDRESS", session.address());
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    rig.place.runnerctl(&["preferences", "set", "notify-tasks", "on"]);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    let told = until_some(DEADLINE, "the task is told", || {
        server.seen().into_iter().find(|seen| seen.title.ends_with("succeeded"))
    });
    assert_eq!(&told.actions[2..], ["open", "Open", "details", "Details"]);
    until(DEADLINE, "its page is opened", || {
        server.press(told.id, "open");
        opened.exists()
    });
    let page = std::fs::read_to_string(&opened).expect("an address");
    let link = rig.api.history().expect("the history")[0].link.clone();
    assert_eq!(Some(page.trim()), link.as_deref());

    let next = rig.short_job();
    rig.assert_ended_well(&next);
    let told = until_some(DEADLINE, "the next is told too", || {
        server
            .seen()
            .into_iter()
            .find(|seen| seen.id != told.id && seen.title.ends_with("succeeded"))
    });
    until(DEADLINE, "the app is started", || {
        server.press(told.id, "details");
        rig.place
            .logs()
            .lines()
            .any(|line| line.contains("runner-tray") && line.contains("opened, from"))
    });
    rig.finish();
}

#[test]
fn a_button_that_nobody_hears_any_more_goes_with_its_notification() {
    const AT_ONCE: usize = 8;
    let Some(session) = Desktop::without_keychain() else { return };
    let server = Notifications::start(session.address(), &["actions", "body"]);
    let mut rig = rig_with(&[("DBUS_SESSION_BUS_ADDRESS", session.address())]);
    rig.place.runnerctl(&["preferences", "set", "notify-tasks", "on"]);
    for shown in 1..=AT_ONCE + 1 {
        let job = rig.short_job();
        rig.assert_ended_well(&job);
        until(DEADLINE, "it is told", || server.seen().len() == shown);
    }
    until(DEADLINE, "the oldest is closed", || server.closed() == [server.seen()[0].id]);
    // The next supervisor does not know of those that are on the screen.
    rig.kill_supervisor();
    until(DEADLINE, "all are closed", || server.closed().len() == AT_ONCE + 1);
    rig.start_supervisor(&USUAL);
    rig.finish();
}

#[test]
fn a_notification_without_a_button_stays_and_its_program_ends_with_whoever_waited() {
    let Some(session) = Desktop::without_keychain() else { return };
    let server = Notifications::start(session.address(), &["actions", "body"]);
    let place = Place::new();
    let mut command = place.command("runner-tray-supervisor");
    command.arg("notify").env("DBUS_SESSION_BUS_ADDRESS", session.address());
    command.stdin(Stdio::piped());
    let mut shows = Ours::start(command);
    let mut stdin = shows.child().stdin.take().expect("a pipe");
    writeln!(stdin, r#"{{"title":"It ends","body":"","buttons":[]}}"#).expect("it reads");
    until(DEADLINE, "it is shown", || server.seen().len() == 1);
    drop(stdin);
    assert!(shows.ended("whoever shows it").success());
    assert_eq!(server.closed(), [0; 0]);
}

#[test]
fn where_nobody_shows_notifications_and_no_bus_is_nothing_breaks() {
    let mut rig = rig_with(&[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")]);
    rig.place.runnerctl(&["preferences", "set", "notify-tasks", "on"]);
    for _ in 0..2 {
        let job = rig.short_job();
        rig.assert_ended_well(&job);
    }
    until(DEADLINE, "both are kept", || {
        snapshot(&rig).notices.is_some_and(|seen| seen.newest == 2)
    });
    let nobody = "nobody shows notifications in this session";
    until(DEADLINE, "it is said", || written_down(&rig).contains(nobody));
    assert_eq!(written_down(&rig).matches(nobody).count(), 1, "once");
    let why = try_command(&rig, &["after-task", "sleep"]);
    assert!(why.status.success(), "{why:?}");
    rig.until_common_problem(ProblemCode::AfterTaskRefused);
    rig.finish();
}

#[test]
fn what_cannot_be_asked_of_the_machine_is_refused_with_a_way_out() {
    let rig = rig_with(&[]);
    let refused = |call: &str, body: &str| {
        let socket = rig.place.folders().socket().expect("the socket");
        let more = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, _, answer) = trials::call(&socket, call, &more);
        assert!((400..500).contains(&status), "{call}: {status}");
        answer
    };
    for (call, body, words) in [
        ("PUT /v1/preferences", r#"{"music":{"on":true}}"#, "unknown"),
        ("PUT /v1/preferences", r#"{"keep_awake":{"forever":true}}"#, "unknown"),
        ("PUT /v1/preferences", r#"{"keep_awake":{"battery_floor_percent":101}}"#, "100 %"),
        ("PUT /v1/after-task", r#"{"do":"explode"}"#, "bad-request"),
        ("GET /v1/history/days?from=2026-11-24&to=2026-11-23", "", "0 days"),
        ("GET /v1/history/days?from=yesterday&to=2026-11-23", "", "bad-request"),
        ("GET /v1/history/hours?day=2026-11-23&tz=Mars/Olympus", "", "Mars/Olympus"),
        ("GET /v1/runners/nobody/snippet", "", "no-such-runner"),
    ] {
        let answer = refused(call, body);
        assert!(answer.contains(words) && answer.contains("hint"), "{call} {body}: {answer}");
    }
    let settings = std::fs::read_to_string(rig.place.folders().settings_file()).expect("settings");
    assert!(!settings.contains("keep_awake"), "nothing was changed: {settings}");

    let missing = rig.api.call(async |client| client.check_job_user("no-such-user").await);
    let missing = missing.expect("an answer");
    assert!(!missing.usable && missing.found.expect("why").contains("no user no-such-user"));
    let line = missing.steps.last().and_then(|step| step.line.clone()).expect("a line");
    assert!(line.ends_with("ALL=(no-such-user) NOPASSWD: ALL"), "{line}");
    let root = rig.api.call(async |client| client.check_job_user("root").await).expect("an answer");
    assert!(!root.usable && root.steps.iter().all(|step| step.line.is_none()), "{root:?}");
    let name = trials::RUNNER.parse().expect("a name");
    let pipeline = rig.api.call(async |client| client.snippet(&name).await).expect("a pipeline");
    assert_eq!(pipeline.yaml, rig.place.runnerctl(&["config", "snippet"]));
    rig.finish();
}
