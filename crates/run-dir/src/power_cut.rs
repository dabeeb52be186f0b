//! What a power cut can leave: a copy of the folder at each step of each write must load, and say
//! what is certain and no more.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use process::{BootId, ProcessId};

use crate::record::{self, Content};
use crate::runs::fill;
use crate::{
    Cancel, CancelOutcome, CancelSent, Drain, DrainLost, DrainSent, End, Exit, KeeperRecord, Plan,
    Record, RunDir, RunId, RunState, RunsFolder, Started, TaskEnd, TaskFinished, TaskNumber,
    TaskStarted, TaskState, TokenMark,
};

fn plan() -> Plan {
    Plan {
        run: RunId::new(Timestamp::UNIX_EPOCH),
        runner: "one".into(),
        resource_class: "acme/mini".into(),
        settings_mark: String::new(),
        argv: vec!["/agent".into()],
        cwd: "/".into(),
        environment: Vec::new(),
        agent_version: None,
        working_directory: "/w".into(),
        task_agent_directory: "/a".into(),
        helper: "/k".into(),
        job_user: None,
        job_path: crate::JobPath::default(),
        token_mark: None,
        log_limit: 1,
    }
}

/// The runs folder as it was at one moment, elsewhere.
fn copy(from: &Path) -> (tempfile::TempDir, RunsFolder) {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(from, &folder.path().join("runs"));
    let runs = RunsFolder::open(folder.path()).unwrap();
    (folder, runs)
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_run_is_there_with_its_plan_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let runs = RunsFolder::open(folder.path()).unwrap();
    let plan = plan();
    let at_each_step = |step: &str| {
        let (_folder, then) = copy(runs.path());
        for id in then.list().unwrap() {
            assert_eq!(then.run(&id).plan().written().as_ref(), Some(&plan), "{step}");
            assert_eq!(then.run(&id).state(), RunState::Lost, "{step}");
        }
        // And from whatever was left a new run can be made.
        let again = Plan { run: RunId::new(Timestamp::UNIX_EPOCH), ..plan.clone() };
        let (run, _lock) = then.create(&again, "again: true\n").unwrap();
        assert_eq!(run.plan().written(), Some(again), "{step}");
        assert_eq!(fs::read_to_string(run.config()).unwrap(), "again: true\n", "{step}");
        assert!(run.started().is_unwritten() && run.exit().is_unwritten(), "{step}");
    };
    at_each_step("nothing yet");
    fs::create_dir(runs.path().join(".next")).unwrap();
    at_each_step("an empty reserve");
    record::reserve::<Exit>(&runs.path().join(".next")).unwrap();
    at_each_step("half a reserve");
    let next = runs.prepared().unwrap();
    at_each_step("reserved");
    let whole = {
        let (_folder, then) = copy(runs.path());
        fill(&then.prepared().unwrap(), &plan, "").unwrap();
        fs::read(then.path().join(".next").join(Plan::FILE)).unwrap()
    };
    for cut in (0..400).step_by(23) {
        let mut torn = whole.clone();
        torn[cut..].fill(b' ');
        crate::write_atomically(&next.path().join(Plan::FILE), &torn).unwrap();
        at_each_step("a torn plan");
    }
    crate::write_atomically(&next.path().join(Plan::FILE), &whole).unwrap();
    at_each_step("a plan without configuration");
    fill(&next, &plan, "first: true\n").unwrap();
    at_each_step("filled");
    runs.publish(&next, &plan.run).unwrap();
    at_each_step("published");
    assert_eq!(runs.list().unwrap(), std::slice::from_ref(&plan.run));
}

/// What may be on disk of bytes that were being written: blocks may come to it in any order, and what
/// was not written is still blank, or zeros.
fn torn(whole: &[u8]) -> Vec<Vec<u8>> {
    let text = whole.iter().rposition(|byte| !matches!(byte, b' ' | b'\n')).unwrap_or(0) + 2;
    let cuts = (0..text).step_by((text / 150).max(1));
    let mut all = Vec::new();
    for cut in cuts {
        for filler in [b' ', 0] {
            let (mut front, mut back) = (whole.to_vec(), whole.to_vec());
            front[..cut].fill(filler);
            back[cut..].fill(filler);
            all.extend([front, back]);
        }
    }
    all
}

/// Tears the record in every way; each reader must make what is certain of it and no more. Its type, by
/// name.
fn tear<T: Content + PartialEq + std::fmt::Debug>(
    folder: &Path,
    written: &T,
    and_then: impl Fn(&Record<T>),
) -> &'static str {
    let path = folder.join(T::FILE);
    let whole = fs::read(&path).unwrap();
    assert_eq!(record::read::<T>(folder).written().as_ref(), Some(written), "{}", T::FILE);
    let (mut blank, mut unreadable) = (0, 0);
    for torn in torn(&whole) {
        crate::write_atomically(&path, &torn).unwrap();
        let read = record::read::<T>(folder);
        match &read {
            Record::Blank => blank += 1,
            Record::Unreadable(_) => unreadable += 1,
            Record::Written(content) => assert_eq!(content, written, "{}", T::FILE),
            Record::Absent | Record::Newer(_) => panic!("{}: {read:?}", T::FILE),
        }
        and_then(&read);
    }
    assert!(blank > 0 && unreadable > 0, "{}: {blank}, {unreadable}", T::FILE);
    crate::write_atomically(&path, &whole).unwrap();
    std::any::type_name::<T>()
}

