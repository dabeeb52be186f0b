//! What the owner chose: presets, and their limits.

use serde::{Deserialize, Serialize};

use super::data::{Preset, Tool, What, find};
use super::own::PresetError;

/// A preset that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub preset: Chosen,
    /// Any that is set replaces all of the preset's.
    #[serde(default)]
    pub limits: Limits,
}

/// By its id, or written out where it is the owner's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chosen {
    BuiltIn(String),
    Own(Box<Preset>),
}

/// What stays. An entry goes if one of them names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most recently used so many stay (of each runner, if they are its directories).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<usize>,
    /// What was not used for more days goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
    /// The least recently used go until the others together have at most so many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_bytes: Option<u64>,
}

/// A limit that a preset cannot heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTaken {
    pub field: &'static str,
    pub allowed: &'static str,
}

impl Choice {
    /// A built-in one, with its own limits.
    pub fn built_in(id: &str) -> Self {
        Self { preset: Chosen::BuiltIn(id.to_owned()), limits: Limits::default() }
    }

    /// One of the owner's, with its own limits.
    pub fn own(preset: Preset) -> Self {
        Self { preset: Chosen::Own(Box::new(preset)), limits: Limits::default() }
    }

    /// The preset and the limits that hold; words if there is no such preset, it is not sound, or it
    /// cannot heed a limit.
    pub fn resolved(&self) -> Result<(&Preset, Limits), PresetError> {
        let preset = match &self.preset {
            Chosen::BuiltIn(id) => find(id, &[])?,
            Chosen::Own(preset) => {
                preset.check()?;
                preset
            }
        };
        preset.takes(self.limits)?;
        let is_set = self.limits != Limits::default();
        Ok((preset, if is_set { self.limits } else { preset.limits }))
    }
}

impl Limits {
    /// The first of those that are set and not among `taken`.
    pub(crate) fn beside(&self, taken: &'static [&'static str]) -> Option<NotTaken> {
        let set = [
            ("keep_last", self.keep_last.is_some()),
            ("unused_days", self.unused_days.is_some()),
            ("at_most_bytes", self.at_most_bytes.is_some()),
        ];
        let field = set.iter().find(|(name, set)| *set && !taken.contains(name))?.0;
        let allowed = match taken {
            [] => "it takes no limits",
            [_] => "it takes only unused_days",
            [..] => "it takes keep_last, unused_days and at_most_bytes",
        };
        Some(NotTaken { field, allowed })
    }
}

impl Preset {
    /// Which limits it heeds.
    pub fn limits_taken(&self) -> &'static [&'static str] {
        match &self.what {
            What::Kept | What::Folders(_) => &["keep_last", "unused_days", "at_most_bytes"],
            What::Tool(tool) if tool.heeds_days() => &["unused_days"],
            What::Fresh | What::Tool(_) | What::Processes | What::Command(_) => &[],
        }
    }

    pub(crate) fn takes(&self, limits: Limits) -> Result<(), PresetError> {
        match limits.beside(self.limits_taken()) {
            None => Ok(()),
            Some(NotTaken { field, allowed }) => {
                Err(PresetError::new(&self.id, &format!("limits.{field}"), allowed))
            }
        }
    }
}

impl Tool {
    pub(crate) fn heeds_days(&self) -> bool {
        let words = self.run.iter().chain(&self.ask.words);
        words.into_iter().any(|word| word.contains("{days}") || word.contains("{hours}"))
    }
}
