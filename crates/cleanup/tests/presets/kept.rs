//! Directories of earlier tasks.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use cleanup::preset::{
    Choice, Detail, Entries, Folders, FreeGoal, Limits, Preset, Undo, What, carry_out, own, sweep,
};
use cleanup::work::{BeforeTask, Request, Said, Work};
use cleanup::{Failure, Fate, Progress, Stop, Why};

use crate::around::{Mounted, in_own_mounts};
use crate::scene::{Scene, asked, fill, named};

/// One after another, so that each was used later than the one before: the clock of files is counted
/// in whole seconds here.
fn keep(scene: &Scene, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        if number > 0 {
            sleep(Duration::from_millis(1100));
        }
        fill(&scene.runner().kept.join(name).join("project/file"), 100_000);
    }
}

fn kept(limits: Limits) -> Choice {
    Choice { limits, ..Choice::built_in("kept") }
}

#[test]
fn the_last_are_kept_and_the_same_go_whether_they_were_measured_or_not() {
    let scene = Scene::new();
    keep(&scene, &["run-1", "run-2", "run-3"]);
    // Its content is new, and yet it was the first to be put away.
    fill(&scene.runner().kept.join("run-1/project/later"), 10);
    fs::create_dir(scene.runner().kept.join(".next")).unwrap();
    let choice = kept(Limits { keep_last: Some(1), ..Limits::default() });
    let quick = scene.draft(std::slice::from_ref(&choice), Detail::Quick).groups.remove(0);
    assert_eq!(named(&quick), ["run-1", "run-2"]);
    assert_eq!(quick.bytes, None, "nothing was measured, and nothing is claimed");
    let (group, done) = scene.clean(choice);
    assert_eq!(named(&group), ["run-1", "run-2"]);
    assert!(group.bytes.unwrap() >= 200_000);
    assert_eq!(done.freed(), group.bytes.unwrap(), "what was said before is what was freed");
    assert!(scene.runner().kept.join("run-3/project/file").exists());
    assert!(!scene.runner().kept.join("run-1").exists());
}

#[test]
fn one_that_was_put_back_is_as_old_as_it_was() {
    let mut scene = Scene::new();
    let [old, new] = ["20261123T120000.000Z-a1b2c3.9", "20261123T120000.000Z-a1b2c3.10"];
    let kept_dir = scene.runner().kept.clone();
    for name in [old, new] {
        fill(&kept_dir.join(name).join("file"), 10);
    }
    // To a trash and back.
    fs::rename(kept_dir.join(old), kept_dir.with_file_name("away")).unwrap();
    fs::rename(kept_dir.with_file_name("away"), kept_dir.join(old)).unwrap();
    let keeps_one = || kept(Limits { keep_last: Some(1), ..Limits::default() });
    for detail in [Detail::Quick, Detail::Measured] {
        let group = scene.draft(&[keeps_one()], detail).groups.remove(0);
        assert_eq!(named(&group), [old]);
    }
    // Nor is it taken for older than it can be.
    scene.in_days(13);
    assert_eq!(named(&scene.group(Choice::built_in("kept"))), [""; 0]);
}

#[test]
fn what_is_old_goes_and_what_the_owner_marked_stays() {
    let mut scene = Scene::new();
    for name in ["a", "b"] {
        fill(&scene.runner().kept.join(name).join("file"), 10);
    }
    scene.around.never_delete.push(scene.runner().kept.join("b/file"));
    assert_eq!(named(&scene.group(Choice::built_in("kept"))), [""; 0]);
    scene.in_days(15);
    assert_eq!(named(&scene.group(Choice::built_in("kept"))), ["a"]);
    assert_eq!(
        named(&scene.group(kept(Limits { keep_last: Some(9), ..Limits::default() }))),
        [""; 0]
    );
}

fn all_of_them() -> Choice {
    kept(Limits { keep_last: Some(0), ..Limits::default() })
}