/// A process that is not there: it was, before the power went.
fn gone() -> ProcessId {
    ProcessId { boot: BootId("the boot before".into()), ..ProcessId::own().unwrap() }
}

#[test]
fn every_record_there_is_is_blank_whole_or_unreadable() {
    let mut torn = records_of_a_run();
    torn.extend(records_of_a_task());
    let all: BTreeSet<&str> = crate::records::all().into_iter().collect();
    assert_eq!(torn, all, "a record that nobody tears");
}

fn records_of_a_run() -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let runs = RunsFolder::open(folder.path()).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    // Over several blocks.
    let argv = (0..400).map(|number| format!("--argument-{number}=value")).collect();
    let token_mark = Some(TokenMark::of("a token that is long enough"));
    let plan = Plan { argv, token_mark, ..plan() };
    let (run, lock) = runs.create(&plan, "").unwrap();
    drop(lock);
    let started = Started { process: gone(), at };
    let keeper = KeeperRecord { process: gone(), adopted: true, at };
    let drain = Drain { at, tasks_before: 2 };
    let drain_lost = DrainLost { tasks: vec![TaskNumber(3), TaskNumber(4)], at };
    let cancel = Cancel { task: TaskNumber(4), by: "its owner".into(), at };
    let cancel_sent = CancelSent { task: TaskNumber(4), outcome: CancelOutcome::Sent, at };
    let exit = Exit { end: End::Code(3), at };
    run.write_started(&started).unwrap();
    run.write_keeper(&keeper).unwrap();
    run.write_drain(&drain).unwrap();
    run.write_drain_sent(&DrainSent { at }).unwrap();
    run.write_drain_lost(&drain_lost).unwrap();
    run.write_cancel(&cancel).unwrap();
    run.write_cancel_sent(&cancel_sent).unwrap();
    run.write_exit(&exit).unwrap();

    let is_over = || assert_eq!(run.state(), RunState::Over(exit.clone()));
    let torn = [
        tear(run.path(), &plan, |_| is_over()),
        tear(run.path(), &keeper, |_| is_over()),
        tear(run.path(), &drain, |_| is_over()),
        tear(run.path(), &DrainSent { at }, |_| is_over()),
        tear(run.path(), &drain_lost, |_| is_over()),
        tear(run.path(), &cancel, |_| is_over()),
        tear(run.path(), &cancel_sent, |_| is_over()),
        tear(run.path(), &started, |_| is_over()),
        // Whether it ended is known by this one, and by the agent that started.json names.
        tear(run.path(), &exit, |read| match read {
            Record::Written(_) => is_over(),
            Record::Unreadable(_) => assert!(matches!(run.state(), RunState::Unknown(_))),
            Record::Blank | Record::Absent | Record::Newer(_) => {
                assert_eq!(run.state(), RunState::Lost);
            }
        }),
    ];
    record::reserve::<Exit>(run.path()).unwrap();
    tear(run.path(), &started, |read| match read {
        Record::Unreadable(_) => assert!(matches!(run.state(), RunState::Unknown(_))),
        Record::Written(_) | Record::Blank | Record::Absent | Record::Newer(_) => {
            assert_eq!(run.state(), RunState::Lost);
        }
    });
    torn.into()
}

fn records_of_a_task() -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let runs = RunsFolder::open(folder.path()).unwrap();
    let (run, _lock) = runs.create(&plan(), "").unwrap();
    let (task, lock) = run.claim_task().unwrap();
    drop(lock);
    let at = Timestamp::UNIX_EPOCH;
    let started = TaskStarted {
        process: gone(),
        front: gone(),
        guard: gone(),
        argv: vec!["circleci-agent".into()],
        cwd: "/w".into(),
        at,
    };
    let finished = TaskFinished {
        left_behind: vec![gone()],
        ..TaskFinished::nothing_left(TaskEnd::Code(1), at)
    };
    task.write_started(&started).unwrap();
    task.write_finished(&finished).unwrap();
    let of_start = tear(task.path(), &started, |_| {
        assert_eq!(task.state(), TaskState::Finished(finished.clone()));
    });
    let of_end = tear(task.path(), &finished, |read| match read {
        Record::Written(_) => assert_eq!(task.state(), TaskState::Finished(finished.clone())),
        Record::Unreadable(_) => assert!(matches!(task.state(), TaskState::Unreadable(_))),
        Record::Blank | Record::Absent | Record::Newer(_) => {
            assert_eq!(task.state(), TaskState::Lost);
        }
    });
    [of_start, of_end].into()
}

#[test]
fn a_task_is_counted_once_it_has_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::at(folder.path().join("runs").join("20261123T181047.123Z-4f2a9c"));
    fs::create_dir_all(run.path()).unwrap();
    run.reserve_next_task().unwrap();
    for number in 1..4 {
        let (_folder, then) = copy(&folder.path().join("runs"));
        let then = then.run(&then.list().unwrap()[0]);
        assert_eq!(then.tasks().unwrap().len(), number - 1);
        assert!(then.tasks().unwrap().iter().all(|task| task.state() == TaskState::Lost));
        let (task, _lock) = then.claim_task().unwrap();
        assert_eq!(task.state(), TaskState::Running);
        let (_task, lock) = run.claim_task().unwrap();
        drop(lock);
    }
}
