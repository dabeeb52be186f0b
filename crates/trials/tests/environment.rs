//! A supervisor that is started by hand lives long: it gets what it needs of its starter's
//! environment, by name, and no secret that somebody's shell happened to hold.

use std::collections::BTreeMap;

use trials::{DEADLINE, Place, until};

const SECRET: &str = "hunter2-of-somebody-else";

/// What a process was started with.
fn environment(pid: u32) -> BTreeMap<String, String> {
    let pid = process::Pid::new(pid).expect("a number of a process");
    let variables = process::environ(pid).expect("a process of ours");
    let text = |text: std::ffi::OsString| text.into_string().expect("UTF-8");
    variables.into_iter().map(|(name, value)| (text(name), text(value))).collect()
}

#[test]
fn a_supervisor_gets_what_it_needs_by_name_and_no_secret_of_its_starters() {
    let mut place = Place::new();
    // As people have them; and what is called like ours is not ours by that.
    let others = ["AWS_SECRET_ACCESS_KEY", "CIRCLECI_CLI_TOKEN", "RUNNER_TRAY_TOKEN", "TOKEN"];
    for name in others {
        place.set_env(name, SECRET);
    }
    for (name, value) in [
        ("CIRCLECI_RUNNER_API_AUTH_TOKEN", SECRET),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"),
        ("https_proxy", "http://proxy.example:3128"),
        ("NO_PROXY", "localhost,127.0.0.1"),
        ("LC_ALL", "C.UTF-8"),
    ] {
        place.set_env(name, value);
    }
    place.runnerctl(&["supervisor", "start"]);
    let health: serde_json::Value =
        serde_json::from_str(&place.runnerctl(&["supervisor", "status", "--json"])).unwrap();
    let pid = health["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("its pid");
    let environment = environment(pid);
    for (name, value) in &environment {
        assert!(!value.contains(SECRET), "{name}");
    }
    for name in others {
        assert!(!environment.contains_key(name), "{name}");
    }
    for (name, value) in [
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"),
        ("https_proxy", "http://proxy.example:3128"),
        ("NO_PROXY", "localhost,127.0.0.1"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("RUNNER_TRAY_ALLOW_ROOT", "1"),
    ] {
        assert_eq!(environment.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(environment.contains_key("HOME") && environment.contains_key("XDG_RUNTIME_DIR"));
    let home = place.path("home");
    assert_eq!(environment.get("RUNNER_TRAY_HOME").map(String::as_str), home.to_str());
    place.runnerctl(&["supervisor", "stop"]);
    until(DEADLINE, "it has ended", || place.processes().is_empty());
}
