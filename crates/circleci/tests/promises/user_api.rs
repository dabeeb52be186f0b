//! The user API over both surfaces, and what is said of everything that can go wrong with it.

use std::time::Duration;

use proptest::prelude::*;
use runner_tray_circleci::{Surface, UserApi, UserApiError};
use secrecy::{ExposeSecret, SecretString};

use crate::user_api_server::UserApiServer;

const TOKEN: &str = "personal-t0ken";
const FLAT: &str = "GET /api/v3/runner/resource?namespace=acme";
const NEWER: &str = "GET /api/v3/runner/resource-classes?filter";
const CLASSES: &str = r#"{"items":[{"id":"c-1","resource_class":"acme/linux","description":"d"}]}"#;
const NEWER_CLASSES: &str = r#"{"data":[{"id":"c-1","attributes":{"resource_class":"acme/linux"}}],
    "page":{"next":null}}"#;

fn api(server: &UserApiServer) -> UserApi {
    let token = SecretString::from(TOKEN.to_owned());
    UserApi::with_patience(&server.url, token, Duration::from_secs(5)).unwrap()
}

async fn flat() -> (UserApiServer, UserApi) {
    let server = UserApiServer::start();
    server.says(FLAT, 200, CLASSES);
    let api = api(&server);
    api.namespace("acme").await.unwrap();
    server.asked();
    (server, api)
}

async fn newer() -> (UserApiServer, UserApi) {
    let server = UserApiServer::start();
    server.says(NEWER, 200, NEWER_CLASSES);
    let api = api(&server);
    api.namespace("acme").await.unwrap();
    server.asked();
    (server, api)
}

