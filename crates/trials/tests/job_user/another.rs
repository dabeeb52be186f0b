//! Jobs get another user, or theirs is made anew: the runner goes on, and what the earlier one left is shown.

use std::fs;
use std::path::Path;
use std::time::Duration;

use local_circleci::{NewTask, Outcome};
use protocol::{ProblemCode, RunnerState, TokenStore, WorkDir, WorkDirKind, WorkDirs};
use trials::{CLASS, Place, RUNNER, User};

use crate::World;

pub(crate) fn jobs_get_another_user(world: &World, next: &User) {
    let before = world.until_state(RunnerState::Idle).agent_pid;
    world.set_up(Some(&next.name), TokenStore::File).unwrap();
    world.until_runner("another agent waits for tasks", |runner| {
        runner.state == RunnerState::Idle && runner.agent_pid.is_some_and(|pid| Some(pid) != before)
    });
    let output = world.output(&NewTask::new(CLASS).step("who", "id -un"));
    assert_eq!(output.lines().last(), Some(next.name.as_str()));
}

/// Moved aside for another user whole, and shown; nobody of ours deletes it.
pub(crate) fn what_an_earlier_user_left_is_shown_and_stays(world: &World, name: &str) -> WorkDir {
    let dirs = world.place.runnerctl(&["workdirs", "--json"]);
    let dirs: WorkDirs = serde_json::from_str(&dirs).unwrap();
    let is_it = |dir: &&WorkDir| Path::new(&dir.path).file_name() == Some(name.as_ref());
    let dir = dirs.directories.iter().find(is_it);
    let dir = dir.unwrap_or_else(|| panic!("{name} is not among {:?}", dirs.directories));
    assert_eq!((dir.kind, dir.job_user.as_deref()), (WorkDirKind::Left, None));
    let way_out = format!("sudo rm -rf -- '{}'", dir.path);
    assert!(dir.kept_because.as_ref().is_some_and(|why| why.contains(&way_out)), "{dir:?}");
    let refused = world.place.runnerctl_fails(&["clean", "--directory", &dir.id.0]);
    assert!(refused.contains(&way_out), "{refused}");
    let left = Path::new(&dir.path).join("work/left");
    assert_eq!(fs::read_to_string(left).unwrap(), "of the first\n");
    dir.clone()
}

#[test]
fn a_job_user_that_is_gone_is_a_problem_with_the_exact_way_out_and_heals() {
    if !User::can_be_made() {
        return;
    }
    let world = World::with(Place::new());
    // Numbers that nobody else is given meanwhile.
    let first = 61_000 + std::process::id() % 2000;
    let user = User::with_number("gone", first);
    let name = user.name.clone();
    world.set_up(Some(&name), TokenStore::File).unwrap();
    world.until_state(RunnerState::Idle);
    let leave = r#"echo of the first > "$CIRCLE_WORKING_DIRECTORY/left""#;
    world.output(&NewTask::new(CLASS).step("leave", leave));
    world.api.pause(RUNNER).unwrap();
    world.until_state(RunnerState::Paused);
    drop(user);
    let number = world.circle.enqueue(&NewTask::new(CLASS).step("who", "id -un"));
    world.api.resume(RUNNER).unwrap();
    let line = format!("`root ALL=({name}) NOPASSWD: ALL`");
    let runner = world.place.until_told(ProblemCode::JobUserUnusable, &line).runner.unwrap();
    assert_eq!((runner.state, runner.agent_pid), (RunnerState::Problem, None));

    // An admin makes it anew: it has another number by chance, and what is there is not its.
    let user = User::with_number("gone", first + 2000);
    // The next try comes by itself, on a busy machine after the longest wait that there is.
    let done = world.circle.finished_within(Duration::from_mins(6), number);
    assert_eq!(done.outcome, Some(Outcome::Success));
    assert_eq!(world.circle.output(number).lines().last(), Some(user.name.as_str()));
    let shown = what_an_earlier_user_left_is_shown_and_stays(&world, "jobs.1");
    assert!(shown.size.is_some_and(|size| size.0 > 0), "{shown:?}");

    world.output(&NewTask::new(CLASS).step("leave", leave));
    let next = User::make("next");
    jobs_get_another_user(&world, &next);
    what_an_earlier_user_left_is_shown_and_stays(&world, "jobs.2");
    world.finish();
}
