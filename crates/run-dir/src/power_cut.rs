//! What a power cut can leave: a copy of the folder at each step of each write must load, and say
//! what is certain and no more.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::record::{self, Content};
use crate::runs::fill;
use crate::{Drain, End, Exit, Plan, Record, RunDir, RunId, RunState, RunsFolder, TaskState};

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

/// What every reader must make of a record that was being written when the power went.
fn certain<T: std::fmt::Debug + PartialEq>(read: &Record<T>, written: &T) {
    match read {
        Record::Blank | Record::Unreadable(_) => {}
        Record::Written(content) => assert_eq!(content, written),
        Record::Absent | Record::Newer(_) => panic!("{read:?}"),
    }
}

#[test]
fn a_record_is_blank_whole_or_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let runs = RunsFolder::open(folder.path()).unwrap();
    let (run, lock) = runs.create(&plan(), "").unwrap();
    drop(lock);
    let exit = Exit { end: End::Code(3), at: Timestamp::UNIX_EPOCH };
    let drain = Drain { at: Timestamp::UNIX_EPOCH, tasks_before: 2 };
    run.write_exit(&exit).unwrap();
    run.write_drain(&drain).unwrap();
    let whole = fs::read(run.path().join(Exit::FILE)).unwrap();
    let whole_drain = fs::read(run.path().join(Drain::FILE)).unwrap();
    // Blocks may come to the disk in any order: what was not written is still blank, or zeros.
    for filler in [b' ', 0] {
        for cut in (0..200).step_by(3) {
            for front in [true, false] {
                let torn = |whole: &[u8]| {
                    let mut torn = whole.to_vec();
                    if front {
                        torn[cut..].fill(filler);
                    } else {
                        torn[..cut].fill(filler);
                    }
                    torn
                };
                crate::write_atomically(&run.path().join(Exit::FILE), &torn(&whole)).unwrap();
                crate::write_atomically(&run.path().join(Drain::FILE), &torn(&whole_drain))
                    .unwrap();
                certain(&run.exit(), &exit);
                certain(&run.drain(), &drain);
                assert!(!matches!(run.state(), RunState::Kept | RunState::Orphan(_)));
            }
        }
    }
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
