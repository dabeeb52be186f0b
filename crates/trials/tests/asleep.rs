//! A laptop that sleeps for a day in the midst of a task: all of it stands still, the clock goes on.
//! When it wakes the task goes on, and what was due meanwhile is done.

use process::{ProcessId, Signal};
use protocol::{RunnerState, TaskResult};
use trials::{CLASS, DEADLINE, Options, Rig, is_stopped, until};

/// Everything of this machine, and not of CircleCI.
fn all_of_the_laptop(rig: &Rig) -> Vec<ProcessId> {
    let found = rig.place.processes().into_iter().map(|found| found.id);
    found.filter(|id| id != rig.circle.id()).collect()
}

#[test]
fn a_day_asleep_in_a_task_costs_neither_the_task_nor_the_pause_that_ended() {
    const OTHER: &str = "maxi";
    let Some((clock, mut rig)) = Rig::with_clock(&Options::default()) else { return };
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    rig.api.set_up(&rig.circle, CLASS, OTHER).unwrap();
    let state = |rig: &Rig| rig.api.runner(OTHER).map(|runner| runner.state);
    until(DEADLINE, "the other waits", || state(&rig) == Some(RunnerState::Idle));
    rig.place.runnerctl(&["pause", "--runner", OTHER, "--for", "1h"]);
    until(DEADLINE, "the other is paused", || state(&rig) == Some(RunnerState::Paused));

    // Steps begin and end all the time, until nobody is left to begin one.
    until(DEADLINE, "all of it sleeps", || {
        let awake: Vec<ProcessId> =
            all_of_the_laptop(&rig).into_iter().filter(|id| !is_stopped(id)).collect();
        for id in &awake {
            process::signal(id, Signal::STOP).unwrap();
        }
        awake.is_empty()
    });
    let asleep = all_of_the_laptop(&rig);
    assert!(
        asleep.len() > 6,
        "supervisor, keeper, agent, wrapper, task agent and steps: {asleep:?}"
    );
    clock.set("+1d");
    for id in &asleep {
        process::signal(id, Signal::CONT).unwrap();
    }
    rig.poke();
    until(DEADLINE, "the other's pause is over", || state(&rig) == Some(RunnerState::Idle));
    rig.until_runner("the task goes on", |runner| {
        runner.task.is_some() && matches!(runner.state, RunnerState::Busy | RunnerState::Draining)
    });
    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "it is in the history", || rig.api.history().unwrap().len() == 1);
    assert_eq!(rig.api.history().unwrap()[0].result, TaskResult::Succeeded);
    rig.assert_works_again();
    rig.finish();
}
