//! The agent's release, fetched by the real programs from a server that is not as it should be. Each
//! trouble has its name, its reading and its way out; nothing of it is started or left behind; and it
//! heals as soon as the server does.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene has failed")]

use std::fs;

use local_circleci::control::{Certificate, Download, Fault, Https, OddArchive, OddManifest};
use local_circleci::{ServerOptions, ServerProcess};
use protocol::{Install, ProblemCode, RunnerName, RunnerSpec, RunnerState};
use trials::{CLASS, Circle, DEADLINE, Options, Place, Proxy, RUNNER, Rig, program, until};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };
const ARCHIVE: &str = "/releases/3.";

fn mini() -> RunnerName {
    RUNNER.parse().unwrap()
}

fn fault(path: &str) -> Fault {
    Fault { path: path.to_owned(), ..Fault::default() }
}

/// What lies below `data/agents`, but for the lock.
fn agents_folder(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.folders().data.join("agents")).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|it| it.file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

fn install_now(rig: &Rig) {
    rig.api.call(async |client| client.install(&mini()).await).unwrap();
}

/// Nothing was started and no file is left; `part`: but what an interrupted download may go on with.
#[track_caller]
fn assert_nothing_came_of_it(rig: &Rig, part: bool) {
    assert_eq!(rig.runs().len(), 0);
    until(DEADLINE, "nothing is left below data/agents", || {
        let left = agents_folder(&rig.place);
        left.is_empty() || part && left == [".incoming"] && parts(&rig.place).len() == 1
    });
}

fn parts(place: &Place) -> Vec<String> {
    let folder = place.folders().data.join("agents/.incoming");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|it| it.file_name().into_string().unwrap()).collect()
}

/// By itself, unless somebody says so before: it is tried again a while after it failed.
#[track_caller]
fn assert_heals(rig: &mut Rig) {
    rig.until_state(RunnerState::Idle);
    assert_eq!(agents_folder(&rig.place), ["3.1.11"]);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.until_runner("no problem is told any more", |runner| runner.problems.is_empty());
}

fn archives(downloads: Vec<Download>) -> Vec<u64> {
    let of_archives = downloads.into_iter().filter(|it| it.path.starts_with(ARCHIVE));
    of_archives.map(|it| it.from).collect()
}

#[track_caller]
fn installing(rig: &Rig, is_so: impl Fn(&Install) -> bool) -> Install {
    let runner = rig.until_runner("it is being installed", |runner| {
        runner.install.as_ref().is_some_and(&is_so)
    });
    runner.install.unwrap()
}

/// So slow that it lasts longer than the trial.
fn drip(rig: &Rig) {
    let slow = Fault { bytes_per_second: Some(100_000), ..fault(ARCHIVE) };
    rig.circle.control().add_fault(&slow).unwrap();
}

#[test]
fn a_server_that_refuses_or_fails_is_told_by_what_it_says() {
    use ProblemCode::{ReleaseUnsound, ReleasesRefused, ReleasesUnreachable};
    let mut rig = Rig::bare(&USUAL);
    let status = |status: u16| Fault { status: Some(status), ..Fault::default() };
    let wait = |seconds: &str| Fault { retry_after: Some(seconds.to_owned()), ..status(429) };
    let mut is_set_up = false;
    for (fault, code, about, part) in [
        (status(401), ReleasesRefused, "status 401", false),
        (status(403), ReleasesRefused, "status 403", false),
        (status(404), ReleasesRefused, "status 404", false),
        (status(409), ReleasesRefused, "status 409", false),
        (wait("3600"), ReleasesUnreachable, "asks for a wait of 3600 s", false),
        (status(500), ReleasesUnreachable, "status 500", false),
        (status(503), ReleasesUnreachable, "status 503", false),
        (Fault { hang_up: true, ..Fault::default() }, ReleasesUnreachable, "/releases/3.", false),
        (Fault { reset_after: Some(0), ..Fault::default() }, ReleasesUnreachable, "reset", false),
        (Fault { says_length: Some(1 << 40), ..Fault::default() }, ReleaseUnsound, "larger", false),
        (Fault { garble: true, ..Fault::default() }, ReleaseUnsound, "SHA-256", false),
        (Fault { cut_after: Some(99), ..Fault::default() }, ReleasesUnreachable, "end of", true),
    ] {
        rig.circle.control().clear_faults().unwrap();
        let fault = Fault { path: ARCHIVE.to_owned(), ..fault };
        rig.circle.control().add_fault(&fault).unwrap();
        if std::mem::replace(&mut is_set_up, true) {
            install_now(&rig);
        } else {
            rig.set_up();
        }
        rig.place.until_told(code, about);
        assert_nothing_came_of_it(&rig, part);
    }
    rig.circle.control().clear_faults().unwrap();
    assert_heals(&mut rig);
    rig.finish();
}

