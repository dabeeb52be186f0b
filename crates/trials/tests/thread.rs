//! The whole thread once: set up, a task, a pause that waits for its task, a resume. And what is told
//! of a task: who it is, by its link and its steps' environment, and what its own processes use, which
//! nobody looks at while nobody asks.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use client::Detail;
use local_circleci::{NewTask, Outcome, TaskNumber};
use process::Pid;
use protocol::{RunnerState, Snapshot, Task, TaskResult, Usage};
use trials::{CLASS, DEADLINE, Options, RUNNER, Rig, Supervisor, program, until, until_some};

#[test]
fn a_task_runs_and_a_pause_waits_for_its_task() {
    let mut rig = Rig::idle(&Options::default());
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);

    let waits = rig.short_job();
    rig.api.resume(RUNNER).unwrap();
    rig.assert_ended_well(&waits);
    rig.until_runner("the task is over", |runner| runner.last_task.is_some());
    let history = rig.api.history().unwrap();
    assert_eq!(history.first().unwrap().result, TaskResult::Succeeded);
    assert_eq!(rig.witness.agents(), 2);
    rig.finish();
}

/// Uses one core and some memory until it is told to end, and prints nothing.
const BURN: &str = r#"
held=$(head -c 30000000 /dev/zero | tr '\0' x)
: > "$SIGN-begun"
until [ -e "$SIGN-go" ]; do :; done
[ ${#held} = 30000000 ]
"#;
const HELD: u64 = 30_000_000;

/// A task that burns, and its root process.
fn burning(rig: &Rig) -> (TaskNumber, Pid) {
    let sign = rig.place.path("signs").join("burn");
    let task = NewTask::new(CLASS)
        .project("acme/rocket")
        .branch("feature/fuel")
        .job("lift-off")
        .working_directory("pad")
        .env("SIGN", sign.to_str().unwrap())
        .step("burn", BURN);
    let number = rig.circle.enqueue(&task);
    let begun = rig.place.path("signs").join("burn-begun");
    until(DEADLINE, "it burns", || begun.exists());
    let runner = rig.until_runner("it is named", |runner| {
        runner.task.as_ref().is_some_and(|task| task.job.is_some() && task.link.is_some())
    });
    (number, Pid::new(runner.task.unwrap().pid.unwrap()).unwrap())
}

fn let_go(rig: &Rig) {
    File::create(rig.place.path("signs").join("burn-go")).unwrap();
}

/// The runner's task in the snapshot.
fn shown(rig: &Rig, detail: Detail) -> Task {
    let snapshot = rig.api.call(async |client| client.snapshot(detail).await).unwrap();
    snapshot.runners.into_iter().find_map(|runner| runner.task).expect("it runs")
}

fn used(rig: &Rig, detail: Detail) -> Usage {
    shown(rig, detail).usage.expect("it was looked at once, for its name")
}

/// What the kernel says it has used, read past the supervisor.
fn truly_used(root: Pid) -> Duration {
    process::usage(root).unwrap().cpu
}

fn until_it_has_burnt(root: Pid, more: Duration) {
    let from = truly_used(root);
    until(DEADLINE, "it has burnt more", || truly_used(root) >= from + more);
}

#[test]
fn a_task_is_told_with_its_link_its_names_its_directory_and_what_it_uses() {
    let rig = Rig::idle(&Options::default());
    let (number, root) = burning(&rig);
    let (_, processes) = rig.task(&rig.run());
    let is_measured = |task: &Task| task.usage.is_some_and(|usage| usage.cpu_percent.is_some());
    let task = until_some(DEADLINE, "its share of the processor is known", || {
        Some(shown(&rig, Detail::Usage)).filter(is_measured)
    });
    let build = number.to_string();
    assert_eq!(task.project.as_deref(), Some("acme/rocket"));
    assert_eq!(task.branch.as_deref(), Some("feature/fuel"));
    assert_eq!(task.job.as_deref(), Some("lift-off"));
    assert_eq!(task.build_number.as_deref(), Some(build.as_str()));
    let known = rig.circle.task(number);
    let link = task.link.clone().unwrap();
    assert_eq!(link, known.build_url);
    let step = known.steps.last().expect("its step runs");
    assert_eq!((step.name.as_str(), step.ended_at), ("burn", None));
    assert_eq!(task.step.as_ref(), Some(&step.step_type));
    let directory = task.directory.clone().unwrap();
    let works_in = rig.runner().working_directory;
    assert_eq!(directory, format!("{works_in}/pad"));
    assert_eq!((task.pid, root), (Some(root.get()), processes.agent.pid));
    let usage = task.usage.unwrap();
    assert!(usage.processes >= 2, "the task agent and its step: {usage:?}");
    assert!(usage.memory.0 > HELD, "{usage:?}");
    assert!(usage.cpu_seconds > 0.0 && usage.cpu_percent.unwrap() > 1.0, "{usage:?}");

    let words = rig.place.runnerctl(&["status"]);
    for word in ["acme/rocket / lift-off on feature/fuel", &link, &directory, "memory"] {
        assert!(words.contains(word), "{word} is not in:\n{words}");
    }
    let_go(&rig);
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    until(DEADLINE, "it is in the history", || !rig.api.history().unwrap().is_empty());
    let told = rig.api.history().unwrap().remove(0);
    assert_eq!(
        (told.project, told.branch, told.job, told.build_number, told.link),
        (task.project, task.branch, task.job, task.build_number, task.link)
    );
    rig.finish();
}

/// How often this process has read anything so far.
fn reads(pid: u32) -> u64 {
    let counted = fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    let line = counted.lines().find_map(|line| line.strip_prefix("syscr: "));
    line.unwrap().parse().unwrap()
}

/// Reads the events until `is_enough` says so of what the task uses.
fn listen(rig: &Rig, mut is_enough: impl FnMut(Usage) -> bool) {
    let stream = UnixStream::connect(rig.place.folders().socket().unwrap()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(&stream, "GET /v1/events?usage=1 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let snapshots = BufReader::new(&stream).lines().map(|line| line.expect("events go on"));
    let snapshots = snapshots
        .filter_map(|line| serde_json::from_str::<Snapshot>(line.strip_prefix("data: ")?).ok());
    for snapshot in snapshots {
        let task = snapshot.runners.into_iter().find_map(|runner| runner.task);
        if task.and_then(|task| task.usage).is_some_and(&mut is_enough) {
            return;
        }
    }
    panic!("the events ended");
}

/// Starts the supervisor from a folder of its own: other trials start theirs from the shared one, and
/// whoever starts its program is noticed. That folder.
fn on_its_own(rig: &mut Rig) -> PathBuf {
    rig.kill_supervisor();
    let folder = rig.place.path("program");
    fs::create_dir(&folder).unwrap();
    for name in ["runner-tray-supervisor", "runner-tray-keeper"] {
        fs::copy(program(name), folder.join(name)).unwrap();
    }
    let path = folder.join("runner-tray-supervisor");
    rig.supervisor = Some(Supervisor::start_program(&rig.place, &rig.api, &path));
    folder
}

#[test]
fn programs_that_are_started_beside_it_wake_no_supervisor() {
    let mut rig = Rig::bare(&Options::default());
    let folder = on_its_own(&mut rig);
    let other = folder.join("other");
    fs::copy("/bin/true", &other).unwrap();
    let supervisor = rig.api.health().unwrap().pid;
    // What else it reads now and then does not hide fifty starts.
    until(DEADLINE, "it reads nothing while others are started", || {
        let before = reads(supervisor);
        for _ in 0..50 {
            assert!(Command::new(&other).status().unwrap().success());
        }
        reads(supervisor) - before < 10
    });
    rig.finish();
}

#[test]
fn what_a_task_uses_is_looked_at_only_while_somebody_looks() {
    const A_WHILE: Duration = Duration::from_secs(4);
    let mut rig = Rig::bare(&Options::default());
    on_its_own(&mut rig);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    let (number, root) = burning(&rig);
    // Whoever opens the records of a run is noticed, and that costs the supervisor a read.
    rig.witness.rests();
    let supervisor = rig.api.health().unwrap().pid;

    // It burns on, and the supervisor reads nothing about it.
    let unseen = |why: &str| {
        until(DEADLINE, why, || {
            let (before, reads_before) = (used(&rig, Detail::Plain), reads(supervisor));
            until_it_has_burnt(root, A_WHILE);
            let few = reads(supervisor) - reads_before < 10;
            few && used(&rig, Detail::Plain) == before
        });
    };
    unseen("nobody looks");

    // Whoever asks once gets what is so now, and that is all.
    let now = truly_used(root);
    let told = used(&rig, Detail::Usage).cpu_seconds;
    assert!(told >= now.as_secs_f64(), "{told} s, though it had used {now:?}");
    unseen("nobody looks after one question");

    // Whoever listens is told again and again; it ends with them.
    let mut told = Vec::new();
    listen(&rig, |usage| {
        if told.last().is_none_or(|last| *last < usage.cpu_seconds) {
            told.push(usage.cpu_seconds);
        }
        told.len() >= 4
    });
    unseen("nobody looks after the listener has gone");

    let_go(&rig);
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    rig.finish();
}
