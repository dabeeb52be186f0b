//! What jobs of a user of their own find: its PATH, and what a check makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use local_circleci::NewTask;
use protocol::{RunnerState, TokenStore};
use trials::{CLASS, Place, User, has_tools};

use crate::World;

#[test]
fn a_job_user_finds_what_the_settings_put_first() {
    if !User::can_be_made() {
        return;
    }
    let user = User::make("path");
    let world = World::with(Place::new());
    let first = world.place.path("signs").join("bin");
    fs::create_dir(&first).unwrap();
    let first = first.display().to_string();
    world.set_up(Some(&user.name), TokenStore::File).unwrap();
    let before = world.until_state(RunnerState::Idle).agent_pid;
    world.place.runnerctl(&["config", "job-path", "--first", &first]);
    let another = |before: Option<u32>| {
        let runner = world.until_runner("another agent waits for tasks", |runner| {
            runner.state == RunnerState::Idle
                && runner.agent_pid.is_some_and(|pid| Some(pid) != before)
        });
        runner.agent_pid
    };
    let before = another(before);
    world.place.runnerctl(&["preinstall", "install", "circleci"]);
    another(before);
    let said = world.place.runnerctl(&["config", "job-path", "--json"]);
    let path: protocol::JobPath = serde_json::from_str(&said).unwrap();
    assert_eq!((path.user.as_str(), &path.unreadable), (user.name.as_str(), &None));
    let show = "echo \"PATH is $PATH\"; command -v circleci; id -un";
    let output = world.output(&NewTask::new(CLASS).step("path", show));
    let found = path.found.join(":");
    assert!(output.contains(&format!("PATH is {found}")), "{found}\n{output}");
    assert!(found.starts_with(&format!("{first}:")), "{found}");
    assert!(found.contains(&format!("/home/{}/.local/bin", user.name)), "{found}");
    assert!(output.contains("shared/commands/circleci"), "{output}");
    // A check has that user and that PATH.
    let checked = world.place.runnerctl(&["preinstall", "check", "--json"]);
    let checked: protocol::PreinstallChecked = serde_json::from_str(&checked).unwrap();
    assert_eq!((checked.jobs.user.as_str(), checked.jobs.job_user), (user.name.as_str(), true));
    assert_eq!(checked.jobs.path.join(":"), found);
    world.finish();
}

#[test]
fn a_check_tells_what_a_job_user_has() {
    if !User::can_be_made() || !has_tools(&["git"]) {
        return;
    }
    let place = Place::new();
    // Its interpreter is nowhere; it is there all the same.
    let script = place.path("signs").join("script");
    run_dir::write_atomically(&script, b"#!/usr/bin/env no-interpreter-of-ours\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let own = format!(
        "[[preinstall.item]]\nid = \"moon\"\ncheck = {{ command = [\"no-such-program-of-ours\"] }}\n\
         [[preinstall.item]]\nid = \"script\"\ncheck = {{ command = [\"{}\"] }}\n",
        script.display()
    );
    place.folders().ensure().unwrap();
    run_dir::write_atomically(&place.folders().settings_file(), own.as_bytes()).unwrap();
    let user = User::make("eyes");
    let world = World::with(place);
    world.set_up(Some(&user.name), TokenStore::File).unwrap();
    world.until_state(RunnerState::Idle);
    let mut check = world.place.command("runnerctl");
    let check = check.args(["preinstall", "check", "--json", "git", "moon", "script"]);
    let checked = check.output().unwrap().stdout;
    let checked: protocol::PreinstallChecked = serde_json::from_slice(&checked).unwrap();
    assert!(checked.jobs.job_user && checked.jobs.user == user.name, "{checked:?}");
    for (id, state) in [
        ("git", protocol::ItemState::Present),
        ("moon", protocol::ItemState::Missing),
        ("script", protocol::ItemState::Broken),
    ] {
        let item = checked.items.iter().find(|item| item.id == id).unwrap();
        assert_eq!(item.state, state, "{item:?}");
    }
    world.finish();
}
