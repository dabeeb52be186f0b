//! After this task: nothing is claimed until it is over, then it is done once, and never again.

use jiff::SignedDuration;
use protocol::{AfterTaskAct, PauseBy, ProblemCode, RunnerState};
use supervisor_core::{Event, Refusal, StateFile, Wish};

use crate::scene::{Scene, problem};

fn wants(scene: &mut Scene, act: AfterTaskAct) {
    scene.wish(Wish::AfterTask(act)).unwrap();
    scene.saves();
}

fn is_held(scene: &Scene) -> bool {
    scene.shown().pause_reasons.iter().any(|reason| reason.by == PauseBy::AfterTask)
}

/// The task ends, and then its agent.
fn ends(scene: &mut Scene) {
    scene.drains();
    scene.task_ends(0);
    scene.exits(0);
}

#[test]
fn the_machine_sleeps_once_the_task_is_over_and_not_before() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Sleep);
    assert_eq!(scene.did(), ["save", "drain run-1"]);
    assert_eq!(scene.state(), (RunnerState::Draining, "Finishing a task, then the machine sleeps"));
    let waits = scene.core.snapshot().after_task.clone().unwrap();
    assert_eq!((waits.act, waits.waits_for.len()), (AfterTaskAct::Sleep, 1));
    scene.drains();
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"], "the agent has not ended");
    scene.exits(0);
    assert_eq!(scene.did(), ["save"]);
    scene.saves();
    assert_eq!(scene.did(), ["after task sleep"]);
    assert_eq!(scene.core.snapshot().after_task, None, "it is gone before it is done");
    scene.tell(Event::AfterTaskDone { failure: None });
    scene.wait(29);
    assert!(is_held(&scene) && scene.did().is_empty(), "nothing is claimed on the way to sleep");
    scene.wait(8 * 3600);
    assert!(!is_held(&scene));
    assert_eq!(scene.did(), ["start"], "it woke up");
}

#[test]
fn that_the_supervisor_ends_is_shown_to_its_own_end_and_waits_for_nobody_then() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Quit);
    let asked = scene.core.snapshot().after_task.clone().unwrap();
    assert_eq!(asked.waits_for.len(), 1, "as long as somebody works it is only wanted");
    ends(&mut scene);
    scene.saves();
    assert!(scene.did().contains(&"after task quit".to_owned()));
    let shown = scene.core.snapshot().after_task.clone().unwrap();
    assert_eq!((shown.act, shown.since, shown.waits_for.len()), (asked.act, asked.since, 0));
    assert!(is_held(&scene), "nothing is claimed any more");
}

#[test]
fn an_agent_that_waits_for_tasks_is_ended_first() {
    let mut scene = Scene::idle();
    wants(&mut scene, AfterTaskAct::Restart);
    assert_eq!(scene.did(), ["save", "drain run-1"]);
    scene.drains();
    scene.exits(0);
    scene.saves();
    let did = scene.did();
    assert!(did.contains(&"after task restart".to_owned()), "{did:?}");
}

#[test]
fn a_task_that_was_claimed_meanwhile_is_waited_for() {
    let mut scene = Scene::idle();
    wants(&mut scene, AfterTaskAct::Sleep);
    scene.task_begins();
    scene.drains();
    scene.did();
    scene.wait(3600);
    assert_eq!(scene.did(), Vec::<String>::new());
    scene.task_ends(0);
    scene.exits(0);
    scene.saves();
    assert!(scene.did().contains(&"after task sleep".to_owned()));
}

#[test]
fn a_restart_never_loops() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Restart);
    ends(&mut scene);
    scene.saves();
    assert!(scene.did().contains(&"after task restart".to_owned()));
    // The machine comes back, with what was on disk when it went.
    scene.restarts();
    scene.settings_are_read();
    assert_eq!(scene.core.snapshot().after_task, None);
    assert!(!scene.did().iter().any(|did| did.starts_with("after task")));
}

