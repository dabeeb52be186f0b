//! CircleCI by https, as it truly is: through a proxy, with a certificate that nobody may trust, by a
//! name server that lies. Agent, task agent and supervisor go the same way; what breaks is told by its
//! name, no token is sent to anybody else, no task is lost, and it heals by itself.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use local_circleci::control::{Certificate, Https};
use protocol::{ProblemCode, RunnerSpec, RunnerState};
use trials::{
    CLASS, Circle, DEADLINE, NameServer, Options, Place, Proxy, RUNNER, Rig, Says, Secret,
    SetClock, until,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };
/// The agent says nothing, so what is known of the server is known by the supervisor's own asking.
const SILENT: Options<'_> = Options { hold_at: None, variant: "silent=1" };
/// What is shown, how the agent tells it, and how we do.
const BAD: [(Certificate, &str, &str); 3] = [
    (Certificate::Stranger, "signed by unknown authority", "nobody whom this machine trusts"),
    (Certificate::Expired, "has expired or is not yet valid", "certificate has expired"),
    (Certificate::OtherName, "is valid for other names", "certificate is for another name"),
];

/// A place whose programs trust the stand-in's authority, and the stand-in's way in by https.
fn trusting(place: &mut Place, circle: &Circle) -> Https {
    trusts(place, circle.control().https().unwrap())
}

fn trusts(place: &mut Place, https: Https) -> Https {
    let authority = place.path("authority.pem");
    run_dir::write_atomically(&authority, https.authority.as_bytes()).unwrap();
    place.set_env("SSL_CERT_FILE", authority);
    https
}

/// Its runner is set up at that address, and its agent comes from the stand-in as usual.
fn set_up_at(rig: &Rig, api_url: &str) {
    let spec = RunnerSpec { api_url: Some(api_url.to_owned()), ..rig.circle.spec(CLASS) };
    rig.api.set_up_as(RUNNER, spec, Some(&rig.circle.token(CLASS))).unwrap();
}

fn proxy_to(https: &Https) -> Proxy {
    Proxy::to(https.url.rsplit_once(':').unwrap().1.parse().unwrap())
}

/// What the agent that runs has in its environment.
fn environment_of_agent(rig: &Rig) -> Vec<String> {
    let agent = rig.run().started().written().unwrap().process;
    let environment = std::fs::read(format!("/proc/{}/environ", agent.pid)).unwrap();
    String::from_utf8_lossy(&environment).split('\0').map(str::to_owned).collect()
}

#[test]
fn an_agent_behind_a_proxy_gets_its_address_and_works() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = trusting(&mut place, &circle);
    let proxy = proxy_to(&https);
    place.set_env("HTTPS_PROXY", proxy.url());
    place.set_env("NO_PROXY", "other.example");
    let authority = place.path("authority.pem");
    let mut rig = Rig::with(place, circle, &USUAL);
    set_up_at(&rig, "https://runner.example");
    rig.until_state(RunnerState::Idle);
    let environment = environment_of_agent(&rig);
    for variable in [
        format!("HTTPS_PROXY={}", proxy.url()),
        "NO_PROXY=other.example".to_owned(),
        format!("SSL_CERT_FILE={}", authority.display()),
    ] {
        assert!(environment.contains(&variable), "{variable} is not in {environment:#?}");
    }
    rig.assert_works_again();
    let asked = proxy.asked();
    let by_name = |asked: &&String| *asked == "CONNECT runner.example:443";
    assert!(asked.iter().filter(by_name).count() > 3, "claims and the task's reports: {asked:?}");
    rig.finish();
}

#[test]
fn a_server_that_the_proxy_is_not_for_is_never_asked_through_it() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = trusting(&mut place, &circle);
    let proxy = proxy_to(&https);
    place.set_env("HTTPS_PROXY", proxy.url());
    place.set_env("NO_PROXY", "other.example,runner.example");
    let rig = Rig::with(place, circle, &USUAL);
    set_up_at(&rig, "https://runner.example");
    // Nobody has that name here, so it is not reached at all.
    rig.place.until_told(ProblemCode::AgentExitsAtStart, "");
    assert_eq!(proxy.asked(), [""; 0]);
    rig.finish();
}

#[test]
fn a_certificate_that_nobody_may_trust_stops_claims_is_told_and_heals() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = trusting(&mut place, &circle);
    let mut rig = Rig::with(place, circle, &USUAL);
    set_up_at(&rig, &https.url);
    rig.until_state(RunnerState::Idle);
    let agent = rig.runner().agent_pid;
    for (shown, in_go, ours) in BAD {
        let job = rig.long_job();
        job.until_begun();
        rig.circle.control().show_certificate(shown).unwrap();
        // What runs is told to nobody for a while; then its end is.
        job.let_go();
        until(DEADLINE, "it has come to its end", || job.is_done());
        rig.circle.control().show_certificate(Certificate::Good).unwrap();
        rig.assert_ended_well(&job);
        rig.circle.control().show_certificate(shown).unwrap();
        let told = rig.place.until_told(ProblemCode::Offline, "");
        assert_eq!(told.runner.unwrap().state, RunnerState::Offline, "{shown:?}");
        // Who asks first, agent or supervisor, says why.
        let why = told.problem.reading.unwrap();
        assert!(why.contains(in_go) || why.contains(ours), "{why}");
        rig.circle.control().show_certificate(Certificate::Good).unwrap();
        rig.assert_works_again();
    }
    assert_eq!(rig.runner().agent_pid, agent, "the same agent goes on");
    rig.finish();
}

