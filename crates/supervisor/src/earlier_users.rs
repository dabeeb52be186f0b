//! A runner works at the same place when its jobs get another user, or theirs is made anew with another
//! number. What the earlier one owns there is moved beside it whole, and shown; nobody of ours acts on it.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use protocol::RunnerName;

/// In [`jobs_of`] a runner.
pub(crate) const WORK: &str = "work";
const JOBS: &str = "jobs";

/// Why the place is an earlier user's still.
#[derive(Debug)]
pub(crate) enum Stays {
    /// Or a clean-up does.
    ATaskWorksThere,
    /// Whether one does cannot be told.
    Unknown(io::Error),
    Failed {
        aside: PathBuf,
        error: io::Error,
    },
}

/// Where the job user makes folders of its own; it, and the folder that it lies in, are the owner's.
pub(crate) fn jobs_of(runner: &RunnerName, shared: &Path) -> PathBuf {
    shared.join("runners").join(runner.as_str()).join(JOBS)
}

/// Where somebody else than `user` works in the folder `jobs` that is moved aside, and there is none any more.
/// `lock` is the runner's tasks'.
pub(crate) fn make_room(jobs: &Path, user: u32, lock: &Path) -> Result<(), Stays> {
    // What others have beside it is told where it is in the way.
    if !fs::symlink_metadata(jobs.join(WORK)).is_ok_and(|about| about.uid() != user) {
        return Ok(());
    }
    // Nobody begins or cleans up in it meanwhile.
    let _alone = match File::open(lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Stays::Unknown(error)),
        Ok(file) => match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => return Err(Stays::ATaskWorksThere),
            Err(TryLockError::Error(error)) => return Err(Stays::Unknown(error)),
        },
    };
    let mut names = (1_u32..).map(|number| jobs.with_extension(number.to_string()));
    let Some(aside) = names.find(|name| fs::symlink_metadata(name).is_err()) else { return Ok(()) };
    // Nobody adds to it any more.
    fs::set_permissions(jobs, Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(jobs, &aside))
        .map_err(|error| Stays::Failed { aside: aside.clone(), error })?;
    tracing::info!(from = %jobs.display(), to = %aside.display(), "made room for another job user");
    Ok(())
}

/// Folders of earlier users. Blocking.
pub(crate) fn places(shared: &Path) -> Vec<(RunnerName, PathBuf)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(shared.join("runners")).into_iter().flatten().flatten() {
        let Some(runner) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let folders = fs::read_dir(entry.path()).into_iter().flatten().flatten();
        let earlier = folders.filter(|it| {
            let number = it
                .file_name()
                .to_str()
                .and_then(|name| name.strip_prefix(JOBS)?.strip_prefix('.')?.parse::<u32>().ok());
            number.is_some() && it.file_type().is_ok_and(|kind| kind.is_dir())
        });
        all.extend(earlier.map(|it| (RunnerName::clone(&runner), it.path())));
    }
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine {
        shared: tempfile::TempDir,
        jobs: PathBuf,
        lock: PathBuf,
        me: u32,
    }

    /// A runner's place with a working directory and what is kept beside it.
    fn machine() -> Machine {
        let shared = tempfile::tempdir().unwrap();
        let jobs = jobs_of(&"mini".parse().unwrap(), shared.path());
        fs::create_dir_all(jobs.join("work/project")).unwrap();
        fs::create_dir_all(jobs.join("work.kept/run.1")).unwrap();
        let lock = shared.path().join("mini.lock");
        let me = fs::metadata(&jobs).unwrap().uid();
        Machine { shared, jobs, lock, me }
    }

    impl Machine {
        fn found(&self) -> Vec<PathBuf> {
            places(self.shared.path()).into_iter().map(|it| it.1).collect()
        }
    }

    #[test]
    fn what_the_same_user_owns_stays() {
        let on = machine();
        make_room(&on.jobs, on.me, &on.lock).unwrap();
        assert!(on.jobs.join("work/project").exists() && on.found().is_empty());
    }

    #[test]
    fn what_another_owns_is_moved_aside_whole_each_time_under_a_free_name() {
        let on = machine();
        fs::set_permissions(&on.jobs, Permissions::from_mode(0o1777)).unwrap();
        make_room(&on.jobs, on.me + 1, &on.lock).unwrap();
        assert!(!on.jobs.exists());
        make_room(&on.jobs, on.me + 1, &on.lock).unwrap();
        fs::create_dir_all(on.jobs.join("work")).unwrap();
        make_room(&on.jobs, on.me + 1, &on.lock).unwrap();
        let [first, second] = ["jobs.1", "jobs.2"].map(|name| on.jobs.with_file_name(name));
        assert!(first.join("work/project").exists() && first.join("work.kept/run.1").exists());
        assert_eq!(fs::metadata(&first).unwrap().mode() & 0o7777, 0o755, "nobody adds to it");
        assert_eq!(on.found(), [first, second]);
    }

    #[test]
    fn what_others_have_beside_the_users_own_moves_nothing() {
        let on = machine();
        fs::remove_dir_all(on.jobs.join("work")).unwrap();
        make_room(&on.jobs, on.me + 1, &on.lock).unwrap();
        assert!(on.jobs.join("work.kept/run.1").exists() && on.found().is_empty());
    }

    #[test]
    fn nothing_is_moved_while_a_task_works_there() {
        let on = machine();
        let task = fs::File::create(&on.lock).unwrap();
        task.lock().unwrap();
        let stays = make_room(&on.jobs, on.me + 1, &on.lock).unwrap_err();
        assert!(matches!(stays, Stays::ATaskWorksThere), "{stays:?}");
        assert!(on.jobs.join("work/project").exists());
        // A clean-up, or somebody who asks, has it shared.
        task.unlock().unwrap();
        task.lock_shared().unwrap();
        assert!(make_room(&on.jobs, on.me + 1, &on.lock).is_err());
        drop(task);
        make_room(&on.jobs, on.me + 1, &on.lock).unwrap();
        assert!(!on.jobs.exists());
    }

    #[test]
    fn what_cannot_be_told_or_done_moves_nothing_and_says_why() {
        let on = machine();
        File::create(on.shared.path().join("no-folder")).unwrap();
        let stays = make_room(&on.jobs, on.me + 1, &on.shared.path().join("no-folder/lock"));
        assert!(matches!(stays, Err(Stays::Unknown(_))), "{stays:?}");
        assert!(on.jobs.join("work/project").exists());
    }

    #[test]
    fn a_link_and_other_names_are_no_place_of_an_earlier_user() {
        let on = machine();
        for name in ["jobs.x", "jobs.", "jobs.1.kept", "job.1", "task-agent"] {
            fs::create_dir(on.jobs.with_file_name(name)).unwrap();
        }
        std::os::unix::fs::symlink(&on.jobs, on.jobs.with_file_name("jobs.7")).unwrap();
        assert_eq!(on.found(), Vec::<PathBuf>::new());
    }
}
