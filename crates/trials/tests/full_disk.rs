//! The home on a disk that is full to its last byte: what is asked for is still done and survives,
//! what happened is still known, and all is well again once there is space. A small file system of
//! the trial's own; needs root to mount it.

use std::path::Path;

use local_circleci::{NewTask, Outcome};
use protocol::{
    CleanupReceipts, CleanupWhy, PauseBy, ProblemCode, RunnerState, TaskResult, WorkDirKind,
    WorkDirUse, WorkDirs,
};
use run_dir::{End, RunDir};
use trials::{
    CLASS, Circle, DEADLINE, Fills, Options, Place, RUNNER, Rig, SmallDisk, until, until_some,
};

/// A runner that waits for tasks, and the small disk that its home is on.
fn on_small_disk() -> Option<(SmallDisk, Rig)> {
    let place = Place::new();
    let disk = SmallDisk::over(&place.path("home"), place.root(), "size=160m")?;
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &Options::default());
    rig.set_up();
    // The agent has all it needs, its task agent too, once it asks for tasks.
    until(DEADLINE, "the agent claims", || {
        rig.circle.control().agents().is_ok_and(|agents| !agents.is_empty())
    });
    rig.until_state(RunnerState::Idle);
    // What the supervisor sets aside for the next run is there once it has started this one.
    until(DEADLINE, "room for the next run is set aside", || is_reserved(rig.runs().pop()));
    Some((disk, rig))
}

fn is_reserved(run: Option<RunDir>) -> bool {
    let next =
        |run: RunDir| Path::new(run.path()).parent().map(|runs| runs.join(".next/exit.json"));
    run.and_then(next).is_some_and(|exit| exit.exists())
}

/// It is paused by its owner's word, and how the agent ended is on record.
fn assert_paused(rig: &Rig) {
    rig.until_state(RunnerState::Paused);
    let runner = rig.runner();
    assert_eq!(runner.pause_reasons.len(), 1);
    assert_eq!(runner.pause_reasons[0].by, PauseBy::You);
    let exit = until_some(DEADLINE, "the end is on record", || rig.run().exit().written());
    assert_eq!(exit.end, End::Code(0));
}

fn kill_and_start_supervisor(rig: &mut Rig) {
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
}

#[test]
fn an_idle_runner_is_paused_and_resumed_on_a_full_disk_and_its_task_ends_well() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    disk.fill();
    rig.api.pause(RUNNER).unwrap();
    assert_paused(&rig);
    disk.fill();
    kill_and_start_supervisor(&mut rig);
    assert_paused(&rig);
    disk.fill();
    rig.api.resume(RUNNER).unwrap();
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Idle);
    assert!(disk.is_full());

    disk.free();
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    until(DEADLINE, "the history has caught up", || rig.api.history().unwrap().len() == 2);
    for task in rig.api.history().unwrap() {
        assert_eq!(task.result, TaskResult::Succeeded, "{task:?}");
    }
    rig.finish();
}

#[test]
fn a_busy_runner_drains_on_a_full_disk_though_the_supervisor_is_killed() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    disk.fill();
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    until_some(DEADLINE, "the drain is on record", || rig.run().drain_sent().written());
    disk.fill();
    kill_and_start_supervisor(&mut rig);
    rig.until_state(RunnerState::Draining);
    disk.fill();
    job.let_go();
    rig.assert_ended_well(&job);
    assert_paused(&rig);
    assert!(disk.is_full());

    // The history could not be written; what the run says is not lost with the supervisor.
    kill_and_start_supervisor(&mut rig);
    assert_paused(&rig);
    disk.free();
    rig.api.resume(RUNNER).unwrap();
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    until(DEADLINE, "the history has caught up", || rig.api.history().unwrap().len() == 2);
    rig.finish();
}

/// Its task holds its directory's lock, and nothing in it is offered to be deleted, or is.
fn assert_in_use(rig: &Rig) {
    let lock = rig.place.folders().state.join("work-locks").join(format!("{RUNNER}.lock"));
    let lock = std::fs::File::open(lock).expect("the lock of the working directory");
    assert!(lock.try_lock_shared().is_err(), "its task holds it");
    let said = rig.place.runnerctl(&["workdirs", "--json"]);
    let said: WorkDirs = serde_json::from_str(&said).expect("working directories");
    let current = said.directories.iter().find(|it| it.kind == WorkDirKind::Current);
    let current = current.expect("the one that the task works in");
    assert_ne!(current.in_use, WorkDirUse::Free, "{current:?}");
    let refused = rig.place.runnerctl_fails(&["clean", "--directory", RUNNER]);
    assert!(refused.contains("counts as in use"), "{refused}");
}