/// The next probe is due. A word on something else lets the supervisor see what time it is.
fn a_minute_later(rig: &Rig, clock: &SetClock, minutes: &mut u32) {
    *minutes += 2;
    clock.set(&format!("+{minutes}m"));
    let word = if minutes.is_multiple_of(4) { "on" } else { "off" };
    rig.place.runnerctl(&["preferences", "set", "keep-awake", word]);
}

#[test]
fn the_probe_too_trusts_no_certificate_that_it_may_not_and_goes_by_the_proxy() {
    for by_proxy in [false, true] {
        let mut place = Place::new();
        let Some(clock) = SetClock::of(&mut place) else { return };
        let circle = Circle::start(&place);
        // As servers do: a probe that went on with its last session would see no certificate.
        let https = trusts(&mut place, circle.control().https_that_resumes().unwrap());
        let proxy = proxy_to(&https);
        place.set_env("HTTPS_PROXY", proxy.url());
        let mut rig = Rig::with(place, circle, &SILENT);
        // Nobody has the name: who does not go by the proxy reaches nothing.
        set_up_at(&rig, if by_proxy { "https://runner.example" } else { &https.url });
        rig.until_state(RunnerState::Idle);
        until(DEADLINE, "the agent claims", || {
            rig.circle.control().agents().is_ok_and(|agents| !agents.is_empty())
        });
        let mut minutes = 0;
        for (shown, _, ours) in BAD {
            rig.circle.control().show_certificate(shown).unwrap();
            a_minute_later(&rig, &clock, &mut minutes);
            let told = rig.place.until_told(ProblemCode::Offline, ours);
            assert_eq!(told.runner.unwrap().state, RunnerState::Offline, "{shown:?}");
            rig.circle.control().show_certificate(Certificate::Good).unwrap();
            a_minute_later(&rig, &clock, &mut minutes);
            rig.until_well();
        }
        assert_eq!(proxy.asked().is_empty(), !by_proxy, "{:?}", proxy.asked());
        rig.assert_works_again();
        assert_eq!(rig.witness.agents(), 1);
        rig.finish();
    }
}

/// Somebody else, who listens to all that is said and answers with nonsense.
struct Stranger {
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Stranger {
    /// Ends with the trial's process; it holds nothing but a port.
    fn at(address: Ipv4Addr, port: u16) -> Self {
        let listener = TcpListener::bind((address, port)).unwrap();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let into = Arc::clone(&heard);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut bytes = [0; 16 << 10];
                let length = stream.read(&mut bytes).unwrap_or(0);
                into.lock().unwrap().extend_from_slice(&bytes[..length]);
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            }
        });
        Self { heard }
    }
}

#[test]
fn a_name_server_that_lies_is_told_nobody_gets_the_token_and_it_heals() {
    const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    const NOBODY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
    let truth = Says::At(Ipv4Addr::LOCALHOST);
    let Some(names) = NameServer::start() else { return };
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = trusting(&mut place, &circle);
    let port = https.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.kill_supervisor();
    rig.supervisor = Some(names.start_supervisor(&rig.place, &rig.api));
    names.says(truth);
    set_up_at(&rig, &format!("https://runner.example:{port}"));
    rig.until_state(RunnerState::Idle);
    rig.assert_works_again();

    let stranger = Stranger::at(STRANGER, port);
    for (lie, words) in [
        (Says::Nobody, "no such host"),
        (Says::At(STRANGER), "runner.example"),
        (Says::At(NOBODY), "connection refused"),
        (Says::Silence, "no such host"),
    ] {
        // A task that runs comes to its end.
        let job = rig.long_job();
        job.until_begun();
        names.says(lie);
        job.let_go();
        until(DEADLINE, "it has come to its end", || job.is_done());
        names.says(truth);
        rig.assert_ended_well(&job);

        names.says(lie);
        let told = rig.place.until_told(ProblemCode::Offline, "");
        assert_eq!(told.runner.unwrap().state, RunnerState::Offline, "{lie:?}");
        // Who asks first says why, the agent in these words, the supervisor with the name.
        let why = told.problem.reading.unwrap();
        assert!(why.contains(words) || why.starts_with("runner.example"), "{why}");
        names.says(truth);
        rig.assert_works_again();
    }
    let heard = stranger.heard.lock().unwrap().clone();
    assert!(!heard.is_empty(), "it was asked");
    assert_eq!(Secret::new(&rig.circle.token(CLASS)).form_in(&heard), None);
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}