#[test]
fn a_supervisor_killed_before_it_was_off_the_disk_does_it_after_all() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Sleep);
    ends(&mut scene);
    scene.did();
    // Killed before the save.
    scene.restarts();
    let did = scene.did();
    assert!(!did.contains(&"save".to_owned()), "the settings are not read yet: {did:?}");
    scene.settings_are_read();
    scene.saves();
    assert!(scene.did().contains(&"after task sleep".to_owned()));
}

#[test]
fn what_cannot_be_taken_off_the_disk_is_not_done() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Restart);
    ends(&mut scene);
    scene.save_fails();
    scene.did();
    assert!(scene.core.snapshot().after_task.is_some() && is_held(&scene));
    assert_eq!(scene.problems(), [ProblemCode::CannotSave]);
    scene.wait(10);
    assert_eq!(scene.did(), ["save"], "it is tried again");
    scene.saves();
    assert!(scene.did().contains(&"after task restart".to_owned()));
}

#[test]
fn what_the_system_refuses_is_told_with_its_words_and_the_runner_claims_again() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Sleep);
    ends(&mut scene);
    scene.saves();
    scene.did();
    scene.tell(Event::AfterTaskDone { failure: Some("Access denied".into()) });
    let did = scene.did();
    assert!(did.contains(&"start".to_owned()), "{did:?}");
    let told = scene.asides();
    assert!(told.iter().any(|told| told.starts_with("tell The machine could not be put to sleep")));
    let problem = scene.core.snapshot().problems[0].clone();
    assert_eq!(problem.code, ProblemCode::AfterTaskRefused);
    assert_eq!(problem.reading.as_deref(), Some("Access denied"));
    scene.wish(Wish::ForgetAfterTask).unwrap();
    assert_eq!(scene.problems(), []);
}

#[test]
fn taken_back_the_runner_claims_again_and_a_pause_of_yours_stays() {
    let mut scene = Scene::idle();
    wants(&mut scene, AfterTaskAct::Quit);
    scene.pause(PauseBy::You);
    scene.wish(Wish::ForgetAfterTask).unwrap();
    scene.saves();
    assert!(!is_held(&scene));
    assert_eq!(scene.shown().pause_reasons.len(), 1);
    // The agent had been told to end already.
    scene.drains();
    scene.exits(0);
    scene.did();
    scene.resume(PauseBy::You);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn a_pause_after_the_task_is_one_of_yours_in_the_same_moment() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Pause);
    ends(&mut scene);
    scene.saves();
    let did = scene.did();
    assert_eq!(scene.asides().last().unwrap(), "tell Paused, as you asked");
    assert!(!did.contains(&"start".to_owned()));
    let reasons: Vec<PauseBy> = scene.shown().pause_reasons.iter().map(|held| held.by).collect();
    assert_eq!(reasons, [PauseBy::You]);
    scene.resume(PauseBy::You);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn resume_clears_your_pause_and_not_what_comes_after_the_task() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Sleep);
    scene.resume(PauseBy::You);
    assert!(is_held(&scene));
}

#[test]
fn asked_twice_it_is_asked_once_and_another_act_takes_its_place() {
    let mut scene = Scene::busy();
    wants(&mut scene, AfterTaskAct::Sleep);
    let first = scene.core.snapshot().after_task.clone();
    scene.now += SignedDuration::from_secs(60);
    wants(&mut scene, AfterTaskAct::Sleep);
    assert_eq!(scene.core.snapshot().after_task, first);
    wants(&mut scene, AfterTaskAct::Quit);
    assert_eq!(scene.core.snapshot().after_task.as_ref().unwrap().act, AfterTaskAct::Quit);
}

#[test]
fn nothing_is_taken_where_saved_state_cannot_be_read() {
    let kept = StateFile::Kept(problem(ProblemCode::StateUnreadable));
    let mut scene = Scene::without_settings(kept);
    let refused = scene.wish(Wish::AfterTask(AfterTaskAct::Sleep));
    assert_eq!(refused, Err(Refusal::ReadOnly));
}
