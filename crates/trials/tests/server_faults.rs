//! A server that does not do its part: it refuses, asks for patience, breaks connections, drips, is
//! away for a while, hands a task out twice; or is not the server at all. Each has its name, no task
//! is lost that the agent has, and it heals by itself.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use local_circleci::Outcome;
use local_circleci::control::Fault;
use protocol::{ProblemCode, RunnerState, TaskResult};
use trials::{CLASS, DEADLINE, Job, Options, RUNNER, Rig, until, until_some};

const CLAIM: &str = "/api/v3/runner/claim";

#[test]
fn each_refusal_of_a_claim_has_its_name_and_heals() {
    let mut rig = Rig::idle(&Options::default());
    let agent = rig.runner().agent_pid;
    for (status, state, code) in [
        (403, RunnerState::Problem, ProblemCode::ClaimRefused),
        (404, RunnerState::Problem, ProblemCode::ClaimRefused),
        (409, RunnerState::Problem, ProblemCode::ClaimRefused),
        (429, RunnerState::Offline, ProblemCode::ServerTroubled),
        (500, RunnerState::Offline, ProblemCode::ServerTroubled),
        (503, RunnerState::Offline, ProblemCode::ServerTroubled),
    ] {
        let retry_after = (status == 429).then(|| "1".to_owned());
        let fault = Fault { status: Some(status), retry_after, ..Fault::default() };
        rig.spoil(CLAIM, fault);
        let (runner, problem) = rig.until_problem(code);
        assert_eq!(runner.state, state, "{status}");
        let reading = problem.reading.unwrap();
        assert!(reading.contains(&status.to_string()), "{status}: {reading}");
        rig.spoil_nothing();
        rig.assert_works_again();
        assert_eq!(rig.runner().agent_pid, agent, "{status}: the same agent goes on");
    }
    rig.finish();
}

