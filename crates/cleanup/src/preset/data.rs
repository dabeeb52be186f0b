//! A preset: one thing that clean-up can do, written down.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::around::Platform;
use super::choice::Limits;
use super::own::{self, PresetError};

/// One thing that clean-up can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Lower case, digits and `-`; stays the same for ever.
    pub id: String,
    pub title: String,
    /// Which files or things, in words.
    pub touches: String,
    pub why: String,
    pub risk: Risk,
    pub platforms: Vec<Platform>,
    /// Whether it is on until the owner decides.
    pub default: bool,
    pub when: When,
    /// Those that hold until the owner sets others. None: all that it means goes.
    #[serde(default)]
    pub limits: Limits,
    pub what: What,
}

/// What may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It is made or loaded again by itself.
    Low,
    /// It can be made again, which takes time or a network.
    Medium,
    /// It may be the only one.
    High,
}

/// When it may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At any time, before a task too, while other runners work.
    BeforeTask,
    /// Only while no task runs on the machine.
    IdleOnly,
}

/// What it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Gives each runner an empty working directory; the old one is kept.
    Fresh,
    /// Deletes working directories of earlier tasks.
    Kept,
    /// Deletes entries of folders.
    Folders(Vec<Folders>),
    /// Has a program clean up what is its own.
    Tool(Tool),
    /// Ends what tasks left running.
    Processes,
    /// The owner's.
    Command(OwnCommand),
}

/// Entries of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folders {
    /// An absolute path, or one that begins with `~` (the home) or `{temp}` (the folder for temporary
    /// files, which others share: there only what is this user's, was not used for a day and is open in
    /// no process is meant). A part that is `*` stands for each folder there.
    pub root: String,
    /// Patterns of their names, in which `*` stands for anything.
    #[serde(default = "everything")]
    pub names: Vec<String>,
    /// The names are no patterns: a `*` is a `*`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exactly: bool,
    /// What they are.
    #[serde(default)]
    pub entries: Entries,
    /// A file whose kernel lock is held while they are in use; written as a root is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

fn everything() -> Vec<String> {
    vec!["*".into()]
}

/// Which kind of entries is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entries {
    #[default]
    All,
    Folders,
    Files,
    /// Sockets that nobody listens on.
    StaleSockets,
}

/// A program that cleans up. In its words `{days}` and `{hours}` stand for the limit `unused_days`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name, looked up in the `PATH`.
    pub program: String,
    /// Files that it may be beside, since a service has a short `PATH`; each written as a root is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_at: Vec<String>,
    /// What would go.
    pub ask: Question,
    pub run: Vec<String>,
    pub time_limit_seconds: u32,
}

/// A run that changes nothing and tells what would go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub words: Vec<String>,
    pub reading: Reading,
}

/// How its answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// `docker system df --format '{{json .}}'`, and podman's: a line of JSON a kind; this is the one of
    /// containers.
    Containers,
    Images,
    BuildCache,
    /// `simctl list devices unavailable --json`.
    Simulators,
}

/// A script of the owner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCommand {
    /// Run by `/bin/sh`, in the home.
    pub script: String,
    pub time_limit_seconds: u32,
}

const FILES: &[&str] = &[
    include_str!("../../presets/fresh.toml"),
    include_str!("../../presets/kept.toml"),
    include_str!("../../presets/left-over-processes.toml"),
    include_str!("../../presets/circleci-temp.toml"),
    include_str!("../../presets/stale-sockets.toml"),
    include_str!("../../presets/docker-containers.toml"),
    include_str!("../../presets/docker-images.toml"),
    include_str!("../../presets/docker-build-cache.toml"),
    include_str!("../../presets/podman-containers.toml"),
    include_str!("../../presets/podman-images.toml"),
    include_str!("../../presets/xcode-derived-data.toml"),
    include_str!("../../presets/xcode-archives.toml"),
    include_str!("../../presets/xcode-device-support.toml"),
    include_str!("../../presets/xcode-simulators.toml"),
    include_str!("../../presets/homebrew-cache.toml"),
    include_str!("../../presets/npm-cache.toml"),
    include_str!("../../presets/pip-cache.toml"),
    include_str!("../../presets/cargo-cache.toml"),
    include_str!("../../presets/gradle-cache.toml"),
    include_str!("../../presets/cocoapods-cache.toml"),
];

/// Those that this release has. A test reads them all.
pub fn built_in() -> &'static [Preset] {
    static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        let read = |text: &&str| own::parse(&text.parse().ok()?).ok();
        FILES.iter().filter_map(read).collect()
    });
    &ALL
}

/// The one with this id: of the owner's, or built in.
pub fn find<'a>(id: &str, own: &'a [Preset]) -> Result<&'a Preset, PresetError> {
    let all = || own.iter().chain(built_in());
    all().find(|preset| preset.id == id).ok_or_else(|| {
        let known: Vec<&str> = all().map(|preset| preset.id.as_str()).collect();
        PresetError::unknown(id, &known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_preset_and_no_two_have_one_id() {
        for text in FILES {
            let read = own::parse(&text.parse().unwrap());
            assert!(read.is_ok(), "{read:?}");
        }
        let mut ids: Vec<_> = built_in().iter().map(|preset| &preset.id).collect();
        assert_eq!(ids.len(), FILES.len());
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), FILES.len());
    }

    #[test]
    fn none_is_left_out() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(files, FILES.len(), "a file in presets/ is not in the list");
    }

    /// What is on by itself must not cost anybody work.
    #[test]
    fn what_may_be_the_only_one_is_never_on_by_itself() {
        for preset in built_in() {
            assert!(preset.risk == Risk::Low || !preset.default, "{}", preset.id);
        }
    }
}
