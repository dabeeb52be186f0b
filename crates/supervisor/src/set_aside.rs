//! A runner works at the same place when its jobs get another user, or theirs is made anew with another
//! number. What the earlier one owns there is moved beside it, stays as it is, and is shown among what is left.

use std::path::{Path, PathBuf};
use std::{fs, io};

use cleanup::{InUse, in_use};
use protocol::RunnerName;

use crate::cleanup::kept_beside;

/// In [`jobs_of`] a runner.
pub(crate) const WORK: &str = "work";

/// Where job users of that runner make folders of their own; the folder itself is the owner's.
pub(crate) fn jobs_of(runner: &RunnerName, shared: &Path) -> PathBuf {
    shared.join("runners").join(runner.as_str()).join("jobs")
}

/// Moves aside what others than `user` own at `work` and beside it, where earlier directories are kept.
/// An error changes nothing, or leaves a part that the next call moves.
pub(crate) fn make_room(work: &Path, user: u32, lock: &Path) -> io::Result<()> {
    let Some(before) = both(work).iter().find_map(|it| owner(it).filter(|it| *it != user)) else {
        return Ok(());
    };
    // Nobody begins or cleans up there meanwhile.
    let _free = match in_use(lock) {
        InUse::Free(lock) => lock,
        InUse::Held => return Err(io::Error::other("a task works there")),
        InUse::Unknown(error) => return Err(error),
    };
    let is_free = |aside: &PathBuf| both(aside).iter().all(|it| owner(it).is_none());
    let aside = (1..=u32::MAX).map(|number| aside(work, before, number)).find(is_free);
    let aside = aside.ok_or_else(|| io::Error::other("no name is free beside it"))?;
    let all = both(work).into_iter().zip(both(&aside));
    for (from, to) in all.filter(|(from, _)| owner(from).is_some_and(|it| it != user)) {
        fs::rename(&from, &to)?;
        tracing::info!(from = %from.display(), to = %to.display(), "made room for another job user");
    }
    Ok(())
}

/// Where jobs of earlier users worked, with the number of each. Blocking.
pub(crate) fn set_aside(shared: &Path) -> Vec<(RunnerName, PathBuf, u32)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(shared.join("runners")).into_iter().flatten().flatten() {
        let Some(runner) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let jobs = fs::read_dir(jobs_of(&runner, shared)).into_iter().flatten().flatten();
        let folders = jobs.filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir()));
        all.extend(folders.filter_map(|it| {
            let name = it.file_name();
            let (name, user) = whose(name.to_str()?)?;
            Some((runner.clone(), it.path().with_file_name(name), user))
        }));
    }
    all
}

fn both(work: &Path) -> [PathBuf; 2] {
    [work.to_owned(), kept_beside(work)]
}

fn owner(path: &PathBuf) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).ok().map(|about| about.uid())
}

/// `work.1001`, or `work.1001.2` where that is taken.
fn aside(work: &Path, user: u32, number: u32) -> PathBuf {
    let again = if number == 1 { String::new() } else { format!(".{number}") };
    work.with_file_name(format!("{WORK}.{user}{again}"))
}

/// Of the name of such a folder, or of that where its earlier ones are kept: the former, and the user.
fn whose(name: &str) -> Option<(&str, u32)> {
    let name = name.strip_suffix(".kept").unwrap_or(name);
    let mut parts = name.strip_prefix(WORK)?.strip_prefix('.')?.split('.').map(str::parse::<u32>);
    let user = parts.next()?.ok()?;
    parts.all(|again| again.is_ok()).then_some((name, user))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// The place of a runner's jobs, with a working directory and what is kept beside it.
    fn place() -> (tempfile::TempDir, PathBuf, PathBuf, u32) {
        let shared = tempfile::tempdir().unwrap();
        let work = jobs_of(&"mini".parse().unwrap(), shared.path()).join(WORK);
        fs::create_dir_all(work.join("project")).unwrap();
        fs::create_dir_all(kept_beside(&work).join("run.1")).unwrap();
        let lock = shared.path().join("mini.lock");
        let me = fs::metadata(&work).unwrap().uid();
        (shared, work, lock, me)
    }

    fn found(shared: &Path) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = set_aside(shared).into_iter().map(|it| it.1).collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn what_the_same_user_owns_stays() {
        let (shared, work, lock, me) = place();
        make_room(&work, me, &lock).unwrap();
        assert!(work.join("project").exists() && found(shared.path()).is_empty());
    }

    #[test]
    fn what_another_owns_is_moved_beside_it_whole_each_time_under_a_free_name() {
        let (shared, work, lock, me) = place();
        make_room(&work, me + 1, &lock).unwrap();
        assert!(!work.exists() && !kept_beside(&work).exists());
        fs::create_dir(&work).unwrap();
        make_room(&work, me + 1, &lock).unwrap();
        let [first, second] = [1, 2].map(|number| aside(&work, me, number));
        assert!(first.join("project").exists() && kept_beside(&first).join("run.1").exists());
        assert_eq!(found(shared.path()), [first, second]);
        assert!(set_aside(shared.path()).iter().all(|it| it.2 == me));
    }

    #[test]
    fn nothing_is_moved_while_a_task_works_there() {
        let (_shared, work, lock, me) = place();
        let task = fs::File::create(&lock).unwrap();
        task.lock().unwrap();
        let error = make_room(&work, me + 1, &lock).unwrap_err();
        assert!(error.to_string().contains("a task works there"), "{error}");
        assert!(work.join("project").exists());
        drop(task);
        make_room(&work, me + 1, &lock).unwrap();
        assert!(!work.exists());
    }

    #[test]
    fn moved_in_half_the_next_call_moves_the_rest() {
        let (shared, work, lock, me) = place();
        fs::rename(&work, aside(&work, me, 1)).unwrap();
        make_room(&work, me + 1, &lock).unwrap();
        assert!(!kept_beside(&work).exists());
        assert_eq!(found(shared.path()), [1, 2].map(|number| aside(&work, me, number)));
    }

    #[test]
    fn other_names_are_nobodys_of_ours() {
        for name in ["work", "work.kept", "work.", "work.me", "work.1.x", "works.1", ".work.1"] {
            assert_eq!(whose(name), None, "{name}");
        }
        assert_eq!(whose("work.1001.2.kept"), Some(("work.1001.2", 1001)));
    }
}
