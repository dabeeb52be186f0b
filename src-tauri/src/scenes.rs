//! The scenes in ui/fixtures, which the window's tests read too: one view of each kind, for tests only.

use std::path::Path;

use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

use crate::view::View;

/// The moment at which every scene plays, in a zone of its own so that no machine's clock matters.
pub(crate) fn now() -> ZonedDateTime {
    at("2026-03-02T16:42:12Z")
}

pub(crate) fn at(moment: &str) -> ZonedDateTime {
    let moment: Timestamp = moment.parse().expect("a moment");
    moment.to_zoned_datetime(TimeZone::fixed(jiff::tz::offset(1)))
}

pub(crate) fn view(name: &str) -> View {
    let found = texts().into_iter().find(|(it, _)| it == name);
    let (_, text) = found.unwrap_or_else(|| panic!("ui/fixtures/{name}.json is missing"));
    serde_json::from_str(&text).expect(name)
}

/// Every scene's name and JSON, in the order of names.
pub(crate) fn texts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/fixtures");
    let mut scenes: Vec<_> = std::fs::read_dir(folder)
        .expect("ui/fixtures")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a scene"))
        })
        .collect();
    scenes.sort();
    scenes
}
