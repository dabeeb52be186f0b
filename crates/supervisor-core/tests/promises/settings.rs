//! Settings that change, go away or cannot be read, and state that cannot be read.

use protocol::PauseBy::You;
use protocol::{ProblemCode, RunnerState, TokenStore};
use supervisor_core::{Event, Refusal, RunnerFacts, StateFile, TokenCopy, Wish};

use crate::scene::{Scene, facts_of, mini, problem};

#[test]
fn a_runner_that_is_removed_ends_its_task_and_leaves_by_itself() {
    let mut scene = Scene::busy();
    scene.tell(Event::SettingsRead(Vec::new()));
    assert_eq!(scene.did(), ["drain run-1"]);
    scene.drains();
    assert_eq!(scene.state(), (RunnerState::Draining, "Finishing a task, then removed"));
    scene.task_ends(0);
    scene.exits(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded"]);
    assert!(scene.core.snapshot().runners.is_empty());
    let wish = Wish::Resume { runner: mini(), by: You };
    assert_eq!(scene.wish(wish), Err(Refusal::NoSuchRunner));
}

#[test]
fn a_runner_that_is_removed_and_named_again_begins_anew() {
    let mut scene = Scene::idle();
    scene.exits(0);
    scene.tell(Event::SettingsRead(Vec::new()));
    assert!(scene.core.snapshot().runners.is_empty());
    scene.did();
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert_eq!(scene.did(), ["install"]);
}

#[test]
fn late_news_of_a_removed_runner_does_not_bring_it_back() {
    let mut scene = Scene::idle();
    let early = scene.run.clone();
    scene.exits(0);
    scene.tell(Event::SettingsRead(Vec::new()));
    scene.did();
    scene.tell(Event::RunRead(Box::new(early)));
    assert!(scene.core.snapshot().runners.is_empty());
    assert_eq!(scene.did(), [""; 0]);
}

#[test]
fn a_run_with_outdated_settings_ends_its_task_and_starts_again() {
    let mut scene = Scene::busy();
    let changed = RunnerFacts { mark: "settings-2".into(), ..facts_of("mini") };
    scene.tell(Event::SettingsRead(vec![changed]));
    assert_eq!(scene.did(), ["drain run-1"]);
    scene.drains();
    assert_eq!(scene.state(), (RunnerState::Draining, "Resumes after this task"));
    scene.task_ends(0);
    scene.exits(0);
    assert_eq!(scene.did(), ["record run-1.1 Succeeded", "start"]);
}

#[test]
fn other_settings_are_tried_at_once_where_the_ones_before_lacked_a_token() {
    let mut scene = Scene::new();
    scene.did();
    scene.tell(crate::scene::cannot_start(true));
    scene.wait(3600);
    assert_eq!(scene.did(), [""; 0]);
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert_eq!(scene.did(), [""; 0], "they are the same");
    let changed = RunnerFacts { mark: "settings-2".into(), ..facts_of("mini") };
    scene.tell(Event::SettingsRead(vec![changed]));
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_copy_of_a_token_is_told_until_it_is_gone_and_stops_nothing() {
    let mut scene = Scene::idle();
    let copy = TokenCopy { store: TokenStore::Keychain, since: scene.now };
    let copied = RunnerFacts { token_copy: Some(copy), ..facts_of("mini") };
    scene.tell(Event::SettingsRead(vec![copied]));
    assert_eq!(scene.problems(), [ProblemCode::TokenCopied]);
    let hint = &scene.shown().problems[0].hint;
    assert!(hint.contains("runnerctl token move --to file --runner mini"), "{hint}");
    assert_eq!((scene.did(), scene.state().0), (Vec::new(), RunnerState::Idle));
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert_eq!(scene.problems(), []);
}

#[test]
fn settings_that_cannot_be_read_stop_nothing_and_start_nothing() {
    let mut scene = Scene::idle();
    scene.tell(Event::SettingsUnreadable(problem(ProblemCode::SettingsUnreadable)));
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.state().0, RunnerState::Idle);
    assert_eq!(scene.problems(), [ProblemCode::SettingsUnreadable]);
    scene.exits(0);
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn your_pause_is_obeyed_while_the_settings_cannot_be_read() {
    let mut scene = Scene::idle();
    scene.tell(Event::SettingsUnreadable(problem(ProblemCode::SettingsUnreadable)));
    scene.pause(You);
    assert_eq!(scene.did(), ["save", "drain run-1"]);
}

#[test]
fn state_that_cannot_be_read_starts_nothing_and_is_not_written_over() {
    let kept = StateFile::Kept(problem(ProblemCode::StateUnreadable));
    let mut scene = Scene::without_settings(kept);
    scene.settings_are_read();
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.problems(), [ProblemCode::StateUnreadable]);
    let wish = Wish::Pause { runner: mini(), by: You, until: None, note: None, reading: None };
    assert_eq!(scene.wish(wish), Err(Refusal::ReadOnly));
}

#[test]
fn state_that_cannot_be_read_leaves_a_running_agent_alone() {
    let run = Scene::idle().run;
    let kept = StateFile::Kept(problem(ProblemCode::StateUnreadable));
    let mut scene = Scene::without_settings(kept);
    scene.run = run;
    scene.reads(|_| {});
    scene.tell(Event::SettingsRead(Vec::new()));
    assert_eq!(scene.did(), [""; 0]);
}

#[test]
fn one_runner_is_paused_while_another_goes_on() {
    let mut scene = Scene::idle();
    scene.tell(Event::SettingsRead(vec![facts_of("mini"), facts_of("studio")]));
    assert_eq!(scene.did(), ["install"]);
    let runner = "studio".parse().unwrap();
    scene.wish(Wish::Pause { runner, by: You, until: None, note: None, reading: None }).unwrap();
    scene.saves();
    assert_eq!(scene.did(), ["save"]);
    assert_eq!(scene.state(), (RunnerState::Idle, "Waiting for tasks"));
}

#[test]
fn settings_that_cannot_be_read_take_no_runner_out_of_sight() {
    let mut scene = Scene::busy();
    scene.drains();
    scene.restarts();
    scene.tell(Event::SettingsUnreadable(problem(ProblemCode::SettingsUnreadable)));
    assert_eq!(scene.state(), (RunnerState::Draining, "Finishing a task, nothing starts after it"));
    scene.task_ends(0);
    scene.exits(0);
    assert_eq!(scene.state(), (RunnerState::Problem, "Nothing starts while files cannot be read"));
}
