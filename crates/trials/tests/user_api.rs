//! Resource classes and tokens through `runnerctl`, over both surfaces, and each trouble with them in
//! the words that its user reads.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene has failed")]

use std::io::{Read, Write};
use std::process::Stdio;

use local_circleci::UserApi;
use local_circleci::control::{Certificate, Fault};
use protocol::RunnerState;
use serde_json::Value;
use trials::{CLASS, Circle, Options, Ours, Place, Proxy, RUNNER, Rig};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// Exit code, standard output and standard error of `runnerctl`, with a token on its standard input.
fn runnerctl(rig: &Rig, args: &[&str], personal_token: &str) -> (i32, String, String) {
    let mut command = rig.place.command("runnerctl");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Ours::start(command);
    let mut stdin = child.child().stdin.take().unwrap();
    stdin.write_all(personal_token.as_bytes()).unwrap();
    drop(stdin);
    let (mut out, mut errors) = (String::new(), String::new());
    child.child().stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.child().stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (child.ended("runnerctl").code().unwrap(), out, errors)
}

#[track_caller]
fn done(rig: &Rig, args: &[&str]) -> String {
    let (code, out, errors) = runnerctl(rig, args, &rig.circle.personal_token());
    assert_eq!(code, 0, "{args:?}: {out}{errors}");
    out
}

#[track_caller]
fn json(rig: &Rig, args: &[&str]) -> Value {
    let text = done(rig, &[args, &["--json"]].concat());
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn refused(rig: &Rig, args: &[&str], words: &[&str]) {
    let (code, out, errors) = runnerctl(rig, args, &rig.circle.personal_token());
    assert_eq!((code, &*out), (1, ""), "{args:?}: {errors}");
    for words in words {
        assert!(errors.contains(words), "no {words:?} in: {errors}");
    }
}

/// All that one does with classes and tokens, from the first to the last.
fn a_whole_life(spoken: UserApi) {
    let rig = Rig::idle(&USUAL);
    rig.circle.control().set_user_api(spoken).unwrap();
    let org: &[&str] = if spoken == UserApi::Flat { &[] } else { &["--org-id", "an-org"] };
    done(&rig, &[&["class", "create", "acme/mac", "--description", "minis"], org].concat());
    let classes = json(&rig, &["class", "list", "acme"]);
    let names: Vec<_> =
        classes.as_array().unwrap().iter().map(|it| &it["resource_class"]).collect();
    assert_eq!(names, ["acme/linux", "acme/mac"]);
    assert_eq!(classes[1]["description"], "minis");

    let shown = json(&rig, &["class", "show", CLASS]);
    assert_eq!((&shown["waiting"], &shown["running"]), (&0.into(), &0.into()));
    assert_eq!(shown["agents"][0]["name"], RUNNER);
    assert_eq!(shown["agents"][0]["is_busy"].is_null(), spoken == UserApi::Flat);

    let token = done(&rig, &["token", "create", "acme/mac", "--nickname", "one", "--show"]);
    assert_eq!(token.trim().len(), 80, "the token and nothing else");
    let listed = json(&rig, &["token", "list", "acme/mac"]);
    assert_eq!(listed[0]["nickname"], "one");
    assert!(!listed.to_string().contains(token.trim()));

    let force = ["has tokens, so it is not deleted", "--force"];
    refused(&rig, &["class", "delete", "acme/mac"], &force);
    let id = listed[0]["id"].as_str().unwrap();
    refused(&rig, &["token", "delete", CLASS, id], &["There is no token"]);
    done(&rig, &["token", "delete", "acme/mac", id]);
    assert_eq!(json(&rig, &["token", "list", "acme/mac"]), Value::Array(Vec::new()));
    done(&rig, &["token", "create", "acme/mac", "--show"]);
    done(&rig, &["class", "delete", "acme/mac", "--force"]);
    refused(&rig, &["token", "list", "acme/mac"], &["may not see the resource class acme/mac"]);
    rig.finish();
}

#[test]
fn a_whole_life_over_the_flat_surface() {
    a_whole_life(UserApi::Flat);
}

#[test]
fn a_whole_life_over_the_newer_surface() {
    a_whole_life(UserApi::Enveloped);
}

#[test]
fn a_token_created_for_a_runner_is_its_own_and_is_not_deleted_by_a_slip() {
    let mut rig = Rig::idle(&USUAL);
    let before = rig.runner().agent_pid;
    let said = done(&rig, &["token", "create", "--runner", RUNNER]);
    assert!(said.contains("stored it for mini") && said.contains("stays valid"), "{said}");
    let listed = json(&rig, &["token", "list", CLASS]);
    let own = listed.as_array().unwrap().iter().find(|it| it["nickname"] == RUNNER).unwrap();
    assert_eq!(own["used_by"], serde_json::json!([RUNNER]));
    rig.until_runner("another agent runs", |runner| {
        runner.state == RunnerState::Idle && runner.agent_pid != before
    });
    // Without the old one it still claims: it has the new one.
    for token in listed.as_array().unwrap().iter().filter(|it| it["nickname"] != RUNNER) {
        done(&rig, &["token", "delete", CLASS, token["id"].as_str().unwrap()]);
    }
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    let id = own["id"].as_str().unwrap();
    refused(&rig, &["token", "delete", CLASS, id], &["is that of mini", "token rotate", "--force"]);
    rig.finish();
}

#[test]
fn each_trouble_is_told_in_words_with_the_way_out() {
    let rig = Rig::bare(&USUAL);
    // No runner is set up, so the server must be named.
    let at = rig.circle.url().to_owned();
    let list = ["class", "list", "acme", "--api-url", &at];
    let (code, _, errors) = runnerctl(&rig, &list, "another-token");
    assert!(code == 1 && errors.contains("does not accept this personal token"), "{errors}");
    let (code, _, errors) = runnerctl(&rig, &list, "two words");
    assert!(code == 2 && errors.contains("is not one token"), "{errors}");
    let other = ["class", "list", "other", "--api-url", &at];
    refused(&rig, &other, &["may not see the namespace other", "Check the name"]);
    let http = ["class", "list", "acme", "--api-url", "http://runner.circleci.com"];
    refused(&rig, &http, &["neither https"]);
    let fault = || Fault { path: "/api/v3/runner".into(), ..Fault::default() };
    for (fault, words) in [
        (
            Fault { status: Some(403), ..fault() },
            ["may not do that with the namespace acme", "admins"],
        ),
        (Fault { status: Some(404), ..fault() }, ["may not see the namespace acme", "Check"]),
        (
            Fault { status: Some(429), retry_after: Some("7".into()), ..fault() },
            ["too many calls", "Try again in 7 s."],
        ),
        (Fault { status: Some(500), ..fault() }, ["HTTP status 500", "Try again in a while"]),
        (Fault { status: Some(503), ..fault() }, ["HTTP status 503", "status.circleci.com"]),
        (Fault { garble: true, ..fault() }, ["is not understood: it is no JSON", "--api-url"]),
        (Fault { cut_after: Some(9), ..fault() }, ["it broke off in the middle", "--api-url"]),
    ] {
        rig.circle.control().add_fault(&fault).unwrap();
        refused(&rig, &list, &words);
        rig.circle.control().clear_faults().unwrap();
    }
    for (name, url) in [("one", &*at), ("two", "http://127.0.0.1:1")] {
        let spec = protocol::RunnerSpec { api_url: Some(url.into()), ..rig.circle.spec(CLASS) };
        rig.api.set_up_as(name, spec, None).unwrap();
    }
    let said = ["belong to several servers", "--api-url URL"];
    refused(&rig, &["class", "list", "acme"], &said);
    let create = ["class", "create", CLASS, "--api-url", &at];
    refused(&rig, &create, &["There is a resource class acme/linux already."]);
    let create = ["class", "create", "acme/new", "--api-url", &at];
    refused(&rig, &create, &["for which organisation", "--org-id"]);
    rig.finish();
}

#[test]
fn https_goes_by_the_proxy_of_the_environment_and_this_machine_never_does() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = circle.control().https().unwrap();
    let authority = place.path("authority.pem");
    run_dir::write_atomically(&authority, https.authority.as_bytes()).unwrap();
    let proxy = Proxy::to(https.url.rsplit_once(':').unwrap().1.parse().unwrap());
    place.set_env("SSL_CERT_FILE", authority);
    place.set_env("HTTPS_PROXY", proxy.url());
    place.set_env("HTTP_PROXY", proxy.url());
    let rig = Rig::with(place, circle, &USUAL);
    let by_proxy = ["class", "list", "acme", "--api-url", "https://releases.example"];
    assert_eq!(json(&rig, &by_proxy)[0]["resource_class"], CLASS);
    let asked = proxy.asked();
    let is_it = |asked: &String| asked == "CONNECT releases.example:443";
    assert!(!asked.is_empty() && asked.iter().all(is_it), "{asked:?}");
    for here in [rig.circle.url(), &*https.url] {
        json(&rig, &["class", "list", "acme", "--api-url", here]);
    }
    assert_eq!(proxy.asked().len(), asked.len(), "this machine is reached without it");
    rig.finish();
}

