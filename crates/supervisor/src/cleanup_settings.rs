//! `[cleanup]` in `settings.toml`: marks and times, which presets are on and how far they go, what is
//! never deleted, and the owner's own presets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use protocol::{Bytes, CleanupPreference, Limits, PresetChange, WhenCleanupFails};
use serde::Deserialize;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct CleanupTable {
    #[serde(flatten)]
    pub(crate) preference: CleanupPreference,
    #[serde(flatten)]
    pub(crate) settings: CleanupSettings,
}

/// All of it but the preferences.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct CleanupSettings {
    /// What the owner says of presets, by their ids.
    pub(crate) presets: BTreeMap<String, PresetSettings>,
    /// Whole paths; they, what is in them and what they are in stay.
    pub(crate) never_delete: Vec<PathBuf>,
    /// The owner's own.
    pub(crate) preset: Vec<serde_json::Value>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PresetSettings {
    pub(crate) on: Option<bool>,
    pub(crate) keep_last: Option<u32>,
    pub(crate) unused_days: Option<u32>,
    pub(crate) at_most_gb: Option<u32>,
}

const GB: u64 = 1_000_000_000;

impl PresetSettings {
    /// The limits that are said, and no others; or where none is, those that hold without a word.
    pub(crate) fn limits(&self, without: Limits) -> Limits {
        let at_most = self.at_most_gb.map(|gb| Bytes(u64::from(gb) * GB));
        let said = Limits { keep_last: self.keep_last, unused_days: self.unused_days, at_most };
        if said == Limits::default() { without } else { said }
    }
}

impl CleanupSettings {
    /// Why it cannot be followed.
    pub(crate) fn check(&self) -> Result<(), String> {
        let relative = self.never_delete.iter().find(|path| !path.is_absolute());
        match relative {
            Some(path) => Err(format!(
                "[cleanup] never_delete: {} is no whole path (it does not begin with /)",
                path.display()
            )),
            None => Ok(()),
        }
    }
}

/// Why these preferences make no sense, and the way out.
pub(crate) fn refused(wanted: CleanupPreference) -> Option<(String, &'static str)> {
    let CleanupPreference { stop_below_gb, go_on_above_gb, before_task_seconds, weekly, .. } =
        wanted;
    if let (Some(low), Some(high)) = (stop_below_gb, go_on_above_gb)
        && high < low
    {
        let why = format!("Going on above {high} GB is less than stopping below {low} GB.");
        return Some((why, "Give the higher mark a number that is not lower."));
    }
    if !(1..=3600).contains(&before_task_seconds) {
        let why = format!("A task cannot wait {before_task_seconds} seconds for its clean-up.");
        return Some((why, "Give a number from 1 to 3600."));
    }
    let out_of_week = weekly.filter(|at| !(1..=7).contains(&at.day) || at.hour > 23);
    out_of_week.map(|at| {
        let why = format!("Day {}, hour {} is no time of the week.", at.day, at.hour);
        (why, "Give a day from 1 (Monday) to 7 (Sunday) and an hour from 0 to 23.")
    })
}

/// Writes down what is to be otherwise; false where nothing is.
pub(crate) fn set(
    document: &mut DocumentMut,
    before: CleanupPreference,
    wanted: CleanupPreference,
) -> bool {
    if before == wanted {
        return false;
    }
    let table = table_of(document);
    let number = |number: u32| Some(Value::from(i64::from(number)));
    put(table, "stop_below_gb", wanted.stop_below_gb.and_then(number));
    put(table, "go_on_above_gb", wanted.go_on_above_gb.and_then(number));
    if before.before_task_seconds != wanted.before_task_seconds {
        put(table, "before_task_seconds", number(wanted.before_task_seconds));
    }
    if before.when_it_fails != wanted.when_it_fails {
        let word = match wanted.when_it_fails {
            WhenCleanupFails::GoOn => "go-on",
            WhenCleanupFails::FailTask => "fail-task",
        };
        put(table, "when_it_fails", Some(word.into()));
    }
    if before.end_left_overs != wanted.end_left_overs {
        put(table, "end_left_overs", Some(wanted.end_left_overs.into()));
    }
    let weekly = wanted.weekly.map(|at| {
        let mut inline = InlineTable::new();
        inline.insert("day", i64::from(at.day).into());
        inline.insert("hour", i64::from(at.hour).into());
        Value::from(inline)
    });
    if before.weekly != wanted.weekly {
        put(table, "weekly", weekly);
    }
    true
}

