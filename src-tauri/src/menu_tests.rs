//! What the menu says and offers, for every scene and every state.

use std::fmt::Write;

use protocol::{AfterTask, KeepAwake, Preferences, Problem};

use super::*;
use crate::scenes;

/// The menu as a person reads it, one item a line.
fn drawn(items: &[Item], depth: usize) -> String {
    let mut text = String::new();
    for item in items {
        let indent = "    ".repeat(depth);
        match item {
            Item::Entry { label, action: Some(_) } => writeln!(text, "{indent}{label}"),
            Item::Entry { label, action: None } => writeln!(text, "{indent}({label})"),
            Item::Submenu { label, items } => {
                writeln!(text, "{indent}{label} >\n{}", drawn(items, depth + 1).trim_end())
            }
            Item::Separator => writeln!(text, "{indent}------"),
        }
        .expect("a string");
    }
    text
}

fn first_line(view: &View, now: &ZonedDateTime) -> String {
    match menu(view, now).items.first() {
        Some(Item::Entry { label, .. }) => label.clone(),
        other => panic!("no first line: {other:?}"),
    }
}

fn actions(items: &[Item]) -> Vec<(String, Ask)> {
    items
        .iter()
        .flat_map(|item| match item {
            Item::Entry { label, action } => {
                action.iter().map(|it| (label.clone(), it.clone())).collect()
            }
            Item::Submenu { items, .. } => actions(items),
            Item::Separator => Vec::new(),
        })
        .collect()
}

#[test]
fn the_menu_of_every_scene() {
    let mut all = String::new();
    for (name, _) in scenes::texts() {
        let view = scenes::view(&name);
        let (menu, face) = (menu(&view, &scenes::now()), view.face());
        let changes = menu.true_until.map_or("never".to_owned(), |until| until.to_string());
        let drawn = drawn(&menu.items, 0);
        write!(all, "== {name}, icon {face:?}, changes {changes}\n{drawn}\n").expect("a string");
    }
    insta::assert_snapshot!(all);
}

/// A scene in which the supervisor says this too.
fn scene(name: &str, and: impl FnOnce(&mut Snapshot)) -> View {
    let mut view = scenes::view(name);
    let Seen::Live { snapshot } = &mut view.supervisor else { panic!("{name} is not live") };
    and(snapshot);
    view
}

fn then(act: AfterTaskAct) -> impl FnOnce(&mut Snapshot) {
    let since = scenes::now().timestamp();
    move |snapshot| {
        snapshot.after_task = Some(AfterTask { act, since, waits_for: Vec::new() });
    }
}

