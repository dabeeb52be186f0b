//! An agent's log through the real supervisor: read back and on, over cuts and from run to run,
//! looked through, and never a piece of a token in what is shown.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use client::{ClientError, LogQuery, LogSearchQuery};
use protocol::{ApiError, LogPage, LogSearch, RunId, RunnerName, RunnerState};
use run_dir::{End, Exit, Plan, RunDir, TokenMark};
use trials::{Api, DEADLINE, Options, Place, RUNNER, Rig, Supervisor, call, until};

const TOKEN: &str = "c0ffee00c0ffee11c0ffee22c0ffee33";
const LEAKS: &str = "leak-token=1,noise-bytes=400";

fn name() -> RunnerName {
    RUNNER.parse().expect("a name")
}

fn logs(api: &Api, query: LogQuery<'_>) -> Result<LogPage, ClientError> {
    api.call(async |client| client.logs(&name(), query).await)
}

fn search(api: &Api, query: LogSearchQuery<'_>) -> Result<LogSearch, ClientError> {
    api.call(async |client| client.search_logs(&name(), query).await)
}

fn looked_for(word: &str) -> LogSearchQuery<'_> {
    LogSearchQuery { word, run: None, from: None, limit: None }
}

/// A supervisor that finds runs which are over, as they were written here.
struct Found {
    supervisor: Supervisor,
    api: Api,
    place: Place,
}

impl Found {
    fn with(write: impl FnOnce(&dyn Fn(&str) -> RunDir)) -> Self {
        let place = Place::new();
        place.folders().ensure().expect("the product's folders");
        write(&|id| run(&place, id));
        let api = Api::of(&place);
        let supervisor = Supervisor::start(&place, &api, &Options::default());
        let found = Self { supervisor, api, place };
        until(DEADLINE, "the supervisor knows the runs", || {
            logs(&found.api, LogQuery::default()).is_ok_and(|page| page.run.is_some())
        });
        found
    }

    fn end(self) {
        self.supervisor.stop();
    }
}

/// A run that has ended.
fn run(place: &Place, id: &str) -> RunDir {
    let plan = Plan {
        run: id.parse().expect("a run's name"),
        runner: RUNNER.into(),
        resource_class: "acme/mini".into(),
        settings_mark: String::new(),
        argv: vec!["/agent".into()],
        cwd: "/".into(),
        environment: Vec::new(),
        agent_version: None,
        working_directory: place.path("work"),
        task_agent_directory: place.path("agents"),
        helper: place.path("helper"),
        job_user: None,
        job_path: run_dir::JobPath::default(),
        token_mark: Some(TokenMark::of(TOKEN)),
        log_limit: 20 << 20,
    };
    let (run, _) = place.runs().create(&plan, "").expect("a run's folder");
    let at = "2026-11-23T12:00:00Z".parse().expect("a time");
    run.write_exit(&Exit { end: End::Code(0), at }).expect("the record of its end");
    run
}

fn write(run: &RunDir, text: &str) {
    let mut log = run.open_agent_log().expect("a log");
    log.write_all(text.as_bytes()).expect("room for a log");
}

fn cut(run: &RunDir) {
    run.cut_agent_log(Some(&TokenMark::of(TOKEN)), 20 << 20).expect("the log is cut");
}

const FIRST: &str = "20261123T100000.000Z-000001";
const SECOND: &str = "20261123T110000.000Z-000002";

/// Two runs; the second one's log was cut in the midst of a token.
fn two_runs() -> (Found, String) {
    let line = |n: usize| format!("line {n} with {TOKEN} in it\n");
    let lines = (0..20_000).fold(String::new(), |lines, n| lines + &line(n));
    let found = Found::with(|run| {
        write(&run(FIRST), "the first run\n");
        let second = run(SECOND);
        let (head, rest) = lines.split_at(lines.len() / 2 + 20);
        write(&second, head);
        cut(&second);
        write(&second, rest);
    });
    (found, lines.replace(TOKEN, "[token]"))
}

