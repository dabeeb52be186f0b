//! What a client sends, and what it makes of every kind of answer.

mod scripted;

use client::{Client, ClientError, Detail, HistoryQuery, LogQuery, LogSearchQuery};
use futures::StreamExt;
use protocol::{
    AfterTaskAct, JobsRunAs, KeepAwakeChange, Outcome, Pause, PreferencesChange, ResourceClass,
    RunId, RunnerName, RunnerSpec, SetToken, SetUp, TaskId, TokenStore,
};
use scripted::{answer, supervisor};

const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn name() -> RunnerName {
    "mac-(1)".parse().expect("a name")
}

fn snapshot(revision: u64) -> String {
    format!(
        r#"{{"revision":{revision},"runners":[],"problems":[],"from_the_future":[1],
        "supervisor":{{"version":"9.9.9","pid":7,"started_at":"2026-11-23T12:00:00Z","more":true}}}}"#
    )
    .replace('\n', "")
}

#[tokio::test]
async fn each_wish_is_one_request_as_agreed() {
    let script = supervisor(vec![NOTHING.to_owned(); 6]);
    let client = Client::connect(&script.socket).expect("a client");
    let (name, task) = (name(), TaskId::from("run.3"));
    let pause = Pause { until: Some("2026-11-24T08:00:00Z".parse().expect("a time")), note: None };

    client.pause(&name, &pause).await.expect("paused");
    client.resume(&name).await.expect("resumed");
    client.set_token(&name, &SetToken("s3cret".into())).await.expect("the token is set");
    client.forget_token(&name).await.expect("the token is forgotten");
    client.cancel(&name, &task).await.expect("cancelled");
    client.remove(&name).await.expect("removed");

    assert_eq!(
        script.asked(),
        [
            r#"PUT /v1/runners/mac-(1)/pause HTTP/1.1 {"until":"2026-11-24T08:00:00Z"}"#,
            "DELETE /v1/runners/mac-(1)/pause HTTP/1.1",
            r#"PUT /v1/runners/mac-(1)/token HTTP/1.1 "s3cret""#,
            "DELETE /v1/runners/mac-(1)/token HTTP/1.1",
            r#"POST /v1/runners/mac-(1)/cancel HTTP/1.1 {"task":"run.3"}"#,
            "DELETE /v1/runners/mac-(1) HTTP/1.1",
        ]
    );
}

