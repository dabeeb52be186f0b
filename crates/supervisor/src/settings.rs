//! `settings.toml`: what the user decides about each runner. Hand-editable: comments, order and keys
//! we do not know stay as they are.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use protocol::{
    JobsRunAs, KeepAwakePreference, NotificationPreference, Preferences, PresetChange,
    ResourceClass, RunnerName, RunnerSpec, TokenStore,
};
use serde::Deserialize;
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

use crate::cleanup_settings::{self, CleanupSettings, CleanupTable};
use crate::history::Keep;
use crate::preinstall_settings::{self, PreinstallSettings};

/// Larger than any honest settings file; what is larger is not read into memory.
const LARGEST: u64 = 1 << 20;

/// The file as it was last read or written.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    path: PathBuf,
    document: DocumentMut,
    pub(crate) runners: BTreeMap<RunnerName, RunnerSettings>,
    pub(crate) history: Keep,
    pub(crate) preferences: Preferences,
    pub(crate) cleanup: CleanupSettings,
    pub(crate) preinstall: PreinstallSettings,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct RunnerSettings {
    pub(crate) name: RunnerName,
    pub(crate) resource_class: ResourceClass,
    pub(crate) working_directory: Option<PathBuf>,
    pub(crate) api_url: Option<String>,
    pub(crate) releases_url: Option<String>,
    pub(crate) job_user: Option<String>,
    #[serde(default)]
    pub(crate) token_store: TokenStore,
    /// Where the token may be too, while it is moved.
    pub(crate) token_copy: Option<TokenCopy>,
    /// Grows with every token that is stored, so that an agent with an old one is replaced.
    #[serde(default)]
    pub(crate) token_number: u64,
    /// The agent's `max_run_time`, as Go writes durations; absent = 5h, as documented.
    pub(crate) max_run_time: Option<circleci::GoDuration>,
    /// Bytes after which agent.log is cut; absent = 20 MB.
    pub(crate) log_limit: Option<u64>,
    /// Folders that come first in the PATH of jobs. The last field: see `knowing::mark`.
    #[serde(default)]
    pub(crate) path: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TokenCopy {
    pub(crate) store: TokenStore,
    pub(crate) since: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("cannot read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} is not valid: {reason}", path.display())]
    Invalid { path: PathBuf, reason: String },
    #[error("{} names the runner {name} twice", path.display())]
    Twice { path: PathBuf, name: RunnerName },
    #[error("cannot write {}: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    runner: Vec<RunnerSettings>,
    #[serde(default)]
    history: Keep,
    #[serde(default)]
    keep_awake: KeepAwakePreference,
    #[serde(default)]
    notifications: NotificationPreference,
    #[serde(default)]
    cleanup: CleanupTable,
    #[serde(default)]
    preinstall: PreinstallSettings,
}

