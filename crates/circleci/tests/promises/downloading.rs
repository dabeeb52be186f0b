//! A download comes whole however the line behaves, says how far it is, and can be called off.

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
use runner_tray_circleci::{
    CURRENT, InstalledAgent, Patience, Progress, ReleaseError, Releases, at_hand, forget_downloads,
    installed,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::installing::entries;
use crate::release_server::{
    ReleaseServer, archive, cut, dripping, path_of, rest, sha256, status, whole,
};

/// Tries again at once, so that no test has to wait.
const HASTY: Patience = Patience {
    tries: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_secs(2),
    silence: Duration::from_secs(30),
    least: 1000,
};
const ONCE: Patience = Patience { tries: 1, ..HASTY };

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

async fn install(
    server: &ReleaseServer,
    data: &Path,
    patience: Patience,
) -> (Result<InstalledAgent, ReleaseError>, Vec<Progress>) {
    let mut seen = Vec::new();
    let releases = Releases::at(&server.url).unwrap().with_patience(patience).unwrap();
    let done = releases.install(CURRENT, data, now(), |it| seen.push(it)).await;
    (done, seen)
}

/// An archive that does not shrink when it is packed, and its agent.
fn big() -> (Vec<u8>, Vec<u8>) {
    let mut state = 1_u32;
    let agent: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(700_000)
    .collect();
    (archive(&[("circleci-runner", &agent)]), agent)
}

/// A server that offers it, and its data folder.
fn scene() -> (ReleaseServer, TempDir, Vec<u8>, Vec<u8>, String) {
    let (server, data) = (ReleaseServer::start(), TempDir::new().unwrap());
    let (bytes, agent) = big();
    let path = server.offers("3.1.11", &bytes, &sha256(&bytes));
    (server, data, bytes, agent, path)
}

fn parts(data: &Path) -> Vec<String> {
    let incoming = data.join("agents/.incoming");
    if incoming.exists() { entries(&incoming) } else { Vec::new() }
}

#[track_caller]
fn is_whole(done: Result<InstalledAgent, ReleaseError>, data: &Path, agent: &[u8]) {
    let installed = done.unwrap();
    assert!(fs::read(&installed.path).unwrap() == agent);
    assert_eq!(installed.binary_sha256, sha256(agent));
    assert_eq!(entries(&data.join("agents")), [installed.version], "nothing else is left");
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_broke() {
    let (server, data, bytes, agent, path) = scene();
    let (a, b) = (bytes.len() / 3, bytes.len() / 2);
    let second = {
        let all = rest(&bytes, a);
        all.cut_by(bytes.len() - b)
    };
    server.answers_in_turn(&path, [cut(&bytes, a), second, rest(&bytes, b)]);
    let (done, seen) = install(&server, data.path(), HASTY).await;
    is_whole(done, data.path(), &agent);
    let range = |from: usize| Some(format!("bytes={from}-"));
    assert_eq!(server.ranges(), [None, range(a), range(b)]);
    let waits = seen.iter().filter_map(|it| it.waits.as_ref()).count();
    assert_eq!(waits, 2, "{seen:?}");
    let last = seen.last().unwrap();
    assert_eq!((last.received, last.total), (bytes.len() as u64, Some(bytes.len() as u64)));
    assert_eq!(last.version.as_deref(), Some("3.1.11"));
}

#[tokio::test]
async fn the_next_installation_goes_on_where_the_last_one_gave_up() {
    let (server, data, bytes, agent, path) = scene();
    server.answers_in_turn(&path, [cut(&bytes, 300_000)]);
    let (done, _) = install(&server, data.path(), ONCE).await;
    assert!(done.unwrap_err().may_pass());
    assert_eq!(parts(data.path()), [format!("{}.part", sha256(&bytes))]);
    assert_eq!(installed(data.path()), []);

    server.ranges();
    server.answers_in_turn(&path, [rest(&bytes, 300_000)]);
    let (done, _) = install(&server, data.path(), ONCE).await;
    is_whole(done, data.path(), &agent);
    assert_eq!(server.ranges(), [Some("bytes=300000-".to_owned())]);
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_begins_anew() {
    let (server, data, bytes, agent, path) = scene();
    server.answers_in_turn(&path, [cut(&bytes, 300_000), whole(&bytes)]);
    let (done, _) = install(&server, data.path(), HASTY).await;
    is_whole(done, data.path(), &agent);
}

#[tokio::test]
async fn a_part_that_was_spoilt_meanwhile_costs_a_second_download_and_no_more() {
    let (server, data, bytes, agent, path) = scene();
    server.answers_in_turn(&path, [cut(&bytes, 300_000)]);
    install(&server, data.path(), ONCE).await.0.unwrap_err();
    let part = data.path().join("agents/.incoming").join(format!("{}.part", sha256(&bytes)));
    let mut spoilt = fs::read(&part).unwrap();
    spoilt[1000] ^= 1;
    fs::remove_file(&part).unwrap();
    std::io::Write::write_all(&mut fs::File::create(&part).unwrap(), &spoilt).unwrap();
    server.ranges();
    server.answers_in_turn(&path, [rest(&bytes, 300_000), whole(&bytes)]);
    let (done, _) = install(&server, data.path(), ONCE).await;
    is_whole(done, data.path(), &agent);
    assert_eq!(server.ranges(), [Some("bytes=300000-".to_owned()), None]);
}

#[tokio::test]
async fn a_part_that_is_all_there_is_needs_no_more_bytes() {
    let (server, data, bytes, agent, path) = scene();
    let folder = data.path().join("agents/.incoming");
    fs::create_dir_all(&folder).unwrap();
    let mut part = fs::File::create(folder.join(format!("{}.part", sha256(&bytes)))).unwrap();
    std::io::Write::write_all(&mut part, &bytes).unwrap();
    let all = format!("Content-Range: bytes */{}\r\n", bytes.len());
    server.answers_in_turn(&path, [status(416, &all)]);
    let (done, _) = install(&server, data.path(), ONCE).await;
    is_whole(done, data.path(), &agent);
}

#[tokio::test]
async fn a_part_of_another_release_is_thrown_away() {
    let (server, data, bytes, _, path) = scene();
    server.answers_in_turn(&path, [cut(&bytes, 300_000)]);
    install(&server, data.path(), ONCE).await.0.unwrap_err();
    let newer = archive(&[("circleci-runner", &big().1[..600_000])]);
    let path = server.offers("3.1.12", &newer, &sha256(&newer));
    server.answers_in_turn(&path, [cut(&newer, 200_000)]);
    install(&server, data.path(), ONCE).await.0.unwrap_err();
    assert_eq!(parts(data.path()), [format!("{}.part", sha256(&newer))]);
    forget_downloads(data.path()).unwrap();
    assert_eq!(entries(&data.path().join("agents")), [""; 0]);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
    for (first, asked) in
        [(500, 2), (503, 2), (507, 2), (522, 2), (429, 2), (401, 1), (403, 1), (404, 1), (409, 1)]
    {
        let (server, data, bytes, agent, path) = scene();
        server.answers_in_turn(&path, [status(first, ""), whole(&bytes)]);
        let (done, _) = install(&server, data.path(), HASTY).await;
        assert_eq!(server.ranges().len(), asked, "{first}");
        if asked == 2 {
            is_whole(done, data.path(), &agent);
        } else {
            let refused =
                matches!(done, Err(ReleaseError::Status { status, .. }) if status == first);
            assert!(refused, "{done:?}");
            assert_eq!(entries(&data.path().join("agents")), [""; 0]);
        }
    }
}

#[tokio::test]
async fn the_manifest_is_asked_for_again_too() {
    let (server, data, bytes, agent, _) = scene();
    let manifest = "/runner/manifest.json";
    let good = server.answer_to(manifest);
    server.answers_in_turn(manifest, [status(503, ""), status(429, "Retry-After: 1\r\n"), good]);
    let (done, seen) = install(&server, data.path(), HASTY).await;
    is_whole(done, data.path(), &agent);
    let longest = seen.iter().filter_map(|it| it.waits.as_ref()).map(|it| it.wait).max();
    assert_eq!(longest, Some(Duration::from_secs(1)), "{seen:?}");
    assert!(!bytes.is_empty());
}

#[tokio::test]
async fn a_server_that_asks_for_a_long_wait_is_left_alone_for_now() {
    let (server, data, _, _, path) = scene();
    server.answers_in_turn(&path, [status(429, "Retry-After: 3600\r\n")]);
    let (done, _) = install(&server, data.path(), HASTY).await;
    assert_eq!(done.unwrap_err().retry_after(), Some(Duration::from_hours(1)));
    assert_eq!(server.ranges().len(), 1);
}

#[tokio::test]
async fn a_server_that_drips_is_given_up_on_and_what_came_is_kept() {
    let (server, data, bytes, _, path) = scene();
    server.answers_in_turn(&path, [dripping(&bytes)]);
    // It drips a hundred times in that time, so that no pause of a busy machine is taken for silence.
    let slow = Patience { silence: Duration::from_secs(6), least: 1 << 30, ..ONCE };
    let (done, _) = install(&server, data.path(), slow).await;
    assert!(matches!(done, Err(ReleaseError::Slow { .. })), "{done:?}");
    assert_eq!(parts(data.path()).len(), 1);
}

#[tokio::test]
async fn the_rate_and_the_time_that_is_left_are_told() {
    let (server, data, bytes, _, path) = scene();
    server.answers_in_turn(&path, [dripping(&bytes)]);
    let mut told = None;
    let cancel = CancellationToken::new();
    let releases = Releases::at(&server.url).unwrap().called_off_by(cancel.clone());
    let done = releases
        .install(CURRENT, data.path(), now(), |it| {
            if it.rate.is_some() {
                told = Some(it);
                cancel.cancel();
            }
        })
        .await;
    assert!(matches!(done, Err(ReleaseError::Cancelled)), "{done:?}");
    let told = told.unwrap();
    let missing = told.total.unwrap() - told.received;
    let left = told.left.unwrap();
    assert_eq!(left, Duration::from_secs(missing.div_ceil(told.rate.unwrap())), "{told:?}");
}

#[tokio::test]
async fn a_download_that_is_called_off_ends_and_goes_on_later() {
    let (server, data, bytes, agent, path) = scene();
    server.answers_in_turn(&path, [dripping(&bytes)]);
    let cancel = CancellationToken::new();
    let releases = Releases::at(&server.url).unwrap().called_off_by(cancel.clone());
    let done = releases
        .install(CURRENT, data.path(), now(), |it| {
            if it.received > 1000 {
                cancel.cancel();
            }
        })
        .await;
    assert!(matches!(done, Err(ReleaseError::Cancelled)), "{done:?}");
    let part = data.path().join("agents/.incoming").join(&parts(data.path())[0]);
    let here = usize::try_from(fs::metadata(part).unwrap().len()).unwrap();
    assert!(here > 1000 && here < bytes.len());
    server.ranges();
    server.answers_in_turn(&path, [rest(&bytes, here)]);
    let (done, _) = install(&server, data.path(), ONCE).await;
    is_whole(done, data.path(), &agent);
    assert_eq!(server.ranges(), [Some(format!("bytes={here}-"))]);
}

#[tokio::test]
async fn an_agent_that_the_machine_refuses_is_not_installed() {
    let (server, data, ..) = scene();
    let releases = Releases::at(&server.url).unwrap().checked_by(|_| Err("no signature".into()));
    let error = releases.install(CURRENT, data.path(), now(), |_| {}).await.unwrap_err();
    assert!(matches!(&error, ReleaseError::Unsigned { .. }), "{error}");
    assert!(error.to_string().contains("no signature"), "{error}");
    assert_eq!(entries(&data.path().join("agents")), [""; 0]);
}

#[tokio::test]
async fn a_mirrors_archive_that_lies_elsewhere_is_at_hand_and_not_downloaded_again() {
    let (elsewhere, data, bytes, agent, path) = scene();
    let (mirror, other) = (ReleaseServer::start(), ReleaseServer::start());
    let url = format!("{}{}", elsewhere.url.trim_end_matches("/runner"), path);
    for server in [&mirror, &other] {
        server.points_to(&url, &sha256(&bytes));
    }
    let (done, _) = install(&mirror, data.path(), ONCE).await;
    let installed = done.unwrap();
    assert_eq!(fs::read(&installed.path).unwrap(), agent);
    assert_eq!(at_hand(data.path(), &mirror.url), Some(installed.clone()));
    assert_eq!(at_hand(data.path(), &format!("{}/", mirror.url)), Some(installed));
    assert_eq!(at_hand(data.path(), &other.url), None);

    elsewhere.asked();
    install(&other, data.path(), ONCE).await.0.unwrap();
    assert_eq!(elsewhere.asked(), [""; 0], "the same archive is here already");
    assert!(at_hand(data.path(), &other.url).is_some());
    assert!(at_hand(data.path(), &mirror.url).is_some());
    assert_eq!(entries(&data.path().join("agents/3.1.11")), ["circleci-runner", "release.json"]);
    assert_eq!(path, path_of("3.1.11"));
}
