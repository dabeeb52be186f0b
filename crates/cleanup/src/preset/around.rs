//! Where clean-up runs: folders, runners, and what is known of them beside the disk.

use std::path::{Path, PathBuf};

use process::ProcessId;
use serde::{Deserialize, Serialize};

use crate::marks::{Marks, places_of};

/// What a draft is made for. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    #[serde(default = "Platform::here")]
    pub platform: Platform,
    /// Of the user whose things are cleaned.
    pub home: PathBuf,
    /// For temporary files.
    pub temp: PathBuf,
    /// Where programs are looked for, the first first.
    pub path: Vec<PathBuf>,
    pub runners: Vec<RunnerAround>,
    /// Processes that tasks left running.
    #[serde(default)]
    pub left_over: Vec<LeftOver>,
    /// Whole paths that the owner marked: they, what is in them, and what they are in stay.
    #[serde(default)]
    pub never_delete: Vec<PathBuf>,
    /// No task runs on the machine.
    pub idle: bool,
    /// Other users' clean-ups look at the same machine: what is theirs in a folder that is nobody's home
    /// is left to them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub others: bool,
}

/// A runner's folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerAround {
    pub name: String,
    /// Its working directory.
    pub work: PathBuf,
    /// Beside it: working directories of earlier tasks, one a task.
    pub kept: PathBuf,
    /// A file whose kernel lock a task holds while it uses `work`.
    pub lock: PathBuf,
}

/// A process that a task left running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOver {
    pub process: ProcessId,
    /// Which program, of which task.
    pub words: String,
}

/// A system that presets are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Linux,
    Macos,
}

/// How the folder for temporary files is written.
pub(crate) const TEMP: &str = "{temp}";

impl Platform {
    /// This one.
    pub fn here() -> Self {
        if std::env::consts::OS == "macos" { Self::Macos } else { Self::Linux }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Macos => "macOS",
        }
    }
}

impl Around {
    /// Whether the owner marked the path, something in it, or what it is in.
    pub fn is_marked(&self, path: &Path) -> bool {
        let marks = Marks::of(&self.never_delete);
        places_of(path).iter().any(|place| marks.hold(place))
    }

    /// The locks of all runners' tasks but of these, which lie in the same folder. None: they cannot be asked,
    /// as by a job user.
    pub(crate) fn other_tasks(&self) -> Option<Vec<PathBuf>> {
        let own: Vec<&Path> = self.runners.iter().map(|runner| &*runner.lock).collect();
        let entries = std::fs::read_dir(own.first()?.parent()?).ok()?;
        let paths = entries.map(|entry| Some(entry.ok()?.path())).collect::<Option<Vec<_>>>()?;
        let is_other = |path: &PathBuf| {
            path.extension().is_some_and(|it| it == "lock") && !own.contains(&&**path)
        };
        Some(paths.into_iter().filter(is_other).collect())
    }

    /// Whether it is a runner's working directory, or where its earlier ones are kept.
    pub(crate) fn is_a_runners(&self, folder: &Path) -> bool {
        self.runners.iter().any(|runner| folder == runner.work || folder == runner.kept)
    }

    /// Whether entries of others in that folder are for others to clean up.
    pub(crate) fn is_anybodys(&self, written: &str, folder: &Path) -> bool {
        let is_of = |runner: &RunnerAround| {
            folder.starts_with(&runner.work) || folder.starts_with(&runner.kept)
        };
        self.others && !written.starts_with('~') && !self.runners.iter().any(is_of)
    }

    /// A path as a preset writes it.
    pub(crate) fn place(&self, written: &str) -> PathBuf {
        let below = |folder: &Path, rest: &str| match rest.trim_start_matches('/') {
            "" => folder.to_owned(),
            rest => folder.join(rest),
        };
        if let Some(rest) = written.strip_prefix(TEMP) {
            return below(&self.temp, rest);
        }
        match written.strip_prefix('~') {
            Some(rest) => below(&self.home, rest),
            None => written.into(),
        }
    }

    /// The same, with each folder that a `*` stands for; none that is reached through a link.
    pub(crate) fn places(&self, written: &str) -> Vec<PathBuf> {
        let mut places = vec![PathBuf::from("/")];
        for part in self.place(written).components().skip(1) {
            if part.as_os_str() != "*" {
                for place in &mut places {
                    place.push(part);
                }
                continue;
            }
            places = places.iter().flat_map(|place| folders_in(place)).collect();
        }
        places
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    folders.retain(|path| !path.file_name().is_some_and(crate::is_trash));
    folders.sort();
    folders
}
