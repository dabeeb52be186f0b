//! Problems the core itself finds, each with the reading behind it.

use jiff::Timestamp;
use protocol::{AfterTaskAct, FinishedTask, Problem, ProblemCode, RunnerName, TokenStore};

use crate::facts::{AgentSeen, ExitSeen, TokenCopy};
use crate::run::{AT_START, Run};

/// What is wrong about how a run ended; nothing where it ended as asked for or with the machine.
pub(crate) fn verdict_on(run: &Run, boot: &str, now: Timestamp) -> Option<Problem> {
    let facts = &run.facts;
    if let Some(line) = &run.refused {
        return Some(token_refused(now, line, run.log_tail.clone()));
    }
    if facts.drain.yes().is_some() || facts.cancel.yes().is_some() {
        return None;
    }
    if matches!(&facts.agent, AgentSeen::Started { boot: then, .. } if then != boot) {
        return None;
    }
    let ended = match facts.exit.yes() {
        Some(ExitSeen::NeverStarted { why: None, .. }) => return None,
        Some(ExitSeen::NeverStarted { .. }) | None if run.told_to_end_before_it_began() => {
            return None;
        }
        Some(ExitSeen::NeverStarted { why: Some(why), .. }) => {
            return Some(cannot_start(run, now, why.clone()));
        }
        None if facts.agent == AgentSeen::NotStarted => {
            return Some(cannot_start(run, now, "its keeper ended first".into()));
        }
        Some(ExitSeen::Code { code, .. }) => format!("exit code {code}"),
        Some(ExitSeen::Signal { signal, .. }) => format!("ended by signal {signal}"),
        Some(ExitSeen::Unknown { .. }) | None => "its end was not seen".to_owned(),
    };
    let lived = run.lived();
    let soon = lived.map_or(!run.has_worked(), |lived| lived < AT_START);
    if !soon && matches!(facts.exit.yes(), Some(ExitSeen::Code { code: 0, .. })) {
        return None;
    }
    // One that has claimed got past its start, however soon it ended after that.
    let code = if soon && !run.has_worked() {
        ProblemCode::AgentExitsAtStart
    } else {
        ProblemCode::AgentCrashed
    };
    let reading = match lived {
        Some(lived) if soon => format!("{ended}, {:.1} s after its start", lived.as_secs_f64()),
        Some(lived) => format!("{ended}, {} s after its start", lived.as_secs()),
        None => ended,
    };
    Some(Problem::of(code, now).reading(reading).details(run.log_tail.clone()))
}

fn cannot_start(run: &Run, since: Timestamp, why: String) -> Problem {
    Problem::of(ProblemCode::CannotStart, since).reading(why).details(run.log_tail.clone())
}

pub(crate) fn token_refused(since: Timestamp, line: &str, details: Option<String>) -> Problem {
    Problem::of(ProblemCode::TokenRefused, since).reading(line).details(details)
}

pub(crate) fn drain_unconfirmed(since: Timestamp) -> Problem {
    Problem::of(ProblemCode::DrainUnconfirmed, since)
        .reading("drain.json is there, drain-sent.json is not")
}

pub(crate) fn unattended(since: Timestamp) -> Problem {
    Problem::of(ProblemCode::AgentUnattended, since)
        .reading("the keeper's lock is free and the agent lives")
}

pub(crate) fn task_unrecorded(since: Timestamp, run: &str) -> Problem {
    Problem::of(ProblemCode::TaskUnrecorded, since)
        .reading(format!("the lock runs/{run}/unrecorded.lock is held"))
}

pub(crate) fn task_lost(task: &FinishedTask) -> Problem {
    let of =
        |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}{value}"));
    let named = [of("", &task.project), of("build ", &task.build_number)];
    let named: Vec<String> =
        named.into_iter().flatten().chain([format!("task {}", task.id)]).collect();
    let lost = Problem::of(ProblemCode::TaskLost, task.finished_at).reading(named.join(", "));
    match &task.link {
        Some(link) => Problem { hint: format!("{} {link}", lost.hint), ..lost },
        None => lost,
    }
}

pub(crate) fn token_copied(runner: &RunnerName, copy: &TokenCopy) -> Problem {
    let (place, other) = match copy.store {
        TokenStore::Keychain => ("the keychain", "file"),
        TokenStore::File => ("a file of yours", "keychain"),
    };
    Problem::of(ProblemCode::TokenCopied, copy.since)
        .reading("settings.toml has token_copy")
        .with("PLACE", place)
        .with("STORE", other)
        .with("NAME", runner.as_str())
}

/// `parts` are those of the run's folder that say nothing; none: all of it.
pub(crate) fn run_unreadable(since: Timestamp, run: &str, parts: &[String]) -> Problem {
    let reading = match parts {
        [] => format!("runs/{run}"),
        parts => format!("runs/{run}: {}", parts.join(", ")),
    };
    Problem::of(ProblemCode::RunUnreadable, since).reading(reading)
}

pub(crate) fn after_task_refused(since: Timestamp, act: AfterTaskAct, why: &str) -> Problem {
    let what = match act {
        AfterTaskAct::Pause => "paused",
        AfterTaskAct::Quit => "ended",
        AfterTaskAct::Sleep => "put to sleep",
        AfterTaskAct::Restart => "restarted",
    };
    Problem::of(ProblemCode::AfterTaskRefused, since).reading(why).with("WHAT", what)
}

pub(crate) fn cannot_save(since: Timestamp, why: &str) -> Problem {
    Problem::of(ProblemCode::CannotSave, since).reading(why)
}

/// No answer to the agent's claim, or one that is none. `status` is HTTP's.
pub(crate) fn claim_failed(since: Timestamp, status: Option<u16>, why: String) -> Problem {
    let code = match status {
        None => ProblemCode::Offline,
        Some(408 | 429 | 500..) => ProblemCode::ServerTroubled,
        Some(_) => ProblemCode::ClaimRefused,
    };
    Problem::of(code, since).reading(why)
}

pub(crate) fn drain_ignored(since: Timestamp, tasks: usize) -> Problem {
    Problem::of(ProblemCode::DrainIgnored, since).reading(match tasks {
        0 => "no task runs, and the agent has not ended".to_owned(),
        1 => "it has begun a task since, and has not ended".to_owned(),
        more => format!("it has begun {more} tasks since"),
    })
}

pub(crate) fn install_stopped(since: Timestamp) -> Problem {
    Problem::of(ProblemCode::InstallStopped, since).reading("called off by its owner")
}

pub(crate) fn offline(since: Timestamp, why: String) -> Problem {
    Problem::of(ProblemCode::Offline, since).reading(why)
}
