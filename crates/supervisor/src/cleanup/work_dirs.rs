//! The working directories there are: each runner's own, those that earlier tasks had, those that no runner
//! works in any more, and those that jobs chose for themselves, which are shown and never cleaned up.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cleanup::{InUse, in_use, is_from_before, is_trash};
use jiff::Timestamp;
use protocol::{
    Bytes, FinishedTask, RunnerName, TaskId, WorkDir, WorkDirId, WorkDirKind, WorkDirShort,
    WorkDirUse,
};

use super::around::Party;
use crate::history::Chosen;

/// What is known of one without measuring it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) runner: RunnerName,
    pub(crate) kind: WorkDirKind,
    pub(crate) path: PathBuf,
    pub(crate) about: About,
    pub(crate) user: Option<String>,
    /// None: no task can work there.
    pub(crate) lock: Option<PathBuf>,
    pub(crate) never_delete: bool,
    /// The last in it, where that is known.
    pub(crate) task: Option<TaskId>,
    /// Of somebody who was the runner's job user once.
    pub(super) of_earlier_user: bool,
}

/// As the file system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About {
    inode: u64,
    /// When its name or rights last changed: for one that was kept, when that was.
    since: Option<Timestamp>,
}

impl About {
    /// Of a directory, and nothing else.
    fn of(path: &Path) -> Option<Self> {
        let about = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_dir)?;
        let nanos = i32::try_from(about.ctime_nsec()).unwrap_or(0);
        Some(Self { inode: about.ino(), since: Timestamp::new(about.ctime(), nanos).ok() })
    }
}

/// What was measured of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    pub(crate) used: Option<Timestamp>,
}

/// By the number of a folder and when it got its name: numbers are given again, and what was measured
/// before a task is not so after it.
pub(crate) type Sizes = BTreeMap<(u64, Option<Timestamp>), Measured>;

/// Those that are there; `earlier` are places of earlier job users. Blocking.
pub(crate) fn list(
    parties: &[Party],
    chosen: &[Chosen],
    earlier: Vec<(RunnerName, PathBuf)>,
) -> Vec<Folder> {
    let mut found = Vec::new();
    for Party { user, around, left, named: _ } in parties {
        for runner in around.runners.iter().chain(left) {
            let Ok(name) = runner.name.parse::<RunnerName>() else { continue };
            let is_left = left.contains(runner);
            let mut add = |path: PathBuf, kind, task| {
                let Some(about) = About::of(&path) else { return };
                found.push(Folder {
                    runner: name.clone(),
                    kind,
                    about,
                    user: user.clone(),
                    lock: Some(runner.lock.clone()),
                    never_delete: around.is_marked(&path),
                    path,
                    task,
                    of_earlier_user: false,
                });
            };
            let (work, kept) = if is_left {
                (WorkDirKind::Left, WorkDirKind::Left)
            } else {
                (WorkDirKind::Current, WorkDirKind::Kept)
            };
            if !is_left || !is_empty(&runner.work) {
                add(runner.work.clone(), work, None);
            }
            // A link would lead to what nobody kept.
            let entries = About::of(&runner.kept).and_then(|_| fs::read_dir(&runner.kept).ok());
            let entries = entries.into_iter().flatten().flatten();
            for entry in entries.filter(|entry| !is_trash(&entry.file_name())) {
                add(entry.path(), kept, task_of(&entry.path()));
            }
            if is_left {
                continue;
            }
            // One inside a directory above is a part of that.
            let is_listed =
                |path: &Path| path.starts_with(&runner.work) || path.starts_with(&runner.kept);
            for it in chosen.iter().filter(|it| it.runner == name && !is_listed(&it.path)) {
                add(it.path.clone(), WorkDirKind::Chosen, Some(it.task.clone()));
            }
        }
    }
    // A mark that was given before names it as it was called then.
    let is_marked = |path: &Path| parties.iter().any(|party| party.around.is_marked(path));
    found.extend(earlier.into_iter().filter_map(|(runner, path)| {
        Some(Folder {
            runner,
            kind: WorkDirKind::Left,
            about: About::of(&path)?,
            never_delete: is_marked(&path) || is_marked(&path.with_extension("")),
            path,
            user: None,
            lock: None,
            task: None,
            of_earlier_user: true,
        })
    }));
    found
}

/// But for what waits for its end.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|it| it.is_ok_and(|it| is_trash(&it.file_name()))))
}

/// A directory is kept under the name of the last task in it.
fn task_of(kept: &Path) -> Option<TaskId> {
    let name = kept.file_name()?.to_str()?;
    (name.contains('.') && !is_from_before(name)).then(|| TaskId::from(name))
}

