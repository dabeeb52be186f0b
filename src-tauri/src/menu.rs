//! The tray's menu, made from the view and the clock and nothing else. It touches no screen.

use jiff::{Timestamp, ZonedDateTime};
use protocol::{AfterTaskAct, PauseBy, ProblemCode, Runner, RunnerState, Snapshot};

use crate::ask::{Ask, Page, PauseLength};
use crate::directories;
use crate::line;
use crate::view::{Seen, View};
use crate::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Menu {
    pub(crate) items: Vec<Item>,
    /// When its words stop being true although nothing happens. None: never.
    pub(crate) true_until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// Without an action it is there to be read.
    Entry {
        label: String,
        action: Option<Ask>,
    },
    Submenu {
        label: String,
        items: Vec<Item>,
    },
    Separator,
}

/// The whole menu. Its first line says the state in words: a Linux tray has no other way.
pub(crate) fn menu(view: &View, now: &ZonedDateTime) -> Menu {
    let items = items(view, now);
    let true_until = true_until(view, now, &items);
    Menu { items, true_until }
}

fn items(view: &View, now: &ZonedDateTime) -> Vec<Item> {
    let first = vec![entry(&line::of_all(view, now), Ask::OpenWindow)];
    let groups = [first, each_runner(view, now), verbs(view), pages(view), vec![quit(view)]];
    let groups: Vec<_> = groups.into_iter().filter(|group| !group.is_empty()).collect();
    groups.join(&Item::Separator)
}

/// Where there are several, each has a menu of its own.
fn each_runner(view: &View, now: &ZonedDateTime) -> Vec<Item> {
    let runners = view.runners();
    if runners.len() < 2 {
        return Vec::new();
    }
    let after = view.snapshot().and_then(line::after);
    let of_one = |runner| submenu(&line::with_name(runner, after, now), of_one(runner));
    runners.iter().map(of_one).collect()
}

fn of_one(runner: &Runner) -> Vec<Item> {
    let runners = vec![runner.name.clone()];
    let pause = |how_long: PauseLength| {
        let label = format!("Pause {}", how_long.in_a_sentence());
        entry(&label, Ask::Pause { runners: runners.clone(), how_long })
    };
    PauseLength::ALL.into_iter().map(pause).chain(resume(&[runner])).collect()
}

/// What can be done with all runners at once, or with a supervisor that is not there.
fn verbs(view: &View) -> Vec<Item> {
    match &view.supervisor {
        Seen::Absent { .. } => vec![entry("Start it", Ask::StartSupervisor)],
        Seen::Connecting | Seen::Starting | Seen::Unclear { .. } => Vec::new(),
        Seen::Live { snapshot } => {
            let runners: Vec<_> = snapshot.runners.iter().collect();
            let pauses = (!runners.is_empty()).then(|| pause_all(&runners));
            let verbs = [
                pauses,
                resume(&runners),
                after_task(snapshot),
                after_task_refused(snapshot),
                directories::directories(snapshot),
                keep_awake(snapshot),
            ];
            verbs.into_iter().flatten().collect()
        }
    }
}

fn pause_all(runners: &[&Runner]) -> Item {
    let names: Vec<_> = runners.iter().map(|it| it.name.clone()).collect();
    let label = if runners.len() > 1 { "Pause all" } else { "Pause claiming" };
    let pause = |how_long: PauseLength| {
        entry(how_long.words(), Ask::Pause { runners: names.clone(), how_long })
    };
    submenu(label, PauseLength::ALL.into_iter().map(pause).collect())
}

/// Offered only to who holds a pause; a task that drains cannot be called back, so it says when.
fn resume(runners: &[&Runner]) -> Option<Item> {
    let held: Vec<_> = runners
        .iter()
        .filter(|runner| runner.pause_reasons.iter().any(|reason| reason.by == PauseBy::You))
        .collect();
    if held.is_empty() {
        return None;
    }
    let drains = held.iter().all(|runner| runner.state == RunnerState::Draining);
    let label = match (held.len(), drains) {
        (1, true) => "Resume after this task",
        (1, false) => "Resume",
        (_, true) => "Resume all after their tasks",
        (_, false) => "Resume all",
    };
    let label = match (&held[..], runners.len() > 1) {
        ([only], true) => format!("{label}: {}", only.name),
        _ => label.to_owned(),
    };
    let runners = held.iter().map(|runner| runner.name.clone()).collect();
    Some(entry(&label, Ask::Resume { runners }))
}

