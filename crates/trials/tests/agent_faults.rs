//! An agent that behaves badly: it writes without measure or what no terminal should see, crashes at
//! its start or in a task, does not heed its TERM. Its task is not lost, its log stays within bounds,
//! and nobody who looks is harmed.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use local_circleci::Outcome;
use protocol::{ProblemCode, RunnerState, TaskResult};
use run_dir::RunDir;
use trials::{
    DEADLINE, Options, RUNNER, Rig, assert_inert, is_alive, kill, nap, signals_heard, until,
    until_some,
};

const LIMIT: u64 = 1_000_000;
/// What an agent may write between two looks of its keeper, on a busy machine.
const BETWEEN_LOOKS: u64 = 200_000_000;
/// Of a gigabyte: what is moved aside, and what comes at 25 MB a second until the keeper has looked and
/// moved, on a busy machine and with one that was not built to be fast.
const MOST_AT_ONCE: u64 = 8 * LIMIT + 2 * BETWEEN_LOOKS;

/// The next agent is of this kind.
fn replace_agent(rig: &Rig, variant: &str) -> RunDir {
    rig.circle.control().set_variant(variant).unwrap();
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Paused);
    let before = rig.runs().len();
    rig.api.resume(RUNNER).unwrap();
    until_some(DEADLINE, "the next agent is started", || {
        let mut runs = rig.runs();
        let run = runs.pop().filter(|_| runs.len() >= before)?;
        run.started().written().map(|_| run)
    })
}

/// What a folder and all below it take on disk, in bytes.
fn on_disk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => on_disk(&entry.path()),
            Ok(about) => about.blocks() * 512,
            // Gone since.
            Err(_) => 0,
        })
        .sum()
}

/// Somebody who looks all the time how much all runs take on disk, and remembers the most.
struct Peak {
    most: Arc<AtomicU64>,
    enough: Arc<AtomicBool>,
    eyes: JoinHandle<()>,
}

impl Peak {
    fn of_runs(rig: &Rig) -> Self {
        let (most, enough) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let runs = rig.place.runs().path().to_owned();
        let eyes = std::thread::spawn({
            let (most, enough) = (Arc::clone(&most), Arc::clone(&enough));
            move || {
                while !enough.load(Ordering::Relaxed) {
                    most.fetch_max(on_disk(&runs), Ordering::Relaxed);
                    nap(Duration::from_millis(2));
                }
            }
        });
        Self { most, enough, eyes }
    }

    fn seen(self) -> u64 {
        self.enough.store(true, Ordering::Relaxed);
        self.eyes.join().unwrap();
        self.most.load(Ordering::Relaxed)
    }
}

/// An agent waits for tasks that has the limit from its start.
fn limit_logs(rig: &Rig) {
    let before = rig.runner().agent_pid;
    rig.add_setting(&format!("log_limit = {LIMIT}"));
    rig.until_runner("an agent with that limit waits", |runner| {
        runner.state == RunnerState::Idle && runner.agent_pid.is_some_and(|pid| Some(pid) != before)
    });
}

fn size(run: &RunDir) -> u64 {
    fs::metadata(run.agent_log()).unwrap().len()
}

fn assert_history_says_it_ended_well(rig: &Rig, tasks: usize) {
    until(DEADLINE, "all tasks are in the history", || rig.api.history().unwrap().len() == tasks);
    for task in rig.api.history().unwrap() {
        assert_eq!(task.result, TaskResult::Succeeded, "{task:?}");
    }
}

#[test]
fn whatever_an_agent_writes_its_task_ends_well_and_its_log_is_bounded_and_harmless() {
    let mut rig = Rig::idle(&Options::default());
    limit_logs(&rig);
    let kinds = ["lines", "endless", "binary", "escapes"];
    for (done, kind) in kinds.into_iter().enumerate() {
        let run = replace_agent(&rig, &format!("noise={kind},noise-bytes=100000"));
        let job = rig.long_job();
        job.until_begun();
        rig.until_state(RunnerState::Busy);
        until(DEADLINE, "its log was cut", || run.agent_log_before().exists());
        assert!(size(&run) < 60 * LIMIT, "{kind}: {} bytes", size(&run));
        assert_inert(&rig.place.runnerctl(&["status"]));
        assert_inert(&rig.place.runnerctl(&["logs", "--json", "-n", "5"]));
        job.let_go();
        rig.assert_ended_well(&job);
        assert_eq!(rig.run(), run, "{kind}: the same agent goes on");
        assert_history_says_it_ended_well(&rig, done + 1);
    }
    rig.until_well();
    rig.finish();
}

