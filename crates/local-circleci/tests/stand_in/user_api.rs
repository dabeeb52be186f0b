//! The user API, flat and with envelopes: who may read and write it, and what it then does.

use local_circleci::UserApi;
use local_circleci::control::{Counts, Fault};
use serde_json::{Value, json};

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

/// Status and body of a changing call by the owner of the personal token.
fn change(world: &World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let call = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", world.control.url()))
        .header("Circle-Token", world.server().personal_token())
        .header("Content-Type", "application/json");
    let body = if method == "POST" { body.to_string() } else { String::new() };
    let mut answer = agent.run(call.body(body).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
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

#[test]
fn classes_are_made_and_deleted_in_the_flat_form() {
    let world = World::new();
    let new = json!({ "resource_class": "acme/linux", "description": "fast" });
    let (status, class) = change(&world, "POST", "/api/v3/runner/resource", &new);
    assert_eq!((status, &class["description"]), (200, &json!("fast")));
    assert_eq!(change(&world, "POST", "/api/v3/runner/resource", &new).0, 409, "twice");
    let items = read(&world, "/api/v3/runner/resource?namespace=acme")["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
    let path = format!("/api/v3/runner/resource/{}", class["id"].as_str().unwrap());
    let token = json!({ "resource_class": "acme/linux", "nickname": "n" });
    assert_eq!(change(&world, "POST", "/api/v3/runner/token", &token).0, 201);
    let (status, body) = change(&world, "DELETE", &path, &json!({}));
    assert_eq!(status, 409, "{body}");
    assert_eq!(change(&world, "DELETE", &format!("{path}/force"), &json!({})).0, 200);
    assert_eq!(change(&world, "DELETE", &path, &json!({})).0, 404);
}

#[test]
fn a_token_is_told_once_and_claims_until_it_is_deleted() {
    let world = World::new();
    let new = json!({ "resource_class": CLASS, "nickname": "mini" });
    let (status, created) = change(&world, "POST", "/api/v3/runner/token", &new);
    let secret = created["token"].as_str().unwrap();
    assert_eq!((status, &created["nickname"]), (201, &json!("mini")));
    let list = read(&world, &format!("/api/v3/runner/token?resource-class={CLASS}"));
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert!(ids.contains(&&created["id"]) && !list.to_string().contains(secret), "{list}");
    assert_eq!(claim(&world, secret), 204);
    let path = format!("/api/v3/runner/token/{}", created["id"].as_str().unwrap());
    assert_eq!(change(&world, "DELETE", &path, &json!({})).0, 200);
    assert_eq!(change(&world, "DELETE", &path, &json!({})).0, 404);
    assert_eq!(claim(&world, secret), 401);
}

fn claim(world: &World, token: &str) -> u16 {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent
        .post(format!("{}/api/v3/runner/claim", world.control.url()))
        .header("Authorization", format!("Bearer {token}"))
        .send_json(json!({ "name": "by-hand" }))
        .unwrap()
        .status()
        .as_u16()
}

#[test]
fn the_newer_form_makes_and_deletes_by_references() {
    let world = World::new();
    let new = json!({ "data": {
        "attributes": { "resource_class": "acme/linux", "description": "" },
        "references": { "org": { "id": "an-org" } },
    } });
    let (status, made) = change(&world, "POST", "/api/v3/runner/resource-classes", &new);
    assert_eq!(status, 201, "{made}");
    let class = made["data"]["id"].as_str().unwrap();
    let token = json!({ "data": {
        "attributes": { "nickname": "n" },
        "references": { "resource_class": { "id": class } },
    } });
    let (status, made) = change(&world, "POST", "/api/v3/runner/tokens", &token);
    assert_eq!(status, 201, "{made}");
    assert_eq!(claim(&world, made["data"]["attributes"]["token"].as_str().unwrap()), 204);
    let listed = read(&world, "/api/v3/runner/tokens?filter[resource_class]=acme/linux");
    assert_eq!(listed["data"][0]["attributes"]["nickname"], "n");
    assert_eq!(listed["data"][0]["attributes"]["token"], Value::Null);
    let fleet = read(&world, &format!("/api/v3/runner/fleets/{class}"));
    assert_eq!(fleet["data"]["attributes"]["agent_count"], 1);
    let path = format!("/api/v3/runner/resource-classes/{class}");
    assert_eq!(change(&world, "DELETE", &path, &json!({})).0, 409);
    let path = format!("/api/v3/runner/tokens/{}", made["data"]["id"].as_str().unwrap());
    assert_eq!(change(&world, "DELETE", &path, &json!({})).0, 204);
    let path = format!("/api/v3/runner/resource-classes/{class}?force=true");
    assert_eq!(change(&world, "DELETE", &path, &json!({})).0, 204);
}

#[test]
fn a_form_that_is_not_spoken_has_no_pages() {
    let flat = "/api/v3/runner/resource?namespace=acme";
    let newer = "/api/v3/runner/resource-classes?filter[namespace]=acme";
    let world = World::with(|options| options.user_api = UserApi::Flat);
    let token = ("Circle-Token", world.server().personal_token());
    let status = |path| {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let call = agent.get(format!("{}{path}", world.control.url())).header(token.0, token.1);
        call.call().unwrap().status().as_u16()
    };
    assert_eq!((status(flat), status(newer)), (200, 404));
    world.control.set_user_api(UserApi::Enveloped).unwrap();
    assert_eq!((status(flat), status(newer)), (404, 200));
    assert_eq!(claim(&world, crate::world::TOKEN), 204, "the agents' API is there always");
}

#[test]
fn a_namespace_that_nobody_named_is_not_found_and_an_empty_one_is_empty() {
    let world = World::with(|options| options.namespaces.push("empty".to_owned()));
    let token = ("Circle-Token", world.server().personal_token());
    assert_eq!(get(&world, "/api/v3/runner/resource?namespace=other", &[token]).0, 404);
    assert_eq!(read(&world, "/api/v3/runner/resource?namespace=empty")["items"], json!([]));
}

#[test]
fn a_fault_meets_one_method_alone_and_may_say_when_to_come_back() {
    let world = World::new();
    let path = "/api/v3/runner/token";
    let fault = Fault {
        path: path.to_owned(),
        method: Some("POST".to_owned()),
        status: Some(429),
        retry_after: Some("7".to_owned()),
        ..Fault::default()
    };
    world.control.add_fault(&fault).unwrap();
    read(&world, &format!("{path}?resource-class={CLASS}"));
    let new = json!({ "resource_class": CLASS, "nickname": "n" });
    assert_eq!(change(&world, "POST", path, &new).0, 429);
}
