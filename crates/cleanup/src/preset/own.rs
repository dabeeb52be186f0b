//! Presets read from tables: those of this release, and the owner's in `settings.toml`. A bad one is
//! told by its name, the field, and what is allowed there.

use std::path::{Component, Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::around::{Platform, TEMP};
use super::data::{Folders, Preset, Risk, What, When};

/// Longer commands hold the machine from its tasks.
const LONGEST_SECONDS: u32 = 24 * 3600;

/// What is wrong with a preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("clean-up preset {preset}: {field}: {allowed}")]
pub struct PresetError {
    pub preset: String,
    pub field: String,
    /// What is allowed there.
    pub allowed: String,
}

impl PresetError {
    pub(crate) fn new(preset: &str, field: &str, allowed: impl Into<String>) -> Self {
        let preset = if preset.is_empty() { "(without an id)" } else { preset };
        Self { preset: preset.into(), field: field.into(), allowed: allowed.into() }
    }

    pub(crate) fn unknown(id: &str, known: &[&str]) -> Self {
        Self::new(id, "id", format!("there is no such preset. Known are: {}", known.join(", ")))
    }
}

/// The owner's presets, from the tables `[[cleanup.preset]]`, and what is wrong with the others.
pub fn own(tables: &[Table]) -> (Vec<Preset>, Vec<PresetError>) {
    let (mut good, mut bad): (Vec<Preset>, Vec<PresetError>) = (Vec::new(), Vec::new());
    for table in tables {
        let read = parse(table).and_then(|preset| {
            let is_taken = super::find(&preset.id, &good).is_ok();
            let taken = || PresetError::new(&preset.id, "id", "another preset has it already");
            if is_taken { Err(taken()) } else { Ok(preset) }
        });
        match read {
            Ok(preset) => match preset.what {
                What::Folders(_) | What::Command(_) => good.push(preset),
                What::Fresh | What::Kept | What::Tool(_) | What::Processes => {
                    let allowed = "folders or command. The others are built in";
                    bad.push(PresetError::new(&preset.id, "what", allowed));
                }
            },
            Err(error) => bad.push(error),
        }
    }
    (good, bad)
}

/// One preset. What only explains may be left out, and so may the platforms (both), the risk
/// (medium), and when (only while idle).
pub(crate) fn parse(table: &Table) -> Result<Preset, PresetError> {
    let id = table.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut fields = Fields { id: id.clone(), rest: table.clone() };
    fields.rest.remove("id");
    let preset = Preset {
        title: fields.take("title", "a text")?.unwrap_or_else(|| id.clone()),
        touches: fields.take("touches", "a text")?.unwrap_or_default(),
        why: fields.take("why", "a text")?.unwrap_or_default(),
        risk: fields.take("risk", "\"low\", \"medium\" or \"high\"")?.unwrap_or(Risk::Medium),
        platforms: fields
            .take("platforms", "a list of \"linux\" and \"macos\"")?
            .unwrap_or_else(|| vec![Platform::Linux, Platform::Macos]),
        default: fields.take("default", "true or false")?.unwrap_or(false),
        when: fields
            .take("when", "\"before_task\" or \"idle_only\"")?
            .unwrap_or(When::IdleOnly),
        limits: fields
            .take("limits", "keep_last, unused_days and at_most_bytes, each a whole number")?
            .unwrap_or_default(),
        what: fields
            .take(
                "what",
                "{ folders = [{ root = \"~/...\", names = [\"*\"], entries = \"all\" }] } or { command = { \
                 script = \"...\", time_limit_seconds = 60 } }",
            )?
            .ok_or_else(|| PresetError::new(&id, "what", "it must say what it does"))?,
        id,
    };
    if let Some(unknown) = fields.rest.keys().next() {
        let allowed = "there is no such field. Allowed are: id, title, touches, why, risk, platforms, \
                       default, when, limits, what";
        return Err(PresetError::new(&preset.id, unknown, allowed));
    }
    preset.check()?;
    Ok(preset)
}

struct Fields {
    id: String,
    rest: Table,
}

impl Fields {
    fn take<T: DeserializeOwned>(
        &mut self,
        field: &str,
        allowed: &str,
    ) -> Result<Option<T>, PresetError> {
        let Some(value) = self.rest.remove(field) else { return Ok(None) };
        value.try_into().map(Some).map_err(|error: toml::de::Error| {
            let found = error.message().trim_end_matches('.');
            PresetError::new(&self.id, field, format!("{found}. Allowed is: {allowed}"))
        })
    }
}

impl Preset {
    /// Whether it may be carried out at all, wherever it came from.
    pub fn check(&self) -> Result<(), PresetError> {
        let refused = |field: &str, allowed: &str| Err(PresetError::new(&self.id, field, allowed));
        let is_plain =
            |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(is_plain) {
            return refused("id", "1 to 64 lower-case letters, digits and -");
        }
        if self.platforms.is_empty() {
            return refused("platforms", "at least one of \"linux\" and \"macos\"");
        }
        self.takes(self.limits)?;
        match &self.what {
            What::Fresh | What::Kept | What::Processes => Ok(()),
            What::Folders(folders) if folders.is_empty() => {
                refused("what.folders", "at least one folder")
            }
            What::Folders(folders) => folders.iter().try_for_each(|it| self.check_folder(it)),
            What::Tool(tool) if tool.program.is_empty() => {
                refused("what.tool.program", "the name of a program")
            }
            What::Tool(tool) => self.check_limit("what.tool", tool.time_limit_seconds),
            What::Command(command) if command.script.trim().is_empty() => {
                refused("what.command.script", "commands for /bin/sh")
            }
            What::Command(command) => self.check_limit("what.command", command.time_limit_seconds),
        }
    }

    fn check_limit(&self, field: &str, seconds: u32) -> Result<(), PresetError> {
        if (1..=LONGEST_SECONDS).contains(&seconds) {
            return Ok(());
        }
        let field = format!("{field}.time_limit_seconds");
        Err(PresetError::new(&self.id, &field, format!("1 to {LONGEST_SECONDS} seconds")))
    }

    fn check_folder(&self, folders: &Folders) -> Result<(), PresetError> {
        let root = |why: &str| {
            let allowed = format!("{}: {why}", folders.root);
            Err(PresetError::new(&self.id, "what.folders.root", allowed))
        };
        let has_start = ["/", "~/", TEMP].iter().any(|start| folders.root.starts_with(start));
        let after_temp = folders.root.strip_prefix(TEMP);
        if !has_start && folders.root != "~"
            || after_temp.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        {
            return root("an absolute path, or one that begins with ~/ or {temp}");
        }
        let parts: Vec<Component<'_>> = Path::new(&folders.root).components().collect();
        if parts.contains(&Component::ParentDir) {
            return root("a path without ..");
        }
        let is_home =
            matches!(folders.root.trim_end_matches('/'), "~" | "/home" | "/Users" | "/root");
        if is_home {
            return root("it is or contains a home. Name a folder inside it");
        }
        if parts.len() < 2 && after_temp.is_none() {
            return root("it is the top of the whole file system. Name the folder itself");
        }
        if parts.get(1).is_some_and(|part| part.as_os_str() == "*") {
            return root("a * only below a folder that is named");
        }
        let names = |why: &str| Err(PresetError::new(&self.id, "what.folders.names", why));
        if folders.names.is_empty() {
            return names("at least one pattern, such as \"*.log\"");
        }
        if folders.names.iter().any(|name| name.is_empty() || name.contains('/')) {
            return names("names of entries of the folder, without /");
        }
        Ok(())
    }
}
