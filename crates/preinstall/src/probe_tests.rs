//! Checks of scripted tools: each state, with the reading that says so.

use super::*;
use crate::stand_ins::{Place, linux, mac};
use crate::{Catalogue, Manager};

#[tokio::test]
async fn every_state_of_a_check_has_the_reading_that_says_so() {
    let place = Place::new();
    place.program("good", "echo good 2.5.0");
    place.program("old", "echo old 1.0");
    place.program("new", "echo new 9.0");
    place.program("broken", "echo it is broken >&2; exit 3");
    place.program("mute", "exit 0");
    place.program("hangs", "exec sleep 1000");
    std::fs::File::create(place.path("bin").join("unrunnable")).unwrap();
    let own: Vec<serde_json::Value> =
        ["good", "old", "new", "broken", "mute", "hangs", "unrunnable", "absent"]
            .iter()
            .map(|name| {
                serde_json::json!({ "id": format!("my-{name}"), "check": {
                    "command": [name], "version": format!("{name} {{version}}"),
                    "at_least": "2", "below": "3",
                    "within_seconds": if *name == "hangs" { 1 } else { 60 },
                }})
            })
            .collect();
    let (all, refused) = Catalogue::with(&own, &[]);
    assert_eq!(refused, []);
    let items: Vec<&Item> = all.items.iter().filter(|item| item.id.starts_with("my-")).collect();
    let found = check(&items, &linux(Manager::Apt), &place.jobs(), |_| ()).await;
    let of = |name: &str| {
        let item = found.iter().find(|item| item.id == format!("my-{name}")).unwrap();
        (item.state, item.reading.clone())
    };
    for (name, state, reading) in [
        ("good", ItemState::Present, "2.5.0, "),
        ("old", ItemState::TooOld, "wanted is 2 or newer, below 3"),
        ("new", ItemState::TooNew, "9.0, "),
        ("broken", ItemState::Broken, "failed (3): it is broken"),
        ("mute", ItemState::Unknown, "says no version"),
        ("hangs", ItemState::Unknown, "had no end within 1 s and was ended"),
        ("unrunnable", ItemState::Missing, "in no folder of the PATH"),
        ("absent", ItemState::Missing, "in no folder of the PATH"),
    ] {
        let (is, said) = of(name);
        assert_eq!(is, state, "{name}: {said}");
        assert!(said.contains(reading), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_java_without_a_compiler_is_no_jdk() {
    let place = Place::new();
    place.program("java", "echo 'openjdk version \"17.0.9\" 2023-10-17' >&2");
    let mut jobs = place.jobs();
    jobs.environment.insert("PATH".into(), place.path("bin").display().to_string());
    let jdk = [Catalogue::built_in().item("jdk").unwrap()];
    let found = check(&jdk, &linux(Manager::Apt), &jobs, |_| ()).await;
    assert_eq!(found[0].state, ItemState::Missing, "{found:?}");
    for (says, state) in [("17.0.9", ItemState::Present), ("1.8.0_392", ItemState::TooOld)] {
        place.program("javac", &format!("echo javac {says}"));
        let found = check(&jdk, &linux(Manager::Apt), &jobs, |_| ()).await;
        assert_eq!(found[0].state, state, "{found:?}");
    }
}

#[tokio::test]
async fn java_s_tools_begin_sooner_unless_jobs_have_options_of_their_own() {
    let place = Place::new();
    place.program("mvn", "echo \"with $JAVA_TOOL_OPTIONS\"; exit 3");
    let maven = [Catalogue::built_in().item("maven").unwrap()];
    let mut jobs = place.jobs();
    let sooner = check(&maven, &linux(Manager::Apt), &jobs, |_| ()).await;
    assert!(sooner[0].reading.ends_with(&format!("with {BEGIN_SOONER}")), "{sooner:?}");
    jobs.environment.insert("JAVA_TOOL_OPTIONS".into(), "-Xmx1g".into());
    let own = check(&maven, &linux(Manager::Apt), &jobs, |_| ()).await;
    assert!(own[0].reading.ends_with("with -Xmx1g"), "{own:?}");
}

#[tokio::test]
async fn what_java_says_of_our_options_is_no_reading_and_a_tool_that_cannot_have_them_goes_without()
{
    let place = Place::new();
    let heeds = "[ -z \"$JAVA_TOOL_OPTIONS\" ] || echo \"Picked up JAVA_TOOL_OPTIONS: 1.2 $JAVA_TOOL_OPTIONS\" >&2";
    place.program("speaks", &format!("{heeds}; echo 'openjdk version 21.0.1' >&2"));
    let fails = "[ -z \"$JAVA_TOOL_OPTIONS\" ] || exit 1; echo 'version 3.9.1'";
    place.program("clashes", &format!("{heeds}; {fails}"));
    let own: Vec<serde_json::Value> = ["speaks", "clashes"]
        .iter()
        .map(|name| {
            serde_json::json!({ "id": format!("my-{name}"), "check": {
                "command": [name], "version": "{version}",
            }})
        })
        .collect();
    let (all, _) = Catalogue::with(&own, &[]);
    let items: Vec<&Item> = all.items.iter().filter(|item| item.id.starts_with("my-")).collect();
    let found = check(&items, &linux(Manager::Apt), &place.jobs(), |_| ()).await;
    let versions: Vec<_> = found.iter().map(|it| it.version.as_deref()).collect();
    assert_eq!(versions, [Some("21.0.1"), Some("3.9.1")], "{found:?}");
}

#[tokio::test]
async fn on_a_mac_without_command_line_tools_a_stub_is_no_tool() {
    let place = Place::new();
    let all = Catalogue::built_in();
    let machine = Machine { stubs: true, ..mac() };
    let mut jobs = place.jobs();
    jobs.environment.insert("PATH".into(), "/usr/bin".into());
    let git = [all.item("git").unwrap()];
    let found = check(&git, &machine, &jobs, |_| ()).await;
    if !Path::new("/usr/bin/git").exists() {
        return skipped::skipped("there is no /usr/bin/git to take for a stub");
    }
    assert_eq!(found[0].state, ItemState::Missing);
    assert!(found[0].reading.contains("only a stub"), "{found:?}");
}

#[tokio::test]
async fn what_a_system_has_no_need_of_is_not_missing_there() {
    let place = Place::new();
    let xvfb = [Catalogue::built_in().item("xvfb").unwrap()];
    let found = check(&xvfb, &mac(), &place.jobs(), |_| ()).await;
    assert_eq!(found[0].state, ItemState::Present);
    assert_eq!(found[0].reading, "not needed here: macOS has a display of its own");
}

#[test]
fn of_many_paths_another_user_is_asked_once_and_the_first_that_is_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("it's there");
    std::fs::File::create(&there).unwrap();
    let asked = |paths: &[&Path]| {
        let mut shell = std::process::Command::new("/bin/sh");
        let output = shell.args(["-c", FIRST_THERE, "sh"]).args(paths).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (nowhere, there) = (folder.path().join("nowhere"), there.as_path());
    assert_eq!(asked(&[&nowhere, there, there]), (Some(0), there.display().to_string()));
    assert_eq!(asked(&[&nowhere]), (Some(1), String::new()));
}

#[tokio::test]
async fn tools_are_looked_at_at_the_same_time() {
    let place = Place::new();
    let sign = |name: &str| place.path("state").join(name).display().to_string();
    for (name, other) in [("one", "two"), ("two", "one")] {
        let (own, other) = (sign(name), sign(other));
        place.program(name, &format!(": > {own}; while [ ! -e {other} ]; do sleep 0.05; done"));
    }
    let checks =
        ["one", "two"].map(|name| serde_json::json!({ "command": [name], "within_seconds": 60 }));
    for (state, reading) in looked_at(&checks, &place.jobs()).await {
        assert_eq!(state, ItemState::Present, "each waits for the other: {reading}");
    }
}

/// Jobs of another user, who is reached by such a `sudo`.
fn by_sudo(place: &Place, script: &str) -> Jobs {
    place.program("sudo", script);
    crate::jobs::SUDO.set(Some(place.path("bin").join("sudo")));
    Jobs { user: "ci".into(), is_job_user: true, ..place.jobs() }
}

/// It runs what it is asked to, as this user.
const HANDS_ON: &str = r#"while [ "$1" != -- ]; do shift; done; shift; exec "$@""#;

/// Such checks of the owner's, looked at in their order.
async fn looked_at(checks: &[serde_json::Value], jobs: &Jobs) -> Vec<(ItemState, String)> {
    let item = |(at, check): (usize, &serde_json::Value)| serde_json::json!({ "id": format!("own-{at}"), "check": check });
    let own: Vec<serde_json::Value> = checks.iter().enumerate().map(item).collect();
    let (all, refused) = Catalogue::with(&own, &[]);
    assert_eq!(refused, []);
    let items: Vec<&Item> = all.items.iter().filter(|item| item.id.starts_with("own-")).collect();
    let found = check(&items, &linux(Manager::Apt), jobs, |_| ()).await;
    found.into_iter().map(|item| (item.state, item.reading)).collect()
}

#[tokio::test]
async fn what_another_user_has_is_told_as_of_ones_own() {
    let place = Place::new();
    let jobs = by_sudo(&place, HANDS_ON);
    place.program("good", "echo good 2.5.0");
    place.program("old", "echo old 1.0");
    place.program("broken", "echo it is broken >&2; exit 3");
    place.program("script", "exec /usr/bin/env no-interpreter-of-ours");
    place.program("hangs", "exec sleep 1000");
    let versioned = |name: &str| {
        serde_json::json!({
            "command": [name], "version": format!("{name} {{version}}"), "at_least": "2",
        })
    };
    let there = place.path("home").display().to_string();
    let states = [
        (versioned("good"), ItemState::Present, "2.5.0"),
        (versioned("old"), ItemState::TooOld, "wanted is 2 or newer"),
        (versioned("broken"), ItemState::Broken, "failed (3): it is broken"),
        (versioned("script"), ItemState::Broken, "no-interpreter-of-ours"),
        (
            serde_json::json!({ "command": ["hangs"], "within_seconds": 1 }),
            ItemState::Unknown,
            "had no end within 1 s",
        ),
        (versioned("absent"), ItemState::Missing, "absent is in no folder of the PATH of jobs"),
        (
            serde_json::json!({ "command": ["good"], "only_there": true }),
            ItemState::Present,
            "bin/good",
        ),
        (
            serde_json::json!({ "command": ["absent"], "only_there": true }),
            ItemState::Missing,
            "absent is in no folder of the PATH of jobs",
        ),
        (serde_json::json!({ "paths": ["/nowhere", there] }), ItemState::Present, "is there"),
        (serde_json::json!({ "paths": ["/nowhere"] }), ItemState::Missing, "there is no /nowhere"),
    ];
    let checks: Vec<serde_json::Value> = states.iter().map(|(check, ..)| check.clone()).collect();
    let found = looked_at(&checks, &jobs).await;
    assert_eq!(found.len(), states.len());
    for ((state, reading), (check, wanted, says)) in found.iter().zip(&states) {
        assert_eq!(state, wanted, "{check}: {reading}");
        assert!(reading.contains(says), "{check}: {reading}");
    }
}

#[tokio::test]
async fn where_another_user_cannot_be_reached_nothing_is_known_of_what_it_has() {
    let place = Place::new();
    place.program("good", "exit 0");
    let checks = [
        serde_json::json!({ "command": ["good"] }),
        serde_json::json!({ "command": ["good"], "only_there": true }),
        serde_json::json!({ "paths": ["/"] }),
    ];
    let jobs = by_sudo(&place, "echo 'sudo: a password is required' >&2; exit 1");
    for (state, reading) in looked_at(&checks, &jobs).await {
        assert_eq!((state, reading.as_str()), (ItemState::Unknown, "sudo: a password is required"));
    }
    crate::jobs::SUDO.set(Some(place.path("bin").join("no-sudo")));
    for (state, reading) in looked_at(&checks, &jobs).await {
        assert_eq!(state, ItemState::Unknown, "{reading}");
        assert!(reading.contains("No such file"), "{reading}");
    }
}

#[test]
fn what_env_did_not_find_is_read_with_and_without_quotes() {
    for (said, name) in [
        ("/usr/bin/env: \u{2018}yarn\u{2019}: No such file or directory", Some("yarn")),
        ("/usr/bin/env: 'node': No such file or directory\n/usr/bin/env: use -S", Some("node")),
        ("env: node: No such file or directory", Some("node")),
        ("node: not found", None),
        ("", None),
    ] {
        assert_eq!(not_found(said), name, "{said}");
    }
}
