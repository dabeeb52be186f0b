//! An agent is on disk whole and checked, or not at all.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::Path};

use jiff::Timestamp;
use runner_tray_circleci::{
    CURRENT, InstalledAgent, Progress, ReleaseError, Releases, installed, verify,
};
use tempfile::TempDir;

use crate::release_server::{ReleaseServer, archive, archive_of, path_of, sha256};

const AGENT: &[u8] = b"#!/bin/sh\necho agent\n";

async fn install(server: &ReleaseServer, data: &Path) -> Result<InstalledAgent, ReleaseError> {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    Releases::at(&server.url)?.install(CURRENT, data, now, |_| {}).await
}

pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".lock")
        .collect();
    names.sort();
    names
}

fn nothing_is_installed(data: &Path) {
    assert_eq!(installed(data), []);
    assert_eq!(entries(&data.join("agents")), [""; 0], "nothing half-made stays");
}

#[tokio::test]
async fn an_agent_is_installed_whole_executable_and_with_its_receipt() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let bytes = archive(&[("LICENSE", b"words"), ("./circleci-runner", AGENT), ("doc/x", b"")]);
    server.offers("3.1.11", &bytes, &sha256(&bytes));
    let mut seen = Vec::new();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let releases = Releases::at(&server.url).unwrap();
    let agent = releases.install(CURRENT, data.path(), now, |it| seen.push(it)).await.unwrap();

    assert_eq!(agent.version, "3.1.11");
    assert_eq!(agent.path, data.path().join("agents/3.1.11/circleci-runner"));
    assert_eq!(
        (agent.sha256.as_str(), agent.binary_sha256.as_str()),
        (&*sha256(&bytes), &*sha256(AGENT))
    );
    assert_eq!(agent.installed_at, now);
    assert_eq!(fs::read(&agent.path).unwrap(), AGENT);
    assert_eq!(fs::metadata(&agent.path).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(entries(&data.path().join("agents")), ["3.1.11"]);
    assert_eq!(entries(&data.path().join("agents/3.1.11")), ["circleci-runner", "release.json"]);
    verify(&agent).unwrap();
    assert_eq!(installed(data.path()), [agent]);

    let all = bytes.len() as u64;
    let total = Some(all);
    let version = Some("3.1.11".to_owned());
    let begin = Progress { version, total, ..Progress::default() };
    assert_eq!(seen.first(), Some(&begin));
    assert!(seen.last().is_some_and(|it| it.received == all && it.total == total), "{seen:?}");
}

#[tokio::test]
async fn an_installed_agent_is_not_downloaded_again_and_a_damaged_one_is() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let bytes = archive(&[("circleci-runner", AGENT)]);
    server.offers("3.1.11", &bytes, &sha256(&bytes));
    let first = install(&server, data.path()).await.unwrap();
    server.asked();
    assert_eq!(install(&server, data.path()).await.unwrap(), first);
    assert_eq!(server.asked(), ["/runner/manifest.json"]);

    let mut file = fs::File::options().append(true).open(&first.path).unwrap();
    file.write_all(b"# changed").unwrap();
    assert!(matches!(verify(&first), Err(ReleaseError::Damaged { .. })));
    let again = install(&server, data.path()).await.unwrap();
    assert_eq!((&again.path, &again.binary_sha256), (&first.path, &first.binary_sha256));
    assert_eq!(server.asked().len(), 2);
    verify(&again).unwrap();
    assert_eq!(entries(&data.path().join("agents")), ["3.1.11"]);
}

#[tokio::test]
async fn a_second_version_stands_beside_the_first_and_a_reissued_one_too() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let mut versions = Vec::new();
    for (version, content) in [("3.1.11", "a"), ("3.1.12", "b"), ("3.1.12", "c")] {
        let bytes = archive(&[("circleci-runner", content.as_bytes())]);
        server.offers(version, &bytes, &sha256(&bytes));
        let agent = install(&server, data.path()).await.unwrap();
        versions.push((agent.version, fs::read_to_string(agent.path).unwrap()));
    }
    assert_eq!(versions[1], ("3.1.12".to_owned(), "b".to_owned()));
    assert!(versions[2].0.starts_with("3.1.12+") && versions[2].1 == "c", "{versions:?}");
    let agents = installed(data.path());
    assert_eq!(agents.len(), 3);
    for agent in agents {
        verify(&agent).unwrap();
    }
}

#[tokio::test]
async fn an_archive_with_another_hash_is_thrown_away() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let bytes = archive(&[("circleci-runner", AGENT)]);
    server.offers("3.1.11", &bytes, &sha256(b"something else"));
    let error = install(&server, data.path()).await.unwrap_err();
    assert!(matches!(error, ReleaseError::WrongHash { .. }), "{error}");
    assert!(error.to_string().contains(&sha256(&bytes)), "{error}");
    nothing_is_installed(data.path());
}

