//! An agent that ends is followed by another: soon at first, ever more seldom where it goes on; never
//! as a loop, and never where only a person can mend it.

use protocol::PauseBy::You;
use protocol::{ProblemCode, RunnerState};
use supervisor_core::{AgentSeen, Event, ExitSeen, Heard, LockSeen, Read, RunnerFacts};

use crate::scene::{Scene, cannot_start, facts_of, mini};

/// Seconds from the end of a run to the next start.
fn seconds_to_the_next_start(scene: &mut Scene) -> i64 {
    scene.did();
    for second in 0..=600 {
        if scene.did().contains(&"start".to_owned()) {
            return second;
        }
        scene.wait(1);
    }
    panic!("no start within ten minutes");
}

#[test]
fn an_agent_that_ends_at_start_is_tried_again_ever_more_seldom() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for _ in 0..11 {
        scene.starts();
        scene.exits(1);
        assert_eq!(
            scene.state(),
            (RunnerState::Problem, "The agent ends as soon as it is started.")
        );
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(scene.problems(), [ProblemCode::AgentExitsAtStart]);
    assert_eq!(scene.shown().problems[0].details.as_deref(), Some("its last lines"));
}

#[test]
fn an_agent_that_has_claimed_and_ends_soon_is_told_as_crashed_and_waits_all_the_same() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for code in [2, 0, 1, 0] {
        scene.starts();
        scene.hears(Heard::ClaimAnswered);
        scene.wait(2);
        scene.exits(code);
        assert_eq!(scene.problems(), [ProblemCode::AgentCrashed]);
        let reading = scene.shown().problems[0].reading.clone().unwrap();
        assert_eq!(reading, format!("exit code {code}, 2.0 s after its start"));
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [1, 2, 4, 8]);
}

#[test]
fn back_off_begins_anew_after_a_healthy_while() {
    let mut scene = Scene::new();
    for _ in 0..6 {
        scene.starts();
        scene.exits(1);
        seconds_to_the_next_start(&mut scene);
    }
    scene.starts();
    scene.wait(61);
    assert!(scene.problems().is_empty(), "what went wrong before is over");
    scene.exits(1);
    assert_eq!(scene.problems(), [ProblemCode::AgentCrashed]);
}

#[test]
fn an_agent_that_had_settled_is_followed_at_once_but_not_in_a_loop() {
    let mut scene = Scene::new();
    scene.starts();
    scene.wait(61);
    scene.did();
    scene.exits(1);
    assert_eq!(scene.did(), ["start"]);
    let mut waits = Vec::new();
    for _ in 0..3 {
        scene.starts();
        scene.exits(1);
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [2, 4, 8]);
}

#[test]
fn an_agent_that_ended_well_is_followed_at_once() {
    let mut scene = Scene::idle();
    scene.wait(40);
    scene.exits(0);
    assert_eq!(scene.did(), ["start"]);
    assert!(scene.problems().is_empty());
}

#[test]
fn a_refused_token_is_a_problem_not_a_loop() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.starts();
        scene.hears(Heard::TokenRefused { line: "claim: 401 Unauthorized".into() });
        assert_eq!(scene.state().0, RunnerState::Problem);
        scene.exits(1);
        assert_eq!(scene.state(), (RunnerState::Problem, "CircleCI refuses this runner's token."));
        assert_eq!(scene.problems(), [ProblemCode::TokenRefused]);
        assert_eq!(seconds_to_the_next_start(&mut scene), 300);
    }
    scene.starts();
    scene.hears(Heard::TokenRefused { line: "claim: 401 Unauthorized".into() });
    scene.exits(1);
    scene.did();
    scene.tell(Event::TokenChanged(mini()));
    assert_eq!(scene.did(), ["start"]);
    assert!(scene.problems().is_empty());
}

#[test]
fn a_token_that_was_refused_holds_up_no_agent_with_another() {
    let mut scene = Scene::new();
    scene.starts();
    scene.hears(Heard::TokenRefused { line: "claim: 401 Unauthorized".into() });
    scene.did();
    // Before the agent with the refused one has ended.
    let changed = RunnerFacts { mark: "settings-2".into(), ..facts_of("mini") };
    scene.tell(Event::SettingsRead(vec![changed]));
    scene.tell(Event::TokenChanged(mini()));
    assert_eq!(scene.did(), ["drain run-1"]);
    scene.exits(1);
    assert_eq!(scene.did(), ["start"]);
    assert!(scene.problems().is_empty());
}

#[test]
fn how_a_run_ended_is_judged_when_its_log_was_read() {
    let mut scene = Scene::new();
    scene.starts();
    scene.did();
    let at = scene.now;
    scene.run.lock = LockSeen::Free;
    scene.run.exit = Read::Yes(ExitSeen::Code { code: 1, at });
    scene.run.reading += 1;
    scene.tell(Event::RunRead(Box::new(scene.run.clone())));
    scene.wait(100);
    assert_eq!(scene.did(), [""; 0], "its last lines may say that the token was refused");
    scene.hears(Heard::TokenRefused { line: "401".into() });
    scene.reads_log();
    assert_eq!(scene.problems(), [ProblemCode::TokenRefused]);
}

