//! The tray's menu, made from the view and the clock and nothing else. It touches no screen.

use jiff::{Timestamp, ZonedDateTime};
use protocol::{PauseBy, Runner, RunnerState};

use crate::ask::{Ask, PauseLength};
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
    let mut items = vec![entry(&line::of_all(view, now), Ask::OpenWindow)];
    if view.runners().len() > 1 {
        items.push(Item::Separator);
        items.extend(view.runners().iter().map(|runner| Item::Submenu {
            label: line::with_name(runner, now),
            items: of_one(runner),
        }));
    }
    let verbs = verbs(view);
    if !verbs.is_empty() {
        items.push(Item::Separator);
        items.extend(verbs);
    }
    items.push(Item::Separator);
    items.push(entry("Open Runner Tray", Ask::OpenWindow));
    items.push(entry("Quit (runners keep working)", Ask::Quit));
    items
}

/// What can be done with all runners at once, or with a supervisor that is not there.
fn verbs(view: &View) -> Vec<Item> {
    match &view.supervisor {
        Seen::Absent { .. } => vec![entry("Start it", Ask::StartSupervisor)],
        Seen::Connecting | Seen::Starting | Seen::Unclear { .. } => Vec::new(),
        Seen::Live { snapshot } => {
            let runners: Vec<_> = snapshot.runners.iter().collect();
            let several = runners.len() > 1;
            let mut items = Vec::new();
            if !runners.is_empty() {
                let names: Vec<_> = runners.iter().map(|it| it.name.clone()).collect();
                let label = if several { "Pause all" } else { "Pause claiming" };
                let pause = |how_long: PauseLength| {
                    entry(how_long.words(), Ask::Pause { runners: names.clone(), how_long })
                };
                let lengths = PauseLength::ALL.into_iter().map(pause).collect();
                items.push(Item::Submenu { label: label.to_owned(), items: lengths });
            }
            items.extend(resume(&runners));
            items
        }
    }
}

fn of_one(runner: &Runner) -> Vec<Item> {
    let runners = vec![runner.name.clone()];
    let pause = |how_long: PauseLength| {
        let label = format!("Pause {}", how_long.in_a_sentence());
        entry(&label, Ask::Pause { runners: runners.clone(), how_long })
    };
    PauseLength::ALL.into_iter().map(pause).chain(resume(&[runner])).collect()
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

/// The first moment at which the same view gives other words.
fn true_until(view: &View, now: &ZonedDateTime, shown: &[Item]) -> Option<Timestamp> {
    let tasks = view.runners().iter().filter_map(|runner| runner.task.as_ref());
    let minutes = tasks.map(|task| words::next_minute(task.started_at, now));
    let mut moments: Vec<_> = minutes.chain(words::next_midnight(now)).collect();
    moments.sort();
    moments.into_iter().find(|moment| {
        let then = moment.to_zoned_datetime(now.time_zone().clone());
        items(view, &then) != shown
    })
}

fn entry(label: &str, action: Ask) -> Item {
    Item::Entry { label: label.to_owned(), action: Some(action) }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
