//! What was read is believed for what it is: late news is no news, unknown is not "no", and an agent
//! that may live is never joined by another.

use protocol::PauseBy::You;
use protocol::{ProblemCode, RunId, RunnerState};
use supervisor_core::{AgentSeen, Event, LockSeen, Read, TaskEnd};

use crate::scene::{Scene, agent_started, run_facts};

fn alive(agent: &mut AgentSeen, read: Read<()>) {
    if let AgentSeen::Started { alive, .. } = agent {
        *alive = read;
    }
}

#[test]
fn a_late_reading_changes_nothing() {
    let mut scene = Scene::idle();
    let early = scene.run.clone();
    scene.exits(0);
    scene.starts();
    scene.did();
    let shown = scene.shown().clone();
    scene.tell(Event::RunRead(Box::new(early)));
    assert_eq!(*scene.shown(), shown);
    assert_eq!(scene.did(), [""; 0]);
}

#[test]
fn an_agent_whose_keeper_died_gets_a_keeper_and_no_second_agent() {
    let mut scene = Scene::busy();
    scene.reads(|run| run.lock = LockSeen::Free);
    assert_eq!(scene.did(), ["adopt run-1"]);
    assert_eq!(scene.state(), (RunnerState::Busy, "Running a task"));
    assert_eq!(scene.problems(), [ProblemCode::AgentUnattended]);
    let run = scene.run.run.clone();
    scene.tell(Event::AdoptFailed(run));
    assert_eq!(scene.did(), [""; 0]);
    scene.wait(11);
    assert_eq!(scene.did(), ["adopt run-1", "adopt run-1"]);
    scene.reads(|run| run.lock = LockSeen::Held);
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    assert!(scene.problems().is_empty());
}

#[test]
fn a_pause_reaches_an_orphan_through_its_new_keeper() {
    let mut scene = Scene::busy();
    scene.reads(|run| run.lock = LockSeen::Free);
    scene.pause(You);
    assert_eq!(scene.did(), ["adopt run-1", "save"]);
    scene.reads(|run| run.lock = LockSeen::Held);
    assert_eq!(scene.did(), ["drain run-1"]);
}

#[test]
fn a_keeper_that_died_before_it_drained_is_not_taken_for_one_that_did() {
    let mut scene = Scene::busy();
    scene.pause(You);
    scene.reads(|run| run.lock = LockSeen::Free);
    scene.did();
    assert_eq!(scene.state().0, RunnerState::Busy);
    scene.reads(|run| run.lock = LockSeen::Held);
    assert_eq!(scene.did(), ["drain run-1"]);
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_replaced() {
    let unreadable: [fn(&mut supervisor_core::RunFacts); 3] = [
        |run| run.lock = LockSeen::Unknown,
        |run| run.agent = AgentSeen::Unknown,
        |run| {
            run.lock = LockSeen::Free;
            alive(&mut run.agent, Read::Unknown);
        },
    ];
    for change in unreadable {
        let mut scene = Scene::idle();
        scene.reads(change);
        scene.wait(7200);
        assert_eq!(scene.did(), [""; 0]);
        assert_eq!(scene.state(), (RunnerState::Unknown, "Not known; counts as busy"));
        assert_eq!(scene.problems(), [ProblemCode::RunUnreadable]);
    }
}

#[test]
fn a_pause_is_passed_on_to_whoever_keeps_a_run_that_cannot_be_read() {
    let mut scene = Scene::idle();
    scene.reads(|run| run.agent = AgentSeen::Unknown);
    scene.pause(You);
    assert_eq!(scene.did(), ["save", "drain run-1"]);
}

#[test]
fn a_task_of_which_nothing_can_be_told_counts_as_running() {
    let mut scene = Scene::busy();
    scene.reads(|run| run.tasks[0].end = TaskEnd::Unknown);
    assert_eq!(scene.state().0, RunnerState::Unknown);
    assert!(scene.shown().task.is_some());
}

#[test]
fn an_agent_that_has_ended_is_not_idle_while_its_keeper_writes_that_down() {
    let mut scene = Scene::idle();
    scene.reads(|run| alive(&mut run.agent, Read::No));
    assert_eq!(scene.state(), (RunnerState::Unknown, "The agent has ended"));
    scene.reads(|run| alive(&mut run.agent, Read::Unknown));
    assert_eq!(scene.state(), (RunnerState::Unknown, "Not known; counts as busy"));
}

#[test]
fn a_run_that_does_not_say_whose_it_is_holds_every_start() {
    let mut scene = Scene::idle();
    scene.wait(50);
    let run = RunId::from("stray");
    scene.tell(Event::StrayRun { run: run.clone(), may_live: true });
    scene.exits(0);
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.problems(), [ProblemCode::RunUnreadable]);
    scene.tell(Event::StrayRun { run, may_live: false });
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_run_whose_plan_becomes_unreadable_is_unknown_until_nothing_of_it_lives() {
    let mut scene = Scene::idle();
    let run = scene.run.run.clone();
    scene.tell(Event::StrayRun { run: run.clone(), may_live: true });
    assert_eq!(scene.state().0, RunnerState::Unknown);
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    scene.tell(Event::StrayRun { run, may_live: false });
    scene.wait(10);
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_run_that_was_over_before_we_came_is_nobodys_failure() {
    let mut scene = Scene::idle();
    scene.exits(1);
    scene.restarts();
    scene.did();
    scene.settings_are_read();
    assert_eq!(scene.did(), ["install", "start"]);
    assert!(scene.problems().is_empty());
}

#[test]
fn nothing_is_started_before_every_run_and_the_settings_were_read() {
    let mut scene = Scene::idle();
    scene.restarts();
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0], "not even its server is known yet");
    scene.settings_are_read();
    scene.wait(30);
    assert_eq!(scene.did(), ["probe"]);
    assert_eq!(scene.state().0, RunnerState::Idle);
}

#[test]
fn a_run_that_is_gone_makes_room() {
    let mut scene = Scene::idle();
    scene.reads(|run| run.agent = AgentSeen::Unknown);
    let run = scene.run.run.clone();
    scene.tell(Event::RunGone(run));
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_run_seen_before_its_keeper_had_the_lock_is_judged_at_its_end() {
    let mut scene = Scene::new();
    scene.did();
    scene.run = run_facts("run-1", scene.now);
    scene.reads(|run| run.lock = LockSeen::Free);
    scene.reads(|run| run.lock = LockSeen::Held);
    scene.tell(Event::RunStarted(Box::new(scene.run.clone())));
    let at = scene.now;
    scene.reads(|run| run.agent = agent_started(at));
    scene.exits(1);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.problems(), [ProblemCode::AgentExitsAtStart]);
}
