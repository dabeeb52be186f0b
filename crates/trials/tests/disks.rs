//! Disks that fail in other ways than by being full: no inodes, read-only, errors on every access, a
//! power cut. Tasks that run are not lost, what was promised is still there afterwards, and nothing
//! is taken for idle that cannot be read. File systems of the trial's own; needs root to mount them.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::time::Duration;

use client::ClientError;
use local_circleci::Outcome;
use process::ProcessId;
use protocol::{ProblemCode, RunnerState, TaskResult};
use trials::{
    Breaks, Circle, DEADLINE, Options, Place, RUNNER, RealDisk, Rig, SmallDisk, kill_at_once, nap,
    until, until_some,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// Its runner waits for tasks, and the agent has all it needs.
fn idle(place: Place) -> Rig {
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    until(DEADLINE, "the agent claims", || {
        rig.circle.control().agents().is_ok_and(|agents| !agents.is_empty())
    });
    rig
}

#[test]
fn without_inodes_a_pause_holds_tasks_end_well_and_it_heals() {
    let place = Place::new();
    let disk = SmallDisk::over(&place.path("home"), place.root(), "size=200m,nr_inodes=2000");
    let Some(disk) = disk else { return };
    let mut rig = idle(place);
    let first = rig.long_job();
    first.until_begun();
    until(DEADLINE, "what is set aside is there", || {
        rig.run().path().join("tasks/.next/task.lock").exists()
            && rig.place.runs().path().join(".next/exit.json").exists()
    });
    disk.use_up_inodes();
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    first.let_go();
    rig.assert_ended_well(&first);
    rig.until_state(RunnerState::Paused);
    disk.use_up_inodes();
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Paused);

    // The next run was set aside; the one after it was not.
    disk.use_up_inodes();
    rig.api.resume(RUNNER).unwrap();
    let second = rig.short_job();
    rig.assert_ended_well(&second);
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Paused);
    disk.use_up_inodes();
    rig.api.resume(RUNNER).unwrap();
    let (_, problem) = rig.until_problem(ProblemCode::CannotStart);
    assert!(problem.reading.unwrap().contains("No space left"));
    assert!(!disk.has_inodes());
    disk.free_inodes();
    rig.assert_works_again();
    until(DEADLINE, "all is in the history", || rig.api.history().unwrap().len() == 3);
    for task in rig.api.history().unwrap() {
        assert_eq!(task.result, TaskResult::Succeeded, "{task:?}");
    }
    rig.finish();
}

/// All that a power cut or the end of a machine ends: every process of the trial but the server's.
fn kill_everything(rig: &mut Rig) {
    let server = rig.circle.id().clone();
    until(DEADLINE, "nothing but the server is left", || {
        let found = rig.place.processes();
        let ours: Vec<&ProcessId> =
            found.iter().map(|found| &found.id).filter(|id| **id != server).collect();
        kill_at_once(&ours);
        ours.is_empty()
    });
    // Dead already, and not waited for.
    rig.supervisor = None;
}

/// Where the plan can be read a task runs without records. Where it cannot, nobody knows as which user
/// it may run, so it is refused: CircleCI shows that, and it can be rerun.
fn begun_on_a_broken_disk(how: Breaks) -> (Option<Outcome>, bool) {
    match how {
        Breaks::ReadOnly => (Some(Outcome::Success), true),
        Breaks::InputOutput | Breaks::NoPower => (Some(Outcome::InfrastructureFail), false),
    }
}

