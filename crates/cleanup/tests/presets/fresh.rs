//! An empty working directory for each task.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use cleanup::preset::{Choice, FreshError, Freshened, Outcome, fresh};

use crate::around::{Mounted, again, as_nobody, in_own_mounts, within};
use crate::scene::{Scene, fill};

fn fresh_of(scene: &Scene, task: &str) -> Result<Freshened, FreshError> {
    fresh(&scene.runner().work, &scene.runner().kept, task)
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_old_one_is_kept_whole_and_the_new_one_has_its_rights_and_owner() {
    let scene = Scene::new();
    let (work, kept) = (&scene.runner().work, &scene.runner().kept);
    fill(&work.join("project/file"), 10);
    fs::set_permissions(work, fs::Permissions::from_mode(0o2751)).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(work, Some(65534), Some(65533)).unwrap();
    }
    let before = fs::metadata(work).unwrap();
    assert_eq!(fresh_of(&scene, "run-3").unwrap(), Freshened::Kept(kept.join("run-3")));
    let (new, old) = (fs::metadata(work).unwrap(), fs::metadata(kept.join("run-3")).unwrap());
    assert_eq!((new.mode(), new.uid(), new.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!(old.ino(), before.ino());
    assert!(is_empty(work));
    assert!(kept.join("run-3/project/file").exists());
    // A name that is taken costs nobody anything.
    fill(&work.join("second"), 10);
    assert_eq!(fresh_of(&scene, "run-3").unwrap(), Freshened::Kept(kept.join("run-3.1")));
    assert!(kept.join("run-3/project/file").exists() && kept.join("run-3.1/second").exists());
    assert_eq!(fresh_of(&scene, "../out").unwrap(), Freshened::Nothing);
    fill(&work.join("third"), 10);
    assert_eq!(fresh_of(&scene, "../out").unwrap(), Freshened::Kept(kept.join("..-out")));
}

#[test]
fn an_empty_or_absent_one_is_left_as_it_is() {
    let scene = Scene::new();
    assert_eq!(fresh_of(&scene, "run-1").unwrap(), Freshened::Nothing);
    fs::remove_dir(&scene.runner().work).unwrap();
    assert_eq!(fresh_of(&scene, "run-1").unwrap(), Freshened::Nothing);
    assert!(!scene.runner().kept.exists());
    let above = scene.runner().work.join("no/such");
    assert_eq!(fresh(&above, &above.with_extension("kept"), "a").unwrap(), Freshened::Nothing);
}

#[test]
fn what_cannot_be_swapped_is_told_with_the_way_out_and_stays() {
    let scene = Scene::new();
    let (work, kept) = (scene.runner().work.clone(), scene.runner().kept.clone());
    let told = |expected: &str| {
        let error = fresh(&work, &kept, "a").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    fs::rename(&work, work.with_extension("real")).unwrap();
    symlink(work.with_extension("real"), &work).unwrap();
    told("is a link, so a fresh one cannot take its place. Name the folder that it leads to");
    fs::remove_file(&work).unwrap();
    fill(&work, 1);
    told("is no folder. Move it away: mv --");
    fs::remove_file(&work).unwrap();
    fill(&work.join("file"), 1);
    symlink("/", &kept).unwrap();
    told("is no folder");
    let elsewhere = scene.home().join("kept");
    let apart = fresh(&work, &elsewhere, "a").unwrap_err().to_string();
    assert!(apart.contains("must lie beside"), "{apart}");
    assert!(work.join("file").exists() && !elsewhere.exists());
}

#[test]
fn a_mount_point_stays_and_says_so() {
    if in_own_mounts("fresh::a_mount_point_stays_and_says_so") {
        return;
    }
    let scene = Scene::new();
    let work = &scene.runner().work;
    let _mounted = Mounted::at(work, "mode=755");
    fill(&work.join("file"), 1);
    let error = fresh_of(&scene, "a").unwrap_err();
    assert!(matches!(error, FreshError::Mount { .. }), "{error}");
    assert!(error.to_string().contains("Name a folder inside it"), "{error}");
    assert!(work.join("file").exists());
}

#[test]
fn a_folder_above_that_may_not_be_written_to_is_told() {
    if as_nobody("fresh::a_folder_above_that_may_not_be_written_to_is_told") {
        return;
    }
    let scene = Scene::new();
    fill(&scene.runner().work.join("file"), 1);
    let above = scene.runner().work.parent().unwrap();
    fs::set_permissions(above, fs::Permissions::from_mode(0o555)).unwrap();
    let error = fresh_of(&scene, "a").unwrap_err();
    fs::set_permissions(above, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(error, FreshError::AboveNotWritable { .. }), "{error}");
    assert!(error.to_string().contains("sudo chown"), "{error}");
    assert!(scene.runner().work.join("file").exists());
    // What belongs to somebody else cannot be given on.
    let foreign = fresh(Path::new("/usr"), Path::new("/usr.kept"), "a").unwrap_err();
    assert!(matches!(foreign, FreshError::NotYours { owner: 0, .. }), "{foreign}");
}

#[test]
fn what_the_owner_marked_is_not_moved_to_where_it_has_no_mark() {
    let mut scene = Scene::new();
    fill(&scene.runner().work.join("project/file"), 1);
    scene.around.never_delete.push(scene.runner().work.join("project"));
    let group = scene.group(Choice::built_in("fresh"));
    assert_eq!(group.steps, []);
    assert_eq!(group.notes, ["you marked something in the working directory of one"]);
}

fn task_lock(runner: &cleanup::preset::RunnerAround) -> fs::File {
    fs::File::options().read(true).write(true).open(&runner.lock).unwrap()
}

#[test]
fn by_hand_it_waits_for_a_task_and_names_what_it_keeps() {
    let scene = Scene::new();
    let runner = scene.runner().clone();
    assert_eq!(scene.group(Choice::built_in("fresh")).steps, []);
    fill(&runner.work.join("file"), 1);
    let task = fs::File::create(&runner.lock).unwrap();
    task.lock().unwrap();
    let busy = scene.group(Choice::built_in("fresh"));
    assert_eq!(busy.notes, ["a task of one uses its directory"]);
    drop(task);
    let draft = scene.draft(&[Choice::built_in("fresh")], cleanup::preset::Detail::Measured);
    let task = fs::File::open(&runner.lock).unwrap();
    task.lock().unwrap();
    let refused = scene.carry_out(&draft);
    assert!(matches!(refused.groups[0].steps[0].outcome, Outcome::Refused(_)), "{refused:?}");
    assert!(runner.work.join("file").exists());
    drop(task);
    assert_eq!(scene.carry_out(&draft).groups[0].steps[0].outcome, Outcome::Done);
    assert!(is_empty(&runner.work));
    assert_eq!(scene.carry_out(&draft).groups[0].steps[0].outcome, Outcome::Nothing);
    let name = format!("by-hand-{}", scene.now.as_second());
    assert!(runner.kept.join(cleanup::before(&name)).join("file").exists(), "no task made it");
    cleanup::note(&task_lock(&runner), &runner.work, "run.1").unwrap();
    fill(&runner.work.join("of-a-task"), 1);
    assert_eq!(scene.carry_out(&draft).groups[0].steps[0].outcome, Outcome::Done);
    assert!(runner.kept.join(name).join("of-a-task").exists());
}

/// Of a working directory with a file of each round in it.
const KILLED: &str = "fresh::killed_at_any_moment_there_is_a_working_directory_and_no_work_is_lost";

#[test]
fn killed_at_any_moment_there_is_a_working_directory_and_no_work_is_lost() {
    if let Some(folder) = within() {
        let work = Path::new(&folder).join("work");
        let kept = work.with_extension("kept");
        for round in 0.. {
            fill_quickly(&work.join(format!("file-{round}")));
            fresh(&work, &kept, &format!("round-{round}")).unwrap();
        }
    }
    let scene = Scene::new();
    let folder = scene.runner().work.parent().unwrap();
    for round in 0..40 {
        let mut child = again(KILLED, folder.to_str().unwrap());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Some rounds in, at a moment that is never the same.
        let kept = &scene.runner().kept;
        while !kept.join("round-20").exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(round * 37));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(scene.runner().work.is_dir(), "round {round}");
        let made: Vec<_> = fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut files: Vec<usize> = made
            .iter()
            .chain([&scene.runner().work])
            .flat_map(|folder| fs::read_dir(folder).unwrap())
            .map(|file| file.unwrap().file_name().to_str().unwrap()[5..].parse().unwrap())
            .collect();
        files.sort_unstable();
        assert_eq!(files, (0..files.len()).collect::<Vec<_>>(), "each is there once");
        fs::remove_dir_all(kept).unwrap();
        fs::remove_dir_all(&scene.runner().work).unwrap();
        fs::create_dir(&scene.runner().work).unwrap();
    }
}

fn fill_quickly(path: &Path) {
    fs::File::create(path).unwrap();
}
