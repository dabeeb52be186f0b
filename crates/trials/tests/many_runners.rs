//! Several runners on one machine: ten at once, and some that are renamed or removed in the settings
//! while they work. Each keeps its own task, whatever becomes of the others.

use std::collections::BTreeSet;
use std::fs;

use protocol::{ProblemCode, RunnerState, TaskResult};
use trials::{CLASS, Circle, DEADLINE, Job, Options, Place, RUNNER, Rig, until};

fn state(rig: &Rig, name: &str) -> Option<RunnerState> {
    rig.api.runner(name).map(|runner| runner.state)
}

#[track_caller]
fn until_all(rig: &Rig, names: &[String], wanted: RunnerState) {
    until(DEADLINE, &format!("all are {wanted:?}"), || {
        names.iter().all(|name| state(rig, name) == Some(wanted))
    });
}

#[test]
fn ten_runners_work_drain_and_come_back_each_for_itself() {
    let mut rig = Rig::bare(&Options::default());
    let names: Vec<String> = (0..10).map(|number| format!("runner-{number}")).collect();
    for name in &names {
        rig.api.set_up(&rig.circle, CLASS, name).unwrap();
    }
    until_all(&rig, &names, RunnerState::Idle);
    let pids: BTreeSet<_> =
        names.iter().filter_map(|name| rig.api.runner(name)?.agent_pid).collect();
    assert_eq!(pids.len(), 10);

    let job =
        |number: u32| Job::that_is_quiet(&rig.place, &rig.circle, CLASS, &format!("job-{number}"));
    let jobs: Vec<Job> = (0..10).map(job).collect();
    jobs.iter().for_each(Job::until_begun);
    until_all(&rig, &names, RunnerState::Busy);
    let paused = &names[..5];
    for name in paused {
        rig.api.pause(name).unwrap();
    }
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    until_all(&rig, paused, RunnerState::Draining);
    until_all(&rig, &names[5..], RunnerState::Busy);
    for job in &jobs {
        job.let_go();
        rig.assert_ended_well(job);
    }
    until_all(&rig, paused, RunnerState::Paused);
    until_all(&rig, &names[5..], RunnerState::Idle);
    for name in paused {
        rig.api.resume(name).unwrap();
    }
    until_all(&rig, &names, RunnerState::Idle);
    until(DEADLINE, "all tasks are in the history", || rig.api.history().unwrap().len() == 10);
    let history = rig.api.history().unwrap();
    assert!(history.iter().all(|task| task.result == TaskResult::Succeeded), "{history:#?}");
    let worked: BTreeSet<_> = history.iter().map(|task| task.runner.as_str()).collect();
    assert_eq!(worked.len(), 10);
    assert_eq!(rig.witness.agents(), 15);
    rig.until_well();
    rig.finish();
}

#[test]
fn a_runner_that_is_renamed_or_removed_in_a_task_ends_it_first() {
    const REMOVED: (&str, &str) = ("acme/other", "maxi");
    const RENAMED: &str = "mini-2";
    let place = Place::new();
    let circle = Circle::start_with(&place, &[CLASS, REMOVED.0], "");
    let mut rig = Rig::with(place, circle, &Options::default());
    rig.set_up();
    rig.api.set_up(&rig.circle, REMOVED.0, REMOVED.1).unwrap();
    let renamed = rig.long_job();
    let removed = Job::that_waits(&rig.place, &rig.circle, REMOVED.0, "removed");
    renamed.until_begun();
    removed.until_begun();
    let name = REMOVED.1.parse().unwrap();
    let refused = rig.api.call(async |client| client.remove(&name).await);
    assert!(refused.is_err(), "a command does not remove a runner that works");

    let file = rig.place.folders().settings_file();
    let settings = fs::read_to_string(&file).unwrap();
    let (first, _) = settings.rsplit_once("[[runner]]").unwrap();
    assert!(first.contains("\"mini\"") && !first.contains("maxi"), "{settings}");
    let edited = first.replace("\"mini\"", &format!("{RENAMED:?}"));
    run_dir::write_atomically(&file, edited.as_bytes()).unwrap();
    for name in [RUNNER, REMOVED.1] {
        until(DEADLINE, "it drains", || state(&rig, name) == Some(RunnerState::Draining));
        assert_eq!(rig.api.runner(name).unwrap().headline, "Finishing a task, then removed");
    }
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    for (job, name) in [(renamed, RUNNER), (removed, REMOVED.1)] {
        until(DEADLINE, "it drains still", || state(&rig, name) == Some(RunnerState::Draining));
        job.let_go();
        rig.assert_ended_well(&job);
        until(DEADLINE, "it is out of sight", || rig.api.runner(name).is_none());
    }
    // Its token is the old name's.
    let (asks, _) = rig.until_problem(ProblemCode::TokenMissing);
    assert_eq!(asks.name.as_str(), RENAMED);
    rig.api.set_token(RENAMED, &rig.circle.token(CLASS)).unwrap();
    rig.assert_works_again();
    until(DEADLINE, "all is in the history", || rig.api.history().unwrap().len() == 3);
    let history = rig.api.history().unwrap();
    let by: Vec<_> = history.iter().map(|task| task.runner.as_str()).collect();
    assert_eq!(by[0], RENAMED);
    assert!(by.contains(&RUNNER) && by.contains(&REMOVED.1), "{by:?}");
    assert!(history.iter().all(|task| task.result == TaskResult::Succeeded), "{history:#?}");
    rig.finish();
}
