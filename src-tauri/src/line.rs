//! The state in one line of words, for a runner and for the whole machine.

use jiff::ZonedDateTime;
use protocol::{AfterTaskAct, PauseBy, PauseReason, Runner, RunnerState, Snapshot};

use crate::view::{Seen, View};
use crate::words::{elapsed, left, moment, plain};

/// In letters: what of other people's texts a menu still shows well.
const MOST_OF_A_NAME: usize = 40;
const MOST_OF_A_SENTENCE: usize = 72;

/// The menu's first line.
pub(crate) fn of_all(view: &View, now: &ZonedDateTime) -> String {
    match &view.supervisor {
        Seen::Connecting => "Connecting to the supervisor…".to_owned(),
        Seen::Starting => "Starting the supervisor…".to_owned(),
        Seen::Absent { .. } => "Supervisor not running".to_owned(),
        Seen::Unclear { .. } => "Unknown: the supervisor gives no usable answer".to_owned(),
        Seen::Live { snapshot } => of_snapshot(snapshot, now),
    }
}

/// "mac-mini-01 · Busy: web-app, 4 min".
pub(crate) fn with_name(
    runner: &Runner,
    after: Option<AfterTaskAct>,
    now: &ZonedDateTime,
) -> String {
    let detail = detail(runner, after, now).unwrap_or_default();
    format!("{} · {}{detail}", runner.name, word(runner.state))
}

/// What happens once no task runs any more.
pub(crate) fn after(snapshot: &Snapshot) -> Option<AfterTaskAct> {
    snapshot.after_task.as_ref().map(|after| after.act)
}

fn of_snapshot(snapshot: &Snapshot, now: &ZonedDateTime) -> String {
    let machine = snapshot.problems.first().map(|problem| what(&problem.summary));
    match (machine, &snapshot.runners[..]) {
        (None, []) => "No runner yet".to_owned(),
        (None, [only]) => of_only(only, after(snapshot), now),
        (None, several) => of_several(several),
        (Some(problem), []) => format!("Problem: {problem}"),
        // What is wrong with the machine does not hide that somebody's task runs on it.
        (Some(problem), runners) => format!("Problem: {problem}; {}", counts(runners)),
    }
}

/// Where there is only one runner, its name stands for what is not said otherwise.
fn of_only(runner: &Runner, after: Option<AfterTaskAct>, now: &ZonedDateTime) -> String {
    let word = word(runner.state);
    match detail(runner, after, now) {
        Some(detail) => format!("{word}{detail}"),
        None => format!("{word}: {}", runner.name),
    }
}

/// The worst state first and by name, then how many are in which other state: none hides another.
fn of_several(runners: &[Runner]) -> String {
    let worst = runners.iter().map(|runner| runner.state).min().unwrap_or(RunnerState::Unknown);
    let (with, rest): (Vec<_>, Vec<_>) =
        runners.iter().cloned().partition(|runner| runner.state == worst);
    let who = match &with[..] {
        [only] => only.name.to_string(),
        several => format!("{} runners", several.len()),
    };
    let separator = if rest.is_empty() { "" } else { "; " };
    format!("{}: {who}{separator}{}", word(worst), counts(&rest))
}

/// "1 busy, 2 idle".
fn counts(runners: &[Runner]) -> String {
    let mut states: Vec<_> = runners.iter().map(|runner| runner.state).collect();
    states.sort();
    states
        .chunk_by(|a, b| a == b)
        .map(|same| format!("{} {}", same.len(), word(same[0]).to_lowercase()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// As a sentence begins.
fn word(state: RunnerState) -> String {
    let mut letters = state.word().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What follows the word, with what joins it to the word. None: nothing more is to be said.
fn detail(runner: &Runner, after: Option<AfterTaskAct>, now: &ZonedDateTime) -> Option<String> {
    match runner.state {
        RunnerState::Problem => {
            let first = runner.problems.first().map(|problem| &problem.summary);
            Some(format!(": {}", what(first.unwrap_or(&runner.headline))))
        }
        RunnerState::Offline => Some(": CircleCI is not reached".to_owned()),
        RunnerState::Unknown => Some(": treated as busy".to_owned()),
        RunnerState::Draining => {
            let then = match after {
                _ if runner.pause_reasons.is_empty() => ", resumes after this task",
                None | Some(AfterTaskAct::Pause) => ", then paused",
                Some(AfterTaskAct::Quit) => ", then stops",
                Some(AfterTaskAct::Sleep) => ", then sleeps",
                Some(AfterTaskAct::Restart) => ", then restarts",
            };
            Some(format!(": finishes {}{then}", task_name(runner)))
        }
        RunnerState::Busy => {
            let time = runner.task.as_ref().map(|task| elapsed(task.started_at, now));
            let time = time.map(|time| format!(", {time}")).unwrap_or_default();
            Some(format!(": {}{time}", task_name(runner)))
        }
        RunnerState::Updating => Some(": installing the agent".to_owned()),
        RunnerState::Paused => held_by(&runner.pause_reasons, now),
        RunnerState::Idle => None,
    }
}

/// A sentence as a part of a line.
fn what(sentence: &str) -> String {
    plain(sentence, MOST_OF_A_SENTENCE).trim_end_matches('.').to_owned()
}

fn task_name(runner: &Runner) -> String {
    let project = runner.task.as_ref().and_then(|task| task.project.as_deref());
    project
        .map(|name| plain(name, MOST_OF_A_NAME))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "a task".to_owned())
}

/// " by you until 17:30, 42 min left and by low disk space".
fn held_by(reasons: &[PauseReason], now: &ZonedDateTime) -> Option<String> {
    let reasons: Vec<_> = reasons
        .iter()
        .map(|reason| {
            let who = match reason.by {
                PauseBy::You => "by you",
                PauseBy::Disk => "by low disk space",
                PauseBy::Schedule => "by the schedule",
                PauseBy::AfterTask => "for what comes after the task",
                PauseBy::Preinstall => "while what jobs need is installed",
                PauseBy::Other => "by a rule",
            };
            let until = reason
                .until
                .map(|until| format!(" until {}, {} left", moment(until, now), left(until, now)));
            format!("{who}{}", until.unwrap_or_default())
        })
        .collect();
    if reasons.is_empty() { None } else { Some(format!(" {}", reasons.join(" and "))) }
}
