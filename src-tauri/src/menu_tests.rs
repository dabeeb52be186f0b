//! What the menu says and offers, for every scene and every state.

use std::fmt::Write;

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
        let menu = menu(&scenes::view(&name), &scenes::now());
        let changes = menu.true_until.map_or("never".to_owned(), |until| until.to_string());
        write!(all, "== {name}, changes {changes}\n{}\n", drawn(&menu.items, 0)).expect("a string");
    }
    insta::assert_snapshot!(all);
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
