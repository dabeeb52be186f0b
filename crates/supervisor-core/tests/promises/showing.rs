//! What people read of a runner, in every state it can be in.

use protocol::PauseBy::{Disk, Schedule, You};
use protocol::{Bytes, Install, ProblemCode};
use supervisor_core::{AgentSeen, Event, Heard, LockSeen, Read, TaskEnd};

use crate::scene::{Scene, agent_started, cannot_start, facts_of, mini, problem};

/// A scene, and how it is brought about.
type Way = (&'static str, fn() -> Scene);

fn then(mut scene: Scene, act: impl FnOnce(&mut Scene)) -> Scene {
    act(&mut scene);
    scene
}

fn paused(scene: &mut Scene) {
    scene.pause(You);
    scene.drains();
}

const WAYS: &[Way] = &[
    ("being installed", || {
        let state = supervisor_core::StateFile::Read(supervisor_core::Wanted::default());
        then(Scene::without_settings(state), |scene| {
            scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
            let (received, total) = (Bytes(10), Some(Bytes(20)));
            let install = Install { received, total, ..Install::default() };
            scene.tell(Event::InstallAdvanced { runner: mini(), install });
        })
    }),
    ("not installed", || {
        let state = supervisor_core::StateFile::Read(supervisor_core::Wanted::default());
        then(Scene::without_settings(state), |scene| {
            scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
            let problem = problem(ProblemCode::AgentNotInstalled);
            scene.tell(Event::InstallFailed { runner: mini(), problem, wait: None });
        })
    }),
    ("to be started", Scene::new),
    ("not to be started", || then(Scene::new(), |scene| scene.tell(cannot_start(false)))),
    ("kept, not started", || then(Scene::new(), Scene::starts_keeper)),
    ("started, silent", || {
        then(Scene::new(), |scene| {
            scene.starts_keeper();
            let at = scene.now;
            scene.reads(|run| run.agent = agent_started(at));
        })
    }),
    ("silent for 10 s", || {
        then(Scene::new(), |scene| {
            scene.starts_keeper();
            let at = scene.now;
            scene.reads(|run| run.agent = agent_started(at));
            scene.wait(10);
        })
    }),
    ("idle", Scene::idle),
    ("idle, no keeper", || {
        then(Scene::idle(), |scene| scene.reads(|run| run.lock = LockSeen::Free))
    }),
    ("idle, offline", || {
        then(Scene::idle(), |scene| {
            scene.hears(Heard::ClaimFailed { status: None, why: "no route".into() });
        })
    }),
    ("refused", || {
        then(Scene::idle(), |scene| scene.hears(Heard::TokenRefused { line: "401".into() }))
    }),
    ("busy", Scene::busy),
    ("busy, not to be told", || {
        then(Scene::busy(), |scene| scene.reads(|run| run.tasks[0].end = TaskEnd::Unknown))
    }),
    ("busy, drain unreadable", || {
        then(Scene::busy(), |scene| scene.reads(|run| run.drain = Read::Unknown))
    }),
    ("busy, paused", || then(Scene::busy(), paused)),
    ("busy, paused, resumed", || {
        then(Scene::busy(), |scene| {
            paused(scene);
            scene.resume(You);
        })
    }),
    ("busy, removed", || {
        then(Scene::busy(), |scene| {
            scene.tell(Event::SettingsRead(Vec::new()));
            scene.drains();
        })
    }),
    ("busy, cancelled", || {
        then(Scene::busy(), |scene| scene.cancel(&protocol::TaskId::from("run-1.1")).unwrap())
    }),
    ("idle, paused", || then(Scene::idle(), paused)),
    ("idle, refused its claims", || {
        then(Scene::idle(), |scene| {
            scene.hears(Heard::ClaimFailed { status: Some(404), why: "404".into() });
        })
    }),
    ("idle, paused, not ended", || {
        then(Scene::idle(), |scene| {
            paused(scene);
            scene.wait(60);
        })
    }),
    ("idle, maybe drained", || {
        then(Scene::idle(), |scene| {
            scene.pause(You);
            scene.may_drain();
            scene.wait(5);
        })
    }),
    ("idle, drain unreadable", || {
        then(Scene::idle(), |scene| scene.reads(|run| run.drain = Read::Unknown))
    }),
    ("idle, paused, drain unreadable", || {
        then(Scene::idle(), |scene| {
            scene.reads(|run| run.drain = Read::Unknown);
            scene.pause(You);
        })
    }),
    ("idle, cancel unreadable", || {
        then(Scene::idle(), |scene| scene.reads(|run| run.cancel = Read::Unknown))
    }),
    ("idle, exit unreadable", || {
        then(Scene::idle(), |scene| scene.reads(|run| run.exit = Read::Unknown))
    }),
    ("lock unreadable", || {
        then(Scene::idle(), |scene| scene.reads(|run| run.lock = LockSeen::Unknown))
    }),
    ("start unreadable", || {
        then(Scene::idle(), |scene| scene.reads(|run| run.agent = AgentSeen::Unknown))
    }),
    ("paused", || {
        then(Scene::idle(), |scene| {
            paused(scene);
            scene.exits(0);
        })
    }),
    ("paused by all", || {
        then(Scene::idle(), |scene| {
            paused(scene);
            scene.pause(Disk);
            scene.pause(Schedule);
            scene.exits(0);
        })
    }),
    ("ends at start", || {
        then(Scene::new(), |scene| {
            scene.starts();
            scene.exits(1);
        })
    }),
    ("crashed", || {
        then(Scene::idle(), |scene| {
            scene.wait(100);
            scene.exits(2);
        })
    }),
];

const WORDS: &str = "\
being installed: Updating, Installing the agent
not installed: Problem, Something is wrong. (AgentNotInstalled)
to be started: Unknown, Starting
not to be started: Problem, Something is wrong. (CannotStart)
kept, not started: Unknown, Starting
started, silent: Unknown, Starting
silent for 10 s: Idle, Waiting for tasks
idle: Idle, Waiting for tasks
idle, no keeper: Idle, Waiting for tasks (AgentUnattended)
idle, offline: Offline, CircleCI cannot be reached (Offline)
refused: Problem, CircleCI refuses this runner's token. (TokenRefused)
busy: Busy, Running a task
busy, not to be told: Unknown, Not known whether a task runs; counts as busy (RunUnreadable)
busy, drain unreadable: Busy, Running a task (RunUnreadable)
busy, paused: Draining, Finishing a task, then paused
busy, paused, resumed: Draining, Resumes after this task
busy, removed: Draining, Finishing a task, then removed
busy, cancelled: Draining, Cancelling the task
idle, paused: Draining, The agent is ending, then paused
idle, refused its claims: Problem, CircleCI refuses to give this runner tasks (ClaimRefused)
idle, paused, not ended: Draining, The agent is ending, then paused (DrainIgnored)
idle, maybe drained: Draining, The agent is ending, then paused (DrainUnconfirmed)
idle, drain unreadable: Unknown, Not known whether it was told to stop (RunUnreadable)
idle, paused, drain unreadable: Unknown, Not known whether it was told to stop (RunUnreadable)
idle, cancel unreadable: Idle, Waiting for tasks (RunUnreadable)
idle, exit unreadable: Idle, Waiting for tasks (RunUnreadable)
lock unreadable: Unknown, Not known; counts as busy (RunUnreadable)
start unreadable: Unknown, Not known; counts as busy (RunUnreadable)
paused: Paused, Paused by you
paused by all: Paused, Paused by you and for lack of disk space and by the schedule
ends at start: Problem, The agent ends as soon as it is started. (AgentExitsAtStart)
crashed: Problem, The agent ended by itself. (AgentCrashed)
";

fn words_of(name: &str, scene: &Scene) -> String {
    let (state, headline) = scene.state();
    let problems = scene.problems();
    let problem = problems.first().map(|problem| format!(" ({problem:?})")).unwrap_or_default();
    format!("{name}: {state:?}, {headline}{problem}")
}

#[test]
fn every_state_has_its_words() {
    let words: Vec<String> = WAYS.iter().map(|(name, way)| words_of(name, &way())).collect();
    for (is, ought) in words.iter().zip(WORDS.lines()) {
        assert_eq!(is, ought);
    }
    assert_eq!(words.len(), WORDS.lines().count());
}

#[test]
fn the_state_is_shown_since_it_began() {
    let mut scene = Scene::idle();
    let since = scene.shown().state_since;
    scene.wait(100);
    scene.reads(|_| {});
    assert_eq!(scene.shown().state_since, since);
    scene.task_begins();
    assert_eq!(scene.shown().state_since, scene.now);
}

#[test]
fn a_revision_is_new_exactly_where_something_changed() {
    let mut scene = Scene::idle();
    let before = scene.core.snapshot().clone();
    scene.reads(|_| {});
    scene.hears(Heard::ClaimAnswered);
    assert_eq!(*scene.core.snapshot(), before);
    scene.task_begins();
    assert!(scene.core.snapshot().revision > before.revision);
}

#[test]
fn what_is_known_of_the_last_task_stays_in_sight() {
    let mut scene = Scene::busy();
    scene.task_ends(3);
    let last = scene.shown().last_task.clone().unwrap();
    assert_eq!(last.id.as_str(), "run-1.1");
    assert_eq!(last.result, protocol::TaskResult::Failed { exit_code: Some(3) });
}