#[test]
fn a_server_that_cannot_prove_itself_gets_no_personal_token() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = circle.control().https().unwrap();
    let authority = place.path("authority.pem");
    run_dir::write_atomically(&authority, https.authority.as_bytes()).unwrap();
    place.set_env("SSL_CERT_FILE", authority);
    let rig = Rig::with(place, circle, &USUAL);
    let list = ["class", "list", "acme", "--api-url", &https.url];
    for (shown, words) in [
        (Certificate::Stranger, "signed by nobody whom this machine trusts"),
        (Certificate::Expired, "has expired, or this machine's clock is wrong"),
        (Certificate::OtherName, "is for another name"),
    ] {
        rig.circle.control().show_certificate(shown).unwrap();
        refused(&rig, &list, &["it is not trusted", words]);
        rig.circle.control().show_certificate(Certificate::Good).unwrap();
        assert_eq!(json(&rig, &list)[0]["resource_class"], CLASS);
    }
    rig.finish();
}

#[test]
fn a_proxy_that_cannot_be_understood_is_told_without_its_password() {
    let mut place = Place::new();
    place.set_env("HTTPS_PROXY", "http://me:hunter2@[proxy");
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &USUAL);
    let list = ["class", "list", "acme", "--api-url", rig.circle.url()];
    let (code, _, errors) = runnerctl(&rig, &list, &rig.circle.personal_token());
    assert!(code == 1 && errors.contains("HTTPS_PROXY does not hold"), "{errors}");
    assert!(!errors.contains("hunter2"), "{errors}");
    rig.finish();
}
