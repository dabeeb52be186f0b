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

/// Why no clean-up takes a directory that a job chose.
pub(super) const NOT_OURS: &str =
    "A job chose it, and no clean-up takes what lies outside the runner's own folders.";

/// What is known of one without measuring it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) runner: RunnerName,
    pub(crate) kind: WorkDirKind,
    pub(crate) path: PathBuf,
    pub(crate) inode: u64,
    /// When its name or rights last changed: for one that was kept, when that was.
    pub(crate) since: Option<Timestamp>,
    pub(crate) user: Option<String>,
    pub(crate) lock: PathBuf,
    pub(crate) never_delete: bool,
    /// The last in it, where that is known.
    pub(crate) task: Option<TaskId>,
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

/// Those that are there. Blocking.
pub(crate) fn list(parties: &[Party], chosen: &[Chosen]) -> Vec<Folder> {
    let mut found = Vec::new();
    for Party { user, around, left, named: _ } in parties {
        for runner in around.runners.iter().chain(left) {
            let Ok(name) = runner.name.parse::<RunnerName>() else { continue };
            let is_left = left.contains(runner);
            let mut add = |path: PathBuf, kind, task| {
                let Ok(about) = fs::symlink_metadata(&path) else { return };
                if !about.is_dir() {
                    return;
                }
                found.push(Folder {
                    runner: name.clone(),
                    kind,
                    inode: about.ino(),
                    since: Timestamp::new(
                        about.ctime(),
                        i32::try_from(about.ctime_nsec()).unwrap_or(0),
                    )
                    .ok(),
                    user: user.clone(),
                    lock: runner.lock.clone(),
                    never_delete: around.is_marked(&path),
                    path,
                    task,
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
            let entries = fs::read_dir(&runner.kept).into_iter().flatten().flatten();
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

    pub(super) fn key(&self) -> (u64, Option<Timestamp>) {
        (self.inode, self.since)
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
                match in_use(&self.lock) {
                    InUse::Free(_) => used,
                    InUse::Held => WorkDirUse::InUse,
                    InUse::Unknown(_) => WorkDirUse::Unknown,
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
        let theirs = (self.kind == WorkDirKind::Chosen).then(|| NOT_OURS.to_owned());
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
                .or(self.since.filter(|_| self.kind == WorkDirKind::Kept)),
            project: known.as_ref().and_then(|task| task.project.clone()),
            job: known.as_ref().and_then(|task| task.job.clone()),
            task: self.task.clone(),
            job_user: self.user.clone(),
            in_use,
            never_delete: self.never_delete,
            kept_because: kept_because.or(theirs).or(marked),
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