#[test]
fn connections_that_break_or_drip_lose_no_task_that_the_agent_has() {
    let mut rig = Rig::idle(&Options::default());
    rig.spoil("/api", Fault { hang_up: true, ..Fault::default() });
    rig.until_problem(ProblemCode::Offline);
    rig.until_state(RunnerState::Offline);
    rig.spoil_nothing();
    rig.assert_works_again();

    // In a task: the first report of each kind, once.
    let job = rig.long_job();
    job.until_begun();
    let times = Some(1);
    rig.spoil("/api/local/step", Fault { hang_up: true, times, ..Fault::default() });
    rig.spoil("/api/local/step", Fault { status: Some(503), times, ..Fault::default() });
    rig.spoil("/api/local/task/end", Fault { wait_before_ms: 500, times, ..Fault::default() });
    rig.until_state(RunnerState::Busy);
    job.let_go();
    rig.assert_ended_well(&job);

    rig.spoil("/api", Fault { bytes_per_second: Some(2_000), ..Fault::default() });
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    rig.spoil_nothing();
    rig.assert_works_again();
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

#[test]
fn an_answer_to_a_claim_that_is_lost_costs_that_task_and_nothing_else() {
    let mut rig = Rig::idle(&Options::default());
    rig.circle.control().hold(true).unwrap();
    let lost = rig.short_job();
    // The calls that came first find nothing to do; this one takes the job, and nobody hears of it.
    rig.spoil(CLAIM, Fault { reset_after: Some(10), ..Fault::default() });
    rig.circle.control().hold(false).unwrap();
    let task = rig.circle.finished(lost.number);
    assert_eq!(task.outcome, Some(Outcome::InfrastructureFail), "CircleCI gave it to nobody");
    rig.spoil_nothing();
    rig.assert_works_again();
    until(DEADLINE, "the next is in the history", || !rig.api.history().unwrap().is_empty());
    assert_eq!(rig.api.history().unwrap().len(), 1, "nothing of the lost one ever ran here");
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

#[test]
fn a_network_that_is_gone_for_a_while_costs_nothing() {
    let mut rig = Rig::idle(&Options::default());
    rig.circle.goes_away(&rig.place);
    let (runner, problem) = rig.until_problem(ProblemCode::Offline);
    assert_eq!(runner.state, RunnerState::Offline);
    assert!(problem.reading.is_some_and(|why| !why.is_empty()));
    rig.circle.comes_back(&rig.place);
    rig.assert_works_again();

    let job = rig.long_job();
    job.until_begun();
    let task = rig.task_id();
    rig.circle.goes_away(&rig.place);
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    assert_eq!(rig.task_id(), task);
    rig.until_state(RunnerState::Busy);
    job.let_go();
    until(DEADLINE, "it has come to its end", || job.is_done());
    rig.circle.comes_back(&rig.place);
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

#[test]
fn a_task_that_is_handed_out_twice_is_two_tasks_and_neither_is_in_the_others_way() {
    const OTHER: &str = "maxi";
    let mut rig = Rig::idle(&Options::default());
    rig.api.set_up(&rig.circle, CLASS, OTHER).unwrap();
    let state = |rig: &Rig, name: &str| rig.api.runner(name).map(|runner| runner.state);
    until(DEADLINE, "both wait", || state(&rig, OTHER) == Some(RunnerState::Idle));
    let job = Job::that_waits(&rig.place, &rig.circle, CLASS, "twice");
    job.until_begun();
    rig.circle.control().hand_out_again(job.number).unwrap();
    until(DEADLINE, "both work", || {
        [RUNNER, OTHER].iter().all(|name| state(&rig, name) == Some(RunnerState::Busy))
    });
    let link = |name: &str| rig.api.runner(name)?.task?.link;
    let first = until_some(DEADLINE, "it names itself", || link(RUNNER));
    assert_eq!(until_some(DEADLINE, "and again", || link(OTHER)), first);
    job.let_go();
    let task = rig.circle.finished(job.number);
    assert_eq!((task.outcome, task.claims), (Some(Outcome::Success), 2));
    assert!(job.is_done());
    until(DEADLINE, "both are in the history", || rig.api.history().unwrap().len() == 2);
    let history = rig.api.history().unwrap();
    let runners: BTreeSet<_> = history.iter().map(|task| task.runner.as_str()).collect();
    assert_eq!(runners, BTreeSet::from([RUNNER, OTHER]));
    assert!(history.iter().any(|task| task.result == TaskResult::Succeeded), "{history:#?}");
    assert!(history.iter().all(|task| task.link.as_ref() == Some(&first)), "{history:#?}");
    job.until_nothing_is_left(&[]);
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_task_that_is_handed_out_again_to_the_agent_that_had_it_runs_once_and_costs_nothing() {
    let mut rig = Rig::idle(&Options::default());
    let job = rig.long_job();
    job.until_begun();
    rig.circle.control().hand_out_again(job.number).unwrap();
    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "it was claimed again", || rig.circle.task(job.number).claims == 2);
    // By the time that the agent works on the next one it has given that up.
    rig.assert_works_again();
    until(DEADLINE, "both are in the history", || rig.api.history().unwrap().len() >= 2);
    let history = rig.api.history().unwrap();
    assert_eq!(history.len(), 2, "the one that came twice is there once: {history:#?}");
    assert!(history.iter().all(|task| task.result == TaskResult::Succeeded), "{history:#?}");
    assert_eq!(rig.circle.task(job.number).outcome, Some(Outcome::Success));
    job.until_nothing_is_left(&[]);
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

/// Somebody else at the server's address, as where a name server lies: says this to whoever comes.
struct Stranger {
    address: String,
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stranger {
    fn at(address: &str, words: &'static [u8]) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let enough = Arc::<AtomicBool>::default();
        let thread = std::thread::spawn({
            let enough = Arc::clone(&enough);
            move || {
                for mut stream in listener.incoming().flatten() {
                    if enough.load(Ordering::Relaxed) {
                        return;
                    }
                    // What is asked does not matter to them.
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = stream.write_all(words);
                }
            }
        });
        Self { address: address.to_owned(), enough, thread: Some(thread) }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn a_name_that_leads_to_somebody_else_is_told_and_heals() {
    let mut rig = Rig::idle(&Options::default());
    let address = rig.circle.url().trim_start_matches("http://").to_owned();
    for words in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html>Log in!",
        b"HTTP/1.1 302 Found\r\nLocation: http://localhost:1/login\r\nContent-Length: 0\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ] {
        rig.circle.goes_away(&rig.place);
        let stranger = Stranger::at(&address, words);
        let (runner, problem) = rig.until_problem(ProblemCode::Offline);
        assert_eq!(runner.state, RunnerState::Offline);
        assert!(problem.reading.is_some_and(|why| !why.is_empty()));
        drop(stranger);
        rig.circle.comes_back(&rig.place);
        rig.assert_works_again();
    }
    assert_eq!(rig.witness.agents(), 1);

    // And where an agent is to be started there.
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Paused);
    rig.circle.goes_away(&rig.place);
    let stranger = Stranger::at(&address, b"SSH-2.0-OpenSSH_9.2\r\n");
    rig.api.resume(RUNNER).unwrap();
    let (_, problem) = rig.until_problem(ProblemCode::AgentExitsAtStart);
    // Between two tries; in one it is starting.
    rig.until_state(RunnerState::Problem);
    assert!(problem.details.is_some_and(|words| words.contains("error")));
    drop(stranger);
    rig.circle.comes_back(&rig.place);
    rig.assert_works_again();
    rig.finish();
}
