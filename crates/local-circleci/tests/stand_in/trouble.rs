//! Trouble on request: what is asked for is what comes, and it ends when it is told to.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use local_circleci::Outcome;
use local_circleci::control::{Certificate, Download, Fault, OddArchive, OddManifest};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned,
};

use crate::world::{World, until, until_exists, write};

/// What came, as far as it came, and why no more did.
struct Seen {
    head: String,
    body: Vec<u8>,
    end: Option<ErrorKind>,
}

fn get(world: &World, path: &str, headers: &str) -> Seen {
    let address = world.control.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    read(&mut stream, path, headers)
}

fn read(stream: &mut (impl Read + Write), path: &str, headers: &str) -> Seen {
    ask(stream, path, headers);
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    let (head, body) = split(bytes);
    Seen { head, body, end }
}

fn ask(stream: &mut impl Write, path: &str, headers: &str) {
    let call =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(call.as_bytes()).unwrap();
}

fn split(mut bytes: Vec<u8>) -> (String, Vec<u8>) {
    let at = bytes.windows(4).position(|it| it == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let body = bytes.split_off(at);
    (String::from_utf8(bytes).unwrap().to_ascii_lowercase(), body)
}

fn manifest(world: &World) -> Value {
    serde_json::from_slice(&get(world, "/releases/manifest.json", "").body).unwrap()
}

fn current(manifest: &Value) -> (String, String) {
    let os = if std::env::consts::OS == "macos" { "darwin" } else { "linux" };
    let arch = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let offer = &manifest["releases"]["current"][os][arch];
    let text = |key: &str| offer[key].as_str().unwrap_or_default().to_owned();
    let url = text("url");
    let path = url.find("/releases/").map_or(String::new(), |at| url[at..].to_owned());
    (path, text("sha256"))
}

fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn a_release_comes_in_parts_too() {
    let world = World::new();
    let (path, sha256) = current(&manifest(&world));
    let whole = get(&world, &path, "").body;
    assert_eq!(sum(&whole), sha256);
    let rest = get(&world, &path, "Range: bytes=1000-\r\n");
    assert!(rest.head.starts_with("http/1.1 206"), "{}", rest.head);
    let range = format!("content-range: bytes 1000-{}/{}", whole.len() - 1, whole.len());
    assert!(rest.head.contains(&range), "{}", rest.head);
    assert!(rest.body == whole[1000..]);
    let behind = get(&world, &path, &format!("Range: bytes={}-\r\n", whole.len()));
    assert!(behind.head.starts_with("http/1.1 416"), "{}", behind.head);
    assert!(behind.head.contains(&format!("bytes */{}", whole.len())), "{}", behind.head);

    let fault = Fault { path: path.clone(), ignores_range: true, ..Fault::default() };
    world.control.add_fault(&fault).unwrap();
    assert!(get(&world, &path, "Range: bytes=1000-\r\n").body == whole);
    let from = |from: u64| Download { path: path.clone(), from };
    let asked = world.control.downloads().unwrap();
    assert_eq!(asked[1..], [from(0), from(1000), from(whole.len() as u64), from(0)]);
}

#[test]
fn a_connection_ends_without_a_word_or_by_a_reset() {
    let world = World::new();
    let (path, _) = current(&manifest(&world));
    let once = |fault: Fault| {
        let fault = Fault { path: path.clone(), times: Some(1), ..fault };
        world.control.add_fault(&fault).unwrap();
        get(&world, &path, "")
    };
    let seen = once(Fault { hang_up: true, ..Fault::default() });
    assert_eq!((seen.head.as_str(), seen.end), ("", None));
    let seen = once(Fault { reset_after: Some(1000), ..Fault::default() });
    assert_eq!(seen.end, Some(ErrorKind::ConnectionReset));
    let seen = once(Fault { cut_after: Some(1000), ..Fault::default() });
    assert_eq!((seen.body.len(), seen.end), (1000, None));
    let seen = once(Fault { says_length: Some(1 << 40), ..Fault::default() });
    assert!(seen.head.contains("content-length: 1099511627776"), "{}", seen.head);
    assert!(get(&world, &path, "").head.starts_with("http/1.1 200"), "once only");
}

#[test]
fn a_slow_body_is_slow_until_the_faults_are_cleared() {
    let world = World::new();
    let (path, sha256) = current(&manifest(&world));
    let slow = Fault { path: path.clone(), bytes_per_second: Some(1000), ..Fault::default() };
    world.control.add_fault(&slow).unwrap();
    let address = world.control.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    ask(&mut stream, &path, "");
    let mut bytes = vec![0; 300];
    stream.read_exact(&mut bytes).unwrap();
    world.control.clear_faults().unwrap();
    // At that speed it would take an hour.
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(sum(&split(bytes).1), sha256);
}

#[test]
fn every_odd_archive_is_offered_with_its_right_sum() {
    let world = World::new();
    let (path, honest) = current(&manifest(&world));
    for odd in OddArchive::ALL {
        world.control.offer_odd_archive(Some(*odd)).unwrap();
        let (_, sha256) = current(&manifest(&world));
        assert_ne!(sha256, honest);
        let body = get(&world, &path, "").body;
        assert_eq!(sum(&body), sha256, "{odd}");
        assert!(body.len() < 2 << 20, "{odd} has {} bytes", body.len());
    }
    world.control.offer_odd_archive(None).unwrap();
    assert_eq!(current(&manifest(&world)).1, honest);
}

#[test]
fn every_odd_manifest_is_another_and_the_true_one_comes_back() {
    let world = World::new();
    let honest = manifest(&world);
    for odd in OddManifest::ALL {
        world.control.offer_odd_manifest(Some(*odd)).unwrap();
        let body = get(&world, "/releases/manifest.json", "").body;
        assert_ne!(serde_json::from_slice::<Value>(&body).ok(), Some(honest.clone()), "{odd}");
    }
    world.control.offer_odd_manifest(None).unwrap();
    assert_eq!(manifest(&world), honest);
}

#[test]
fn by_https_the_certificate_is_what_was_asked_for() {
    let world = World::new();
    let https = world.control.https().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(https.authority.as_bytes()).unwrap()).unwrap();
    let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let port: u16 = https.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let get = |name: &'static str| {
        let client = ClientConnection::new(Arc::clone(&config), name.try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(("127.0.0.1", port)).unwrap());
        match stream.conn.complete_io(&mut stream.sock) {
            Ok(_) => Ok(read(&mut stream, "/releases/manifest.json", "")),
            Err(error) => Err(error.downcast::<Error>().unwrap()),
        }
    };
    for name in ["localhost", "releases.example"] {
        let seen = get(name).unwrap();
        let manifest: Value = serde_json::from_slice(&seen.body).unwrap();
        assert!(manifest.to_string().contains("\"https://localhost/releases/"), "{manifest}");
    }
    let refused = |certificate: Certificate| {
        world.control.show_certificate(certificate).unwrap();
        match get("localhost") {
            Err(Error::InvalidCertificate(why)) => why,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{certificate} was trusted"),
        }
    };
    assert_eq!(refused(Certificate::Stranger), CertificateError::UnknownIssuer);
    let why = refused(Certificate::Expired);
    assert!(matches!(why, CertificateError::ExpiredContext { .. }), "{why:?}");
    let why = refused(Certificate::OtherName);
    assert!(matches!(why, CertificateError::NotValidForNameContext { .. }), "{why:?}");
    world.control.show_certificate(Certificate::Good).unwrap();
    get("localhost").unwrap();
}

