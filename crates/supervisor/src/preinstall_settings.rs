//! `[[preinstall.item]]` and `[[preinstall.preset]]` in `settings.toml`, and the `path` of runners.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct PreinstallSettings {
    /// The owner's own.
    pub(crate) item: Vec<Value>,
    pub(crate) preset: Vec<Value>,
}

/// By this word for what it is for, a preset is known that an import made.
pub(crate) const FROM_A_LIST: &str = "From a list of packages.";

impl PreinstallSettings {
    /// What such an import would take the place of though the owner wrote it, also where it cannot be
    /// followed: "preset web", "item apt-sl".
    pub(crate) fn written_by_hand(
        &self,
        preset: &str,
        items: &[preinstall::Item],
    ) -> Option<String> {
        let is_by_hand = |table: &Value| text(table, "what_for") != Some(FROM_A_LIST);
        let is_taken = |table: &Value| text(table, "id") == Some(preset) && is_by_hand(table);
        if self.preset.iter().any(is_taken) {
            return Some(format!("preset {preset}"));
        }
        let ids = items.iter().map(|item| item.id.as_str());
        let mut taken = ids.filter(|id| self.item.iter().any(|it| text(it, "id") == Some(*id)));
        taken.next().map(|id| format!("item {id}"))
    }
}

fn text<'a>(table: &'a Value, field: &str) -> Option<&'a str> {
    table.get(field)?.as_str()
}

/// The first folder that cannot be on the PATH of jobs, and why. A login shell reads a `$` though it
/// should not, and a `:` ends a folder's name.
pub(crate) fn refused(path: &[String]) -> Option<(&str, &'static str)> {
    path.iter().find_map(|folder| {
        let whole = folder.starts_with('/') || folder.starts_with("~/");
        let odd = |c: char| c.is_control() || c == ':' || c == '$';
        let why = if !whole {
            "is no whole path (one that begins with / or ~/)"
        } else if folder.contains(odd) {
            "has a character that no PATH can have (: $ or a line's end)"
        } else {
            return None;
        };
        Some((folder.as_str(), why))
    })
}

/// In the place of those with the same ids.
pub(crate) fn set(
    document: &mut DocumentMut,
    items: &[preinstall::Item],
    preset: &preinstall::Preset,
) -> Result<(), String> {
    for item in items {
        put(document, "item", &item.id, item)?;
    }
    put(document, "preset", &preset.id, preset)
}

fn put(
    document: &mut DocumentMut,
    kind: &str,
    id: &str,
    to: &impl Serialize,
) -> Result<(), String> {
    let written = toml_edit::ser::to_document(to).map_err(|error| error.to_string())?;
    let table = document.entry("preinstall").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let table = table.as_table_like_mut().ok_or("preinstall is no table")?;
    let list = table.entry(kind).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let list = list
        .as_array_of_tables_mut()
        .ok_or_else(|| format!("[[preinstall.{kind}]] is no list of tables"))?;
    list.retain(|table| table.get("id").and_then(Item::as_str) != Some(id));
    list.push(written.as_table().clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        preinstall: PreinstallSettings,
    }

    #[test]
    fn what_is_written_is_read_and_followed() {
        let text = "# mine\n[cleanup]\nstop_below_gb = 3\n";
        let mut document: DocumentMut = text.parse().unwrap();
        let all = preinstall::Catalogue::built_in();
        let found = preinstall::import(all, preinstall::Format::AptList, "git\nripgrep\n");
        let preset = preinstall::Preset {
            id: "ours".into(),
            title: "Ours".into(),
            what_for: String::new(),
            items: found.items.clone(),
            on_macos: Vec::new(),
        };
        set(&mut document, &found.new, &preset).unwrap();
        set(&mut document, &found.new, &preset).unwrap();
        let after = document.to_string();
        assert!(after.contains("# mine"), "{after}");
        let read = toml_edit::de::from_str::<File>(&after).unwrap().preinstall;
        assert_eq!((read.item.len(), read.preset.len()), (1, 1), "{after}");
        let (all, refused) = preinstall::Catalogue::with(&read.item, &read.preset);
        assert_eq!(refused, []);
        assert_eq!(all.item("apt-ripgrep"), Some(&found.new[0]));
    }

    #[test]
    fn what_the_owner_wrote_is_told_from_what_an_import_made() {
        let all = preinstall::Catalogue::built_in();
        let found = preinstall::import(all, preinstall::Format::AptList, "ripgrep\n");
        let preset = preinstall::Preset {
            id: "web".into(),
            title: "web".into(),
            what_for: FROM_A_LIST.into(),
            items: found.items.clone(),
            on_macos: Vec::new(),
        };
        let mut document = DocumentMut::new();
        set(&mut document, &found.new, &preset).unwrap();
        let of = |text: &str| toml_edit::de::from_str::<File>(text).unwrap().preinstall;
        let imported = of(&document.to_string());
        assert_eq!(imported.written_by_hand("web", &[]), None);
        // Neither of these can be followed, and both are the owner's.
        let own = of("[[preinstall.preset]]\nid = \"web\"\nitems = [\"moon\"]\n\
             [[preinstall.item]]\nid = \"apt-ripgrep\"\n");
        assert_eq!(own.written_by_hand("web", &found.new).as_deref(), Some("preset web"));
        assert_eq!(own.written_by_hand("app", &found.new).as_deref(), Some("item apt-ripgrep"));
        assert_eq!(own.written_by_hand("app", &[]), None);
    }

    #[test]
    fn a_folder_that_no_path_can_have_is_refused() {
        let of = |folder: &str| refused(&[folder.to_owned()]).map(|(_, why)| why.to_owned());
        for good in ["/opt/x y/bin", "~/bin"] {
            assert_eq!(of(good), None);
        }
        for bad in ["bin", "", "/a:/b", "/$HOME/bin", "/a\nb", "~x/bin"] {
            assert!(of(bad).is_some(), "{bad:?}");
        }
    }
}
