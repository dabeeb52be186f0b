//! The software report: everything found, as a page, and what is otherwise between two of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use protocol::{ItemChecked, ItemState, SoftwareReport};
use serde::Serialize;

/// For people.
pub fn markdown(report: &SoftwareReport) -> String {
    let mut page = "# Software on this machine\n\n".to_owned();
    let _ = writeln!(page, "- When: {}", report.made_at);
    let _ = writeln!(page, "- System: {}, {}", text(&report.system), report.arch);
    let _ = writeln!(page, "- Jobs run as: {}", text(&report.jobs.user));
    if let Some(runner) = &report.jobs.runner {
        let _ = writeln!(page, "- Runner: {}", text(runner.as_str()));
    }
    let _ = writeln!(page, "- PATH: `{}`", report.jobs.path.join(":").replace('`', "'"));
    let (there, not): (Vec<&ItemChecked>, Vec<&ItemChecked>) =
        report.items.iter().partition(|item| is_there(item));
    let _ = write!(page, "\n## Found\n\n| What | Version | Where |\n| --- | --- | --- |\n");
    for item in there {
        let version = item.version.as_deref().unwrap_or("-");
        let place = item.found_at.as_deref().unwrap_or("-");
        let _ = writeln!(page, "| {} | {} | {} |", text(&item.title), text(version), text(place));
    }
    let _ = write!(
        page,
        "\n## Not found, or not as wanted\n\n| What | State | Reading |\n| --- | --- | --- |\n"
    );
    for item in not {
        let state = word(item.state);
        let _ = writeln!(page, "| {} | {state} | {} |", text(&item.title), text(&item.reading));
    }
    page
}

fn is_there(item: &ItemChecked) -> bool {
    match item.state {
        ItemState::Present | ItemState::TooOld | ItemState::TooNew => true,
        ItemState::Broken | ItemState::Missing | ItemState::Unknown => false,
    }
}

fn word(state: ItemState) -> &'static str {
    match state {
        ItemState::Present => "present",
        ItemState::TooOld => "too old",
        ItemState::TooNew => "too new",
        ItemState::Broken => "broken",
        ItemState::Missing => "missing",
        ItemState::Unknown => "unknown",
    }
}

/// In a cell of a table.
fn text(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// What is otherwise in the later of two reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub came: Vec<Change>,
    pub went: Vec<Change>,
    /// Another version, or another state.
    pub changed: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub id: String,
    pub title: String,
    /// The version, or the state where there is none.
    pub before: Option<String>,
    pub after: Option<String>,
}

pub fn difference(before: &SoftwareReport, after: &SoftwareReport) -> Difference {
    let old: BTreeMap<&str, &ItemChecked> =
        before.items.iter().map(|item| (item.id.as_str(), item)).collect();
    let new: BTreeMap<&str, &ItemChecked> =
        after.items.iter().map(|item| (item.id.as_str(), item)).collect();
    let mut found = Difference::default();
    let ids: std::collections::BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    for id in ids {
        let (was, is) = (old.get(id).copied(), new.get(id).copied());
        let Some(either) = is.or(was) else { continue };
        let said = |item: Option<&ItemChecked>| {
            item.filter(|item| is_there(item))
                .map(|item| item.version.clone().unwrap_or_else(|| word(item.state).to_owned()))
        };
        let (before, after) = (said(was), said(is));
        let (was_there, is_there) = (before.is_some(), after.is_some());
        let change = Change { id: id.to_owned(), title: either.title.clone(), before, after };
        match (was_there, is_there) {
            (false, true) => found.came.push(change),
            (true, false) => found.went.push(change),
            (true, true) if change.before != change.after => found.changed.push(change),
            (true, true) | (false, false) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(items: &[(&str, ItemState, Option<&str>)]) -> SoftwareReport {
        SoftwareReport {
            made_at: "2026-11-29T10:00:00Z".parse().unwrap(),
            system: "Debian | 12".into(),
            arch: "x86_64".into(),
            jobs: protocol::PreinstallJobs {
                runner: None,
                user: "ci".into(),
                job_user: true,
                path: vec!["/usr/bin".into()],
            },
            items: items
                .iter()
                .map(|(id, state, version)| ItemChecked {
                    id: (*id).to_owned(),
                    title: id.to_uppercase(),
                    state: *state,
                    reading: "one\ntwo".into(),
                    version: version.map(str::to_owned),
                    found_at: None,
                    wants: None,
                })
                .collect(),
        }
    }

    #[test]
    fn a_page_has_all_that_was_found_and_all_that_was_not() {
        let page = markdown(&report(&[
            ("git", ItemState::Present, Some("2.39.5")),
            ("jq", ItemState::Missing, None),
        ]));
        assert!(page.contains("| GIT | 2.39.5 | - |\n"), "{page}");
        assert!(page.contains("| JQ | missing | one two |\n"), "{page}");
        assert!(page.contains("Debian \\| 12"), "{page}");
    }

    #[test]
    fn what_came_went_and_changed_is_told() {
        let before = report(&[
            ("git", ItemState::Present, Some("2.39.5")),
            ("jq", ItemState::Present, Some("1.6")),
            ("go", ItemState::Missing, None),
            ("ssh", ItemState::Present, None),
        ]);
        let after = report(&[
            ("git", ItemState::Present, Some("2.40.0")),
            ("jq", ItemState::Broken, None),
            ("go", ItemState::Present, Some("1.24")),
            ("ssh", ItemState::Present, None),
        ]);
        let found = difference(&before, &after);
        let ids = |changes: &[Change]| changes.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&found.came), ["go"]);
        assert_eq!(ids(&found.went), ["jq"]);
        assert_eq!(ids(&found.changed), ["git"]);
        assert_eq!(found.changed[0].before.as_deref(), Some("2.39.5"));
        assert_eq!(difference(&before, &before), Difference::default());
    }
}
