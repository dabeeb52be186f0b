//! Records: absent, blank, written, unreadable and newer are never mistaken for each other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::Timestamp;
use process::{Pid, ProcessId};
use run_dir::{
    Drain, End, Exit, Plan, Record, RunDir, RunId, RunState, RunsFolder, Started, TaskEnd,
    TaskFinished, TaskNumber, TaskState,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn plan(second: i64) -> Plan {
    Plan {
        run: RunId::new(at(second)),
        runner: "one".into(),
        resource_class: "acme/mini".into(),
        settings_mark: String::new(),
        argv: vec!["/agent".into()],
        cwd: "/".into(),
        environment: vec!["PATH".into()],
        agent_version: None,
        working_directory: "/work dir/ü".into(),
        task_agent_directory: "/agents".into(),
        helper: "/keeper".into(),
        job_user: None,
        job_path: run_dir::JobPath::default(),
        token_mark: None,
        log_limit: 1,
    }
}

fn folder() -> (tempfile::TempDir, RunsFolder) {
    let folder = tempfile::Builder::new().prefix("räume und ").tempdir().unwrap();
    let runs = RunsFolder::open(folder.path()).unwrap();
    (folder, runs)
}

#[test]
fn a_new_run_has_its_plan_its_configuration_a_lock_and_blank_records() {
    let (_folder, runs) = folder();
    let plan = plan(0);
    let (run, lock) = runs.create(&plan, "runner:\n  name: one\n").unwrap();
    assert_eq!(run.plan(), Record::Written(plan));
    assert_eq!(fs::read_to_string(run.config()).unwrap(), "runner:\n  name: one\n");
    assert_eq!(run.state(), RunState::Kept);
    for blank in ["started", "keeper", "drain", "drain-sent", "drain-lost", "cancel", "exit"] {
        let file = run.path().join(format!("{blank}.json"));
        assert_eq!(fs::metadata(&file).unwrap().len(), 4096, "{blank}");
    }
    assert!(matches!(run.drain(), Record::Blank));
    assert!(run.tasks().unwrap().is_empty());
    drop(lock);
    assert_eq!(run.state(), RunState::Lost);
}

fn check_modes(path: &Path) {
    let metadata = fs::metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o777;
    assert_eq!(mode, if metadata.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            check_modes(&entry.unwrap().path());
        }
    }
}

#[test]
fn folders_and_files_are_for_the_owner_only() {
    let (_folder, runs) = folder();
    runs.create(&plan(0), "").unwrap();
    runs.reserve_next().unwrap();
    check_modes(runs.path());
}

#[test]
fn a_record_is_written_into_the_space_that_was_kept_for_it() {
    use std::os::unix::fs::MetadataExt;
    let (_folder, runs) = folder();
    let (run, _lock) = runs.create(&plan(0), "").unwrap();
    let file = run.path().join("exit.json");
    let before = fs::metadata(&file).unwrap();
    for end in [End::NeverStarted("x".repeat(500)), End::Code(1)] {
        let exit = Exit { end, at: at(0) };
        run.write_exit(&exit).unwrap();
        assert_eq!(run.exit(), Record::Written(exit), "also over a longer one");
    }
    let after = fs::metadata(&file).unwrap();
    assert_eq!((before.ino(), before.len()), (after.ino(), after.len()));
}

#[test]
fn runs_are_listed_in_the_order_of_their_times_and_nothing_else_is() {
    let (_folder, runs) = folder();
    let plans = [plan(20), plan(3), plan(100)];
    for plan in &plans {
        runs.create(plan, "").unwrap();
    }
    runs.reserve_next().unwrap();
    fs::create_dir(runs.path().join("lost+found")).unwrap();
    let ids = runs.list().unwrap();
    assert_eq!(ids, [plans[1].run.clone(), plans[0].run.clone(), plans[2].run.clone()]);
}

#[test]
fn two_runs_of_one_moment_have_two_names() {
    let ids: std::collections::HashSet<RunId> = (0..500).map(|_| RunId::new(at(7))).collect();
    assert!(ids.len() > 490);
    for id in ids {
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
    }
    assert!("../elsewhere".parse::<RunId>().is_err());
    assert!(".next".parse::<RunId>().is_err());
}