/// Two of them; in the first something is mounted, with a file in it.
fn with_a_mount(scene: &Scene) -> (Mounted, std::path::PathBuf) {
    let kept_dir = &scene.runner().kept;
    for name in ["run-1", "run-2"] {
        fill(&kept_dir.join(name).join("file"), 10);
    }
    let place = kept_dir.join("run-1/deep/mount");
    fs::create_dir_all(&place).unwrap();
    let mounted = Mounted::at(&place, "size=1m");
    fill(&place.join("canary"), 10);
    (mounted, place)
}

#[test]
fn one_that_holds_a_mount_stays_and_is_told_and_the_others_go() {
    if in_own_mounts("kept::one_that_holds_a_mount_stays_and_is_told_and_the_others_go") {
        return;
    }
    let scene = Scene::new();
    let (mounted, place) = with_a_mount(&scene);
    let is_told = |left_out: &[Failure]| {
        let [told] = left_out else { panic!("{left_out:?}") };
        assert_eq!(told.why, Why::Mounted);
        assert!(place.starts_with(&*told.path) && told.path.ends_with("run-1"), "{told:?}");
        assert!(told.way_out.ends_with(&place.display().to_string()), "{told:?}");
        assert!(told.way_out.contains("umount"), "{told:?}");
    };
    for detail in [Detail::Quick, Detail::Measured] {
        let group = scene.draft(&[all_of_them()], detail).groups.remove(0);
        assert_eq!(named(&group), ["run-2"]);
        is_told(&group.left_out);
    }
    // One that no rule names is no failure, and no goal takes it.
    let path = scene.home().to_owned();
    let goal = [FreeGoal { path, wanted: u64::MAX, least: None }];
    let keeps_all = kept(Limits { keep_last: Some(9), ..Limits::default() });
    let draft = scene.draft_for(&[keeps_all], &goal, Detail::Quick);
    assert_eq!(
        (draft.groups[0].left_out.len(), named(&draft.groups[1])),
        (0, vec!["run-2".into()])
    );
    let (by_name, _) = scene.clean(by_name(&scene, &["run-1"]));
    assert_eq!(named(&by_name), [""; 0]);
    is_told(&by_name.left_out);
    let (_, done) = scene.clean(all_of_them());
    is_told(&done.left_out);
    let kept_dir = &scene.runner().kept;
    assert!(!kept_dir.join("run-2").exists() && place.join("canary").exists());
    drop(mounted);
    let (group, _) = scene.clean(all_of_them());
    assert!(named(&group) == ["run-1"] && group.left_out.is_empty(), "{group:?}");
}

#[test]
fn beside_a_mount_a_trash_is_swept_and_put_back() {
    if in_own_mounts("kept::beside_a_mount_a_trash_is_swept_and_put_back") {
        return;
    }
    let scene = Scene::new();
    let (_mounted, place) = with_a_mount(&scene);
    let kept_dir = &scene.runner().kept;
    let (stop, progress) = (Stop::never(), Progress::default());
    let aside = || {
        let draft = scene.draft(&[all_of_them()], Detail::Measured);
        carry_out(&draft, Undo::Kept, scene.now, &stop, &progress);
        assert!(!kept_dir.join("run-2").exists() && kept_dir.join(cleanup::TRASH).exists());
    };
    aside();
    let roots = vec![kept_dir.into()];
    let work = Work::PutBack { roots, at: scene.now, runners: Vec::new() };
    let back = asked(&Request { version: 1, within_seconds: None, work });
    assert!(matches!(back, Said::PutBack { put_back: 1, .. }), "{back:?}");
    aside();
    let later = jiff::Timestamp::from_second(scene.now.as_second() + 1000).unwrap();
    let swept = sweep(&[all_of_them()], &scene.around, later, later, &stop, &progress);
    assert_eq!(swept[0].items[0].fate, Fate::Deleted, "{swept:?}");
    assert!(!kept_dir.join(cleanup::TRASH).exists() && place.join("canary").exists());
}

