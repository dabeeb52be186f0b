//! Where runners worked that were removed, or work elsewhere now: what they left is shown, and goes where its
//! owner names it, never by a rule. Places are remembered; nothing is deleted here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cleanup::is_trash;
use cleanup::preset::RunnerAround;
use host::Folders;
use protocol::RunnerName;
use serde::{Deserialize, Serialize};

use super::around::{kept_beside, lock_of};
use crate::settings::Settings;
use crate::supervisor::Supervisor;

const VERSION: u32 = 1;
const LONGEST: u64 = 1 << 20;

/// Where a runner works, or worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(super) runner: RunnerName,
    pub(super) work: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) job_user: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    places: Vec<Place>,
}

impl Place {
    pub(super) fn around(&self, folders: &Folders) -> RunnerAround {
        RunnerAround {
            name: self.runner.to_string(),
            kept: kept_beside(&self.work),
            lock: lock_of(&self.runner, folders),
            work: self.work.clone(),
        }
    }

    fn is_there(&self) -> bool {
        self.work.is_dir() || kept_beside(&self.work).is_dir()
    }
}

/// Whether something of ours waits there for its end.
pub(super) fn has_trash(left: &RunnerAround) -> bool {
    [&left.work, &left.kept].into_iter().any(|folder| {
        std::fs::read_dir(folder)
            .is_ok_and(|entries| entries.flatten().any(|it| is_trash(&it.file_name())))
    })
}

/// Where runners work by these settings.
fn in_use(settings: &Settings, folders: &Folders) -> Vec<Place> {
    let place = |(name, of): (&RunnerName, &crate::settings::RunnerSettings)| Place {
        runner: name.clone(),
        work: crate::places::of(name, of, folders).working_directory,
        job_user: of.job_user.clone(),
    };
    settings.runners.iter().map(place).collect()
}

/// Those that are there still and that no runner works in. Blocking.
pub(super) fn left(settings: &Settings, folders: &Folders) -> Vec<Place> {
    let used = in_use(settings, folders);
    let mut all = match read(&file(folders)) {
        Ok(places) => places,
        Err(error) => {
            tracing::warn!(%error, "where runners worked before is not known");
            Vec::new()
        }
    };
    // One that was removed while nobody looked worked where they all do without a word.
    let usual = std::fs::read_dir(folders.data.join("runners")).into_iter().flatten().flatten();
    all.extend(usual.filter_map(|entry| {
        let runner = entry.file_name().to_str()?.parse().ok()?;
        Some(Place { runner, work: entry.path().join("work"), job_user: None })
    }));
    let mut seen: Vec<PathBuf> = used.into_iter().map(|it| it.work).collect();
    all.retain(|it| {
        let is_new = !seen.contains(&it.work);
        seen.push(it.work.clone());
        is_new && it.is_there()
    });
    all
}

impl Supervisor {
    /// The settings were read: remembers where a runner worked before them.
    pub(crate) fn note_what_is_left(&mut self) {
        let Ok(settings) = &self.settings else { return };
        let now = in_use(settings, &self.folders);
        let before = std::mem::replace(&mut self.cleaning.works_in, now);
        let is_used = |it: &Place| self.cleaning.works_in.iter().any(|now| now.work == it.work);
        let gone: Vec<Place> = before.into_iter().filter(|it| !is_used(it)).collect();
        if gone.is_empty() {
            return;
        }
        if let Err(error) = remember(&file(&self.folders), gone) {
            tracing::warn!(%error, "what a runner leaves is not shown later");
        }
    }
}

fn file(folders: &Folders) -> PathBuf {
    folders.state.join("left-work-dirs.json")
}

/// What cannot be read, or is of a later release, is not written over.
fn remember(file: &Path, gone: Vec<Place>) -> std::io::Result<()> {
    let mut places = read(file)?;
    places.retain(|it| it.is_there() && gone.iter().all(|gone| gone.work != it.work));
    places.extend(gone);
    let record = Record { version: VERSION, places };
    run_dir::write_atomically(file, &serde_json::to_vec(&record)?)
}

fn read(file: &Path) -> std::io::Result<Vec<Place>> {
    let text = match run_dir::read_at_most(file, LONGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let record: Record = serde_json::from_slice(&text)?;
    if record.version > VERSION {
        return Err(std::io::Error::other(format!("{} is of a later release", file.display())));
    }
    Ok(record.places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(work: &Path) -> Place {
        Place {
            runner: "mini".parse().unwrap(),
            work: work.to_owned(),
            job_user: Some("ci".into()),
        }
    }

    #[test]
    fn where_a_runner_worked_is_remembered_as_long_as_something_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("left.json");
        assert_eq!(read(&file).unwrap(), []);
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        std::fs::create_dir_all(kept_beside(&one)).unwrap();
        remember(&file, vec![place(&one)]).unwrap();
        remember(&file, vec![place(&two)]).unwrap();
        remember(&file, vec![place(&two)]).unwrap();
        assert_eq!(read(&file).unwrap(), [place(&one), place(&two)]);
        std::fs::remove_dir(kept_beside(&one)).unwrap();
        remember(&file, vec![place(&two)]).unwrap();
        assert_eq!(read(&file).unwrap(), [place(&two)]);
    }

    #[test]
    fn what_cannot_be_read_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("left.json");
        for text in ["torn", "{\"version\":2,\"places\":[]}", ""] {
            run_dir::write_atomically(&file, text.as_bytes()).unwrap();
            assert!(remember(&file, vec![place(folder.path())]).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }

    #[test]
    fn those_of_runners_that_are_and_those_that_are_gone_are_left_out() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        let work = |name: &str| folders.data.join("runners").join(name).join("work");
        for name in ["mini", "gone"] {
            std::fs::create_dir_all(work(name)).unwrap();
        }
        for folder in [&folders.state, &folders.config] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let elsewhere = home.path().join("elsewhere");
        remember(&file(&folders), vec![place(&elsewhere), place(&work("mini"))]).unwrap();
        let text = "[[runner]]\nname = \"mini\"\nresource_class = \"acme/mini\"\n";
        run_dir::write_atomically(&folders.settings_file(), text.as_bytes()).unwrap();
        let settings = Settings::read(&folders.settings_file()).unwrap();
        let works = || -> Vec<PathBuf> {
            left(&settings, &folders).into_iter().map(|it| it.work).collect()
        };
        assert_eq!(works(), [work("gone")]);
        std::fs::create_dir_all(&elsewhere).unwrap();
        assert_eq!(works(), [elsewhere, work("gone")]);
    }
}