impl Settings {
    /// No file is no runner.
    pub(crate) fn read(path: &Path) -> Result<Self, SettingsError> {
        let unreadable = |error| SettingsError::Unreadable { path: path.to_owned(), error };
        let text = match run_dir::read_at_most(path, LARGEST) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| unreadable(not_text()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unreadable(error)),
        };
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let invalid = |reason: String| SettingsError::Invalid { path: path.to_owned(), reason };
        let document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| invalid(in_short(&error)))?;
        let file: File = toml_edit::de::from_document(document.clone())
            .map_err(|error| invalid(in_short(&error)))?;
        let mut runners = BTreeMap::new();
        for runner in file.runner {
            let name = runner.name.clone();
            if let Some((folder, why)) = preinstall_settings::refused(&runner.path) {
                return Err(invalid(format!("path of {name}: {folder:?} {why}")));
            }
            if runners.insert(name.clone(), runner).is_some() {
                return Err(SettingsError::Twice { path: path.to_owned(), name });
            }
        }
        let CleanupTable { preference, settings: cleanup } = file.cleanup;
        cleanup.check().map_err(invalid)?;
        let preferences = Preferences {
            keep_awake: file.keep_awake,
            notifications: file.notifications,
            cleanup: preference,
        };
        Ok(Self {
            path: path.to_owned(),
            document,
            runners,
            history: file.history,
            preferences,
            cleanup,
            preinstall: file.preinstall,
        })
    }

    /// Writes down what is to be otherwise, in memory; false where nothing is.
    pub(crate) fn set_preferences(&mut self, wanted: Preferences) -> bool {
        let (before, now) = (self.preferences, wanted);
        let floor = |of: Preferences| i64::from(of.keep_awake.battery_floor_percent);
        let mut changed = false;
        let mut put = |table: &str, key: &str, differs: bool, to: toml_edit::Value| {
            if differs {
                let table = self.document.entry(table).or_insert_with(toml_edit::table);
                // The owner's comment after a value stays.
                let decor = table.get(key).and_then(Item::as_value).map(|it| it.decor().clone());
                table[key] = value(to);
                if let (Some(decor), Some(new)) = (decor, table[key].as_value_mut()) {
                    *new.decor_mut() = decor;
                }
                changed = true;
            }
        };
        let mut flag = |table: &str, key: &str, before: bool, now: bool| {
            put(table, key, before != now, now.into());
        };
        flag("keep_awake", "on", before.keep_awake.on, now.keep_awake.on);
        let (tell, telling) = (before.notifications, now.notifications);
        flag("notifications", "problems", tell.problems, telling.problems);
        flag("notifications", "pause_ended", tell.pause_ended, telling.pause_ended);
        flag("notifications", "tasks", tell.tasks, telling.tasks);
        put("keep_awake", "battery_floor_percent", floor(before) != floor(now), floor(now).into());
        let cleanup = cleanup_settings::set(&mut self.document, before.cleanup, now.cleanup);
        changed || cleanup
    }

    /// Makes one runner so, in memory; what `spec` leaves out stays as it is. Says what changed, in
    /// sentences.
    pub(crate) fn set(&mut self, name: &RunnerName, spec: &RunnerSpec) -> Vec<String> {
        let mut did = Vec::new();
        let table = self.table(name, &mut did);
        // Never written is the keychain.
        let keychain = !table.contains_key("token_store");
        let mut put = |key: &str, wanted: Option<&str>, words: &str| match wanted {
            Some(wanted) if table.get(key).and_then(Item::as_str) != Some(wanted) => {
                table[key] = value(wanted);
                did.push(format!("{words} is {wanted}."));
            }
            Some(_) | None => {}
        };
        put("resource_class", Some(spec.resource_class.as_str()), "The resource class");
        put("working_directory", spec.working_directory.as_deref(), "The working directory");
        put("api_url", spec.api_url.as_deref(), "The server");
        put("releases_url", spec.releases_url.as_deref(), "The place of the agent's releases");
        let user = match &spec.job_user {
            None | Some(JobsRunAs::Owner) => None,
            Some(JobsRunAs::User(user)) => Some(user.as_str()),
        };
        put("job_user", user, "The user that jobs run as");
        let store = spec.token_store.map(store_word);
        if !(keychain && store == Some("keychain")) {
            put("token_store", store, "The token's place");
        }
        if spec.job_user == Some(JobsRunAs::Owner) && table.remove("job_user").is_some() {
            did.push("Jobs run as you.".to_owned());
        }
        did
    }

    /// Counts a newly stored token. `id` names it where it was created by us and so is known.
    pub(crate) fn count_token(&mut self, name: &RunnerName, id: Option<&str>) {
        let number = self.runners.get(name).map_or(0, |runner| runner.token_number) + 1;
        let table = self.table(name, &mut Vec::new());
        table["token_number"] = value(i64::try_from(number).unwrap_or(i64::MAX));
        match id {
            Some(id) => table["token_id"] = value(id),
            None => drop(table.remove("token_id")),
        }
    }

    /// CircleCI's id of the stored token. Not among what an agent is started with: it names the token
    /// and is no part of it.
    pub(crate) fn token_id(&self, name: &RunnerName) -> Option<&str> {
        let tables = self.document.get("runner")?.as_array_of_tables()?;
        let is_it =
            |table: &&Table| table.get("name").and_then(Item::as_str) == Some(name.as_str());
        tables.iter().find(is_it)?.get("token_id")?.as_str()
    }

    pub(crate) fn set_token_store(&mut self, name: &RunnerName, store: TokenStore) {
        self.table(name, &mut Vec::new())["token_store"] = value(store_word(store));
    }

    pub(crate) fn set_token_copy(&mut self, name: &RunnerName, copy: Option<&TokenCopy>) {
        let table = self.table(name, &mut Vec::new());
        let Some(TokenCopy { store, since }) = copy else {
            table.remove("token_copy");
            return;
        };
        let mut inline = InlineTable::new();
        inline.insert("store", store_word(*store).into());
        inline.insert("since", since.to_string().into());
        table["token_copy"] = value(inline);
    }

    pub(crate) fn remove(&mut self, name: &RunnerName) {
        if let Some(tables) = self.document.get_mut("runner").and_then(Item::as_array_of_tables_mut)
        {
            tables.retain(|table| table.get("name").and_then(Item::as_str) != Some(name.as_str()));
        }
    }

    /// Says of a preset what is to be otherwise, in memory.
    pub(crate) fn set_preset(&mut self, id: &str, change: PresetChange) {
        cleanup_settings::set_preset(&mut self.document, id, change);
    }

    /// Marks a whole path as one that is never deleted, or takes the mark away, in memory.
    pub(crate) fn set_never_delete(&mut self, path: &str, marked: bool) {
        cleanup_settings::set_never_delete(&mut self.document, path, marked);
    }

    /// Which folders come first in the PATH of a runner's jobs, in memory.
    pub(crate) fn set_path(&mut self, name: &RunnerName, first: &[String]) {
        let table = self.table(name, &mut Vec::new());
        if first.is_empty() {
            table.remove("path");
        } else {
            table["path"] = value(first.iter().collect::<toml_edit::Array>());
        }
    }

    /// Puts items and a preset of the owner's in the place of those with the same ids, in memory.
    pub(crate) fn set_preinstall(
        &mut self,
        items: &[preinstall::Item],
        preset: &preinstall::Preset,
    ) -> Result<(), String> {
        preinstall_settings::set(&mut self.document, items, preset)
    }

    /// Takes what was changed in memory for what is meant, before it is written.
    pub(crate) fn reread(&mut self) -> Result<(), SettingsError> {
        *self = Self::parse(&self.path, &self.document.to_string())?;
        Ok(())
    }

    /// Writes the file, atomically, and reads it back as what is meant.
    pub(crate) fn save(&mut self) -> Result<(), SettingsError> {
        let text = self.document.to_string();
        let read_back = Self::parse(&self.path, &text)?;
        run_dir::write_atomically(&self.path, text.as_bytes()).map_err(|error| {
            SettingsError::Unwritable { path: self.path.clone(), error: io::Error::other(error) }
        })?;
        *self = read_back;
        Ok(())
    }

    fn table(&mut self, name: &RunnerName, did: &mut Vec<String>) -> &mut Table {
        let item = self
            .document
            .entry("runner")
            .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        if !item.is_array_of_tables() {
            *item = Item::ArrayOfTables(ArrayOfTables::new());
        }
        let Item::ArrayOfTables(tables) = item else { unreachable!("made just above") };
        let at = tables
            .iter()
            .position(|table| table.get("name").and_then(Item::as_str) == Some(name.as_str()));
        let at = at.unwrap_or_else(|| {
            let mut table = Table::new();
            table["name"] = value(name.as_str());
            tables.push(table);
            did.push(format!("The runner {name} is new."));
            tables.len() - 1
        });
        tables.get_mut(at).expect("found or made just above")
    }
}