/// What is said of one preset; limits that are said take the place of all before.
pub(crate) fn set_preset(document: &mut DocumentMut, id: &str, change: PresetChange) {
    let presets = table_of(document).entry("presets").or_insert_with(implicit);
    let Some(presets) = presets.as_table_like_mut() else { return };
    let preset = presets.entry(id).or_insert_with(toml_edit::table);
    let Some(preset) = preset.as_table_like_mut() else { return };
    if let Some(on) = change.on {
        put(preset, "on", Some(on.into()));
    }
    if let Some(Limits { keep_last, unused_days, at_most }) = change.limits {
        let number = |number: u32| Value::from(i64::from(number));
        put(preset, "keep_last", keep_last.map(number));
        put(preset, "unused_days", unused_days.map(number));
        let gb =
            |bytes: Bytes| Value::from(i64::try_from(bytes.0.div_ceil(GB)).unwrap_or(i64::MAX));
        put(preset, "at_most_gb", at_most.map(gb));
    }
}

/// Marks a whole path, or takes the mark away.
pub(crate) fn set_never_delete(document: &mut DocumentMut, path: &str, marked: bool) {
    let table = table_of(document);
    let list = table.entry("never_delete").or_insert_with(|| value(Array::new()));
    let Some(list) = list.as_array_mut() else { return };
    list.retain(|known| known.as_str() != Some(path));
    if marked {
        list.push(path);
    }
}

fn table_of(document: &mut DocumentMut) -> &mut dyn TableLike {
    let item = document.entry("cleanup").or_insert_with(implicit);
    if !item.is_table_like() {
        *item = implicit();
    }
    item.as_table_like_mut().expect("made just above")
}

/// A table that shows only once it has keys of its own.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// Nothing: the key goes. The owner's comment after a value stays.
fn put(table: &mut dyn TableLike, key: &str, to: Option<Value>) {
    let Some(mut to) = to else {
        table.remove(key);
        return;
    };
    if let Some(known) = table.get(key).and_then(Item::as_value) {
        *to.decor_mut() = known.decor().clone();
    }
    table.insert(key, Item::Value(to));
}

#[cfg(test)]
mod tests {
    use protocol::Weekly;

    use super::*;

    fn read(text: &str) -> CleanupTable {
        #[derive(Deserialize)]
        struct File {
            cleanup: CleanupTable,
        }
        toml_edit::de::from_str::<File>(text).unwrap().cleanup
    }

    #[test]
    fn what_is_written_is_read_and_comments_stay() {
        let text = "# mine\n[cleanup]\nstop_below_gb = 15 # as the team says\n";
        let mut document: DocumentMut = text.parse().unwrap();
        let before = read(text).preference;
        let wanted = CleanupPreference {
            stop_below_gb: Some(20),
            weekly: Some(Weekly { day: 7, hour: 3 }),
            when_it_fails: WhenCleanupFails::FailTask,
            end_left_overs: true,
            before_task_seconds: 30,
            go_on_above_gb: Some(40),
        };
        assert!(set(&mut document, before, wanted));
        let limits =
            Limits { keep_last: Some(2), at_most: Some(Bytes(5 * GB)), ..Limits::default() };
        set_preset(&mut document, "kept", PresetChange { on: Some(true), limits: Some(limits) });
        set_never_delete(&mut document, "/srv/work", true);
        set_never_delete(&mut document, "/srv/work", true);
        let after = document.to_string();
        assert!(after.contains("# mine") && after.contains("# as the team says"), "{after}");
        let now = read(&after);
        assert_eq!(now.preference, wanted);
        assert_eq!(now.settings.never_delete, [PathBuf::from("/srv/work")]);
        let usual = Limits { unused_days: Some(14), keep_last: Some(3), ..Limits::default() };
        assert_eq!(now.settings.presets["kept"].limits(usual), limits, "14 days are lifted");
        assert!(!set(&mut document, wanted, wanted), "nothing is otherwise");
        set_preset(
            &mut document,
            "kept",
            PresetChange { on: None, limits: Some(Limits::default()) },
        );
        let again = read(&document.to_string()).settings.presets["kept"];
        assert_eq!(
            (again.on, again.limits(usual)),
            (Some(true), usual),
            "the usual ones hold again"
        );
        let none = CleanupPreference { weekly: None, stop_below_gb: None, ..wanted };
        set(&mut document, wanted, none);
        assert_eq!(read(&document.to_string()).preference, none);
        set_never_delete(&mut document, "/srv/work", false);
        assert!(read(&document.to_string()).settings.never_delete.is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_way_out() {
        let usual = CleanupPreference::default();
        assert_eq!(refused(usual), None);
        for wrong in [
            CleanupPreference { stop_below_gb: Some(20), go_on_above_gb: Some(10), ..usual },
            CleanupPreference { before_task_seconds: 0, ..usual },
            CleanupPreference { weekly: Some(Weekly { day: 8, hour: 3 }), ..usual },
            CleanupPreference { weekly: Some(Weekly { day: 1, hour: 24 }), ..usual },
        ] {
            let (why, way_out) = refused(wrong).unwrap();
            assert!(why.ends_with('.') && way_out.ends_with('.'), "{why} {way_out}");
        }
        let relative = CleanupSettings { never_delete: vec!["work".into()], ..Default::default() };
        assert!(relative.check().unwrap_err().contains("work is no whole path"));
    }
}
