//! Signals, and the wishes that become signals: what reaches the agent, and how often.

use std::fs;
use std::process::Stdio;

use local_circleci::Outcome;
use process::{ProcessId, Signal};
use protocol::{RunnerState, TaskResult};
use run_dir::{CancelOutcome, End, RunState, Side, TaskEnd};
use trials::{
    Api, CLASS, Circle, DEADLINE, Job, Options, Ours, Place, RUNNER, Rig, Supervisor, is_alive,
    keeper, signals_heard, until, until_some,
};

#[test]
fn four_terms_to_the_keeper_reach_the_agent_once() {
    let mut rig = Rig::idle(&Options::default());
    let run = rig.run();
    let job = rig.long_job();
    job.until_begun();
    let keeper = keeper(&run).expect("a keeper is in charge");
    // One after the other: signals that wait together count as one.
    for signal in [Signal::TERM, Signal::TERM, Signal::INT, Signal::HUP, Signal::TERM, Signal::TERM]
    {
        send_and_see_it_taken(&keeper, signal);
        until_some(DEADLINE, "the drain is sent", || run.drain_sent().written());
    }
    rig.until_state(RunnerState::Draining);
    job.let_go();
    rig.assert_ended_well(&job);
    until(DEADLINE, "the run is over", || !is_alive(&keeper));
    assert_eq!(signals_heard(&run), 1);
    assert!(matches!(run.exit().written().expect("an end").end, End::Code(0)));

    let next = rig.short_job();
    rig.assert_ended_well(&next);
    rig.finish();
}

fn send_and_see_it_taken(to: &ProcessId, signal: Signal) {
    process::signal(to, signal).expect("we may signal our own process");
    until(DEADLINE, "the signal is taken", || {
        process::signal_pending(to.pid, signal) != Some(true)
    });
}

#[test]
fn a_task_that_ignores_term_ends_with_its_time_and_the_next_one_is_unharmed() {
    let place = Place::new();
    let circle =
        Circle::start_with(&place, &[CLASS], "task-agent-ignores-term=1,kill-delay-ms=300");
    let mut rig = Rig::with(place, circle, &Options::default());
    rig.set_up();
    rig.add_setting("max_run_time = \"12s\"");
    until(DEADLINE, "an agent with that time runs", || {
        let run = rig.run();
        let config = fs::read_to_string(run.config()).unwrap_or_default();
        config.contains("max_run_time: '12s'") && run.state() == RunState::Kept
    });
    rig.until_state(RunnerState::Idle);

    let job = rig.clinging_job();
    job.until_begun();
    let run = rig.run();
    let (task, processes) = rig.task(&run);
    let ended = rig.circle.finished(job.number);
    assert_ne!(ended.outcome, Some(Outcome::Success), "{ended:#?}");
    job.until_nothing_is_left(&processes.all());
    let finished = until_some(DEADLINE, "its end is on record", || task.finished().written());
    assert_eq!(finished.end, TaskEnd::Lost(Side::Front));
    assert_eq!(finished.left_behind, []);

    let next = rig.short_job();
    rig.assert_ended_well(&next);
    assert_eq!(rig.run(), run, "the same agent goes on");
    assert_eq!(signals_heard(&run), 0);
    rig.finish();
}

#[test]
fn a_resume_while_draining_undoes_nothing_and_brings_the_next_agent() {
    let mut rig = Rig::idle(&Options::default());
    let run = rig.run();
    let job = rig.long_job();
    job.until_begun();
    for _ in 0..3 {
        rig.api.pause(RUNNER).expect("a pause");
        until_some(DEADLINE, "the drain is sent", || run.drain_sent().written());
        rig.until_runner("it drains and is paused", |runner| {
            runner.state == RunnerState::Draining && runner.pause_reasons.len() == 1
        });
        rig.api.resume(RUNNER).expect("a resume");
        rig.until_runner("it drains and is not paused", |runner| {
            runner.state == RunnerState::Draining && runner.pause_reasons.is_empty()
        });
    }
    let next = rig.short_job();
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_ended_well(&next);
    assert_eq!(signals_heard(&run), 1);
    assert_eq!(rig.witness.agents(), 2);
    rig.finish();
}

