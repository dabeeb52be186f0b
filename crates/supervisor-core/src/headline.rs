//! A runner's state and its words: what is known, told as one line.

use jiff::Timestamp;
use protocol::{PauseBy, PauseReason, ProblemCode, RunnerState};

use crate::decide::Situation;
use crate::facts::{Phase, Read, TaskEnd};
use crate::run::LONGEST_PROOF;
use crate::runner::{Release, Runner};

const STARTS_AGAIN: &str = "then starts again";

/// The state, and the state in words without names or times.
pub(crate) fn state(
    runner: &Runner,
    pauses: &[PauseReason],
    situation: &Situation,
) -> (RunnerState, String) {
    let &Situation { boot, now, read_only, .. } = situation;
    let Some(run) = runner.live_run(boot) else {
        return without_agent(runner, pauses, read_only);
    };
    let after = if read_only {
        "nothing starts after it"
    } else if !runner.in_settings {
        "then removed"
    } else if pauses.is_empty() {
        STARTS_AGAIN
    } else {
        let after_task = pauses.iter().find(|pause| pause.by == PauseBy::AfterTask);
        after_task.and_then(|pause| pause.reading.as_deref()).unwrap_or("then paused")
    };
    let draining = run.was_told_to_drain();
    match run.phase(boot) {
        Phase::Unknown => {
            return (RunnerState::Unknown, "Not known; counts as busy".into());
        }
        Phase::Starting => return (RunnerState::Unknown, "Starting".into()),
        Phase::Kept | Phase::Orphan | Phase::Over => {}
    }
    if let Some(task) = run.current_task() {
        return if run.cancelling(&task.task) {
            (RunnerState::Draining, "Cancelling the task".into())
        } else if task.end == TaskEnd::Unknown {
            (RunnerState::Unknown, "Not known whether a task runs; counts as busy".into())
        } else if draining {
            (RunnerState::Draining, finishing(after))
        } else if run.phase(boot) == Phase::Over {
            (RunnerState::Busy, "Running a task whose agent has ended".into())
        } else {
            (RunnerState::Busy, "Running a task".into())
        };
    }
    match run.facts.unrecorded_task {
        Read::No => {}
        Read::Yes(_) if draining => {
            return (RunnerState::Draining, finishing(after));
        }
        Read::Yes(_) => {
            return (
                RunnerState::Unknown,
                "A task runs that left no record; counts as busy".into(),
            );
        }
        Read::Unknown => {
            return (RunnerState::Unknown, "Not known whether a task runs; counts as busy".into());
        }
    }
    if draining {
        return (RunnerState::Draining, format!("The agent is ending, {after}"));
    }
    if run.facts.drain.is_unknown() {
        return (RunnerState::Unknown, "Not known whether it was told to stop".into());
    }
    if run.refused.is_some() {
        return (RunnerState::Problem, ProblemCode::TokenRefused.about().summary.into());
    }
    if let Some(problem) = &runner.offline {
        let refuses = problem.code == ProblemCode::ClaimRefused;
        let state = if refuses { RunnerState::Problem } else { RunnerState::Offline };
        return (state, problem.summary.trim_end_matches('.').into());
    }
    match run.agent_lives() {
        Read::Yes(()) => {}
        Read::No => return (RunnerState::Unknown, "The agent has ended".into()),
        Read::Unknown => return (RunnerState::Unknown, "Not known; counts as busy".into()),
    }
    let unproven = |until: Timestamp| now < until && now.duration_until(until) <= LONGEST_PROOF;
    if run.unproven_until().is_some_and(unproven) {
        return (RunnerState::Unknown, "Starting".into());
    }
    (RunnerState::Idle, "Waiting for tasks".into())
}

/// A drain that nothing holds any more cannot be called back; as the tray has it, it says when it ends.
fn finishing(after: &str) -> String {
    if after == STARTS_AGAIN {
        return "Resumes after this task".into();
    }
    format!("Finishing a task, {after}")
}

fn without_agent(
    runner: &Runner,
    pauses: &[PauseReason],
    read_only: bool,
) -> (RunnerState, String) {
    if !pauses.is_empty() {
        return (RunnerState::Paused, format!("Paused {}", holders(pauses)));
    }
    if read_only {
        return (RunnerState::Problem, "Nothing starts while files cannot be read".into());
    }
    match &runner.release {
        Release::Installing(_) => return (RunnerState::Updating, "Installing the agent".into()),
        Release::Failed(problem) | Release::Stopped(problem) => {
            return (RunnerState::Problem, problem.summary.clone());
        }
        Release::Unasked | Release::Ready(_) => {}
    }
    match &runner.trouble {
        Some(problem) => (RunnerState::Problem, problem.summary.clone()),
        None => (RunnerState::Unknown, "Starting".into()),
    }
}

pub(crate) fn holders(pauses: &[PauseReason]) -> String {
    let names: Vec<&str> = pauses
        .iter()
        .map(|pause| match pause.by {
            PauseBy::You => "by you",
            PauseBy::Disk => "for lack of disk space",
            PauseBy::Schedule => "by the schedule",
            PauseBy::AfterTask => "until what comes after the task",
            PauseBy::Preinstall => "while what jobs need is installed",
            PauseBy::Other => "by a rule",
        })
        .collect();
    names.join(" and ")
}