#[test]
fn a_log_is_paged_both_ways_through_both_its_files_and_through_all_runs() {
    let (found, whole) = two_runs();
    let whole = format!("the first run\n{whole}");
    let (mut text, mut before, mut pages) = (String::new(), None::<String>, 0);
    loop {
        let query = LogQuery { before: before.as_deref(), ..LogQuery::default() };
        let page = logs(&found.api, query).unwrap();
        text.insert_str(0, &page.text);
        (before, pages) = (page.before, pages + 1);
        if before.is_none() {
            break;
        }
    }
    assert!(text == whole && pages > 10, "{pages} pages, {} bytes", text.len());

    let (mut text, mut next) = (String::new(), format!("{FIRST}:0"));
    loop {
        let query = LogQuery { from: Some(&next), limit: Some(30_000), ..LogQuery::default() };
        let page = logs(&found.api, query).unwrap();
        assert_eq!(page.missed.0, 0);
        text.push_str(&page.text);
        next = page.next;
        if page.at_end {
            break;
        }
    }
    assert!(text == whole, "{} bytes", text.len());
    found.end();
}

#[test]
fn one_run_is_read_by_its_name_and_leads_to_no_other() {
    let (found, whole) = two_runs();
    let first = RunId::from(FIRST);
    let page = logs(&found.api, LogQuery { run: Some(&first), ..LogQuery::default() }).unwrap();
    assert_eq!(page.text, "the first run\n");
    assert_eq!((page.at_end, page.ended, page.before), (true, true, None));
    let lines = LogQuery { lines: Some(3), ..LogQuery::default() };
    let last: Vec<&str> = whole.lines().skip(20_000 - 3).collect();
    assert_eq!(logs(&found.api, lines).unwrap().text.lines().collect::<Vec<_>>(), last);
    found.end();
}

#[test]
fn a_word_is_found_in_both_files_and_no_part_of_the_token_is() {
    let (found, whole) = two_runs();
    let expected: Vec<&str> = whole.lines().filter(|line| line.contains("line 77")).collect();
    let (mut lines, mut from) = (Vec::new(), None::<String>);
    loop {
        let query = LogSearchQuery { from: from.as_deref(), ..looked_for("line 77") };
        let answer = search(&found.api, query).unwrap();
        lines.extend(answer.found);
        from = answer.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), expected);
    let there = LogQuery { from: Some(&lines[60].at), ..LogQuery::default() };
    assert!(logs(&found.api, there).unwrap().text.starts_with(expected[60]));
    for part in [TOKEN, &TOKEN[..4], "ffee22", "with c0", "33 in"] {
        let answer = search(&found.api, looked_for(part)).unwrap();
        assert_eq!((answer.found.len(), answer.next), (0, None), "{part}");
    }
    found.end();
}

#[track_caller]
fn refused<T: std::fmt::Debug>(
    answer: Result<T, ClientError>,
    status: u16,
    code: &str,
) -> ApiError {
    let Err(ClientError::Refused(refused)) = answer else { panic!("not refused: {answer:?}") };
    assert_eq!((refused.status, refused.code.as_str()), (status, code));
    assert!(!refused.hint.is_empty());
    refused
}

#[test]
fn what_cannot_be_read_is_refused_with_a_way_out() {
    let (found, _) = two_runs();
    let api = &found.api;
    let (none, first) = (RunId::from("20261123T120000.000Z-000003"), RunId::from(FIRST));
    let at_second = format!("{SECOND}:0");
    let query = LogQuery::default();
    let gone = refused(logs(api, LogQuery { run: Some(&none), ..query }), 404, "no-such-run");
    assert!(gone.hint.contains(FIRST) && gone.hint.contains(SECOND), "{}", gone.hint);
    refused(logs(api, LogQuery { from: Some("nowhere"), ..query }), 400, "bad-request");
    refused(logs(api, LogQuery { before: Some("a:b"), ..query }), 400, "bad-request");
    let both = LogQuery { from: Some(&at_second), lines: Some(1), ..query };
    refused(logs(api, both), 400, "bad-request");
    let elsewhere = LogQuery { from: Some(&at_second), run: Some(&first), ..query };
    refused(logs(api, elsewhere), 400, "bad-request");

    let query = looked_for("word");
    refused(search(api, looked_for("")), 400, "bad-request");
    refused(search(api, looked_for("two\nlines")), 400, "bad-request");
    refused(search(api, LogSearchQuery { run: Some(&none), ..query }), 404, "no-such-run");
    refused(search(api, LogSearchQuery { from: Some("x"), ..query }), 400, "bad-request");
    let elsewhere = LogSearchQuery { from: Some(&at_second), run: Some(&first), ..query };
    refused(search(api, elsewhere), 400, "bad-request");

    // Without its mark a token could not be taken out.
    let run = found.place.runs().run(&FIRST.parse().unwrap());
    std::fs::File::create(run.path().join("plan.json")).unwrap();
    let answer = logs(api, LogQuery { run: Some(&first), ..LogQuery::default() });
    assert!(refused(answer, 500, "failed").title.contains("plan.json cannot be read"));
    let socket = found.place.folders().socket().unwrap();
    let (status, _, body) = call(&socket, "GET /v1/runners/mini/logs/search", "\r\n");
    assert_eq!(status, 400, "{body}");
    found.end();
}