fn state_on_a_disk_that_breaks(how: Breaks) {
    let place = Place::new();
    let state = place.folders().state;
    fs::create_dir_all(&state).unwrap();
    let Some(mut disk) = RealDisk::over(&state, place.root()) else { return };
    let mut rig = idle(place);
    rig.assert_works_again();
    until(DEADLINE, "it is in the history", || rig.api.history().unwrap().len() == 1);
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    disk.breaks(how);

    // What is asked for and cannot be kept is refused, and said.
    let refused = rig.api.pause(RUNNER).unwrap_err();
    let ClientError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.code, "cannot-save", "{refused:?}");
    rig.until_common_problem(ProblemCode::CannotSave);
    let runner = rig.runner();
    assert!(matches!(runner.state, RunnerState::Busy | RunnerState::Unknown), "{runner:#?}");
    assert!(runner.pause_reasons.is_empty());

    // The task that runs comes to its end.
    job.let_go();
    rig.assert_ended_well(&job);
    let next = rig.short_job();
    let task = rig.circle.finished(next.number);
    assert_eq!((task.outcome, next.is_done()), begun_on_a_broken_disk(how), "{task:#?}");
    assert_eq!(rig.witness.agents(), 1);

    // A supervisor cannot work there, and says why; the agent goes on.
    rig.kill_supervisor();
    let tried = rig.place.command("runner-tray-supervisor").output().unwrap();
    let words = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{words}");
    assert!(words.contains(state.to_str().unwrap()), "{words}");
    let later = rig.short_job();
    assert_eq!(rig.circle.finished(later.number).outcome, begun_on_a_broken_disk(how).0);

    // The machine is started anew, with a disk that was repaired.
    kill_everything(&mut rig);
    disk.unmount();
    disk.repair();
    disk.mount().unwrap();
    rig.start_supervisor(&USUAL);
    rig.assert_works_again();
    let history = until_some(DEADLINE, "the history is there", || rig.api.history().ok());
    let results: Vec<_> = history.iter().map(|task| task.result).collect();
    assert_eq!(results.last(), Some(&TaskResult::Succeeded), "{results:?}");
    rig.finish();
}

#[test]
fn on_a_disk_that_turns_read_only_tasks_end_well_and_nothing_is_promised() {
    state_on_a_disk_that_breaks(Breaks::ReadOnly);
}

#[test]
fn on_a_disk_that_gives_errors_tasks_end_well_and_nothing_is_promised() {
    state_on_a_disk_that_breaks(Breaks::InputOutput);
}

#[test]
fn after_a_power_cut_at_any_moment_what_was_promised_is_there_and_all_loads() {
    let place = Place::new();
    let home = place.path("home");
    let Some(mut disk) = RealDisk::over(&home, place.root()) else { return };
    let mut rig = idle(place);
    let mut paused = false;
    for moment in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
        let before = rig.api.whole_history().unwrap();
        let job = rig.short_job();
        nap(Duration::from_millis(moment));
        // What is answered holds.
        paused = !paused;
        if paused {
            rig.api.pause(RUNNER).unwrap();
        } else {
            rig.api.resume(RUNNER).unwrap();
        }
        nap(Duration::from_millis(moment * 3 % 50));
        disk.breaks(Breaks::NoPower);
        kill_everything(&mut rig);
        disk.unmount();
        disk.mount().unwrap();
        rig.start_supervisor(&USUAL);

        let snapshot = rig.api.snapshot().unwrap();
        assert!(snapshot.problems.is_empty(), "after {moment} ms: {:#?}", snapshot.problems);
        let runner = rig.runner();
        assert_eq!(
            runner.pause_reasons.len(),
            usize::from(paused),
            "after {moment} ms: {runner:#?}"
        );
        let history = rig.api.whole_history().unwrap();
        for task in before {
            assert!(history.iter().any(|known| known.id == task.id), "{task:?} is lost");
        }
        if paused {
            rig.until_state(RunnerState::Paused);
            continue;
        }
        // A job whose agent lost its power is CircleCI's to give up.
        let next = rig.short_job();
        rig.assert_ended_well(&next);
        rig.circle.finished(job.number);
        until(DEADLINE, "it is in the history", || {
            rig.api.history().is_ok_and(|tasks| {
                tasks.first().is_some_and(|task| task.result == TaskResult::Succeeded)
            })
        });
        rig.until_well();
    }
    rig.finish();
}

#[test]
fn a_home_that_is_read_only_is_refused_with_its_name_and_a_reason() {
    let place = Place::new();
    let home = place.path("home");
    let Some(disk) = RealDisk::over(&home, place.root()) else { return };
    disk.breaks(Breaks::ReadOnly);
    let tried = place.command("runner-tray-supervisor").output().unwrap();
    let words = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{words}");
    assert!(words.contains("Read-only file system") && words.contains("home"), "{words}");
    let tried = place.command("runnerctl").arg("status").output().unwrap();
    assert_eq!(tried.status.code(), Some(3));
}