#[test]
fn a_folder_of_earlier_ones_that_may_not_be_cleaned_is_told() {
    if in_own_mounts("kept::a_folder_of_earlier_ones_that_may_not_be_cleaned_is_told") {
        return;
    }
    let scene = Scene::new();
    let kept_dir = &scene.runner().kept;
    fs::create_dir_all(kept_dir).unwrap();
    let _mounted = Mounted::at(kept_dir, "size=1m");
    fill(&kept_dir.join("run-1/file"), 10);
    let (group, done) = scene.clean(all_of_them());
    assert!(group.plan.is_none() && done.left_out == group.left_out, "{group:?}");
    assert_eq!(group.left_out[0].why, Why::Mounted);
    assert!(group.left_out[0].way_out.contains("umount"), "{group:?}");
}

#[test]
fn a_trash_whose_folder_may_not_be_opened_any_more_is_told_by_sweep_and_undo() {
    if in_own_mounts(
        "kept::a_trash_whose_folder_may_not_be_opened_any_more_is_told_by_sweep_and_undo",
    ) {
        return;
    }
    let mut scene = Scene::new();
    scene.in_days(1);
    let kept_dir = scene.runner().kept.clone();
    fill(&kept_dir.join("run-1/file"), 10);
    let (stop, progress) = (Stop::never(), Progress::default());
    let draft = scene.draft(&[all_of_them()], Detail::Measured);
    carry_out(&draft, Undo::Kept, scene.now, &stop, &progress);
    let bound = Mounted::onto_itself(&kept_dir);
    let later = jiff::Timestamp::from_second(scene.now.as_second() + 1000).unwrap();
    let sweep_until =
        |until| sweep(&[all_of_them()], &scene.around, until, later, &stop, &progress).remove(0);
    let early = sweep_until(scene.now);
    assert!(early.items[0].fate == Fate::SetAside && early.failures.is_empty(), "{early:?}");
    let swept = sweep_until(later);
    assert_eq!((&swept.items[0].fate, &swept.failures[0].why), (&Fate::Failed, &Why::Mounted));
    assert_eq!(swept.items[0].path, swept.failures[0].path);
    assert!(swept.items[0].path.starts_with(kept_dir.join(cleanup::TRASH)), "{swept:?}");
    assert!(swept.failures[0].way_out.contains("umount"), "{swept:?}");
    let (roots, at) = (vec![(&kept_dir).into()], scene.now);
    let back = asked(&Request {
        version: 1,
        within_seconds: None,
        work: Work::PutBack { roots, at, runners: Vec::new() },
    });
    let Said::PutBack { put_back: 0, not, .. } = &back else { panic!("{back:?}") };
    assert!(not.len() == 1 && not[0].contains("is mounted"), "{not:?}");
    drop(bound);
    assert_eq!(sweep_until(later).items[0].fate, Fate::Deleted);
}

#[test]
fn before_a_task_whose_time_is_over_nothing_goes_and_that_is_said() {
    let scene = Scene::new();
    let file = scene.runner().kept.join("run-1/file");
    fill(&file, 10);
    let (choices, around) = (vec![all_of_them()], scene.around.clone());
    let before = BeforeTask { fresh: None, choices, around, goals: Vec::new() };
    let work = Work::BeforeTask(before);
    let said = asked(&Request { version: 1, within_seconds: Some(0), work });
    let Said::BeforeTask { done, failures, .. } = said else { panic!("{said:?}") };
    assert_eq!(failures, ["its time was over before all was done"]);
    assert!(done.groups[0].files.is_none() && file.exists(), "{done:?}");
}

#[test]
fn a_cap_on_their_size_is_heeded_before_a_task_too() {
    let scene = Scene::new();
    keep(&scene, &["old", "new"]);
    let choice = kept(Limits { at_most_bytes: Some(150_000), ..Limits::default() });
    let quick = scene.draft(&[choice], Detail::Quick).groups.remove(0);
    assert_eq!(named(&quick), ["old"]);
    assert!(quick.bytes.unwrap() >= 100_000, "a rule needed it, so it is known");
}

