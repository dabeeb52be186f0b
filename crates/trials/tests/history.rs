//! A history that cannot be used costs no task and no record: what finished waits, status says why,
//! and once the file is mended or put aside all of it is there.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use protocol::{ProblemCode, TaskResult};
use trials::{DEADLINE, Options, Rig, TaskProcesses, kill, until};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

fn file(rig: &Rig) -> PathBuf {
    rig.place.folders().history_file()
}

/// Where SQLite keeps the `user_version` in a file (SQLite, "Database File Format", 1.3).
fn set_version(file: &Path, version: u32) {
    let file = fs::File::options().write(true).open(file).expect("the history");
    file.write_all_at(&version.to_be_bytes(), 60).expect("the history");
}

#[track_caller]
fn until_told(rig: &Rig, words: &str) {
    let reading = rig.place.until_told(ProblemCode::HistoryUnavailable, words).problem.reading;
    assert!(reading.is_some_and(|reading| reading.contains("history.sqlite")));
}

#[track_caller]
fn until_recorded(rig: &Rig, tasks: usize) {
    until(DEADLINE, "all tasks are in the history", || {
        rig.api.history().is_ok_and(|history| history.len() == tasks)
    });
    until(DEADLINE, "the problem is gone", || {
        rig.api.snapshot().is_ok_and(|snapshot| snapshot.problems.is_empty())
    });
}

#[test]
fn a_history_that_is_spoilt_or_newer_is_told_and_left_alone_and_no_record_is_lost() {
    let mut rig = Rig::idle(&USUAL);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    until_recorded(&rig, 1);
    // So that all of it is in the one file.
    rig.supervisor.take().unwrap().stop();
    let whole = fs::read(file(&rig)).unwrap();
    set_version(&file(&rig), 99);
    let newer = fs::read(file(&rig)).unwrap();
    rig.start_supervisor(&USUAL);
    until_told(&rig, "is from a newer Runner Tray (version 99");
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    let refused = rig.place.command("runnerctl").arg("history").output().unwrap();
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && words.contains("cannot be read"), "{words}");
    assert_eq!(fs::read(file(&rig)).unwrap(), newer);
    run_dir::write_atomically(&file(&rig), &whole).unwrap();
    until_recorded(&rig, 2);

    rig.kill_supervisor();
    for name in ["history.sqlite-wal", "history.sqlite-shm"] {
        let _ = fs::remove_file(file(&rig).with_file_name(name));
    }
    run_dir::write_atomically(&file(&rig), &b"no database at all ".repeat(100)).unwrap();
    rig.start_supervisor(&USUAL);
    until_told(&rig, "not a database");
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    fs::rename(file(&rig), rig.place.path("aside")).unwrap();
    // Those before it come back too, as their folders are still there.
    until_recorded(&rig, 3);
    rig.finish();
}

#[test]
fn a_lost_task_is_told_with_its_way_out_until_the_next_is_over() {
    let mut rig = Rig::idle(&USUAL);
    let job = rig.clinging_job();
    job.until_begun();
    let (_, processes) = rig.task(&rig.run());
    kill(&processes.guard);
    let TaskProcesses { front, agent, .. } = &processes;
    job.until_nothing_is_left(&[front, agent]);
    let (runner, problem) = rig.until_problem(ProblemCode::TaskLost);
    assert!(problem.hint.contains("rerun it there. http"), "{problem:?}");
    assert_eq!(runner.last_task.unwrap().result, TaskResult::Lost);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.until_runner("it is told no more", |runner| runner.problems.is_empty());
    let lost = rig.place.runnerctl(&["history", "--result", "lost", "--json"]);
    assert!(lost.contains("\"outcome\": \"lost\"") && !lost.contains("succeeded"), "{lost}");
    rig.finish();
}