#[test]
fn an_agent_that_prints_a_gigabyte_fills_no_disk_and_holds_nobody_up() {
    let mut rig = Rig::idle(&Options::default());
    limit_logs(&rig);
    let peak = Peak::of_runs(&rig);
    let run = replace_agent(&rig, "gush-bytes=1000000000,gush-rate=25000000");
    let job = rig.long_job();
    // It has said all that before it asks for a task.
    until(Duration::from_mins(4), "its task works", || job.has_begun());
    rig.until_state(RunnerState::Busy);
    until(DEADLINE, "its log is cut", || size(&run) < LIMIT && run.agent_log_before().exists());
    // The space of a file that is emptied comes back bit by bit.
    until(DEADLINE, "little is kept of it", || on_disk(run.path()) < 8 * LIMIT);
    let most = peak.seen();
    println!("at most {most} bytes were on disk at once");
    assert!(most < MOST_AT_ONCE, "{most} bytes were on disk at once");
    job.let_go();
    rig.assert_ended_well(&job);
    assert_history_says_it_ended_well(&rig, 1);
    rig.until_well();
    rig.finish();
}

#[test]
fn the_last_words_of_an_agent_that_crashes_at_start_are_short_and_harmless() {
    for kind in ["endless", "binary", "escapes"] {
        let variant = format!("crash-at-start=9,gush-bytes=3000000,noise={kind}");
        let mut rig = Rig::bare(&Options::default());
        rig.circle.control().set_variant(&variant).unwrap();
        rig.set_up();
        let (_, problem) = rig.until_problem(ProblemCode::AgentExitsAtStart);
        // Between two tries; in one it is starting.
        rig.until_state(RunnerState::Problem);
        let words = problem.details.unwrap();
        assert!(words.ends_with("a crash that was asked for"), "{kind}: {words:?}");
        assert!(words.len() < 60_000, "{kind}: {} bytes", words.len());
        assert_inert(&words);
        rig.circle.control().set_variant("").unwrap();
        rig.assert_works_again();
        rig.finish();
    }
}

#[test]
fn an_agent_that_crashes_in_a_task_is_told_and_the_task_runs_to_its_end() {
    let mut rig = Rig::idle(&Options::default());
    let run = replace_agent(&rig, "crash-in-task=2");
    let job = rig.long_job();
    let (_, problem) = rig.until_problem(ProblemCode::AgentCrashed);
    assert!(problem.reading.is_some_and(|reading| reading.contains("exit code 2")));
    assert!(problem.details.unwrap().contains("a crash that was asked for"));
    rig.circle.control().set_variant("").unwrap();
    let (task, processes) = rig.task(&run);
    rig.until_runner("it counts as busy", |runner| runner.state == RunnerState::Busy);
    job.let_go();
    job.until_nothing_is_left(&processes.all());
    until_some(DEADLINE, "its end is on record", || task.finished().written());
    assert!(job.is_done());
    let next = rig.short_job();
    assert_eq!(rig.circle.finished(next.number).outcome, Some(Outcome::Success));
    rig.until_well();
    rig.finish();
}

#[test]
fn an_agent_that_does_not_heed_its_term_is_named_and_its_tasks_are_left_alone() {
    let mut rig = Rig::idle(&Options::default());
    let run = replace_agent(&rig, "ignores-term=1");
    let first = rig.long_job();
    first.until_begun();
    rig.api.pause(RUNNER).unwrap();
    until_some(DEADLINE, "the drain is sent", || run.drain_sent().written());
    rig.until_state(RunnerState::Draining);
    first.let_go();
    // It claims on and on.
    for _ in 0..2 {
        let job = rig.short_job();
        rig.assert_ended_well(&job);
    }
    let (runner, problem) = rig.until_problem(ProblemCode::DrainIgnored);
    assert_eq!(runner.state, RunnerState::Draining);
    assert!(problem.hint.contains("kill -9"), "{problem:?}");
    let last = rig.long_job();
    last.until_begun();
    assert_eq!(signals_heard(&run), 1, "a second TERM would cancel a task");
    last.let_go();
    rig.assert_ended_well(&last);
    assert_history_says_it_ended_well(&rig, 4);

    let agent = run.started().written().unwrap().process;
    assert!(is_alive(&agent));
    assert_eq!(rig.runner().agent_pid, Some(agent.pid.get()));
    kill(&agent);
    rig.until_state(RunnerState::Paused);
    rig.until_well();
    rig.circle.control().set_variant("").unwrap();
    rig.api.resume(RUNNER).unwrap();
    rig.assert_works_again();
    rig.finish();
}