#[test]
fn what_comes_after_the_task_is_offered_shown_and_taken_back() {
    let mut all = String::new();
    for act in AfterTaskAct::ALL {
        let view = scene("draining", then(act));
        writeln!(all, "== {act:?}\n{}", drawn(&menu(&view, &scenes::now()).items, 0))
            .expect("text");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_could_not_be_done_after_the_task_is_forgotten_without_a_terminal() {
    let forgets = |view: &View| {
        let forget = ("Forget what failed after the task".to_owned(), Ask::NothingAfterTask);
        actions(&menu(view, &scenes::now()).items).contains(&forget)
    };
    for name in ["idle", "busy", "problem"] {
        assert!(!forgets(&scenes::view(name)), "{name}");
        let refused = scene(name, |snapshot| {
            let since = scenes::now().timestamp();
            snapshot.problems.push(Problem::of(ProblemCode::AfterTaskRefused, since));
        });
        assert!(forgets(&refused), "{name}");
    }
}

#[test]
fn whether_it_stays_awake_is_said_and_a_click_changes_it() {
    let awake = |on, why_not: Option<&str>| {
        let view = scene("busy", |snapshot| {
            let mut preferences = Preferences::default();
            preferences.keep_awake.on = on;
            snapshot.preferences = Some(preferences);
            let why_not = why_not.map(str::to_owned);
            snapshot.keep_awake = Some(KeepAwake { held: on && why_not.is_none(), why_not });
        });
        let found = actions(&menu(&view, &scenes::now()).items);
        let is_it =
            |label: &str| label.starts_with("Stays awake") || label.starts_with("May sleep");
        found.into_iter().find(|(label, _)| is_it(label)).expect("the line")
    };
    assert_eq!(
        awake(true, None),
        ("Stays awake during tasks".into(), Ask::KeepAwake { on: false })
    );
    assert_eq!(awake(false, None), ("May sleep during tasks".into(), Ask::KeepAwake { on: true }));
    let settings = Ask::OpenPage { page: Page::Settings };
    let low = awake(true, Some("The battery is at 12 %."));
    assert_eq!(low, ("May sleep in this task: see Settings".into(), settings), "it stays on");
    // A supervisor that knows of no preferences has no such line.
    let found = actions(&menu(&scenes::view("older-supervisor"), &scenes::now()).items);
    assert!(!found.iter().any(|(_, ask)| matches!(ask, Ask::KeepAwake { .. })), "{found:?}");
}

fn directories_of(view: &View) -> Option<(String, Vec<Item>)> {
    menu(view, &scenes::now()).items.into_iter().find_map(|item| match item {
        Item::Submenu { label, items } if label.starts_with("Working directories") => {
            Some((label, items))
        }
        Item::Submenu { .. } | Item::Entry { .. } | Item::Separator => None,
    })
}

#[test]
fn working_directories_are_there_with_their_sizes_the_largest_first_and_a_way_to_less() {
    let (label, items) = directories_of(&scenes::view("idle")).expect("the submenu");
    assert_eq!(label, "Working directories: 12 GB");
    let found = actions(&items);
    let directory = protocol::WorkDirId("mac-mini-01/20260302T070000Z-1.80".to_owned());
    assert_eq!(found[0], ("web-app  6.4 GB".to_owned(), Ask::OpenDirectory { directory }));
    let page = Ask::OpenPage { page: Page::Directories };
    let last: Vec<_> = found.into_iter().rev().take(2).collect();
    assert_eq!(last[1], ("Show in Runner Tray".to_owned(), page));
    assert_eq!(last[0], ("Clean up now…".to_owned(), Ask::CleanUp));
}

#[test]
fn with_many_directories_the_menu_stays_short_and_says_how_many_there_are() {
    let (_, items) = directories_of(&scenes::view("several")).expect("the submenu");
    let found = actions(&items);
    assert_eq!(found.len(), 10, "{found:?}");
    assert_eq!(found[0].0, "ios-app (mac-mini-01-ios)  8.9 GB");
    assert_eq!(found[8].0, "Show all 10 in Runner Tray");
}

#[test]
fn a_supervisor_that_knows_of_no_directories_has_no_menu_of_them() {
    assert!(directories_of(&scenes::view("older-supervisor")).is_none());
    let before_the_first_task = scene("idle", |snapshot| snapshot.work_dirs.clear());
    let (label, items) = directories_of(&before_the_first_task).expect("clean-up is there");
    assert_eq!((label.as_str(), actions(&items).len()), ("Working directories", 2));
    let unmeasured = scene("idle", |snapshot| {
        for it in &mut snapshot.work_dirs {
            it.size = None;
        }
    });
    let (label, items) = directories_of(&unmeasured).expect("the submenu");
    assert_eq!(label, "Working directories");
    assert_eq!(actions(&items)[0].0, "web-app");
}

#[test]
fn quitting_asks_while_a_task_runs_and_never_ends_one() {
    for (name, asks) in [("idle", false), ("paused", false), ("absent", false), ("busy", true)] {
        let menu = menu(&scenes::view(name), &scenes::now());
        let last = menu.items.last().expect("items");
        assert_eq!(matches!(last, Item::Submenu { .. }), asks, "{name}: {last:?}");
    }
    for name in ["draining", "unknown", "cancelling", "several"] {
        let menu = menu(&scenes::view(name), &scenes::now());
        assert!(matches!(menu.items.last(), Some(Item::Submenu { .. })), "{name}");
    }
}

#[test]
fn a_restart_takes_a_second_click() {
    let menu = menu(&scenes::view("busy"), &scenes::now());
    let restarts = |items: &[Item]| {
        let restart = Ask::AfterTask { act: AfterTaskAct::Restart };
        items
            .iter()
            .any(|it| matches!(it, Item::Entry { action: Some(ask), .. } if *ask == restart))
    };
    let after = menu.items.iter().find_map(|item| match item {
        Item::Submenu { label, items } if label == "After this task" => Some(items),
        Item::Submenu { .. } | Item::Entry { .. } | Item::Separator => None,
    });
    let after = after.expect("After this task");
    assert!(!restarts(after), "{after:?}");
    assert!(after.iter().any(|it| matches!(it, Item::Submenu { items, .. } if restarts(items))));
}

#[test]
fn the_doctor_says_how_many_findings_ask_for_something() {
    for (findings, label) in [
        (None, "Doctor"),
        (Some(0), "Doctor"),
        (Some(1), "Doctor (1 finding)"),
        (Some(2), "Doctor (2 findings)"),
    ] {
        let view = View { findings, ..scenes::view("idle") };
        let found = actions(&menu(&view, &scenes::now()).items);
        let doctor = Ask::OpenPage { page: Page::Doctor };
        assert!(found.contains(&(label.to_owned(), doctor)), "{found:?}");
    }
}

#[test]
fn the_first_line_of_every_state() {
    let mut lines = String::new();
    for state in ["busy", "idle", "paused", "draining", "offline", "problem", "updating", "unknown"]
    {
        let view = scenes::view(state);
        writeln!(lines, "{state}: {}", first_line(&view, &scenes::now())).expect("a string");
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn a_minute_later_the_line_says_a_minute_more() {
    let view = scenes::view("busy");
    assert_eq!(first_line(&view, &scenes::at("2026-03-02T16:42:12Z")), "Busy: web-app, 4 min");
    assert_eq!(first_line(&view, &scenes::at("2026-03-02T16:43:00Z")), "Busy: web-app, 5 min");
}

#[test]
fn a_menu_is_true_until_its_next_words_and_not_longer() {
    for (name, _) in scenes::texts() {
        let (view, now) = (scenes::view(&name), scenes::now());
        let shown = menu(&view, &now);
        let Some(until) = shown.true_until else { continue };
        let zone = now.time_zone().clone();
        assert!(until > now.timestamp(), "{name}");
        let before = jiff::SignedDuration::from_secs(1);
        let before = until.checked_sub(before).expect("a moment").to_zoned_datetime(zone.clone());
        assert_eq!(menu(&view, &before).items, shown.items, "{name}, just before");
        assert_ne!(menu(&view, &until.to_zoned_datetime(zone)).items, shown.items, "{name}, then");
    }
}

#[test]
fn where_no_time_is_shown_no_timer_is_needed() {
    for name in ["idle", "offline", "problem", "unknown", "absent", "no-runner", "connecting"] {
        assert_eq!(menu(&scenes::view(name), &scenes::now()).true_until, None, "{name}");
    }
}

#[test]
fn resume_is_offered_only_to_who_holds_a_pause() {
    for (name, offers) in [
        ("paused", true),
        ("draining", true),
        ("paused-twice", true),
        ("paused-by-schedule", false),
        ("draining-for-an-update", false),
        ("idle", false),
        ("busy", false),
    ] {
        let menu = menu(&scenes::view(name), &scenes::now());
        let found = actions(&menu.items).iter().any(|(_, it)| matches!(it, Ask::Resume { .. }));
        assert_eq!(found, offers, "{name}");
    }
}

#[test]
fn with_several_runners_each_can_be_paused_alone_and_all_at_once() {
    let menu = menu(&scenes::view("several"), &scenes::now());
    let hours: Vec<_> = actions(&menu.items)
        .into_iter()
        .filter_map(|(_, ask)| {
            let Ask::Pause { runners, how_long: PauseLength::Hour } = ask else { return None };
            Some(runners.len())
        })
        .collect();
    assert_eq!(hours, [1, 1, 1, 3]);
}

#[test]
fn no_text_from_outside_makes_a_second_line_or_a_long_one() {
    let menu = menu(&scenes::view("hostile"), &scenes::now());
    for (label, _) in actions(&menu.items) {
        assert!(label.chars().count() < 100, "{label}");
        assert!(!label.chars().any(char::is_control), "{label:?}");
        assert!(!label.contains('\u{202e}'), "{label:?}");
    }
}

#[test]
fn an_action_is_understood_from_the_id_that_it_gives_its_item() {
    for (name, _) in scenes::texts() {
        for (label, ask) in actions(&menu(&scenes::view(&name), &scenes::now()).items) {
            let id = serde_json::to_string(&ask).expect(&label);
            assert_eq!(serde_json::from_str::<Ask>(&id).expect(&label), ask);
        }
    }
}
