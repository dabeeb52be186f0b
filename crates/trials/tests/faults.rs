//! What goes wrong outside: a refused token, an agent that will not stay, a server or a release
//! server that is away. Each is named with its way out, tried again ever more seldom, and heals.

use std::time::{Duration, Instant};

use local_circleci::Outcome;
use local_circleci::control::Fault;
use protocol::{ProblemCode, RunnerState, TaskResult};
use trials::{CLASS, DEADLINE, Options, RUNNER, Rig, nap, until};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

fn fault(path: &str) -> Fault {
    Fault { path: path.to_owned(), ..Fault::default() }
}

#[test]
fn a_refused_token_is_told_and_not_tried_again_until_there_is_a_new_one() {
    let mut rig = Rig::idle(&USUAL);
    rig.circle.control().revoke_tokens(CLASS).unwrap();
    let (runner, problem) = rig.until_problem(ProblemCode::TokenRefused);
    assert_eq!(runner.state, RunnerState::Problem);
    assert!(problem.hint.contains("runnerctl token set"), "{problem:?}");
    rig.until_runner("the agent is gone", |runner| runner.agent_pid.is_none());
    // Were it a loop, its waits of 1 s and 2 s would be over well before.
    let from = Instant::now();
    while from.elapsed() < Duration::from_secs(6) {
        nap(Duration::from_millis(100));
    }
    assert!(rig.witness.agents() <= 2, "{} agents were started", rig.witness.agents());
    let token = rig.circle.control().new_token(CLASS).unwrap();
    rig.api.set_token(RUNNER, &token).unwrap();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn an_agent_that_exits_at_start_is_told_with_its_last_lines_and_tried_ever_more_seldom() {
    let mut rig = Rig::bare(&USUAL);
    rig.circle.control().set_variant("crash-at-start=9").unwrap();
    rig.set_up();
    let (_, problem) = rig.until_problem(ProblemCode::AgentExitsAtStart);
    assert!(problem.reading.is_some_and(|reading| reading.contains("exit code 9")));
    assert!(problem.details.is_some_and(|details| !details.trim().is_empty()));
    let runs = || {
        let started = |run: run_dir::RunDir| Some(run.started().written()?.at);
        rig.runs().into_iter().filter_map(started).collect::<Vec<_>>()
    };
    until(DEADLINE, "it was tried four times", || runs().len() >= 4);
    let starts = runs();
    let waits: Vec<_> = starts.windows(2).map(|pair| pair[0].duration_until(pair[1])).collect();
    for (wait, least) in waits.iter().zip([1, 2, 4]) {
        assert!(wait.as_secs() >= least, "{waits:?}");
    }
    rig.circle.control().set_variant("").unwrap();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_release_server_that_is_away_is_told_and_heals() {
    let mut rig = Rig::bare(&USUAL);
    let gone = Fault { status: Some(503), ..fault("/releases") };
    rig.circle.control().add_fault(&gone).unwrap();
    rig.set_up();
    let (runner, problem) = rig.until_problem(ProblemCode::ReleasesUnreachable);
    assert_eq!((runner.state, runner.agent_pid), (RunnerState::Problem, None));
    assert!(problem.reading.is_some_and(|reading| reading.contains("503")));
    rig.circle.control().clear_faults().unwrap();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_release_that_is_not_what_the_manifest_says_is_never_started() {
    let mut rig = Rig::bare(&USUAL);
    let spoilt = Fault { garble: true, ..fault("/releases/3.") };
    rig.circle.control().add_fault(&spoilt).unwrap();
    rig.set_up();
    rig.until_problem(ProblemCode::ReleaseUnsound);
    assert_eq!(rig.runs().len(), 0);
    assert!(rig.api.call(async |client| client.agents().await).unwrap().is_empty());
    rig.circle.control().clear_faults().unwrap();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn an_agent_that_was_changed_on_disk_is_not_started_but_installed_anew() {
    let mut rig = Rig::idle(&USUAL);
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Paused);
    let agents = rig.api.call(async |client| client.agents().await).unwrap();
    let program = std::path::Path::new(&agents[0].path);
    let good = std::fs::read(program).unwrap();
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::remove_file(program).unwrap();
    run_dir::write_atomically(program, &changed).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(program, mode).unwrap();
    let before = rig.runs().len();
    // What is told until it is mended can be read.
    rig.spoil("/releases/3.", Fault { bytes_per_second: Some(100_000), ..Fault::default() });
    rig.api.resume(RUNNER).unwrap();
    let (_, problem) = rig.until_problem(ProblemCode::AgentDamaged);
    assert!(problem.reading.is_some_and(|reading| reading.contains("SHA-256")));
    rig.until_runner("another one comes", |runner| runner.install.is_some());
    assert_eq!(rig.runs().len(), before, "the changed one was not started");
    rig.spoil_nothing();
    rig.assert_works_again();
    assert_eq!(rig.runs().len(), before + 1);
    assert_eq!(std::fs::read(program).unwrap(), good);
    rig.finish();
}

#[test]
fn a_server_that_is_away_is_offline_and_heals() {
    let mut rig = Rig::idle(&USUAL);
    let gone = Fault { status: Some(503), ..fault("/api") };
    rig.circle.control().add_fault(&gone).unwrap();
    rig.until_state(RunnerState::Offline);
    let (_, problem) = rig.until_problem(ProblemCode::ServerTroubled);
    assert!(problem.reading.is_some_and(|reading| !reading.is_empty()));
    assert!(rig.runner().agent_pid.is_some(), "its agent goes on trying");
    rig.circle.control().clear_faults().unwrap();
    rig.assert_works_again();
    rig.until_state(RunnerState::Idle);
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

#[test]
fn a_server_that_is_away_during_a_task_stops_nothing() {
    let mut rig = Rig::idle(&USUAL);
    let job = rig.long_job();
    job.until_begun();
    let gone = Fault { status: Some(503), ..fault("/api") };
    rig.circle.control().add_fault(&gone).unwrap();
    rig.until_state(RunnerState::Busy);
    assert!(!job.processes().is_empty());
    rig.circle.control().clear_faults().unwrap();
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn an_agent_that_is_killed_in_a_task_is_told_and_another_works_on_after_that() {
    let mut rig = Rig::idle(&USUAL);
    let job = rig.long_job();
    job.until_begun();
    let (task, processes) = rig.task(&rig.run());
    let agent = rig.run().started().written().unwrap().process;
    trials::kill(&agent);
    let (runner, problem) = rig.until_problem(ProblemCode::AgentCrashed);
    assert!(problem.reading.is_some_and(|reading| reading.contains("signal 9")));
    assert_eq!(runner.headline, "Running a task whose agent has ended");
    // Longer than the back-off: the next agent waits for the task.
    nap(Duration::from_secs(3));
    assert_eq!(rig.witness.agents(), 1);
    job.let_go();
    job.until_nothing_is_left(&processes.all());
    until(DEADLINE, "the task's end is on record", || task.finished().written().is_some());
    let next = rig.short_job();
    assert_eq!(rig.circle.finished(next.number).outcome, Some(Outcome::Success));
    rig.until_runner("no problem is told any more", |runner| runner.problems.is_empty());
    rig.finish();
}

#[test]
fn a_task_that_outlived_its_agent_can_be_cancelled() {
    let mut rig = Rig::idle(&USUAL);
    let job = rig.long_job();
    job.until_begun();
    let (_, processes) = rig.task(&rig.run());
    trials::kill(&rig.run().started().written().unwrap().process);
    rig.until_problem(ProblemCode::AgentCrashed);
    rig.api.cancel(RUNNER, &rig.task_id()).unwrap();
    job.until_nothing_is_left(&processes.all());
    until(DEADLINE, "it is in the history as cancelled", || {
        let tasks = rig.api.history().unwrap_or_default();
        tasks.first().is_some_and(|task| task.result == TaskResult::Cancelled)
    });
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_run_whose_directory_is_deleted_is_unknown_and_has_no_second_agent_beside_it() {
    let mut rig = Rig::idle(&USUAL);
    let run = rig.run();
    let agent = run.started().written().unwrap().process;
    std::fs::remove_dir_all(run.path()).unwrap();
    rig.until_common_problem(ProblemCode::RunUnreadable);
    nap(Duration::from_secs(3));
    assert_eq!(rig.witness.agents(), 1);
    trials::kill(&agent);
    rig.assert_works_again();
    rig.finish();
}
