//! The server by itself: where it listens, what it offers, what it keeps.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use flate2::read::GzDecoder;
use local_circleci::control::{Counts, Fault};
use local_circleci::{NewTask, Server, ServerOptions, TaskState, TokenSource};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::world::{CLASS, TOKEN, World, options};

fn get(url: &str) -> Vec<u8> {
    ureq::get(url).call().unwrap().body_mut().with_config().limit(1 << 30).read_to_vec().unwrap()
}

fn manifest(world: &World) -> Value {
    serde_json::from_slice(&get(&format!("{}/manifest.json", world.server().releases_url())))
        .unwrap()
}

fn offer<'a>(manifest: &'a Value, release: &str) -> &'a Value {
    let os = if std::env::consts::OS == "macos" { "darwin" } else { "linux" };
    let arch = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    &manifest["releases"][release][os][arch]
}

#[test]
fn it_refuses_any_address_but_loopback() {
    for addr in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let addr: SocketAddr = addr.parse().unwrap();
        let error = Server::start(&ServerOptions { addr, ..ServerOptions::default() });
        let error = error.err().unwrap().to_string();
        assert!(error.contains("listens on loopback only"), "{error}");
    }
}

#[test]
fn the_manifest_names_each_release_with_its_sum() {
    let world = World::with(|it| it.releases = vec!["3.1.11".into(), "3.1.12".into()]);
    let manifest = manifest(&world);
    for release in ["3.1.11", "3.1.12"] {
        let offer = offer(&manifest, release);
        let url = offer["url"].as_str().unwrap();
        assert!(url.contains(&format!("/releases/{release}/circleci-runner_")), "{url}");
        assert_eq!(offer["sha256"], hex::encode(Sha256::digest(get(url))));
    }
    assert_eq!(offer(&manifest, "current"), offer(&manifest, "3.1.12"));
    assert_ne!(offer(&manifest, "3.1.11")["sha256"], offer(&manifest, "3.1.12")["sha256"]);
}

#[test]
fn another_release_can_become_the_current_one() {
    let world = World::with(|it| it.releases = vec!["3.1.11".into(), "3.1.12".into()]);
    world.control.set_current_release("3.1.11").unwrap();
    let manifest = manifest(&world);
    assert_eq!(offer(&manifest, "current"), offer(&manifest, "3.1.11"));
    assert_eq!(world.control.set_current_release("9").unwrap_err().status(), Some(404));
}

#[test]
fn a_release_is_one_executable_that_says_its_version() {
    let world = World::with(|it| it.releases = vec!["3.1.12".into()]);
    let url = offer(&manifest(&world), "current")["url"].as_str().unwrap().to_owned();
    let tarball = get(&url);
    let mut archive = tar::Archive::new(GzDecoder::new(&*tarball));
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap() & 0o777, 0o755);
        names.push(entry.path().unwrap().display().to_string());
        entry.unpack_in(world.path("")).unwrap();
    }
    assert_eq!(names, ["circleci-runner"]);
    let program = world.path("circleci-runner");
    let said = std::process::Command::new(&program).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "3.1.12\n");

    let runner = world.runner().key("runner.idle_timeout", "1ms");
    assert!(runner.command_of(&program).output().unwrap().status.success());
    assert_eq!(world.control.agents().unwrap()[0].version, "3.1.12");
}

#[test]
fn a_spoilt_download_can_be_had() {
    let world = World::new();
    let offer = offer(&manifest(&world), "current").clone();
    let url = offer["url"].as_str().unwrap();
    let spoil = |fault: Fault| {
        let fault = Fault { path: "/releases/3".to_owned(), times: Some(1), ..fault };
        world.control.add_fault(&fault).unwrap();
    };
    spoil(Fault { garble: true, ..Fault::default() });
    assert_ne!(offer["sha256"], hex::encode(Sha256::digest(get(url))));
    spoil(Fault { cut_after: Some(1000), ..Fault::default() });
    let mut answer = ureq::get(url).call().unwrap();
    let mut body = Vec::new();
    assert!(answer.body_mut().as_reader().read_to_end(&mut body).is_err());
    assert_eq!(body.len(), 1000);
    assert_eq!(offer["sha256"], hex::encode(Sha256::digest(get(url))), "once only");
}