fn store_word(store: TokenStore) -> &'static str {
    match store {
        TokenStore::Keychain => "keychain",
        TokenStore::File => "file",
    }
}

/// The parser shows the line that it stumbled over, however long that is.
fn in_short(error: &impl std::fmt::Display) -> String {
    const LONGEST_LINE: usize = 160;
    const MOST_LINES: usize = 8;
    let words = error.to_string();
    let line = |line: &str| match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}...", line[..at].trim_end()),
        None => line.to_owned(),
    };
    let lines: Vec<String> = words.trim_end().lines().take(MOST_LINES).map(line).collect();
    lines.join("\n")
}

fn not_text() -> io::Error {
    io::Error::other("it is not text in UTF-8")
}

impl RunnerSettings {
    pub(crate) fn api_url(&self) -> &str {
        self.api_url.as_deref().unwrap_or(circleci::API_URL)
    }

    pub(crate) fn releases_url(&self) -> &str {
        self.releases_url.as_deref().unwrap_or(circleci::RELEASES_URL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> RunnerSpec {
        RunnerSpec {
            resource_class: "acme/macos".parse().unwrap(),
            working_directory: Some("/srv/work".into()),
            api_url: None,
            releases_url: None,
            job_user: None,
            token_store: None,
        }
    }

    fn name() -> RunnerName {
        "mini".parse().unwrap()
    }

    #[test]
    fn comments_and_unknown_keys_survive_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let text = "# mine\nfuture = 1\n\n[[runner]] # the mini\nname = \"mini\"\nresource_class = \"a/b\"\nodd = true\n";
        run_dir::write_atomically(&path, text.as_bytes()).unwrap();
        let mut settings = Settings::read(&path).unwrap();
        settings.set(&name(), &spec());
        settings.save().unwrap();
        let after = std::fs::read_to_string(&path).unwrap();
        for kept in ["# mine", "future = 1", "# the mini", "odd = true", "\"acme/macos\""] {
            assert!(after.contains(kept), "{kept} is gone from:\n{after}");
        }
    }

    #[test]
    fn setting_the_same_twice_does_nothing_the_second_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(&folder.path().join("settings.toml")).unwrap();
        assert!(!settings.set(&name(), &spec()).is_empty());
        settings.save().unwrap();
        assert_eq!(settings.set(&name(), &spec()), Vec::<String>::new());
    }