#[tokio::test]
async fn what_holds_for_the_whole_machine_is_one_request_as_agreed() {
    let preferences =
        r#"{"keep_awake":{"on":false,"battery_floor_percent":30},"notifications":{}}"#;
    let spans = r#"{"tz":"UTC","spans":[]}"#;
    let script = supervisor(vec![
        answer("200 OK", preferences),
        answer("200 OK", preferences),
        NOTHING.to_owned(),
        NOTHING.to_owned(),
        answer("200 OK", r#"{"notices":[],"newest":4,"seen":2}"#),
        NOTHING.to_owned(),
        answer("200 OK", spans),
        answer("200 OK", spans),
        answer("200 OK", r#"{"user":"ci","usable":true,"steps":[]}"#),
        answer("200 OK", r#"{"yaml":"version: 2.1\n"}"#),
    ]);
    let client = Client::connect(&script.socket).expect("a client");
    let day = "2026-11-24".parse().expect("a day");

    assert!(client.preferences().await.expect("preferences").notifications.problems);
    let change = PreferencesChange {
        keep_awake: Some(KeepAwakeChange { on: Some(false), battery_floor_percent: None }),
        notifications: None,
        cleanup: None,
    };
    assert!(!client.prefer(&change).await.expect("changed").keep_awake.on);
    client.after_task(AfterTaskAct::Sleep).await.expect("wanted");
    client.forget_after_task().await.expect("forgotten");
    assert_eq!(client.notices(2, Some(9)).await.expect("notices").seen.newest, 4);
    client.seen_notices(4).await.expect("seen");
    client.history_days(day, day, Some("Europe/Berlin"), Some(&name())).await.expect("days");
    client.history_hours(day, None, None).await.expect("hours");
    assert!(client.check_job_user("ci").await.expect("a check").usable);
    assert_eq!(client.snippet(&name()).await.expect("a pipeline").yaml, "version: 2.1\n");

    assert_eq!(
        script.asked(),
        [
            "GET /v1/preferences HTTP/1.1",
            r#"PUT /v1/preferences HTTP/1.1 {"keep_awake":{"on":false}}"#,
            r#"PUT /v1/after-task HTTP/1.1 {"do":"sleep"}"#,
            "DELETE /v1/after-task HTTP/1.1",
            "GET /v1/notices?since=2&limit=9 HTTP/1.1",
            r#"PUT /v1/notices/seen HTTP/1.1 {"up_to":4}"#,
            "GET /v1/history/days?from=2026-11-24&to=2026-11-24&tz=Europe%2FBerlin&runner=mac-%281%29 HTTP/1.1",
            "GET /v1/history/hours?day=2026-11-24 HTTP/1.1",
            r#"POST /v1/job-user/check HTTP/1.1 {"user":"ci"}"#,
            "GET /v1/runners/mac-(1)/snippet HTTP/1.1",
        ]
    );
}

#[tokio::test]
async fn a_set_up_sends_only_what_was_said() {
    let script = supervisor(vec![answer("200 OK", r#"{"did":["Saved."],"needs_token":true}"#)]);
    let client = Client::connect(&script.socket).expect("a client");
    let spec = RunnerSpec {
        resource_class: "acme/macos".parse::<ResourceClass>().expect("a resource class"),
        working_directory: None,
        api_url: None,
        releases_url: None,
        job_user: Some(JobsRunAs::User("ci".into())),
        token_store: Some(TokenStore::Keychain),
    };
    let done = client.set_up(&name(), &SetUp { spec, token: None }).await.expect("set up");
    assert_eq!((done.did, done.needs_token), (vec!["Saved.".to_owned()], true));
    assert_eq!(
        script.asked(),
        [
            r#"PUT /v1/runners/mac-(1) HTTP/1.1 {"resource_class":"acme/macos","job_user":"ci","token_store":"keychain"}"#
        ]
    );
}

#[tokio::test]
async fn each_reading_call_asks_for_what_it_was_told() {
    // As the first release answered, and as this one does.
    let log = r#"{"text":"a\n","next":"run:2","at_end":true}"#;
    let whole_log = r#"{"text":"a\n","run":"run","from":"run:1","next":"run:2","before":"run:1",
        "at_end":true,"ended":true,"missed":7}"#;
    let found = r#"{"run":"run","found":[{"at":"run:3","text":"a b&c","whole":true}],"next":"run:9",
        "searched":6}"#;
    let (whole_log, found) = (&whole_log.replace('\n', ""), &found.replace('\n', ""));
    let script = supervisor(vec![
        answer("200 OK", &snapshot(4)),
        answer("200 OK", r#"{"tasks":[],"before":null}"#),
        answer("200 OK", log),
        answer("200 OK", whole_log),
        answer("200 OK", found),
        answer("200 OK", "[]"),
        answer("200 OK", r#"{"yaml":"runner:\n"}"#),
        answer("200 OK", r#"{"pid":7,"left_running":["mac-(1)"]}"#),
    ]);
    let client = Client::connect(&script.socket).expect("a client");
    let (name, before) = (name(), TaskId::from("run.3"));

    assert_eq!(client.snapshot(Detail::Usage).await.expect("a snapshot").revision, 4);
    let query = HistoryQuery {
        runner: Some(&name),
        result: Some(Outcome::Failed),
        project: Some("acme/web app"),
        since: "2026-11-01T09:00:00Z".parse().ok(),
        until: "2026-11-02T09:00:00Z".parse().ok(),
        before: Some(&before),
        limit: Some(5),
    };
    assert!(client.history(query).await.expect("a page").tasks.is_empty());
    let query = LogQuery { from: Some("run:0"), limit: Some(9), wait: true, ..LogQuery::default() };
    assert_eq!(client.logs(&name, query).await.expect("a page").next, "run:2");
    let run = RunId::from("run");
    let query = LogQuery { run: Some(&run), before: Some("run:end"), ..LogQuery::default() };
    let page = client.logs(&name, query).await.expect("a page");
    assert_eq!((page.before.as_deref(), page.missed.0, page.ended), (Some("run:1"), 7, true));
    let query =
        LogSearchQuery { word: "a b&c", run: Some(&run), from: Some("run:4"), limit: Some(5) };
    let found = client.search_logs(&name, query).await.expect("an answer");
    assert_eq!((found.found[0].at.as_str(), found.next.as_deref()), ("run:3", Some("run:9")));
    assert!(client.agents().await.expect("a list").is_empty());
    assert_eq!(client.config(&name).await.expect("a text").yaml, "runner:\n");
    assert_eq!(client.stop().await.expect("it stops").left_running, [name]);

    assert_eq!(
        script.asked(),
        [
            "GET /v1/snapshot?usage=1 HTTP/1.1",
            concat!(
                "GET /v1/history?runner=mac-%281%29&result=failed&project=acme%2Fweb+app",
                "&since=2026-11-01T09%3A00%3A00Z&until=2026-11-02T09%3A00%3A00Z&before=run.3&limit=5 HTTP/1.1"
            ),
            "GET /v1/runners/mac-(1)/logs?from=run%3A0&limit=9&wait=1 HTTP/1.1",
            "GET /v1/runners/mac-(1)/logs?run=run&before=run%3Aend HTTP/1.1",
            "GET /v1/runners/mac-(1)/logs/search?word=a+b%26c&run=run&from=run%3A4&limit=5 HTTP/1.1",
            "GET /v1/agents HTTP/1.1",
            "GET /v1/runners/mac-(1)/config HTTP/1.1",
            "POST /v1/stop HTTP/1.1",
        ]
    );
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_its_hint() {
    let problem = r#"{"type":"about:blank","status":409,"code":"not-running","title":"No task runs.","hint":"Look."}"#;
    let script = supervisor(vec![answer("409 Conflict", problem)]);
    let client = Client::connect(&script.socket).expect("a client");
    match client.cancel(&name(), &TaskId::from("run.3")).await {
        Err(ClientError::Refused(refused)) => {
            assert_eq!((refused.status, refused.code.as_str()), (409, "not-running"));
            assert_eq!((refused.title.as_str(), refused.hint.as_str()), ("No task runs.", "Look."));
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn where_nothing_listens_the_error_names_the_socket() {
    let home = tempfile::tempdir().expect("a folder");
    let socket = home.path().join("s.sock");
    let client = Client::connect(&socket).expect("a client");
    match client.snapshot(Detail::Plain).await {
        Err(ClientError::NotReachable { socket: named, .. }) => assert_eq!(named, socket),
        other => panic!("expected a socket that is not there, got {other:?}"),
    }
    match client.events(Detail::Plain).next().await {
        Some(Err(ClientError::NotReachable { socket: named, .. })) => assert_eq!(named, socket),
        other => panic!("expected a socket that is not there, got {other:?}"),
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_from_a_supervisor_that_is_not_there() {
    for bad in [
        answer("200 OK", "{}"),
        answer("200 OK", "<html>"),
        answer("404 Not Found", ""),
        answer("500 Internal Server Error", "{\"message\":\"x\"}"),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned(),
        String::new(),
    ] {
        let script = supervisor(vec![bad.clone()]);
        let client = Client::connect(&script.socket).expect("a client");
        match client.health().await {
            Err(ClientError::Broken { call, .. }) => assert_eq!(call, "GET /v1/health"),
            other => panic!("{bad:?} gave {other:?}"),
        }
    }
}

#[tokio::test]
async fn events_are_whole_snapshots_until_the_supervisor_ends() {
    let body = format!("data: {}\n\n:\n\ndata: {}\n\n", snapshot(1), snapshot(2));
    let script = supervisor(vec![answer("200 OK", &body)]);
    let client = Client::connect(&script.socket).expect("a client");
    let seen: Vec<_> = client
        .events(Detail::Usage)
        .map(|snapshot| snapshot.expect("a snapshot").revision)
        .collect()
        .await;
    assert_eq!(seen, [1, 2]);
    assert_eq!(script.asked(), ["GET /v1/events?usage=1 HTTP/1.1"]);
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_and_not_an_end() {
    let chunk = format!("data: {}\n\n", snapshot(1));
    let cut = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{chunk}\r\n",
        chunk.len()
    );
    let script = supervisor(vec![cut]);
    let client = Client::connect(&script.socket).expect("a client");
    let seen: Vec<_> = client.events(Detail::Plain).collect().await;
    assert!(matches!(seen.as_slice(), [Ok(_), Err(ClientError::Broken { .. })]), "{seen:?}");
}
