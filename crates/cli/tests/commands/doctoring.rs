//! `runnerctl doctor`: what it says, to people and to programs, with a supervisor and without.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fake::Fake;

fn finding(check: &str, level: &str, mend: Option<&str>) -> Value {
    let mut finding = json!({
        "check": check, "level": level, "subject": format!("the {check}"),
        "reading": format!("as {level} as can be"), "matters": "It matters a lot.",
    });
    if let Some(mend) = mend {
        finding["mend"] = mend.into();
    }
    finding
}

fn findings(findings: &[Value]) -> Value {
    json!({ "findings": findings })
}

fn of_all_levels() -> Value {
    findings(&[
        finding("disk", "bad", Some("Make room on it.")),
        finding("sleep", "warn", Some("Switch it off.")),
        finding("clock", "unknown", None),
        finding("moon", "dire", None),
        finding("settings", "note", None),
        finding("tools", "ok", None),
        finding("network", "ok", None),
    ])
}

/// In place of the supervisor's program.
fn program(fake: &Fake, script: &str) -> std::path::PathBuf {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    let path = fake.home().join("program");
    let mut file = std::fs::File::create_new(&path).expect("a new file");
    file.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).expect("it can be written");
    file.set_permissions(std::fs::Permissions::from_mode(0o755)).expect("it may be run");
    path
}

#[test]
fn what_the_supervisor_finds_is_shown_worst_first_and_bad_is_a_failure() {
    let fake = Fake::absent().on("GET /v1/doctor", of_all_levels()).started();
    assert_snapshot!(fake.run(&["doctor"]));
    assert_snapshot!(fake.run(&["doctor", "--json"]));
}

#[test]
fn where_nothing_is_bad_it_ends_well() {
    let well = findings(&[finding("sleep", "warn", None), finding("tools", "ok", None)]);
    let fake = Fake::absent().on("GET /v1/doctor", well).started();
    assert!(fake.run(&["doctor"]).starts_with("exit code 0\n"));
}

#[test]
fn addresses_to_reach_are_handed_on() {
    let fake = Fake::absent().started();
    fake.run(&["doctor", "--reach", "https://a.example/x", "--reach", "https://b.example"]);
    let asked = fake.asked();
    let call = "GET /v1/doctor?reach=https%3A%2F%2Fa.example%2Fx+https%3A%2F%2Fb.example";
    assert_eq!(asked[0], call);
}

#[test]
fn without_a_supervisor_its_program_is_asked_and_how_to_start_one_is_said() {
    let fake = Fake::absent();
    let script = format!("echo \"$@\" >&2; echo '{}'", findings(&[finding("tools", "ok", None)]));
    let mut doctor = fake.command(&["doctor"]);
    doctor.env("RUNNER_TRAY_SUPERVISOR", program(&fake, &script));
    assert_snapshot!(fake.transcript(&mut doctor));
}

#[test]
fn a_supervisor_that_knows_no_doctor_is_told_and_its_program_asked() {
    let fake = Fake::absent()
        .refuses("GET /v1/doctor", 404, "no-such-call", "This supervisor knows no such call.", "H")
        .started();
    let script = format!("echo '{}'", findings(&[finding("tools", "ok", None)]));
    let mut doctor = fake.command(&["doctor", "--json"]);
    doctor.env("RUNNER_TRAY_SUPERVISOR", program(&fake, &script));
    let seen = fake.transcript(&mut doctor);
    assert!(seen.contains("This supervisor knows no such call"), "{seen}");
    assert!(seen.contains("Look at both versions"), "{seen}");
}

#[test]
fn a_program_that_is_missing_or_says_nothing_is_a_failure_with_a_way_out() {
    let fake = Fake::absent();
    let mut doctor = fake.command(&["doctor"]);
    doctor.env("RUNNER_TRAY_SUPERVISOR", "/nowhere/supervisor");
    assert_snapshot!(fake.transcript(&mut doctor));
    let mut doctor = fake.command(&["doctor"]);
    doctor.env("RUNNER_TRAY_SUPERVISOR", program(&fake, "echo no such verb >&2; exit 2"));
    let seen = fake.transcript(&mut doctor);
    assert!(seen.starts_with("exit code 1") && seen.contains("no such verb"), "{seen}");
}