#[tokio::test]
async fn a_hostile_archive_is_refused_whole() {
    let link = |kind: tar::EntryType| {
        archive_of(|tar| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            tar.append_link(&mut header, "circleci-runner", "/etc/passwd").unwrap();
        })
    };
    let device = archive_of(|tar| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Char);
        header.set_path("circleci-runner").unwrap();
        header.set_size(0);
        header.set_cksum();
        tar.append(&header, &[][..]).unwrap();
    });
    let good: (&str, &[u8]) = ("circleci-runner", AGENT);
    let cut = {
        let whole = archive(&[good, ("padding", &[7; 4096])]);
        whole[..whole.len() / 2].to_vec()
    };
    for (what, bytes) in [
        ("..", archive(&[good, ("../circleci-runner", b"x")])),
        ("absolute", archive(&[("/tmp/circleci-runner", b"x"), good])),
        ("symbolic link", link(tar::EntryType::Symlink)),
        ("hard link", link(tar::EntryType::Link)),
        ("device", device),
        ("twice", archive(&[good, good])),
        ("elsewhere", archive(&[("bin/circleci-runner", AGENT)])),
        ("empty", archive(&[])),
        ("cut short", cut),
        ("not an archive", b"<html>Hello</html>".to_vec()),
    ] {
        let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
        server.offers("3.1.11", &bytes, &sha256(&bytes));
        let done = install(&server, data.path()).await;
        assert!(matches!(done, Err(ReleaseError::Archive { .. })), "{what}: {done:?}");
        nothing_is_installed(data.path());
    }
}

#[tokio::test]
async fn a_server_cannot_send_without_end() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 5 << 20]].concat();
    server.answers_raw("/runner/manifest.json", endless);
    let error = install(&server, data.path()).await.unwrap_err();
    assert!(matches!(error, ReleaseError::TooLarge { .. }), "{error}");

    let bytes = archive(&[("circleci-runner", AGENT)]);
    server.offers("3.1.11", &bytes, &sha256(&bytes));
    let boast = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n".to_vec();
    server.answers_raw(&path_of("3.1.11"), boast);
    let error = install(&server, data.path()).await.unwrap_err();
    assert!(matches!(error, ReleaseError::TooLarge { .. }), "{error}");
    nothing_is_installed(data.path());
}

#[tokio::test]
async fn a_redirect_never_leads_into_the_clear() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let away = b"HTTP/1.1 302 Found\r\nLocation: http://example.com/manifest.json\r\nContent-Length: 0\r\n\r\n";
    server.answers_raw("/runner/manifest.json", away.to_vec());
    let error = install(&server, data.path()).await.unwrap_err();
    assert!(error.to_string().contains("neither https nor plain http on this machine"), "{error}");
    assert!(matches!(Releases::at("http://example.com/"), Err(ReleaseError::Address(_))));
}

#[tokio::test]
async fn a_wrong_releases_address_is_told_as_such() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let error = install(&server, data.path()).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Status { status: 404, .. }), "{error}");
    server.answers("/runner/manifest.json", b"<html>Hello</html>");
    let error = install(&server, data.path()).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Manifest { .. }), "{error}");
    let closed = "127.0.0.1:1";
    let error = Releases::at(&format!("http://{closed}")).unwrap().manifest().await.unwrap_err();
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn two_installations_at_once_do_not_meet() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let bytes = archive(&[("circleci-runner", AGENT)]);
    server.offers("3.1.11", &bytes, &sha256(&bytes));
    let (a, b) = tokio::join!(install(&server, data.path()), install(&server, data.path()));
    let (won, lost): (Vec<_>, Vec<_>) = [a, b].into_iter().partition(Result::is_ok);
    // The later one is told that the other is at work, or finds what that has installed.
    assert!(!won.is_empty(), "{lost:?}");
    assert!(lost.iter().all(|it| matches!(it, Err(ReleaseError::Busy { .. }))), "{lost:?}");
    assert_eq!(entries(&data.path().join("agents")), ["3.1.11"]);
    let archives = server.asked().into_iter().filter(|path| path.ends_with(".tar.gz"));
    assert_eq!(archives.count(), 1, "it is downloaded once");
}

#[tokio::test]
async fn what_a_killed_installation_left_is_cleared_by_the_next() {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let left = data.path().join("agents/.incoming/agent");
    fs::create_dir_all(&left).unwrap();
    fs::File::create(left.join("circleci-runner")).unwrap();
    assert_eq!(installed(data.path()), []);
    let bytes = archive(&[("circleci-runner", AGENT)]);
    server.offers("3.1.11", &bytes, &sha256(&bytes));
    install(&server, data.path()).await.unwrap();
    assert_eq!(entries(&data.path().join("agents")), ["3.1.11"]);
}