#[test]
fn a_keeper_that_dies_at_once_is_no_loop() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for _ in 0..4 {
        scene.starts_keeper();
        scene.reads(|run| run.lock = LockSeen::Free);
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    assert_eq!(scene.problems(), [ProblemCode::CannotStart]);
}

#[test]
fn a_keeper_that_was_dead_before_we_heard_of_it_is_no_loop_either() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for run in 0..4 {
        let mut facts = crate::scene::run_facts(&format!("run-{run}"), scene.now);
        facts.lock = LockSeen::Free;
        scene.run = facts.clone();
        // Its directory is seen first, and what came of the start is reported then.
        scene.reads(|_| {});
        scene.tell(Event::RunStarted(Box::new(facts)));
        scene.reads_log();
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [1, 2, 4, 8]);
}

#[test]
fn a_stop_before_the_agent_was_started_is_no_failure() {
    let mut scene = Scene::new();
    scene.starts_keeper();
    scene.pause(You);
    let at = scene.now;
    scene.reads(|run| {
        let why = Some("a stop was asked for before the agent was started".into());
        run.lock = LockSeen::Free;
        run.exit = Read::Yes(ExitSeen::NeverStarted { at, why });
    });
    assert!(scene.problems().is_empty());
    scene.did();
    scene.resume(You);
    assert_eq!(scene.did(), ["save", "start"]);
}

#[test]
fn an_end_that_nobody_saw_is_not_told_as_an_end_at_start() {
    let mut scene = Scene::idle();
    scene.wait(7200);
    scene.reads(|run| {
        run.lock = LockSeen::Free;
        if let supervisor_core::AgentSeen::Started { alive, .. } = &mut run.agent {
            *alive = Read::No;
        }
    });
    let problem = &scene.shown().problems[0];
    assert_eq!(problem.code, ProblemCode::AgentCrashed);
    assert_eq!(problem.reading.as_deref(), Some("its end was not seen"));
}

#[test]
fn an_unreadable_drain_record_excuses_nothing() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for _ in 0..4 {
        scene.starts();
        scene.reads(|run| run.drain = Read::Unknown);
        scene.exits(1);
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [1, 2, 4, 8]);
}

#[test]
fn a_start_that_fails_is_tried_again_ever_more_seldom() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for _ in 0..4 {
        scene.tell(cannot_start(false));
        waits.push(seconds_to_the_next_start(&mut scene));
    }
    assert_eq!(waits, [1, 2, 4, 8]);
}

#[test]
fn a_start_that_only_a_person_can_mend_waits_for_them() {
    let mut scene = Scene::new();
    scene.did();
    scene.tell(cannot_start(true));
    scene.wait(7200);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.state().0, RunnerState::Problem);
    scene.tell(Event::TokenChanged(mini()));
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_task_that_outlives_its_agent_ends_before_the_next_agent_starts() {
    let mut scene = Scene::busy();
    scene.exits(2);
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.state(), (RunnerState::Busy, "Running a task whose agent has ended"));
    assert!(scene.shown().task.is_some());
    assert_eq!(scene.problems(), [ProblemCode::AgentCrashed]);
    scene.task_ends(0);
    assert_eq!(scene.did(), ["start", "record run-1.1 Succeeded"]);
}

#[test]
fn a_task_without_any_record_counts_as_busy_and_holds_the_next_agent() {
    let mut scene = Scene::idle();
    let since = scene.now;
    scene.reads(|run| run.unrecorded_task = Read::Yes(since));
    assert_eq!(
        scene.state(),
        (RunnerState::Unknown, "A task runs that left no record; counts as busy")
    );
    assert_eq!(scene.problems(), [ProblemCode::TaskUnrecorded]);
    scene.exits(0);
    scene.wait(600);
    assert_eq!(scene.did(), [""; 0]);
    scene.reads(|run| run.unrecorded_task = Read::Unknown);
    assert_eq!(scene.state().0, RunnerState::Unknown);
    scene.reads(|run| run.unrecorded_task = Read::No);
    assert_eq!(scene.did(), ["start"]);
    assert!(!scene.problems().contains(&ProblemCode::TaskUnrecorded));
}

#[test]
fn an_agent_of_an_earlier_boot_left_no_task() {
    let mut scene = Scene::busy();
    scene.reads(|run| {
        run.lock = LockSeen::Free;
        run.unrecorded_task = Read::Unknown;
        let AgentSeen::Started { boot, .. } = &mut run.agent else { return };
        *boot = "an earlier one".into();
    });
    assert_eq!(scene.did(), ["start"]);
}
