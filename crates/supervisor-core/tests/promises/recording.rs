//! Every finished task is in the history once, as what it was; a log's lines go to the task that
//! spoke them, however late or often they are read.

use jiff::SignedDuration;
use protocol::ProblemCode::{HistoryUnavailable, TaskLost};
use protocol::RunnerState;
use supervisor_core::{Cancelled, Event, Heard, Link, Read, TaskEnd};

use crate::scene::{Scene, named, step_failed};

#[test]
fn a_finished_task_is_recorded_once() {
    let mut scene = Scene::busy();
    scene.wait(30);
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    scene.reads(|_| {});
    scene.exits(0);
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_failed_step_makes_a_failed_task_even_when_the_exit_code_is_0() {
    let mut scene = Scene::busy();
    scene.hears(step_failed(scene.now));
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Failed { exit_code: Some(2) }"]);
}

#[test]
fn a_task_whose_wrapper_died_is_lost() {
    let mut scene = Scene::busy();
    let at = scene.now;
    scene.reads(|run| run.tasks[0].end = TaskEnd::Lost { at });
    assert_eq!(scene.did(), ["record run-1.1 Lost"]);
}

#[test]
fn a_lost_task_is_told_with_its_way_out_until_the_next_one_is_over() {
    let mut scene = Scene::busy();
    let at = scene.now;
    scene.hears(named(at, "12"));
    scene.reads(|run| run.tasks[0].end = TaskEnd::Lost { at });
    assert_eq!((scene.problems(), scene.state().0), (vec![TaskLost], RunnerState::Idle));
    let problem = scene.shown().problems[0].clone();
    assert!(problem.hint.contains("rerun it") && problem.since == at, "{problem:?}");
    scene.restarts();
    scene.settings_are_read();
    scene.reads(|_| {});
    assert_eq!(scene.problems(), [TaskLost]);
    scene.task_begins();
    assert_eq!(scene.problems(), [TaskLost]);
    scene.task_ends(1);
    assert_eq!(scene.problems(), []);
}

#[test]
fn a_lost_task_that_its_owner_cancelled_is_none() {
    let mut scene = Scene::busy();
    let at = scene.now;
    let task = scene.run.tasks[0].task.clone();
    scene.cancel(&task).unwrap();
    scene.reads(|run| {
        run.cancel = Read::Yes(Cancelled { task, sent: true });
        run.tasks[0].end = TaskEnd::Lost { at };
    });
    assert_eq!(scene.problems(), []);
}

#[test]
fn what_is_wrong_with_the_history_is_told_until_it_is_not_and_stops_nothing() {
    let mut scene = Scene::idle();
    let trouble = crate::scene::problem(HistoryUnavailable);
    scene.tell(Event::HistoryLooked(Some(trouble)));
    assert_eq!((scene.problems(), scene.state().0), (vec![HistoryUnavailable], RunnerState::Idle));
    scene.task_begins();
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    scene.tell(Event::HistoryLooked(None));
    assert_eq!(scene.problems(), []);
}

#[test]
fn a_task_is_recorded_when_its_log_was_read_and_amended_where_a_line_came_late() {
    let mut scene = Scene::busy();
    let at = scene.now;
    scene.run.tasks[0].end = TaskEnd::Exited { code: Some(0), at };
    scene.run.reading += 1;
    scene.tell(supervisor_core::Event::RunRead(Box::new(scene.run.clone())));
    assert_eq!(scene.did(), [""; 0]);
    scene.reads_log();
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    scene.hears(step_failed(at));
    assert_eq!(scene.did(), ["amend run-1.1 Failed { exit_code: Some(2) }"]);
}

#[test]
fn a_task_that_outlived_its_agent_is_recorded() {
    let mut scene = Scene::busy();
    scene.exits(1);
    assert_eq!(scene.did(), [""; 0]);
    scene.task_ends(0);
    assert!(scene.did().contains(&"record run-1.1 Succeeded".to_owned()));
}

#[test]
fn a_log_that_is_read_again_after_a_restart_goes_to_the_right_tasks() {
    let mut scene = Scene::busy();
    let first = scene.now;
    scene.wait(10);
    scene.task_ends(0);
    scene.wait(10);
    scene.task_begins();
    let second = scene.now;
    scene.did();
    let failed = step_failed(first + SignedDuration::from_secs(5));
    scene.restarts_with(vec![named(first, "a/1"), failed, named(second, "b/2")]);
    assert_eq!(scene.did(), ["record run-1.1 Failed { exit_code: Some(2) }"]);
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.2 Succeeded"]);
}

#[test]
fn a_clock_set_back_between_two_tasks_does_not_mix_their_lines() {
    let mut scene = Scene::busy();
    let first = scene.now;
    scene.wait(600);
    scene.task_ends(0);
    scene.set_clock(-300);
    scene.task_begins();
    let second = scene.now;
    scene.did();
    let failed = step_failed(first + SignedDuration::from_secs(400));
    scene.restarts_with(vec![named(first, "a/1"), failed, named(second, "b/2")]);
    scene.task_ends(0);
    let mut did = scene.did();
    did.retain(|done| done != "probe");
    assert_eq!(did, ["record run-1.1 Failed { exit_code: Some(2) }", "record run-1.2 Succeeded"]);
}

#[test]
fn two_tasks_that_meet_in_one_second_keep_their_own_lines() {
    let mut scene = Scene::busy();
    scene.hears(named(scene.now, "a/1"));
    scene.task_ends(0);
    scene.task_begins();
    scene.did();
    scene.hears(step_failed(scene.now));
    scene.hears(named(scene.now, "b/2"));
    assert_eq!(scene.did(), ["amend run-1.1 Failed { exit_code: Some(2) }"]);
    assert_eq!(
        scene.shown().task.as_ref().unwrap().link.as_deref(),
        Some("https://app.example/b/2")
    );
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.2 Succeeded"]);
}

#[test]
fn a_line_that_comes_before_its_task_was_read_waits_for_it() {
    let mut scene = Scene::busy();
    scene.hears(named(scene.now, "a/1"));
    scene.wait(20);
    let second = scene.now;
    scene.hears(named(second, "b/2"));
    scene.hears(step_failed(second));
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    scene.task_begins();
    scene.task_ends(0);
    assert_eq!(scene.did(), ["record run-1.2 Failed { exit_code: Some(2) }"]);
}

#[test]
fn tasks_that_do_not_name_themselves_get_their_lines_by_time() {
    let mut scene = Scene::busy();
    let first = scene.now;
    scene.wait(10);
    scene.task_ends(0);
    scene.wait(10);
    scene.task_begins();
    scene.did();
    scene.hears(step_failed(first));
    assert_eq!(scene.did(), ["amend run-1.1 Failed { exit_code: Some(2) }"]);
    scene.hears(Heard::StepStarted { at: None, step: "test".into() });
    assert_eq!(scene.shown().task.as_ref().unwrap().step.as_deref(), Some("test"));
}

#[test]
fn what_one_line_tells_is_kept_when_the_next_tells_less() {
    let mut scene = Scene::busy();
    let (url, project) = (Some("https://app.example/a/1".into()), Some("web-app".into()));
    let link = Link { url: url.clone(), project, build_number: Some("1".into()) };
    scene.hears(Heard::TaskNamed { at: None, link });
    let link = Link { url, project: None, build_number: None };
    scene.hears(Heard::TaskNamed { at: None, link });
    let task = scene.shown().task.as_ref().unwrap();
    assert_eq!(task.project.as_deref(), Some("web-app"));
    assert_eq!(task.build_number.as_deref(), Some("1"));
}

#[test]
fn what_the_log_tells_of_forgotten_tasks_goes_to_no_other() {
    let mut scene = Scene::busy();
    let earlier = scene.now;
    scene.wait(60);
    scene.task_ends(0);
    scene.task_begins();
    scene.run.tasks.remove(0);
    scene.reads(|_| {});
    scene.restarts_with(vec![named(earlier, "7")]);
    assert_eq!(scene.shown().task.as_ref().unwrap().link, None);
    let now = scene.now;
    scene.hears(named(now, "8"));
    assert!(scene.shown().task.as_ref().unwrap().link.is_some());
}

#[test]
fn a_task_whose_end_cannot_be_read_is_over_and_recorded_as_such() {
    let mut scene = Scene::busy();
    let at = scene.now;
    scene.reads(|run| run.tasks[0].end = TaskEnd::Unreadable { at });
    assert_eq!(scene.did(), ["record run-1.1 Unknown"]);
    assert_eq!(scene.state().0, RunnerState::Idle);
}