#[test]
fn tasks_and_output_outlive_the_server() {
    let folder = TempDir::with_prefix("stand-in-").unwrap();
    let world = World::new();
    let server = Server::start(&options(folder.path())).unwrap();
    let control = server.control();
    let done = control.enqueue(&NewTask::new(CLASS).step("say", "echo kept")).unwrap();
    let url = format!("{:?}", server.url());
    let (status, _) = world.runner().key("api.url", &url).key("runner.mode", "single-task").run();
    assert!(status.success());
    let waiting = control.enqueue(&NewTask::new(CLASS).step("say", "true")).unwrap();
    let before = control.tasks().unwrap();
    drop(server);

    let server = Server::start(&options(folder.path())).unwrap();
    let control = server.control();
    assert_eq!(control.tasks().unwrap(), before);
    assert!(control.output(done).unwrap().ends_with("kept\n"));
    assert_eq!(control.task(waiting).unwrap().state, TaskState::Queued);
    assert_eq!(control.enqueue(&NewTask::new(CLASS)).unwrap().0, waiting.0 + 1);
}

#[test]
fn a_token_that_nobody_gave_is_random_kept_and_private() {
    let folder = TempDir::with_prefix("stand-in-").unwrap();
    let kept = folder.path().join("state/tokens/acme_macos");
    let mut options = options(folder.path());
    options.resource_classes = vec![(CLASS.to_owned(), TokenSource::Kept)];
    let token = Server::start(&options).unwrap().token(CLASS).unwrap().to_owned();
    assert!(token.len() == 80 && token.bytes().all(|it| it.is_ascii_hexdigit()));
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Server::start(&options).unwrap().token(CLASS), Some(&*token));

    let file = folder.path().join("token");
    options.resource_classes = vec![(CLASS.to_owned(), TokenSource::InFile(file.clone()))];
    let server = Server::start(&options).unwrap();
    assert_eq!(fs::read_to_string(file).unwrap().trim(), server.token(CLASS).unwrap());
}

#[test]
fn held_tasks_wait() {
    let world = World::new();
    world.control.hold(true).unwrap();
    let task = world.enqueue("true");
    let runner = world.runner().start();
    runner.until_log_has("worker loop: claim:");
    assert_eq!(world.control.counts(CLASS).unwrap(), Counts { unclaimed: 1, running: 0 });
    world.control.hold(false).unwrap();
    world.control.wait_finished(task).unwrap();
}

#[test]
fn a_new_token_works_beside_the_old_one() {
    let world = World::new();
    let token = world.control.new_token(CLASS).unwrap();
    assert_ne!(token, TOKEN);
    let task = world.enqueue("true");
    let _runner = world.runner().key("api.auth_token", &token).start();
    world.control.wait_finished(task).unwrap();
}

#[test]
fn a_lost_answer_loses_the_task_until_the_runner_asks_again() {
    let world = World::new();
    let lost = Fault {
        path: "/api/v3/runner/claim".to_owned(),
        times: Some(1),
        lose_answer: true,
        ..Fault::default()
    };
    world.control.add_fault(&lost).unwrap();
    let task = world.enqueue("true");
    let _runner = world.runner().start();
    let task = world.control.wait_finished(task).unwrap();
    assert_eq!(task.outcome, Some(local_circleci::Outcome::InfrastructureFail));
}

#[test]
fn a_build_link_may_lead_to_a_page_of_the_server() {
    let world = World::with(|it| it.web_url = None);
    let number = world.enqueue("echo seen on the page");
    let _runner = world.runner().start();
    let task = world.control.wait_finished(number).unwrap();
    let page = String::from_utf8(get(&task.build_url)).unwrap();
    assert!(
        page.contains("a stand-in for CircleCI") && page.contains("seen on the page"),
        "{page}"
    );
}

#[test]
fn without_its_executables_it_says_how_to_get_them() {
    let folder = TempDir::with_prefix("stand-in-").unwrap();
    let mut options = options(folder.path());
    options.binaries = Some(folder.path().to_owned());
    let error = format!("{:#}", Server::start(&options).err().unwrap());
    assert!(error.contains("cargo build -p local-circleci"), "{error}");
}
