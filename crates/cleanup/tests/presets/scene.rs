//! A home, a folder for temporary files and a runner, all in one temporary folder.

use std::fs::{self, FileTimes};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cleanup::preset::{
    Around, Choice, Detail, Done, Draft, FreeGoal, Group, GroupDone, Platform, RunnerAround, Undo,
    carry_out, draft,
};
use cleanup::work::{Request, Said};
use cleanup::{Progress, Stop};
use jiff::Timestamp;

pub(crate) struct Scene {
    _folder: tempfile::TempDir,
    pub(crate) around: Around,
    /// Of drafts: the true time, and some days more.
    pub(crate) now: Timestamp,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let [home, temp] = ["home", "temp"].map(|name| path.join(name));
        for folder in [&home, &temp, &path.join("runner/work")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::set_permissions(&temp, fs::Permissions::from_mode(0o1777)).unwrap();
        let runner = RunnerAround {
            name: "one".into(),
            work: path.join("runner/work"),
            kept: path.join("runner/work.kept"),
            lock: path.join("runner/task.lock"),
        };
        let env = std::env::var_os("PATH").unwrap();
        let around = Around {
            platform: Platform::here(),
            home,
            temp,
            path: std::env::split_paths(&env).collect(),
            runners: vec![runner],
            left_over: Vec::new(),
            never_delete: Vec::new(),
            idle: true,
            others: false,
        };
        Self { _folder: folder, around, now: true_time() }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.around.home
    }

    pub(crate) fn runner(&self) -> &RunnerAround {
        &self.around.runners[0]
    }

    /// The clock of what follows: so many days from now.
    pub(crate) fn in_days(&mut self, days: i64) {
        self.now = Timestamp::from_second(true_time().as_second() + days * 86_400).unwrap();
    }

    pub(crate) fn draft(&self, choices: &[Choice], detail: Detail) -> Draft {
        self.draft_for(choices, &[], detail)
    }

    pub(crate) fn draft_for(
        &self,
        choices: &[Choice],
        goals: &[FreeGoal],
        detail: Detail,
    ) -> Draft {
        let (stop, progress) = (Stop::never(), Progress::default());
        let made = draft(choices, &self.around, goals, detail, self.now, &stop, &progress);
        // It goes through a pipe on its way.
        let json = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Draft>(&json).unwrap(), made);
        made
    }

    pub(crate) fn group(&self, choice: Choice) -> Group {
        self.draft(&[choice], Detail::Measured).groups.remove(0)
    }

    pub(crate) fn carry_out(&self, draft: &Draft) -> Done {
        let done = carry_out(draft, Undo::Gone, self.now, &Stop::never(), &Progress::default());
        let json = serde_json::to_string(&done).unwrap();
        assert_eq!(serde_json::from_str::<Done>(&json).unwrap(), done);
        done
    }

    /// Draft and do it; what the draft said and what was done.
    pub(crate) fn clean(&self, choice: Choice) -> (Group, GroupDone) {
        let mut draft = self.draft(&[choice], Detail::Measured);
        let mut done = self.carry_out(&draft);
        (draft.groups.remove(0), done.groups.remove(0))
    }
}

/// The answer of a process that cleans up.
pub(crate) fn asked(request: &Request) -> Said {
    let line = serde_json::to_vec(request).unwrap();
    let mut said = Vec::new();
    cleanup::work::serve(&*line, &mut said, true_time(), &Stop::never()).unwrap();
    let last = said.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap();
    serde_json::from_slice(last).unwrap()
}

/// What goes, by the ends of its paths.
pub(crate) fn named(group: &Group) -> Vec<String> {
    let items = group.plan.iter().flat_map(|plan| &plan.items);
    let mut names: Vec<String> = items.map(|item| item.path.to_string()).collect();
    names.sort();
    names
}

#[expect(
    clippy::disallowed_methods,
    reason = "files that are made now are as old as the clock says"
)]
pub(crate) fn true_time() -> Timestamp {
    Timestamp::now()
}

/// A file with so many bytes on disk, and the folders above it.
pub(crate) fn fill(path: &Path, bytes: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(&vec![7; bytes]).unwrap();
    file.sync_all().unwrap();
}

/// As if last read so many days ago; when it was changed nobody can set.
pub(crate) fn read_days_ago(path: &Path, days: u64) {
    #[expect(clippy::disallowed_methods, reason = "as above")]
    let then = SystemTime::now() - Duration::from_secs(days * 86_400);
    let file = fs::File::open(path).unwrap();
    file.set_times(FileTimes::new().set_accessed(then).set_modified(then)).unwrap();
}

/// A program with this script, first in the PATH.
pub(crate) fn stand_in(scene: &mut Scene, name: &str, script: &str) -> PathBuf {
    let folder = scene.home().join("stand-ins");
    fill(&folder.join(name), 0);
    let mut file = fs::File::create(folder.join(name)).unwrap();
    write!(file, "#!/bin/sh\n{script}\n").unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    if scene.around.path[0] != folder {
        scene.around.path.insert(0, folder.clone());
    }
    folder.join(name)
}