#[test]
fn a_task_without_records_counts_as_busy_and_ends_well() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    disk.fill();
    let first = rig.short_job();
    rig.assert_ended_well(&first);
    disk.fill();
    let second = rig.long_job();
    second.until_begun();
    let (runner, _) = rig.until_problem(ProblemCode::TaskUnrecorded);
    assert_eq!(runner.state, RunnerState::Unknown);
    assert_in_use(&rig);
    kill_and_start_supervisor(&mut rig);
    rig.until_runner("the next supervisor knows too", |runner| {
        runner.headline == "A task runs that left no record; counts as busy"
    });
    assert_in_use(&rig);
    second.let_go();
    assert_eq!(rig.circle.finished(second.number).outcome, Some(Outcome::Success));
    rig.until_state(RunnerState::Idle);
    disk.free();
    rig.finish();
}

#[test]
fn a_cancel_works_on_a_full_disk() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    let job = rig.long_job();
    job.until_begun();
    let task = rig.task_id();
    disk.fill();
    rig.api.cancel(RUNNER, &task).unwrap();
    job.until_nothing_is_left(&[]);
    assert_ne!(rig.circle.finished(job.number).outcome, Some(Outcome::Success));
    disk.free();
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn a_start_for_which_no_room_was_left_is_a_problem_with_a_way_out_and_heals() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    disk.fill();
    // The room that was set aside is used up by the first start.
    for _ in 0..2 {
        rig.api.pause(RUNNER).unwrap();
        rig.until_state(RunnerState::Paused);
        disk.fill();
        rig.api.resume(RUNNER).unwrap();
        rig.until_runner("it is resumed", |runner| runner.state != RunnerState::Paused);
        rig.until_runner("it is up, or says why not", |runner| {
            matches!(runner.state, RunnerState::Idle | RunnerState::Problem)
        });
    }
    let runner = rig.runner();
    assert_eq!(runner.state, RunnerState::Problem, "{runner:#?}");
    let problem = &runner.problems[0];
    assert_eq!(problem.code, ProblemCode::CannotStart);
    let reading = problem.reading.as_deref().unwrap_or_default();
    assert!(reading.contains("No space left") && !problem.hint.is_empty(), "{problem:?}");
    disk.free();
    rig.until_state(RunnerState::Idle);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn an_agent_for_which_the_disk_has_no_room_is_not_even_downloaded() {
    let place = Place::new();
    let Some(_disk) = SmallDisk::over(&place.path("home"), place.root(), "size=160m") else {
        return;
    };
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &Options::default());
    let huge = local_circleci::control::Fault {
        path: "/releases/3.".to_owned(),
        says_length: Some(400 << 20),
        ..local_circleci::control::Fault::default()
    };
    rig.circle.control().add_fault(&huge).unwrap();
    rig.set_up();
    rig.place.until_told(ProblemCode::NoRoom, "bytes more on its disk, which has");
    assert!(!rig.place.folders().data.join("agents/.incoming").exists());
    rig.circle.control().clear_faults().unwrap();
    rig.until_state(RunnerState::Idle);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn a_disk_that_is_nearly_full_is_told_after_the_task_and_so_is_new_room() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    let job = rig.long_job();
    job.until_begun();
    // Of so small a disk a twentieth is to be free.
    rig.place.runnerctl(&["preferences", "set", "stop-below", "auto"]);
    disk.fill();
    job.let_go();
    rig.assert_ended_well(&job);
    rig.place.until_told(ProblemCode::DiskNearlyFull, "free 0 B, needs");
    rig.until_state(RunnerState::Paused);
    assert_eq!(rig.runner().pause_reasons[0].by, PauseBy::Disk);
    disk.free();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_disk_that_is_nearly_full_is_cleaned_up_and_the_runner_goes_on_by_itself() {
    let Some((disk, mut rig)) = on_small_disk() else { return };
    let leave = NewTask::new(CLASS).step("leave", "head -c 30000000 /dev/zero > big");
    let number = rig.circle.enqueue(&leave);
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    let job = rig.long_job();
    job.until_begun();
    let kept = Path::new(&rig.runner().working_directory).with_file_name("work.kept");
    let holds_big = || {
        let entries = std::fs::read_dir(&kept).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join("big")).any(|big| big.exists())
    };
    assert!(holds_big(), "the first task's directory is kept");
    rig.place.runnerctl(&["preferences", "set", "stop-below", "auto"]);
    disk.fill();
    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "what was least recently used goes", || !holds_big());
    rig.until_state(RunnerState::Idle);
    let said = rig.place.runnerctl(&["clean", "--receipts", "--json"]);
    let said: CleanupReceipts = serde_json::from_str(&said).expect("receipts");
    let low = said.receipts.iter().find(|it| it.why == CleanupWhy::LowDisk).expect("its receipt");
    assert!(low.freed.0 >= 30_000_000, "{low:?}");
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}