#[test]
fn with_nothing_kept_it_says_so() {
    let scene = Scene::new();
    let group = scene.group(Choice::built_in("kept"));
    assert!(group.plan.is_none() && group.bytes == Some(0));
    assert_eq!(group.notes, ["there is nothing of it here"]);
}

#[test]
fn what_lay_there_before_any_task_goes_by_no_rule_and_for_no_goal() {
    let mut scene = Scene::new();
    for name in ["run-1", "before-run-1", "before-by-hand-1790000000"] {
        fill(&scene.runner().kept.join(name).join("file"), 100_000);
    }
    scene.in_days(400);
    let everything = Limits { keep_last: Some(0), unused_days: Some(0), at_most_bytes: Some(0) };
    let goal = FreeGoal { path: scene.home().to_owned(), wanted: u64::MAX, least: None };
    for detail in [Detail::Quick, Detail::Measured] {
        let draft = scene.draft_for(&[kept(everything)], std::slice::from_ref(&goal), detail);
        assert_eq!(named(&draft.groups[0]), ["run-1"]);
        assert_eq!(named(&draft.groups[1]), [""; 0], "{:?}", draft.groups[1]);
    }
    let keeps_all = Limits { keep_last: Some(9), ..Limits::default() };
    let draft = scene.draft_for(&[kept(keeps_all)], &[goal], Detail::Quick);
    assert_eq!(named(&draft.groups[1]), ["run-1"]);
    let (group, _) = scene.clean(by_name(&scene, &["before-run-1"]));
    assert_eq!(named(&group), ["before-run-1"], "it was named");
    assert!(scene.runner().kept.join("before-by-hand-1790000000/file").exists());
}

/// Entries of the folder of kept ones, as somebody names them.
fn by_name(scene: &Scene, names: &[&str]) -> Choice {
    let table = "id = \"mine\"\nwhat = { folders = [{ root = \"/not/there\" }] }";
    let mut preset: Preset = own(&[table.parse().unwrap()]).0.remove(0);
    let entry = |name: &&str| Folders {
        root: scene.runner().kept.to_str().unwrap().to_owned(),
        names: vec![(*name).to_owned()],
        exactly: true,
        entries: Entries::All,
        lock: None,
    };
    preset.what = What::Folders(names.iter().map(entry).collect());
    Choice::own(preset)
}

#[test]
fn a_name_that_a_job_chose_is_no_pattern() {
    let scene = Scene::new();
    for name in ["*", "run-*", "run-1", "run-2"] {
        fill(&scene.runner().kept.join(name).join("file"), 10);
    }
    assert_eq!(named(&scene.group(by_name(&scene, &["*"]))), ["*"]);
    assert_eq!(named(&scene.group(by_name(&scene, &["run-*"]))), ["run-*"]);
    assert_eq!(named(&scene.group(by_name(&scene, &["run-1", "*"]))), ["*", "run-1"]);
}

#[test]
fn what_the_owner_marked_stays_by_whatever_path_it_was_named() {
    let mut scene = Scene::new();
    let real = scene.runner().work.parent().unwrap().to_owned();
    let link = real.with_file_name("link");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    for name in ["a", "b"] {
        fill(&real.join("work.kept").join(name).join("file"), 10);
    }
    fill(&real.join("work/file"), 10);
    scene.in_days(15);
    // The runner's folder through the link and the mark without it, and the other way round.
    for (of_runner, of_mark) in [(&link, &real), (&real, &link), (&link, &link)] {
        let runner = &mut scene.around.runners[0];
        (runner.work, runner.kept) = (of_runner.join("work"), of_runner.join("work.kept"));
        scene.around.never_delete = vec![of_mark.join("work.kept/b/file")];
        assert_eq!(named(&scene.group(Choice::built_in("kept"))), ["a"]);
        scene.around.never_delete = vec![of_mark.join("work")];
        assert_eq!(scene.group(Choice::built_in("fresh")).steps, []);
        assert!(scene.around.is_marked(&of_runner.join("work")));
        assert!(!scene.around.is_marked(&of_runner.join("work.kept")));
    }
}