#[test]
fn no_hostile_archive_is_installed() {
    let mut rig = Rig::bare(&USUAL);
    for (at, odd) in OddArchive::ALL.iter().enumerate() {
        rig.circle.control().offer_odd_archive(Some(*odd)).unwrap();
        if at == 0 {
            rig.set_up();
        } else {
            install_now(&rig);
        }
        let about = match odd {
            OddArchive::NotGzip | OddArchive::CutShort => "cannot be read",
            OddArchive::Empty | OddArchive::Elsewhere => "holds no circleci-runner",
            OddArchive::Twice => "twice",
            OddArchive::Parent => "leads out of the archive",
            OddArchive::Absolute => "absolute path",
            OddArchive::Symlink
            | OddArchive::Hardlink
            | OddArchive::Device
            | OddArchive::Fifo
            | OddArchive::Sparse => "is not an agent's archive",
            OddArchive::HugeSize => "larger than",
            OddArchive::LongName => "more than it says",
            OddArchive::Bomb => "beside the agent",
            OddArchive::ManyEntries => "more than 1000 files",
        };
        rig.place.until_told(ProblemCode::ReleaseUnsound, about);
        assert_nothing_came_of_it(&rig, false);
    }
    rig.circle.control().offer_odd_archive(None).unwrap();
    assert_heals(&mut rig);
    rig.finish();
}

#[test]
fn a_manifest_that_is_none_is_told_and_never_believed() {
    use ProblemCode::{ReleaseNotOffered, ReleaseUnsound, ReleasesRefused};
    let mut rig = Rig::bare(&USUAL);
    for (at, odd) in OddManifest::ALL.iter().enumerate() {
        rig.circle.control().offer_odd_manifest(Some(*odd)).unwrap();
        if at == 0 {
            rig.set_up();
        } else {
            install_now(&rig);
        }
        let (code, about) = match odd {
            OddManifest::NotJson => (ReleasesRefused, "not a release manifest (expected value"),
            OddManifest::OtherShape => (ReleasesRefused, "it has no \"releases\""),
            OddManifest::OtherPlatform => (ReleaseNotOffered, "it offers: current for plan9/mips"),
            OddManifest::Huge => (ReleaseUnsound, "manifest.json is larger than"),
            OddManifest::Deep => (ReleasesRefused, "recursion limit"),
            OddManifest::WrongHash => (ReleaseUnsound, "but its manifest says abab"),
            OddManifest::NoHash => (ReleasesRefused, "no usable sha256"),
            OddManifest::InTheClear => (ReleasesRefused, "neither https nor plain http"),
        };
        rig.place.until_told(code, about);
        assert_nothing_came_of_it(&rig, false);
    }
    rig.circle.control().offer_odd_manifest(None).unwrap();
    assert_heals(&mut rig);
    rig.finish();
}

/// A place whose programs trust the stand-in's authority, and the stand-in's way in by https.
fn trusting(place: &mut Place, circle: &Circle) -> Https {
    let https = circle.control().https().unwrap();
    let authority = place.path("authority.pem");
    run_dir::write_atomically(&authority, https.authority.as_bytes()).unwrap();
    place.set_env("SSL_CERT_FILE", authority);
    https
}

fn spec_at(circle: &Circle, url: &str) -> RunnerSpec {
    RunnerSpec { releases_url: Some(format!("{url}/releases")), ..circle.spec(CLASS) }
}

#[test]
fn a_server_that_cannot_prove_itself_is_not_trusted() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = trusting(&mut place, &circle);
    let mut rig = Rig::with(place, circle, &USUAL);
    for (at, (shown, about)) in [
        (Certificate::Stranger, "signed by nobody whom this machine trusts"),
        (Certificate::Expired, "has expired, or this machine's clock is wrong"),
        (Certificate::OtherName, "is for another name"),
    ]
    .into_iter()
    .enumerate()
    {
        rig.circle.control().show_certificate(shown).unwrap();
        if at == 0 {
            let token = rig.circle.token(CLASS);
            rig.api.set_up_as(RUNNER, spec_at(&rig.circle, &https.url), Some(&token)).unwrap();
        } else {
            install_now(&rig);
        }
        rig.place.until_told(ProblemCode::ReleasesUntrusted, about);
        assert_nothing_came_of_it(&rig, false);
    }
    rig.circle.control().show_certificate(Certificate::Good).unwrap();
    assert_heals(&mut rig);
    rig.finish();
}