#[test]
fn only_a_confirmed_cancel_ends_a_task() {
    let mut rig = Rig::idle(&Options::default());
    let run = rig.run();
    let job = rig.long_job();
    job.until_begun();
    let (_, processes) = rig.task(&run);
    let id = rig.task_id();

    let mut unconfirmed = rig.place.command("runnerctl");
    let output = unconfirmed.args(["cancel-task", id.as_str()]).output().expect("runnerctl runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(run.cancel().is_unwritten() && is_alive(&processes.agent));

    rig.place.runnerctl(&["cancel-task", id.as_str(), "--yes"]);
    let task = rig.circle.finished(job.number);
    assert_eq!(task.outcome, Some(Outcome::Canceled), "{task:#?}");
    job.until_nothing_is_left(&processes.all());
    let sent = until_some(DEADLINE, "it is on record", || run.cancel_sent().written());
    assert_eq!(sent.outcome, CancelOutcome::Sent);
    assert_eq!(signals_heard(&run), 2);

    let next = rig.short_job();
    rig.assert_ended_well(&next);
    let history = rig.api.history().expect("the history");
    let cancelled = history.iter().find(|task| task.id == id).expect("it is in the history");
    assert_eq!(cancelled.result, TaskResult::Cancelled);
    rig.finish();
}

#[test]
fn one_runner_drains_while_the_other_works() {
    const OTHER: (&str, &str) = ("acme/other", "maxi");
    let place = Place::new();
    let circle = Circle::start_with(&place, &[CLASS, OTHER.0], "");
    let rig = Rig::with(place, circle, &Options::default());
    rig.set_up();
    rig.api.set_up(&rig.circle, OTHER.0, OTHER.1).expect("a second runner");
    let first = Job::that_waits(&rig.place, &rig.circle, CLASS, "first");
    let second = Job::that_waits(&rig.place, &rig.circle, OTHER.0, "second");
    first.until_begun();
    second.until_begun();
    let state = |name: &str| rig.api.runner(name).map(|runner| runner.state);

    rig.api.pause(RUNNER).expect("a pause");
    until(DEADLINE, "one drains", || state(RUNNER) == Some(RunnerState::Draining));
    first.let_go();
    rig.assert_ended_well(&first);
    until(DEADLINE, "one is paused", || state(RUNNER) == Some(RunnerState::Paused));
    assert_eq!(state(OTHER.1), Some(RunnerState::Busy));
    second.let_go();
    rig.assert_ended_well(&second);
    let third = Job::that_ends(&rig.place, &rig.circle, OTHER.0, "third");
    rig.assert_ended_well(&third);

    let waits = Job::that_ends(&rig.place, &rig.circle, CLASS, "waits");
    assert_eq!(rig.circle.task(waits.number).claims, 0);
    rig.api.resume(RUNNER).expect("a resume");
    rig.assert_ended_well(&waits);
    rig.finish();
}

#[test]
fn of_two_supervisors_one_owns_the_home_and_the_other_says_so() {
    let place = Place::new();
    place.folders().ensure().expect("the product's folders");
    let api = Api::of(&place);
    for _ in 0..5 {
        let mut both = [spawn_with_stderr(&place), spawn_with_stderr(&place)];
        let loser = until_some(DEADLINE, "one of two supervisors ends", || {
            both.iter_mut().position(|one| one.child().try_wait().expect("ours").is_some())
        });
        let [first, second] = both;
        let (mut loser, owner) = if loser == 0 { (first, second) } else { (second, first) };
        assert_eq!(loser.ended("the other supervisor").code(), Some(1));
        let said = loser.child().stderr.take().expect("its standard error is a pipe");
        let said = std::io::read_to_string(said).expect("text");
        assert!(said.contains("another supervisor works with"), "{said}");
        until(DEADLINE, "the owner answers", || {
            api.health().is_ok_and(|health| health.pid == owner.id().pid.get())
        });
        owner.kill();
    }
}

#[test]
fn one_that_is_just_ending_is_waited_for() {
    let place = Place::new();
    place.folders().ensure().expect("the product's folders");
    let file = place.folders().lock_file();
    let api = Api::of(&place);
    let supervisor = until_some(DEADLINE, "one has waited for the other's end", || {
        let lock = std::fs::File::create(&file).expect("the lock's file");
        lock.lock().expect("the lock");
        let mut supervisor = Ours::start(Supervisor::command(&place, &Options::default()));
        let open = format!("/proc/{}/fd", supervisor.id().pid.get());
        // Where that cannot be seen it may come too late to find it locked.
        until(DEADLINE, "it asks for the lock", || {
            std::fs::read_dir(&open).map_or(true, |all| {
                all.flatten().any(|it| std::fs::read_link(it.path()).is_ok_and(|it| it == file))
            })
        });
        drop(lock);
        let mut has_ended = || supervisor.child().try_wait().expect("ours").is_some();
        until(DEADLINE, "it answers or ends", || api.health().is_ok() || has_ended());
        // It waits for a second; on a busy machine we may have come later than that.
        (!has_ended()).then_some(supervisor)
    });
    supervisor.kill();
}

fn spawn_with_stderr(place: &Place) -> Ours {
    let mut command = Supervisor::command(place, &Options::default());
    command.stderr(Stdio::piped());
    Ours::start(command)
}

#[test]
fn a_supervisor_that_is_asked_to_end_leaves_the_task_to_the_next_one() {
    let mut rig = Rig::idle(&Options::default());
    let job = rig.long_job();
    job.until_begun();
    let id = rig.task_id();
    rig.supervisor.take().expect("a supervisor").stop();
    rig.start_supervisor(&Options::default());
    assert_eq!(rig.task_id(), id);
    rig.place.runnerctl(&["supervisor", "stop"]);
    rig.supervisor.take().expect("a supervisor").until_ended();
    rig.start_supervisor(&Options::default());
    assert_eq!(rig.task_id(), id);
    job.let_go();
    rig.assert_ended_well(&job);
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}