impl Folder {
    pub(crate) fn id(&self) -> WorkDirId {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        WorkDirId(match self.kind {
            WorkDirKind::Current => self.runner.to_string(),
            WorkDirKind::Kept | WorkDirKind::Other => format!("{}/{name}", self.runner),
            // Jobs may choose several of one name, and a runner may have worked in several.
            WorkDirKind::Chosen | WorkDirKind::Left => {
                format!("{}:{}", self.runner, self.path.display())
            }
        })
    }

    /// Why no clean-up takes it, and who may.
    pub(super) fn not_ours(&self) -> Option<(&'static str, String)> {
        if self.kind == WorkDirKind::Chosen {
            let why =
                "A job chose it, and no clean-up takes what lies outside the runner's own folders.";
            let way_out =
                "Delete it yourself, or name its folder in a clean-up preset of your own.";
            return Some((why, way_out.to_owned()));
        }
        self.of_earlier_user.then(|| {
            let why = "It is of an earlier job user, whose jobs do not run here any more.";
            let path = cleanup::quoted(&self.path.as_path().into());
            (why, format!("An admin deletes it: `sudo rm -rf -- {path}`."))
        })
    }

    pub(super) fn key(&self) -> (u64, Option<Timestamp>) {
        (self.about.inode, self.about.since)
    }

    pub(crate) fn shown(
        &self,
        sizes: &Sizes,
        task_of: impl Fn(&TaskId) -> Option<FinishedTask>,
        used: WorkDirUse,
    ) -> WorkDir {
        let measured = sizes.get(&self.key());
        let known = self.task.as_ref().and_then(task_of);
        let in_use = match self.kind {
            WorkDirKind::Kept => WorkDirUse::Free,
            WorkDirKind::Current | WorkDirKind::Chosen | WorkDirKind::Left | WorkDirKind::Other => {
                match self.lock.as_deref().map(in_use) {
                    Some(InUse::Free(_)) => used,
                    Some(InUse::Held) => WorkDirUse::InUse,
                    Some(InUse::Unknown(_)) => WorkDirUse::Unknown,
                    None => WorkDirUse::Free,
                }
            }
        };
        let kept_because = match in_use {
            WorkDirUse::Free => None,
            WorkDirUse::InUse => Some("A task works in it.".to_owned()),
            WorkDirUse::Unknown => Some(
                "Whether a task works in it cannot be told, so it counts as in use.".to_owned(),
            ),
        };
        let not_ours = self.not_ours().map(|(why, way_out)| {
            if self.of_earlier_user { format!("{why} {way_out}") } else { why.to_owned() }
        });
        let marked = self.never_delete.then(|| "You marked it as never to be deleted.".to_owned());
        WorkDir {
            id: self.id(),
            runner: self.runner.clone(),
            kind: self.kind,
            path: cleanup::Place::from(self.path.as_path()).to_string(),
            size: measured.map(|it| Bytes(it.bytes)),
            files: measured.map(|it| it.files),
            used_at: known
                .as_ref()
                .map(|task| task.finished_at)
                .or_else(|| measured.and_then(|it| it.used))
                .or(self.about.since.filter(|_| self.kind == WorkDirKind::Kept)),
            project: known.as_ref().and_then(|task| task.project.clone()),
            job: known.as_ref().and_then(|task| task.job.clone()),
            task: self.task.clone(),
            job_user: self.user.clone(),
            in_use,
            never_delete: self.never_delete,
            kept_because: kept_because.or(marked).or(not_ours),
        }
    }
}

/// The largest first, those whose size is not known at the end.
pub(crate) fn sort(directories: &mut [WorkDir]) {
    directories.sort_by(|a, b| {
        let size = |dir: &WorkDir| dir.size.map(|bytes| bytes.0);
        size(b).cmp(&size(a)).then_with(|| a.id.cmp(&b.id))
    });
}

/// For the tray.
pub(crate) fn short(directories: &[WorkDir]) -> Vec<WorkDirShort> {
    let title = |dir: &WorkDir| {
        let project = dir.project.as_deref();
        let project = project.map(|it| it.rsplit_once('/').map_or(it, |(_, name)| name).to_owned());
        project.unwrap_or_else(|| match dir.kind {
            WorkDirKind::Current => dir.runner.to_string(),
            WorkDirKind::Kept | WorkDirKind::Chosen | WorkDirKind::Left | WorkDirKind::Other => {
                dir.id.0.rsplit_once('/').map_or(dir.id.0.clone(), |(_, name)| name.to_owned())
            }
        })
    };
    let short = |dir: &WorkDir| WorkDirShort {
        id: dir.id.clone(),
        runner: dir.runner.clone(),
        title: title(dir),
        path: dir.path.clone(),
        size: dir.size,
    };
    directories.iter().map(short).collect()
}