#[test]
fn a_machine_without_certificates_is_told_what_brings_them() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let none = place.path("signs").join("none.pem");
    std::fs::File::create(&none).unwrap();
    place.set_env("SSL_CERT_FILE", none);
    let rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.place.until_told(ProblemCode::ReleasesUntrusted, "the package ca-certificates brings them");
    assert_nothing_came_of_it(&rig, false);
    rig.finish();
}

#[test]
fn https_goes_by_the_proxy_of_the_environment_and_this_machine_never_does() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = trusting(&mut place, &circle);
    let port = https.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let proxy = Proxy::to(port);
    place.set_env("HTTPS_PROXY", proxy.url());
    place.set_env("HTTP_PROXY", proxy.url());
    place.set_env("NO_PROXY", "other.example");
    let mut rig = Rig::with(place, circle, &USUAL);
    let spec = spec_at(&rig.circle, "https://releases.example");
    let token = rig.circle.token(CLASS);
    rig.api.set_up_as(RUNNER, spec, Some(&token)).unwrap();
    assert_heals(&mut rig);
    let asked = proxy.asked();
    let releases = |asked: &String| asked == "CONNECT releases.example:443";
    assert!(asked.len() >= 2 && asked.iter().all(releases), "{asked:?}");
    rig.finish();
}

#[test]
fn a_proxy_that_cannot_be_understood_is_told_without_its_password() {
    let mut place = Place::new();
    place.set_env("HTTPS_PROXY", "http://me:hunter2@[proxy");
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    let problem = rig.place.until_told(ProblemCode::ProxyUnusable, "HTTPS_PROXY").problem;
    assert!(problem.hint.starts_with("Mend HTTPS_PROXY where the supervisor"), "{problem:?}");
    assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
    rig.kill_supervisor();
    rig.place.set_env("HTTPS_PROXY", "");
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Idle);
    rig.until_well();
    rig.finish();
}

#[test]
fn a_slow_download_tells_its_pace_is_stopped_and_goes_on_where_it_was() {
    let mut rig = Rig::bare(&USUAL);
    drip(&rig);
    rig.set_up();
    let told = installing(&rig, |it| it.rate.is_some() && it.seconds_left.is_some());
    assert_eq!(told.version.as_deref(), Some("3.1.11"));
    assert!(told.total.is_some_and(|total| told.received < total), "{told:?}");
    assert!(rig.place.runnerctl(&["status"]).contains(" a second, "));

    let said = rig.place.runnerctl(&["agent", "stop-install"]);
    assert!(said.contains("is stopped") && said.contains("are kept"), "{said}");
    rig.place.until_told(ProblemCode::InstallStopped, "called off");
    until(DEADLINE, "one part is kept", || parts(&rig.place).len() == 1);
    rig.circle.control().clear_faults().unwrap();
    assert_eq!(rig.runs().len(), 0);

    // A word that was taken stands, whoever is killed.
    let asked_before = rig.circle.control().downloads().unwrap().len();
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.place.until_told(ProblemCode::InstallStopped, "called off");
    assert_eq!(parts(&rig.place).len(), 1);
    assert_eq!(rig.circle.control().downloads().unwrap().len(), asked_before);
    install_now(&rig);
    assert_heals(&mut rig);
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_runner("its agent is there", |runner| runner.problems.is_empty());
    let asked = archives(rig.circle.control().downloads().unwrap());
    assert!(asked.len() == 2 && asked[0] == 0 && asked[1] > 0, "{asked:?}");
    rig.finish();
}

#[test]
fn a_download_is_stopped_between_two_tries_as_well() {
    let mut rig = Rig::bare(&USUAL);
    rig.spoil("/releases", Fault { status: Some(503), ..Fault::default() });
    rig.set_up();
    rig.place.until_told(ProblemCode::ReleasesUnreachable, "503");
    rig.until_runner("it waits for the next try", |runner| runner.install.is_none());
    let said = rig.place.runnerctl(&["agent", "stop-install"]);
    assert!(said.contains("is stopped, and it is not tried again"), "{said}");
    for _ in 0..2 {
        rig.place.until_told(ProblemCode::InstallStopped, "called off");
        rig.kill_supervisor();
        rig.start_supervisor(&USUAL);
    }
    rig.spoil_nothing();
    // Its next try would have come by now: after 10 s, and at once by a new supervisor.
    let asked = rig.circle.control().downloads().unwrap().len();
    rig.place.runnerctl(&["pause"]);
    rig.place.runnerctl(&["resume"]);
    rig.place.until_told(ProblemCode::InstallStopped, "called off");
    assert_eq!(rig.circle.control().downloads().unwrap().len(), asked);
    install_now(&rig);
    assert_heals(&mut rig);
    let said = rig.place.runnerctl(&["agent", "stop-install"]);
    assert!(said.contains("no download is under way"), "{said}");
    rig.finish();
}

