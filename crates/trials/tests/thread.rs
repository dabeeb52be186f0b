//! The whole thread once: set up, a task, a pause that waits for its task, a resume.

use protocol::{RunnerState, TaskResult};
use trials::{Options, RUNNER, Rig};

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