#[test]
fn a_run_that_has_a_keeper_is_not_removed() {
    let (_folder, runs) = folder();
    let plan = plan(0);
    let (run, lock) = runs.create(&plan, "").unwrap();
    assert!(runs.remove(&plan.run).is_err());
    drop(lock);
    runs.remove(&plan.run).unwrap();
    assert!(!run.path().exists());
}

#[test]
fn a_lock_has_one_holder_and_those_who_ask_do_not_disturb() {
    let (_folder, runs) = folder();
    let (run, lock) = runs.create(&plan(0), "").unwrap();
    assert!(run.take_lock().unwrap().is_none());
    assert!(run.lock_held().unwrap());
    let waiting = {
        let run = run.clone();
        std::thread::spawn(move || run.wait_until_unlocked().unwrap())
    };
    drop(lock);
    waiting.join().unwrap();
    assert!(!run.lock_held().unwrap());
    assert!(run.take_lock().unwrap().is_some());
}

#[test]
fn a_run_without_a_lock_file_is_unknown_and_not_free() {
    let (_folder, runs) = folder();
    let (run, _lock) = runs.create(&plan(0), "").unwrap();
    fs::remove_file(run.path().join("keeper.lock")).unwrap();
    assert!(matches!(run.state(), RunState::Unknown(_)));
}

#[test]
fn an_agent_that_lives_without_a_keeper_is_an_orphan_and_one_of_another_boot_is_lost() {
    let (_folder, runs) = folder();
    let (run, lock) = runs.create(&plan(0), "").unwrap();
    drop(lock);
    let mut process = ProcessId::own().unwrap();
    run.write_started(&Started { process: process.clone(), at: at(0) }).unwrap();
    assert_eq!(run.state(), RunState::Orphan(process.clone()));
    process.boot.0.push('x');
    run.write_started(&Started { process, at: at(0) }).unwrap();
    assert_eq!(run.state(), RunState::Lost);
}

#[test]
fn a_pid_that_would_mean_a_group_is_not_accepted_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::at(folder.path().to_owned());
    run.write_started(&Started { process: ProcessId::own().unwrap(), at: at(0) }).unwrap();
    let file = run.path().join("started.json");
    let text = fs::read_to_string(&file).unwrap();
    for pid in ["0", "4294967295", "-1"] {
        let own = format!("\"pid\":{}", Pid::own());
        let changed = text.replace(&own, &format!("\"pid\":{pid}"));
        assert_ne!(changed, text);
        run_dir::write_atomically(&file, changed.as_bytes()).unwrap();
        assert!(matches!(run.started(), Record::Unreadable(_)), "{pid}");
    }
}

#[test]
fn a_torn_drain_is_not_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::at(folder.path().to_owned());
    run.write_drain(&Drain { at: at(0), tasks_before: 0 }).unwrap();
    let file = run.path().join("drain.json");
    let whole = fs::read(&file).unwrap();
    let end = whole.iter().rposition(|byte| *byte == b'}').unwrap();
    for cut in 1..=end {
        let mut torn = whole.clone();
        torn[cut..].fill(b' ');
        run_dir::write_atomically(&file, &torn).unwrap();
        assert!(matches!(run.drain(), Record::Unreadable(_)), "cut at {cut}");
    }
}

#[test]
fn tasks_are_counted_and_each_has_one_guard() {
    let (_folder, runs) = folder();
    let (run, _lock) = runs.create(&plan(0), "").unwrap();
    let (first, first_lock) = run.claim_task().unwrap();
    assert_eq!(first.number(), TaskNumber(1));
    assert_eq!(first.state(), TaskState::Running);
    let (second, second_lock) = run.claim_task().unwrap();
    assert_eq!(second.number(), TaskNumber(2));
    drop(first_lock);
    assert_eq!(first.state(), TaskState::Lost);
    let finished = TaskFinished::nothing_left(TaskEnd::Code(0), at(1));
    second.write_finished(&finished).unwrap();
    assert_eq!(second.state(), TaskState::Finished(finished));
    drop(second_lock);
    assert_eq!(run.tasks().unwrap(), [first, second]);
}