fn command(world: &World, arguments: &[&str]) -> std::process::Output {
    let mut command =
        std::process::Command::new(local_circleci::sibling("local-circleci").unwrap());
    command.args(["fault", "--url", world.control.url()]).args(arguments).output().unwrap()
}

/// What the command printed.
#[track_caller]
fn fault_of(world: &World, arguments: &[&str]) -> String {
    let output = command(world, arguments);
    assert!(output.status.success(), "{arguments:?}: {:?}", output.stderr);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_claim_is_answered_twice_and_a_runner_crashes_at_a_word() {
    let world = World::new();
    let _both = [world.runner().start(), world.runner().start()];
    let (task, started, go) = world.enqueue_waiting_task("twice");
    until_exists(&started);
    fault_of(&world, &["claim-twice", &task.to_string()]);
    until("both have it", || (world.task(task).claims == 2).then_some(()));
    write(&go, "");
    assert_eq!(world.control.wait_finished(task).unwrap().outcome, Some(Outcome::Success));
    assert!(!command(&world, &["claim-twice", "77"]).status.success(), "there is no such task");

    let world = World::new();
    fault_of(&world, &["agent", "crash-in-task=7"]);
    world.enqueue("true");
    assert_eq!(world.runner().run().0.code(), Some(7));
    fault_of(&world, &["agent", "crash-at-start=9"]);
    assert_eq!(world.runner().run().0.code(), Some(9));
    let nobody = std::process::Command::new(local_circleci::sibling("local-circleci").unwrap())
        .args(["fault", "clear"])
        .env_remove("LOCAL_CIRCLECI_URL")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("--url URL, or LOCAL_CIRCLECI_URL"));
    let unknown = command(&world, &["agent", "moon=1"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("\"moon=1\" is unknown"));
    let too_late = command(&world, &["agent", "hup=die"]);
    assert!(String::from_utf8_lossy(&too_late.stderr).contains("cannot be asked of the server"));
}

#[test]
fn the_command_line_asks_for_the_same_trouble() {
    let world = World::new();
    let (path, _) = current(&manifest(&world));
    let fault = |arguments: &[&str]| fault_of(&world, arguments);
    fault(&["call", "/releases", "--status", "429", "--retry-after", "7", "--times", "1"]);
    let seen = get(&world, &path, "");
    assert!(seen.head.starts_with("http/1.1 429") && seen.head.contains("retry-after: 7"));
    fault(&["archive", "symlink"]);
    let odd = current(&manifest(&world)).1;
    fault(&["manifest", "not-json"]);
    assert!(get(&world, "/releases/manifest.json", "").body.starts_with(b"<html>"));
    fault(&["clear"]);
    assert_ne!(current(&manifest(&world)).1, odd);
    let authority = world.path("authority.pem");
    let url = fault(&["https", "expired", "--authority", authority.to_str().unwrap()]);
    assert_eq!(url.trim(), world.control.https().unwrap().url);
    assert!(std::fs::read_to_string(authority).unwrap().contains("BEGIN CERTIFICATE"));
}