    #[test]
    fn what_is_left_out_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(&folder.path().join("settings.toml")).unwrap();
        settings
            .set(&name(), &RunnerSpec { job_user: Some(JobsRunAs::User("ci".into())), ..spec() });
        settings.save().unwrap();
        let less = RunnerSpec { working_directory: None, ..spec() };
        assert_eq!(settings.set(&name(), &less), Vec::<String>::new());
        settings.save().unwrap();
        assert_eq!(settings.runners[&name()].job_user.as_deref(), Some("ci"));
    }

    #[test]
    fn a_job_user_is_taken_away_where_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(&folder.path().join("settings.toml")).unwrap();
        settings
            .set(&name(), &RunnerSpec { job_user: Some(JobsRunAs::User("ci".into())), ..spec() });
        settings.save().unwrap();
        let owner = RunnerSpec { job_user: Some(JobsRunAs::Owner), ..spec() };
        assert_eq!(settings.set(&name(), &owner), ["Jobs run as you."]);
        settings.save().unwrap();
        assert_eq!(settings.runners[&name()].job_user, None);
        assert_eq!(settings.set(&name(), &owner), Vec::<String>::new());
    }

    #[test]
    fn a_tokens_id_is_kept_until_the_next_token() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(&folder.path().join("settings.toml")).unwrap();
        settings.set(&name(), &spec());
        settings.save().unwrap();
        assert_eq!(settings.token_id(&name()), None);
        settings.count_token(&name(), Some("t-1"));
        settings.save().unwrap();
        assert_eq!(settings.token_id(&name()), Some("t-1"));
        settings
            .set(&name(), &RunnerSpec { job_user: Some(JobsRunAs::User("ci".into())), ..spec() });
        assert_eq!(settings.token_id(&name()), Some("t-1"));
        settings.count_token(&name(), None);
        assert_eq!(settings.token_id(&name()), None);
    }

    #[test]
    fn the_history_is_kept_long_and_else_as_the_settings_say() {
        let parse = |text| Settings::parse(Path::new("settings.toml"), text).unwrap().history;
        assert_eq!(parse(""), Keep { days: 400, tasks: 100_000 });
        assert_eq!(parse("[history]\ntasks = 5\n"), Keep { days: 400, tasks: 5 });
        assert_eq!(parse("[history]\ndays = 30"), Keep { days: 30, tasks: 100_000 });
    }

    #[test]
    fn where_a_token_may_be_too_is_written_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(&folder.path().join("settings.toml")).unwrap();
        settings.set(&name(), &spec());
        let since = "2026-11-23T10:00:00.5Z".parse().unwrap();
        let copy = TokenCopy { store: TokenStore::File, since };
        settings.set_token_store(&name(), TokenStore::Keychain);
        settings.set_token_copy(&name(), Some(&copy));
        settings.save().unwrap();
        let runner = &settings.runners[&name()];
        assert_eq!((runner.token_store, &runner.token_copy), (TokenStore::Keychain, &Some(copy)));
        settings.set_token_copy(&name(), None);
        settings.save().unwrap();
        assert_eq!(settings.runners[&name()].token_copy, None);
    }

    #[test]
    fn preferences_are_changed_one_by_one_and_comments_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let text = "# mine\n[keep_awake]\non = false # the fan is loud\nodd = 1\n";
        run_dir::write_atomically(&path, text.as_bytes()).unwrap();
        let mut settings = Settings::read(&path).unwrap();
        assert!(!settings.preferences.keep_awake.on);
        assert_eq!(settings.preferences.notifications, NotificationPreference::default());
        assert!(!settings.set_preferences(settings.preferences));
        let mut wanted = Preferences::default();
        wanted.notifications.tasks = true;
        assert!(settings.set_preferences(wanted));
        settings.save().unwrap();
        assert_eq!(settings.preferences, wanted);
        let after = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            after,
            "# mine\n[keep_awake]\non = true # the fan is loud\nodd = 1\n\n[notifications]\ntasks = true\n"
        );
    }

    #[test]
    fn nonsense_is_named_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        for nonsense in [
            "[[runner",
            "runner = 3",
            "[keep_awake]\nbattery_floor_percent = \"half\"",
            "notifications = 7",
            "[[runner]]\nname = \"../x\"\nresource_class = \"a/b\"",
            "[[runner]]\nname = \"a\"\nresource_class = \"a/b\"\n[[runner]]\nname = \"a\"\nresource_class = \"a/b\"",
        ] {
            run_dir::write_atomically(&path, nonsense.as_bytes()).unwrap();
            let error = Settings::read(&path).unwrap_err().to_string();
            assert!(error.contains("settings.toml"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), nonsense);
        }
    }
}