#[test]
fn a_search_that_nobody_waits_for_ends_and_holds_up_nobody() {
    let found = Found::with(|run| {
        // So long that a search through it would go on for minutes.
        let log = run(FIRST).open_agent_log().expect("a log");
        log.set_len(1 << 40).expect("a file with a hole");
    });
    let socket = found.place.folders().socket().unwrap();
    for _ in 0..20 {
        let mut asker = UnixStream::connect(&socket).unwrap();
        let call = "GET /v1/runners/mini/logs/search?word=needle";
        write!(asker, "{call} HTTP/1.1\r\nHost: supervisor\r\n\r\n").unwrap();
    }
    let answer = search(&found.api, looked_for("needle")).unwrap();
    assert!(answer.next.is_some() && answer.searched.0 < 1 << 30, "a call has its bounds");
    found.end();
}

/// Follows with `runnerctl logs -f --json`, whose pages say where they begin and end.
#[test]
fn a_follower_misses_and_repeats_nothing_when_the_log_is_cut_and_goes_on_with_the_next_run() {
    let rig = Rig::bare(&Options { variant: LEAKS, ..Options::default() });
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    let token = rig.circle.token(trials::CLASS);
    let mut command = rig.place.command("runnerctl");
    command.args(["logs", "-f", "--all", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut follower = command.spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next_page = || -> LogPage {
        serde_json::from_str(&lines.next().expect("it follows on").unwrap()).unwrap()
    };
    // It follows by now; another agent is begun for other settings.
    let mut last = next_page();
    rig.add_setting("log_limit = 20000");
    let (mut shown, mut runs, mut cuts) = (last.text.clone(), 1, 0);
    // Until it has followed one run to its end, and another one over some cuts.
    while runs < 2 || cuts < 3 {
        let page = next_page();
        shown.push_str(&page.text);
        // Of another run all is there, or it is told how much is not any more.
        assert!(page.run == last.run || byte_of(&page.from) == page.missed.0, "{last:?} {page:?}");
        if page.run == last.run {
            // Whoever comes later than two cuts is told how much it misses.
            assert_eq!(byte_of(&page.from), byte_of(&last.next) + page.missed.0, "{page:?}");
            let run = rig.run();
            let aside = std::fs::metadata(run.agent_log_before());
            let is_whole = page.missed.0 == 0;
            cuts = aside.map_or(cuts, |_| cuts + u32::from(is_whole && has_been_cut(&run, &page)));
        } else {
            (runs, cuts) = (runs + 1, 0);
        }
        last = page;
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert!(shown.contains("app.auth_token=[token]"));
    assert!(
        !token
            .as_bytes()
            .windows(8)
            .any(|piece| { shown.as_bytes().windows(8).any(|seen| seen == piece) })
    );
    rig.finish();
}

/// Whether the page lies behind what the live file could hold without a cut.
fn has_been_cut(run: &RunDir, page: &LogPage) -> bool {
    let live = std::fs::metadata(run.agent_log()).map_or(0, |about| about.len());
    byte_of(&page.next) > live
}

fn byte_of(place: &str) -> u64 {
    let (_, byte) = place.rsplit_once(':').expect("a place");
    byte.parse().expect("a number")
}