/// What is said of the namespace when both surfaces answer so.
async fn error(server: &UserApiServer) -> UserApiError {
    match api(server).namespace("acme").await {
        Ok(_) => panic!("it was taken for a good answer"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn the_surface_is_found_out_by_whatever_may_mean_that_a_call_is_not_known() {
    let (server, client) = flat().await;
    assert_eq!(client.namespace("acme").await.unwrap().surface(), Surface::Flat);
    server.says(NEWER, 200, NEWER_CLASSES);
    assert_eq!(client.namespace("acme").await.unwrap().surface(), Surface::Enveloped);
    for status in [400, 403, 404, 405, 501] {
        server.says(NEWER, status, "{}");
        assert_eq!(client.namespace("acme").await.unwrap().surface(), Surface::Flat, "{status}");
    }
    for status in [401, 409, 429, 500, 503] {
        server.asked();
        server.says(NEWER, status, "{}");
        assert!(client.namespace("acme").await.is_err());
        assert_eq!(server.asked().len(), 1, "{status} is an answer");
    }
    server.says(NEWER, 200, "<html>");
    server.asked();
    assert!(client.namespace("acme").await.is_err());
    assert_eq!(server.asked().len(), 1, "another page is no missing page");
}

#[tokio::test]
async fn a_namespace_that_neither_surface_shows_is_not_visible() {
    let said = error(&UserApiServer::start()).await.to_string();
    assert_eq!(said, "This token may not see the namespace acme, or it does not exist.");
}

#[tokio::test]
async fn of_two_refusals_the_one_that_says_more_is_told() {
    let server = UserApiServer::start();
    for (newer, flat, told) in [
        (403, 404, "may not do that"),
        (400, 503, "status 400"),
        (501, 403, "status 501"),
        (404, 403, "may not do that"),
        (404, 503, "status 503"),
        (403, 401, "does not accept this personal token"),
        (404, 401, "does not accept this personal token"),
    ] {
        server.says(NEWER, newer, "{}");
        server.says(FLAT, flat, "{}");
        let said = error(&server).await.to_string();
        assert!(said.contains(told), "{newer}, {flat}: {said}");
    }
}

#[tokio::test]
async fn each_refusal_is_told_in_words_with_a_way_out() {
    let server = UserApiServer::start();
    for (status, headers, body, what, way_out) in [
        (401, "", "{}", "does not accept this personal token", "a resource class token is none"),
        (
            403,
            "",
            r#"{"message":"limit of 650 resource classes."}"#,
            "may not do that with the namespace acme: \"limit of 650 resource classes\".",
            "admins",
        ),
        (404, "", "{}", "may not see the namespace acme", "Check the name"),
        (429, "Retry-After: 30\r\n", "", "come back in 30 s", "Try again in 30 s."),
        (429, "", "", "has had too many calls.", "in a minute"),
        (
            429,
            "Date: Mon, 23 Nov 2026 08:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 08:01:30 GMT\r\n",
            "",
            "come back in 90 s",
            "90 s",
        ),
        (429, "Retry-After: soon\r\n", "", "has had too many calls.", "in a minute"),
        (503, "", "", "HTTP status 503", "status.circleci.com"),
        (418, "", r#"{"message":"teapot"}"#, "status 418 when asked about", "--api-url"),
        (302, "Location: http://127.0.0.1:1/\r\n", "", "HTTP status 302", "--api-url"),
    ] {
        server.says_with(NEWER, status, headers, body);
        server.says_with(FLAT, status, headers, body);
        let error = error(&server).await;
        let said = error.to_string();
        assert!(said.contains(what) && error.way_out().contains(way_out), "{said}");
        assert!(server.url.contains("127.0.0.1") && said.ends_with('.'), "{said}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_as_such() {
    let server = UserApiServer::start();
    let cut = b"HTTP/1.1 200 x\r\nContent-Length: 400\r\n\r\n{\"data\":[".to_vec();
    let endless = [b"HTTP/1.1 200 x\r\n\r\n".to_vec(), vec![b' '; 5 << 20]].concat();
    let whole = |body: &str| {
        format!("HTTP/1.1 200 x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    for (reply, why) in [
        (whole("<html>"), "it is no JSON"),
        (whole(""), "it is no JSON"),
        (whole("[]"), "it has no list \"data\""),
        (whole(r#"{"data":[{"id":"x","attributes":{}}]}"#), "it has no \"resource_class\""),
        (
            whole(r#"{"data":[{"id":"../x","attributes":{"resource_class":"a/b"}}]}"#),
            "it has an id that cannot be one",
        ),
        (cut, "it broke off in the middle"),
        (endless, "it is too long"),
    ] {
        server.says_raw(NEWER, reply);
        let error = error(&server).await;
        assert!(error.leaves_unsure());
        let said = error.to_string();
        assert!(said.contains("is not understood") && said.contains(why), "{why}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_or_away_is_told_as_such() {
    let server = UserApiServer::start();
    server.says_raw(NEWER, Vec::new());
    let token = || SecretString::from(TOKEN.to_owned());
    let soon = Duration::from_millis(300);
    let api = UserApi::with_patience(&server.url, token(), soon).unwrap();
    let Err(error) = api.namespace("acme").await else { panic!("silence is no answer") };
    assert!(error.to_string().contains("gave no answer within 0.3 s"), "{error}");
    assert!(error.leaves_unsure());
    let closed = "127.0.0.1:1";
    let api = UserApi::at(&format!("http://{closed}"), token()).unwrap();
    let Err(error) = api.namespace("acme").await else { panic!("nobody is there") };
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(error.way_out().contains("proxy"));
}

#[tokio::test]
async fn the_personal_token_is_in_a_header_and_in_no_word_of_ours() {
    let server = UserApiServer::start();
    let body = format!(r#"{{"message":"the token {TOKEN} is bad"}}"#);
    server.says(NEWER, 403, &body);
    let error = error(&server).await;
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
    assert!(!server.asked().concat().contains(TOKEN));
    for bad in ["", "two\nlines", "a\u{0}b"] {
        let refused = UserApi::at(&server.url, SecretString::from(bad.to_owned())).err().unwrap();
        assert_eq!(refused, UserApiError::NoToken);
    }
    let token = SecretString::from(TOKEN.to_owned());
    let refused = UserApi::at("http://runner.circleci.com", token).err().unwrap();
    assert!(refused.to_string().contains("neither https"), "{refused}");
}

#[tokio::test]
async fn the_flat_surface_is_asked_as_documented() {
    let (server, api) = flat().await;
    let acme = api.namespace("acme").await.unwrap();
    assert_eq!(acme.class("acme/linux").unwrap().description, "d");
    server.asked();
    let token = r#"{"id":"t-1","resource_class":"acme/linux","nickname":"n","created_at":"2026"}"#;
    server.says("GET /api/v3/runner/token", 200, &format!(r#"{{"items":[{token}]}}"#));
    let created = token.replace("\"n\"", "\"n\",\"token\":\"s3cret\"");
    server.says("POST /api/v3/runner/token", 201, &created);
    server.says("DELETE /api/v3/runner/token/t-1", 200, "");
    server.says("GET /api/v3/runner/tasks?", 200, r#"{"unclaimed_task_count":3}"#);
    server.says("GET /api/v3/runner/tasks/running", 200, r#"{"running_runner_tasks":2}"#);
    server.says("DELETE /api/v3/runner/resource/c-1", 409, r#"{"message":"has tokens"}"#);
    server.says("DELETE /api/v3/runner/resource/c-1/force", 204, "");
    assert_eq!(acme.tokens("acme/linux").await.unwrap()[0].nickname, "n");
    let created = acme.create_token("acme/linux", "n").await.unwrap();
    assert_eq!((created.secret.expose_secret(), created.token.id.as_str()), ("s3cret", "t-1"));
    assert!(!format!("{created:?}").contains("s3cret"));
    acme.delete_token("acme/linux", "t-1").await.unwrap();
    let counts = acme.counts("acme/linux").await.unwrap();
    assert_eq!((counts.waiting, counts.running), (3, 2));
    // That no agent was ever there may be a 404.
    assert_eq!(acme.agents("acme/linux").await.unwrap(), []);
    let error = acme.delete_class("acme/linux", false).await.unwrap_err();
    assert!(error.to_string().contains("has tokens, so it is not deleted"), "{error}");
    assert!(error.way_out().contains("--force"));
    acme.delete_class("acme/linux", true).await.unwrap();
    assert_eq!(
        server.asked(),
        [
            "GET /api/v3/runner/token?resource-class=acme%2Flinux",
            r#"POST /api/v3/runner/token {"nickname":"n","resource_class":"acme/linux"}"#,
            "DELETE /api/v3/runner/token/t-1",
            "GET /api/v3/runner/tasks?resource-class=acme%2Flinux",
            "GET /api/v3/runner/tasks/running?resource-class=acme%2Flinux",
            "GET /api/v3/runner?resource-class=acme%2Flinux",
            "DELETE /api/v3/runner/resource/c-1",
            "DELETE /api/v3/runner/resource/c-1/force",
        ]
    );
}

#[tokio::test]
async fn the_newer_surface_is_asked_by_references_and_page_by_page() {
    let (server, api) = newer().await;
    let acme = api.namespace("acme").await.unwrap();
    server.asked();
    let one = |id: &str, next: &str| {
        format!(
            r#"{{"data":[{{"id":"{id}","attributes":{{"nickname":"{id}"}}}}],"page":{{"next":{next}}}}}"#
        )
    };
    server.says("GET /api/v3/runner/tokens", 200, &one("t-1", "\"2\""));
    let second = "GET /api/v3/runner/tokens?filter%5Bresource_class%5D=acme%2Flinux\
                  &page%5Blimit%5D=250&page%5Bcursor%5D=2";
    server.says(second, 200, &one("t-2", "null"));
    let created = r#"{"data":{"id":"t-3","attributes":{"nickname":"n","token":"s3cret"}}}"#;
    server.says("POST /api/v3/runner/tokens", 201, created);
    let fleet = r#"{"data":{"attributes":{"queued_tasks":1,"running_tasks":4}}}"#;
    server.says("GET /api/v3/runner/fleets/c-1", 200, fleet);
    let tokens = acme.tokens("acme/linux").await.unwrap();
    assert_eq!(tokens.iter().map(|token| &*token.id).collect::<Vec<_>>(), ["t-1", "t-2"]);
    assert_eq!(
        acme.create_token("acme/linux", "n").await.unwrap().secret.expose_secret(),
        "s3cret"
    );
    let counts = acme.counts("acme/linux").await.unwrap();
    assert_eq!((counts.waiting, counts.running), (1, 4));
    let asked = server.asked();
    assert_eq!(asked[1], second);
    assert_eq!(
        asked[2],
        r#"POST /api/v3/runner/tokens {"data":{"attributes":{"nickname":"n"},"references":{"resource_class":{"id":"c-1"}}}}"#
    );
    let error = acme.create_class("acme/new", "", None).await.unwrap_err();
    assert!(error.way_out().contains("--org-id"), "{error}");
    assert_eq!(server.asked(), Vec::<String>::new(), "nothing is asked in vain");
    server.says("GET /api/v3/runner/tokens", 200, &one("t-1", "\"2\""));
    let error = acme.tokens("acme/linux").await.unwrap_err();
    assert!(error.to_string().contains("in a circle"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_told_by_name() {
    let (server, api) = flat().await;
    let acme = api.namespace("acme").await.unwrap();
    server.asked();
    let error = acme.tokens("acme/mac").await.unwrap_err();
    assert!(error.to_string().contains("may not see the resource class acme/mac"), "{error}");
    let error = acme.delete_token("acme/linux", "../../x").await.unwrap_err();
    assert_eq!(error.to_string(), "There is no token ../../x of acme/linux.");
    let error = acme.create_class("acme/linux", "", None).await.unwrap_err();
    assert_eq!(error.to_string(), "There is a resource class acme/linux already.");
    assert_eq!(server.asked(), Vec::<String>::new());
    let error = acme.delete_token("acme/linux", "t-9").await.unwrap_err();
    assert_eq!(error.to_string(), "There is no token t-9 of acme/linux.");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_of_a_server_make_it_panic(
        head in prop::sample::select(vec!["HTTP/1.1 200 x\r\n\r\n", "HTTP/1.1 403 x\r\n\r\n", ""]),
        body in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = UserApiServer::start();
        server.says_raw("GET", [head.as_bytes(), &body].concat());
        runtime.block_on(async {
            assert!(api(&server).namespace("acme").await.is_err());
        });
    }
}
