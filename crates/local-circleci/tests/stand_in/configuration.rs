//! The configuration file and the environment, as a runner's process obeys them. That every key is
//! read is tested beside the reader itself.

use std::process::Command;

use local_circleci::Outcome;

use crate::world::{World, until};

#[test]
fn the_environment_wins_over_the_file() {
    let world = World::new();
    let _runner = world
        .runner()
        .key("api.auth_token", "wrong")
        .key("runner.name", "from-the-file")
        .env("CIRCLECI_RUNNER_API_AUTH_TOKEN", crate::world::TOKEN)
        .env("CIRCLECI_RUNNER_NAME", "from-the-environment")
        .start();
    let agents = until("a claim", || {
        Some(world.control.agents().unwrap()).filter(|agents| !agents.is_empty())
    });
    assert_eq!(agents[0].name, "from-the-environment");
}

#[test]
fn a_missing_required_key_is_named_and_the_runner_exits_1() {
    let world = World::new();
    for (key, field) in [("api.auth_token", "AuthToken"), ("runner.name", "Name")] {
        let (status, log) = world.runner().without(key).run();
        assert_eq!(status.code(), Some(1));
        let said = format!("Error:Field validation for '{field}' failed on the 'required' tag");
        assert!(log.contains(&said), "{log}");
    }
}

#[test]
fn a_name_has_letters_digits_and_a_few_signs() {
    let world = World::new();
    let (status, log) = world.runner().key("runner.name", "\"my mac\"").run();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("'Config.Runner.Name'"), "{log}");
    let _runner = world.runner().key("runner.name", "mac-mini.local_(1)").start();
    until("a claim", || {
        world
            .control
            .agents()
            .unwrap()
            .iter()
            .any(|it| it.name == "mac-mini.local_(1)")
            .then_some(())
    });
}

#[test]
fn the_working_directory_is_absolute() {
    let world = World::new();
    let (status, log) = world.runner().key("runner.working_directory", "work").run();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("'WorkingDirectory'"), "{log}");
}

#[test]
fn percent_s_in_the_working_directory_is_literal() {
    let world = World::new();
    let directory = world.path("work/%s");
    let yaml = format!("{:?}", directory.display().to_string());
    let _runner = world.runner().key("runner.working_directory", &yaml).start();
    let task = world.control.wait_finished(world.enqueue("pwd; touch here")).unwrap();
    assert_eq!(task.outcome, Some(Outcome::Success));
    assert!(directory.join("here").exists());
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let world = World::new();
    let (status, log) = world.runner().key("runner.name", "[[RUNNER_NAME]]").run();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("circleci-runner: error: config file"), "{log}");
    let mut command = world.runner().command();
    let output = command.arg("extra").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_configuration_may_be_named_with_c_or_left_out() {
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_circleci-runner");
    let without_file = Command::new(program).arg("machine").output().unwrap();
    let said = String::from_utf8(without_file.stderr).unwrap();
    assert!(said.contains("'Config.API.AuthToken'"), "{said}");
    let no_such_file = world.path("none.yaml");
    let output = Command::new(program).args(["machine", "-c"]).arg(&no_such_file).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    let expected = format!("open {}: no such file or directory", no_such_file.display());
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn it_speaks_to_this_machine_only() {
    let world = World::new();
    for url in ["https://runner.circleci.com", "http://192.0.2.1"] {
        let (status, log) = world.runner().key("api.url", &format!("{url:?}")).run();
        assert_eq!(status.code(), Some(1));
        assert!(log.contains("speaks to loopback only"), "{log}");
    }
}
