//! Problems the core itself finds, in the words the user reads.

use jiff::Timestamp;
use protocol::{FinishedTask, Problem, ProblemCode, RunnerName, TokenStore};

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
    let at_start = lived.map_or(!run.has_worked(), |lived| lived < AT_START);
    let after = |text: String| format!("{ended}, {text} after its start");
    if at_start {
        let reading = lived.map(|lived| after(format!("{:.1} s", lived.as_secs_f64())));
        return Some(Problem {
            code: ProblemCode::AgentExitsAtStart,
            summary: "The agent ends as soon as it is started.".into(),
            reading: Some(reading.unwrap_or(ended)),
            hint: "Its last lines say why; Runner Tray keeps trying, at most every 5 minutes."
                .into(),
            details: run.log_tail.clone(),
            since: now,
        });
    }
    if matches!(facts.exit.yes(), Some(ExitSeen::Code { code: 0, .. })) {
        return None;
    }
    let reading = lived.map(|lived| after(format!("{} s", lived.as_secs())));
    Some(Problem {
        code: ProblemCode::AgentCrashed,
        summary: "The agent ended by itself.".into(),
        reading: Some(reading.unwrap_or(ended)),
        hint: "It is started again, once its task has ended if one runs; see `runnerctl logs` \
               where this goes on."
            .into(),
        details: run.log_tail.clone(),
        since: now,
    })
}

fn cannot_start(run: &Run, since: Timestamp, why: String) -> Problem {
    Problem {
        code: ProblemCode::CannotStart,
        summary: "The agent could not be started.".into(),
        reading: Some(why),
        hint: "Runner Tray tries again by itself; see `runnerctl logs` for details.".into(),
        details: run.log_tail.clone(),
        since,
    }
}

pub(crate) const REFUSED: &str = "CircleCI refuses this runner's token.";

pub(crate) fn token_refused(since: Timestamp, line: &str, details: Option<String>) -> Problem {
    Problem {
        code: ProblemCode::TokenRefused,
        summary: REFUSED.into(),
        reading: Some(line.to_owned()),
        hint: "Create a new token for the resource class and store it with `runnerctl token set`; \
               check that the resource class still exists."
            .into(),
        details,
        since,
    }
}

pub(crate) fn drain_unconfirmed(since: Timestamp) -> Problem {
    Problem {
        code: ProblemCode::DrainUnconfirmed,
        summary: "It is not certain that the agent was told to stop claiming.".into(),
        reading: Some("drain.json is there, drain-sent.json is not".into()),
        hint:
            "Runner Tray sends the signal again only when a second task proves that it was lost, \
               because a second signal would cancel a task."
                .into(),
        details: None,
        since,
    }
}

pub(crate) fn unattended(since: Timestamp) -> Problem {
    Problem {
        code: ProblemCode::AgentUnattended,
        summary: "The agent's keeper died; the agent and its task go on.".into(),
        reading: Some("the keeper's lock is free and the agent lives".into()),
        hint: "A new keeper is being put in charge; nothing to do.".into(),
        details: None,
        since,
    }
}

pub(crate) fn task_unrecorded(since: Timestamp, run: &str) -> Problem {
    Problem {
        code: ProblemCode::TaskUnrecorded,
        summary: "A task runs of which nothing could be recorded; the runner counts as busy."
            .into(),
        reading: Some(format!("the lock runs/{run}/unrecorded.lock is held")),
        hint:
            "It goes on as usual. keeper.log in that folder says what failed, mostly a full disk."
                .into(),
        details: None,
        since,
    }
}

pub(crate) fn task_lost(task: &FinishedTask) -> Problem {
    let of =
        |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}{value}"));
    let named = [of("", &task.project), of("build ", &task.build_number)];
    let named: Vec<String> =
        named.into_iter().flatten().chain([format!("task {}", task.id)]).collect();
    let link = task.link.as_ref().map(|link| format!(": {link}")).unwrap_or_default();
    Problem {
        code: ProblemCode::TaskLost,
        summary: "The last task was lost: its wrapper ended before it did, so all of it was ended."
            .into(),
        reading: Some(named.join(", ")),
        hint: format!("CircleCI shows the job as failed; rerun it there{link}."),
        details: None,
        since: task.finished_at,
    }
}

pub(crate) fn token_copied(runner: &RunnerName, copy: &TokenCopy) -> Problem {
    let (place, other) = match copy.store {
        TokenStore::Keychain => ("the keychain", "file"),
        TokenStore::File => ("a file of yours", "keychain"),
    };
    Problem {
        code: ProblemCode::TokenCopied,
        summary: format!("A copy of the token may be in {place}: moving it was not finished."),
        reading: Some("settings.toml has token_copy".into()),
        hint: format!(
            "`runnerctl token move --to {other} --runner {runner}` removes the copy; it is tried \
             too whenever the supervisor starts."
        ),
        details: None,
        since: copy.since,
    }
}

pub(crate) fn run_unreadable(since: Timestamp, run: &str) -> Problem {
    Problem {
        code: ProblemCode::RunUnreadable,
        summary: "Part of a run directory cannot be read, so the runner counts as busy.".into(),
        reading: Some(format!("runs/{run}")),
        hint: "Look at the folder's files and permissions; when no agent of it runs any more, \
               delete the folder."
            .into(),
        details: None,
        since,
    }
}

pub(crate) fn cannot_save(since: Timestamp, why: &str) -> Problem {
    Problem {
        code: ProblemCode::CannotSave,
        summary: "What you asked for could not be written to disk, so it was not done.".into(),
        reading: Some(why.to_owned()),
        hint: "Free some space or mend the folder's permissions, then ask again.".into(),
        details: None,
        since,
    }
}

pub(crate) fn offline(since: Timestamp, why: String) -> Problem {
    Problem {
        code: ProblemCode::Offline,
        summary: "CircleCI cannot be reached.".into(),
        reading: Some(why),
        hint: "Check this machine's network and proxy; the agent goes on trying by itself.".into(),
        details: None,
        since,
    }
}