#[test]
fn runners_of_one_place_share_its_download() {
    let mut rig = Rig::bare(&USUAL);
    drip(&rig);
    rig.set_up();
    let token = rig.circle.token(CLASS);
    rig.api.set_up_as("second", rig.circle.spec(CLASS), Some(&token)).unwrap();
    let received = |name: &str| rig.api.runner(name)?.install.map(|it| it.received.0);
    until(DEADLINE, "both see it come", || {
        received(RUNNER).is_some_and(|it| it > 0) && received("second").is_some_and(|it| it > 0)
    });
    // One of them has enough of it; the other's goes on.
    rig.api.call(async |client| client.stop_install(&mini()).await).unwrap();
    rig.until_runner("it is stopped", |runner| runner.install.is_none());
    rig.circle.control().clear_faults().unwrap();
    until(DEADLINE, "the second is idle", || {
        rig.api.runner("second").is_some_and(|it| it.state == RunnerState::Idle)
    });
    install_now(&rig);
    rig.until_state(RunnerState::Idle);
    assert_eq!(archives(rig.circle.control().downloads().unwrap()), [0]);
    rig.quiesce();
    rig.finish();
}

#[test]
fn a_runner_that_is_removed_takes_its_download_with_it() {
    let rig = Rig::bare(&USUAL);
    drip(&rig);
    rig.set_up();
    installing(&rig, |it| it.received.0 > 0);
    rig.api.call(async |client| client.remove(&mini()).await).unwrap();
    until(DEADLINE, "nothing of it is left", || agents_folder(&rig.place).is_empty());
    assert!(rig.api.runner(RUNNER).is_none());
    rig.finish();
}

/// A further release server. Its programs are copies: what it offers stays the same, whatever is built
/// meanwhile.
fn other_server(place: &Place) -> ServerOptions {
    let binaries = place.path("binaries");
    fs::create_dir(&binaries).unwrap();
    for name in ["circleci-runner", "circleci-agent"] {
        fs::copy(program(name), binaries.join(name)).unwrap();
    }
    ServerOptions { binaries: Some(binaries), ..ServerOptions::default() }
}

#[test]
fn another_place_of_releases_is_asked_at_once() {
    let mut rig = Rig::bare(&USUAL);
    drip(&rig);
    rig.set_up();
    installing(&rig, |it| it.received.0 > 0);
    let options = other_server(&rig.place);
    let mirror = ServerProcess::start(&program("local-circleci"), &options).unwrap();
    let token = rig.circle.token(CLASS);
    rig.api.set_up_as(RUNNER, spec_at(&rig.circle, mirror.url()), Some(&token)).unwrap();
    rig.until_state(RunnerState::Idle);
    assert_eq!(archives(mirror.control().downloads().unwrap()).len(), 1);
    mirror.kill().unwrap();
    assert_eq!(agents_folder(&rig.place), ["3.1.11"]);
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.finish();
}

#[test]
fn a_server_that_goes_away_in_the_middle_is_waited_for_and_gone_on_with() {
    let mut rig = Rig::bare(&USUAL);
    let binary = program("local-circleci");
    let options = other_server(&rig.place);
    let server = ServerProcess::start(&binary, &options).unwrap();
    let slow = Fault { bytes_per_second: Some(100_000), ..fault(ARCHIVE) };
    server.control().add_fault(&slow).unwrap();
    let (token, url) = (rig.circle.token(CLASS), server.url().to_owned());
    rig.api.set_up_as(RUNNER, spec_at(&rig.circle, &url), Some(&token)).unwrap();
    installing(&rig, |it| it.received.0 > 0);
    let addr = server.addr().unwrap();
    server.kill().unwrap();
    let waits = installing(&rig, |it| it.waits.is_some()).waits.unwrap();
    assert!(waits.why.contains(ARCHIVE), "{waits:?}");
    let problem = rig.place.until_told(ProblemCode::ReleasesUnreachable, "refused").problem;
    assert!(problem.hint.contains("runnerctl agent install"), "{problem:?}");
    assert_nothing_came_of_it(&rig, true);

    let server = ServerProcess::start(&binary, &ServerOptions { addr, ..options }).unwrap();
    // By itself, at the next try.
    rig.until_state(RunnerState::Idle);
    let asked = archives(server.control().downloads().unwrap());
    assert!(asked.len() == 1 && asked[0] > 0, "{asked:?}");
    server.kill().unwrap();
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.until_runner("no problem is told any more", |runner| runner.problems.is_empty());
    rig.finish();
}