/// While a task runs, or while something still waits to be done after it.
fn after_task(snapshot: &Snapshot) -> Option<Item> {
    let chosen = line::after(snapshot);
    if tasks(snapshot) == 0 && chosen.is_none() {
        return None;
    }
    let label = if tasks(snapshot) > 1 { "After these tasks" } else { "After this task" };
    let label = match chosen {
        None => label.to_owned(),
        Some(act) => format!("{label}: {}", act_word(act).to_lowercase()),
    };
    let act = |act| entry(act_word(act), Ask::AfterTask { act });
    let restart = Ask::AfterTask { act: AfterTaskAct::Restart };
    let mut items = vec![
        act(AfterTaskAct::Pause),
        act(AfterTaskAct::Quit),
        act(AfterTaskAct::Sleep),
        // What else works on this machine ends too, so it takes a second click.
        submenu("Restart", vec![entry("Restart this machine, closing all programs", restart)]),
    ];
    if chosen.is_some() {
        items.extend([Item::Separator, entry("Nothing: go on claiming", Ask::NothingAfterTask)]);
    }
    Some(submenu(&label, items))
}

/// Nothing but the user's own word ends this problem.
fn after_task_refused(snapshot: &Snapshot) -> Option<Item> {
    let is_told = snapshot.problems.iter().any(|it| it.code == ProblemCode::AfterTaskRefused);
    is_told.then(|| entry("Forget what failed after the task", Ask::NothingAfterTask))
}

fn act_word(act: AfterTaskAct) -> &'static str {
    match act {
        AfterTaskAct::Pause => "Pause",
        AfterTaskAct::Quit => "Quit",
        AfterTaskAct::Sleep => "Sleep",
        AfterTaskAct::Restart => "Restart",
    }
}

/// What is so, in words; a click changes it, or leads to where it is told why it cannot be.
fn keep_awake(snapshot: &Snapshot) -> Option<Item> {
    let is_on = snapshot.preferences?.keep_awake.on;
    let why_not = snapshot.keep_awake.as_ref().and_then(|it| it.why_not.as_deref());
    Some(match (is_on, why_not) {
        (false, _) => entry("May sleep during tasks", Ask::KeepAwake { on: true }),
        (true, None) => entry("Stays awake during tasks", Ask::KeepAwake { on: false }),
        (true, Some(_)) => {
            let page = Page::Settings;
            entry("May sleep in this task: see Settings", Ask::OpenPage { page })
        }
    })
}

fn pages(view: &View) -> Vec<Item> {
    let page = |label: &str, page| entry(label, Ask::OpenPage { page });
    let findings = match view.findings {
        None | Some(0) => "Doctor".to_owned(),
        Some(1) => "Doctor (1 finding)".to_owned(),
        Some(several) => format!("Doctor ({several} findings)"),
    };
    let mut items = Vec::new();
    if view.snapshot().is_some_and(|snapshot| snapshot.runners.is_empty()) {
        items.push(page("Set up a runner…", Page::SetUp));
    }
    items.push(entry("Open Runner Tray", Ask::OpenWindow));
    if !view.runners().is_empty() {
        items.push(page("Logs", Page::Logs));
    }
    items.push(page(&findings, Page::Doctor));
    items
}

/// Quitting the app stops no runner, and says so. While a task runs it asks which of the two is meant.
fn quit(view: &View) -> Item {
    let running = view.snapshot().map_or(0, tasks);
    if running == 0 {
        return entry("Quit (runners keep working)", Ask::Quit);
    }
    let stop =
        if running > 1 { "Finish these tasks, then stop" } else { "Finish this task, then stop" };
    submenu(
        "Quit",
        vec![
            entry("Keep running in the background", Ask::Quit),
            entry(stop, Ask::AfterTask { act: AfterTaskAct::Quit }),
        ],
    )
}

/// How many runners have a task. What is not known counts as one.
fn tasks(snapshot: &Snapshot) -> usize {
    let runs = |runner: &&Runner| {
        runner.task.is_some()
            || matches!(
                runner.state,
                RunnerState::Busy | RunnerState::Draining | RunnerState::Unknown
            )
    };
    snapshot.runners.iter().filter(runs).count()
}

/// The first moment at which the same view gives other words.
fn true_until(view: &View, now: &ZonedDateTime, shown: &[Item]) -> Option<Timestamp> {
    let tasks = view.runners().iter().filter_map(|runner| runner.task.as_ref());
    let minutes = tasks.map(|task| words::next_minute(task.started_at, now));
    let pauses = view.runners().iter().flat_map(|runner| &runner.pause_reasons);
    let ends = pauses.filter_map(|reason| reason.until);
    let left = ends.map(|until| words::next_left(until, now)).filter(|at| *at > now.timestamp());
    let mut moments: Vec<_> = minutes.chain(left).chain(words::next_midnight(now)).collect();
    moments.sort();
    moments.into_iter().find(|moment| {
        let then = moment.to_zoned_datetime(now.time_zone().clone());
        items(view, &then) != shown
    })
}

pub(crate) fn entry(label: &str, action: Ask) -> Item {
    Item::Entry { label: label.to_owned(), action: Some(action) }
}

pub(crate) fn submenu(label: &str, items: Vec<Item>) -> Item {
    Item::Submenu { label: label.to_owned(), items }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
