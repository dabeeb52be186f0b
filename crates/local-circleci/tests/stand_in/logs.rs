//! The log as it is known from public sources: text spans (circleci/ex) mixed with the task agent's
//! JSON lines (`pulibrary/princeton_ansible`, pull request 6136).

use serde_json::Value;

use crate::world::{Configured, World, until};

/// `HH:MM:SS <5 hex> <duration>ms <name and fields>`
fn is_span(line: &str) -> bool {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    let [time, trace, duration, _] = words.as_slice() else { return false };
    let is_time = time.len() == 8
        && time
            .split(':')
            .all(|part| part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit()));
    let is_trace = trace.len() == 5 && trace.bytes().all(|it| it.is_ascii_hexdigit());
    let milliseconds = duration.strip_suffix("ms").and_then(|it| it.parse::<f64>().ok());
    is_time && is_trace && milliseconds.is_some()
}

/// The log of a runner that did one task.
fn log_of_one_task(change: impl FnOnce(Configured) -> Configured) -> String {
    let world = World::new();
    world.enqueue("echo said by the step");
    let (status, log) = change(world.runner().key("runner.mode", "single-task")).run();
    assert!(status.success(), "{log}");
    log
}

fn json_lines(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn every_line_is_a_span_or_json() {
    let log = log_of_one_task(|it| it);
    for line in log.lines() {
        assert!(is_span(line) || serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    assert!(!log.contains("said by the step"), "a step's output belongs to the server");
}

#[test]
fn it_begins_with_starting_agent_and_says_that_it_is_a_stand_in() {
    let log = log_of_one_task(|it| it);
    let first = log.lines().next().unwrap();
    let (head, fields) = first.split_once(" app.date=").unwrap();
    assert!(is_span(first) && head.ends_with(" starting agent"), "{first}");
    for field in
        ["app.version=", "mode=agent", "service.name=circleci-runner", "a stand-in for CircleCI"]
    {
        assert!(fields.contains(field), "{first}");
    }
}

#[test]
fn keys_are_sorted_and_values_unquoted() {
    let log = log_of_one_task(|it| it);
    let span = log.lines().find(|line| line.contains("POST /api/v3/runner/claim")).unwrap();
    assert!(!span.contains('"'), "{span}");
    let keys: Vec<&str> = span
        .split(' ')
        .filter_map(|word| word.split_once('=').map(|(key, _)| key))
        .filter(|key| !key.contains('/'))
        .collect();
    assert!(keys.len() > 3 && keys.is_sorted(), "{keys:?}");
    assert!(span.contains("(linux; ") || span.contains("(darwin; "), "a value with spaces: {span}");
}

#[test]
fn a_claim_is_three_spans_each_written_when_it_ends() {
    let log = log_of_one_task(|it| it);
    let at = |words: &str| log.find(words).unwrap_or_else(|| panic!("no {words:?} in {log}"));
    let spans = [
        "POST /api/v3/runner/claim",
        " claim app.loop_name",
        "worker loop: claim:  app.backoff_ms=0",
    ];
    assert!(spans.map(at).is_sorted(), "{log}");
    assert!(at("GET /api/v2/task/config") < at("POST /api/v2/step/start"));
    assert!(at("POST /api/v2/step/start") < at("service-work"), "the job's span comes after it");
}

#[test]
fn the_task_agents_first_line_has_the_build_link() {
    let log = log_of_one_task(|it| it);
    let lines = json_lines(&log);
    let link = lines[0]["build_uri"].as_str().unwrap();
    assert_eq!(link, "https://circleci.com/gh/acme/web-app/1");
    assert_eq!(lines[0]["msg"], "step start");
    assert_eq!(lines[0]["step-id"], 99);
    let job = lines[0]["job-id"].as_str().unwrap();
    assert_eq!(lines[0]["task-id"], format!("{job}-0-build"));
}

#[test]
fn each_step_has_a_line_for_its_start_and_its_end() {
    let lines = json_lines(&log_of_one_task(|it| it));
    let of = |message: &str| -> Vec<(Value, Value)> {
        let lines = lines.iter().filter(|line| line["msg"] == message);
        let step = if message == "step start" { "step-id" } else { "step" };
        lines.map(|line| (line[step].clone(), line["step_type"].clone())).collect()
    };
    let steps = vec![(99.into(), "print_env".into()), (101.into(), "run".into())];
    assert_eq!(of("step start"), steps);
    assert_eq!(of("step end"), steps);
}

#[test]
fn most_polls_without_work_leave_no_line() {
    let world = World::new();
    let runner = world.runner().env("LOCAL_CIRCLECI_MAX_BACKOFF_MS", "5").start();
    until("many polls", || {
        world.control.agents().unwrap().first().filter(|it| it.claim_calls > 30).map(drop)
    });
    let lines = runner.log().matches("worker loop: claim:").count();
    let polls = world.control.agents().unwrap()[0].claim_calls;
    assert!(lines >= 1 && (lines as u64) < polls / 10, "{lines} lines for {polls} polls");
}

#[test]
fn the_back_off_doubles_from_50_ms() {
    let world = World::new();
    let runner = world.runner().key("logging.level", "debug").start();
    let log = runner.until_log_has("app.backoff_ms=100");
    assert!(log.find("app.backoff_ms=50").unwrap() < log.find("app.backoff_ms=100").unwrap());
}

#[test]
fn color_is_the_same_with_escapes_and_the_default() {
    let log = log_of_one_task(|it| it.without("logging.format"));
    assert!(log.lines().next().unwrap().contains("\u{1b}[32mstarting agent\u{1b}[0m"), "{log}");
}

#[test]
fn json_is_one_object_a_span() {
    let log = log_of_one_task(|it| it.key("logging.format", "json"));
    assert_eq!(json_lines(&log).len(), log.lines().count());
    assert_eq!(json_lines(&log)[0]["name"], "starting agent");
}

#[test]
fn none_leaves_only_the_task_agents_lines_and_silent_leaves_nothing() {
    let log = log_of_one_task(|it| it.key("logging.format", "none"));
    assert!(json_lines(&log).len() == log.lines().count() && log.contains("build_uri"), "{log}");
    assert_eq!(log_of_one_task(|it| it.variant("silent=1")), "");
}

#[test]
fn a_variant_overrules_the_configured_format() {
    let log = log_of_one_task(|it| it.variant("log=json"));
    assert_eq!(json_lines(&log)[0]["name"], "starting agent");
}

#[test]
fn a_log_file_has_the_runners_and_the_task_agents_lines() {
    let world = World::new();
    let file = world.path("runner.log");
    world.enqueue("true");
    let yaml = format!("{:?}", file.display().to_string());
    let runner = world.runner().key("runner.mode", "single-task").key("logging.file", &yaml);
    let (_, log) = runner.run();
    let in_file = std::fs::read_to_string(file).unwrap();
    assert!(in_file.contains("starting agent") && in_file.contains("build_uri"));
    assert_eq!(in_file, log);
}

#[test]
fn a_higher_level_leaves_only_errors() {
    let world = World::new();
    let runner = world.runner().key("logging.level", "error").key("api.auth_token", "wrong");
    let (_, log) = runner.run();
    assert!(!log.contains("starting agent") && log.contains("401-Unauthorized"), "{log}");
}
