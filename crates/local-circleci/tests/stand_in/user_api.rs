//! The user API's read side, flat and with envelopes, and who may read it.

use local_circleci::control::Counts;
use serde_json::Value;

use crate::world::{CLASS, World, until, until_exists, write};

/// Status and body of a call with some headers.
fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut call = agent.get(format!("{}{path}", world.control.url()));
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let mut answer = call.call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

fn read(world: &World, path: &str) -> Value {
    let (status, body) = get(world, path, &[("Circle-Token", world.server().personal_token())]);
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn counts_and_busy_follow_the_task() {
    let world = World::new();
    let unclaimed = "/api/v3/runner/tasks?resource-class=acme/macos";
    let running = "/api/v3/runner/tasks/running?resource-class=acme/macos";
    let agents = "/api/v3/runner/agents?filter[resource_class]=acme/macos";
    let busy = || read(&world, agents)["data"][0]["attributes"]["is_busy"].clone();

    let (task, started, go) = world.enqueue_waiting_task("a");
    assert_eq!(read(&world, unclaimed)["unclaimed_task_count"], 1);
    assert_eq!(read(&world, running)["running_runner_tasks"], 0);
    let _runner = world.runner().start();
    until_exists(&started);
    assert_eq!(read(&world, unclaimed)["unclaimed_task_count"], 0);
    assert_eq!(read(&world, running)["running_runner_tasks"], 1);
    assert_eq!(busy(), true);
    write(&go, "");
    world.control.wait_finished(task).unwrap();
    assert_eq!(read(&world, running)["running_runner_tasks"], 0);
    assert_eq!(world.control.counts(CLASS).unwrap(), Counts { unclaimed: 0, running: 0 });
    assert_eq!(busy(), false);
}

#[test]
fn a_runner_is_registered_by_its_first_claim_in_both_shapes() {
    let world = World::new();
    let flat = "/api/v3/runner?namespace=acme";
    assert_eq!(read(&world, flat)["items"], Value::Array(Vec::new()));
    let _runner = world.runner().start();
    let item = until("the runner is listed", || read(&world, flat)["items"].get(0).cloned());
    assert_eq!(item["resource_class"], CLASS);
    assert_eq!(item["name"], "runner-0");
    assert_eq!(item["version"], "0.0.0-local");
    assert_eq!(item["last_used"], Value::Null);
    let page = read(&world, "/api/v3/runner/agents?filter[namespace]=acme");
    let agent = &page["data"][0];
    assert_eq!(agent["attributes"]["name"], "runner-0");
    assert_eq!(agent["references"]["resource_class"]["attributes"]["resource_class"], CLASS);
    assert_eq!(page["page"]["next"], Value::Null);
}

#[test]
fn a_bad_token_is_answered_with_401_and_a_message() {
    let world = World::new();
    let path = "/api/v3/runner?namespace=acme";
    for headers in [vec![], vec![("Circle-Token", "bad")], vec![("Authorization", "Bearer bad")]] {
        let (status, body) = get(&world, path, &headers);
        assert_eq!(status, 401);
        assert!(body["message"].is_string(), "{body}");
    }
}

#[test]
fn a_personal_token_comes_in_three_ways() {
    use base64::Engine;
    let world = World::new();
    let token = world.server().personal_token();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{token}:"));
    let path = "/api/v3/runner?namespace=acme";
    for (name, value) in [
        ("Circle-Token", token.to_owned()),
        ("Authorization", format!("Bearer {token}")),
        ("Authorization", format!("Basic {basic}")),
    ] {
        assert_eq!(get(&world, path, &[(name, &value)]).0, 200, "{name}");
    }
}

#[test]
fn pages_have_a_limit_and_a_cursor() {
    let world = World::new();
    for class in ["acme/b", "acme/c", "other/d"] {
        world.control.new_token(class).unwrap();
    }
    let path = "/api/v3/runner/resource-classes?filter[namespace]=acme&page[limit]=2";
    let first = read(&world, path);
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let next = first["page"]["next"].as_str().unwrap();
    let second = read(&world, &format!("{path}&page[cursor]={next}"));
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    assert_eq!(second["page"]["next"], Value::Null);

    let token = ("Circle-Token", world.server().personal_token());
    let too_long = "/api/v3/runner/agents?filter[namespace]=acme&page[limit]=251";
    assert_eq!(get(&world, too_long, &[token]).0, 400);
    assert_eq!(get(&world, "/api/v3/runner/agents", &[token]).0, 400, "exactly one filter");
}

#[test]
fn an_unknown_resource_class_is_not_found() {
    let world = World::new();
    let token = ("Circle-Token", world.server().personal_token());
    let path = "/api/v3/runner/tasks?resource-class=acme/nothing";
    assert_eq!(get(&world, path, &[token]).0, 404);
}
