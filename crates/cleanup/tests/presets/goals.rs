//! Free space that a volume shall have.

use std::fs::File;

use cleanup::preset::{
    Choice, Detail, Draft, FREE_SPACE, FreeGoal, Limits, Undo, carry_out, sweep,
};
use cleanup::work::{BeforeTask, Request, Said, Work};
use cleanup::{Fate, Progress, Stop};

use crate::around::{Mounted, in_own_mounts};
use crate::scene::{Scene, fill, named, read_days_ago};

const MB: u64 = 1 << 20;

/// A volume of 64 MB with the runner, the home and the folder for temporary files on it.
fn small_volume(scene: &Scene) -> Mounted {
    let mounted = Mounted::at(scene.home().parent().unwrap(), "size=64m");
    for folder in [scene.home(), &scene.around.temp, &scene.runner().work] {
        std::fs::create_dir_all(folder).unwrap();
    }
    mounted
}

fn keeps_all() -> Choice {
    let limits = Limits { keep_last: Some(99), ..Limits::default() };
    Choice { limits, ..Choice::built_in("kept") }
}

#[test]
fn the_least_recently_used_of_all_presets_go_until_there_is_enough() {
    const TEST: &str = "goals::the_least_recently_used_of_all_presets_go_until_there_is_enough";
    if in_own_mounts(TEST) {
        return;
    }
    let mut scene = Scene::new();
    let _volume = small_volume(&scene);
    // In this order: each was last used when it was made, to the second.
    let file = |path: &str| {
        fill(&scene.home().parent().unwrap().join(path), 10 << 20);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    };
    file("runner/work.kept/run-1/file");
    file("home/.npm/_cacache/file");
    file("runner/work.kept/run-2/file");
    file("home/.npm/_npx/file");
    let choices = [keeps_all(), Choice::built_in("npm-cache")];
    let free = 24 * MB;
    let path = scene.home().join("not/there/yet");
    let goal = |wanted: u64| [FreeGoal { path: path.clone(), wanted, least: None }];
    let draft = |wanted| scene.draft_for(&choices, &goal(wanted), Detail::Quick);
    assert_eq!(draft(free - MB).groups.len(), 2, "the goal is met, and nothing is asked");
    let one = draft(free + MB);
    assert_eq!(one.groups[2].preset, FREE_SPACE);
    assert_eq!(named(&one.groups[2]), ["run-1"]);
    let two = draft(free + 15 * MB);
    assert_eq!(for_room(&two), ["_cacache", "run-1"]);
    let why = &two.groups[3].plan.as_ref().unwrap().items[0].why;
    assert!(why.contains("it was used least recently"), "{why}");
    let all = draft(70 * MB);
    assert_eq!(for_room(&all), ["_cacache", "_npx", "run-1", "run-2"]);
    assert!(all.groups[2].notes[0].contains("are wanted free, and with all that may go only"));
    // What a rule takes already counts, and is on no second list.
    let rule = Limits { keep_last: Some(1), ..Limits::default() };
    let rule = [Choice { limits: rule, ..Choice::built_in("kept") }, choices[1].clone()];
    let beside = scene.draft_for(&rule, &goal(free + MB), Detail::Quick);
    assert_eq!(named(&beside.groups[0]), ["run-1"]);
    assert_eq!(named(&beside.groups[2]), [""; 0]);
    let done = scene.carry_out(&two);
    assert!(done.freed() >= 20 * MB);
    assert!(scene.draft_for(&choices, &goal(free + 15 * MB), Detail::Quick).is_empty());
    // While a task runs only what may go then.
    scene.around.idle = false;
    let busy = scene.draft_for(&choices, &goal(70 * MB), Detail::Measured);
    assert_eq!(for_room(&busy), ["run-2"]);
}

/// What goes for the goals alone.
fn for_room(draft: &Draft) -> Vec<String> {
    let groups = draft.groups.iter().filter(|group| group.preset == FREE_SPACE);
    let mut names: Vec<String> = groups.flat_map(named).collect();
    names.sort();
    names
}

#[test]
fn before_a_task_caches_go_for_room_as_long_as_no_other_runner_has_one() {
    let mut scene = Scene::new();
    scene.around.idle = false;
    fill(&scene.home().join(".npm/_cacache/file"), 10);
    fill(&scene.home().join(".cargo/registry/src/index-1/b/lib.rs"), 10);
    fill(&scene.home().join(".cargo/.package-cache"), 0);
    fill(&scene.runner().kept.join("run-1/file"), 10);
    let lock = |name: &str| File::create(scene.runner().lock.with_file_name(name)).unwrap();
    let (own, other) = (lock("task.lock"), lock("other.lock"));
    own.lock().unwrap();
    let path = scene.home().to_owned();
    let goal = [FreeGoal { path, wanted: u64::MAX, least: None }];
    let choices = [keeps_all(), Choice::built_in("npm-cache"), Choice::built_in("cargo-cache")];
    let draft = |detail| scene.draft_for(&choices, &goal, detail);
    let all = draft(Detail::Quick);
    assert_eq!(for_room(&all), ["_cacache", "b", "run-1"]);
    assert!(all.groups[1].is_empty() && all.groups[2].is_empty(), "their limits wait: {all:?}");
    // By hand, by the week and for a low disk it is told whether a task runs.
    assert_eq!(for_room(&draft(Detail::Measured)), ["run-1"]);
    // Cargo says itself when it is at work.
    let cargo = File::open(scene.home().join(".cargo/.package-cache")).unwrap();
    cargo.lock().unwrap();
    assert_eq!(for_room(&draft(Detail::Quick)), ["_cacache", "run-1"]);
    drop(cargo);
    other.lock().unwrap();
    assert_eq!(for_room(&draft(Detail::Quick)), ["run-1"]);
    // It began since the look.
    let done = scene.carry_out(&all);
    assert!(done.groups[4].files.is_none() && done.groups[4].notes[0].contains("a task began"));
    assert!(
        scene.home().join(".npm/_cacache").exists() && !scene.runner().kept.join("run-1").exists()
    );
    drop(other);
    let caches = Draft { groups: vec![all.groups[4].clone()], ..all };
    assert_eq!(scene.carry_out(&caches).groups[0].files.as_ref().unwrap().items.len(), 2);
    assert!(!scene.home().join(".npm/_cacache").exists());
    // Whose locks cannot be asked may be at work.
    fill(&scene.home().join(".npm/_cacache/file"), 10);
    scene.around.runners[0].lock = scene.home().join("shut/task.lock");
    assert_eq!(for_room(&scene.draft_for(&choices, &goal, Detail::Quick)), [""; 0]);
}

/// What is said of a task's clean-up that has nothing to take: the failures.
fn before_task(goal: FreeGoal) -> Vec<String> {
    let scene = Scene::new();
    let around = scene.around.clone();
    let before = BeforeTask { fresh: None, choices: vec![keeps_all()], around, goals: vec![goal] };
    assert!(!before.is_nothing(), "it has a choice");
    let request = Request { version: 1, within_seconds: Some(60), work: Work::BeforeTask(before) };
    let said = crate::scene::asked(&request);
    let Said::BeforeTask { failures, .. } = said else { panic!("{said:?}") };
    failures
}

#[test]
fn between_the_two_marks_of_a_disk_the_clean_up_before_a_task_has_not_failed() {
    // 12 of 10 and 15: more is aimed at, and less would do.
    let path = std::env::temp_dir();
    let goal = |least| FreeGoal { path: path.clone(), wanted: u64::MAX, least: Some(least) };
    assert_eq!(before_task(goal(1)), [""; 0]);
    let below = before_task(goal(u64::MAX - 1));
    assert!(below.len() == 1 && below[0].contains(" free, and "), "{below:?}");
    let one = before_task(FreeGoal { path: path.clone(), wanted: u64::MAX, least: None });
    assert_eq!(one.len(), 1, "with one mark alone that is the one that counts");
}

#[test]
fn without_presets_a_task_s_clean_up_is_nothing_as_long_as_its_disk_has_room() {
    let scene = Scene::new();
    let of = |wanted| BeforeTask {
        fresh: None,
        choices: Vec::new(),
        around: scene.around.clone(),
        goals: vec![FreeGoal { path: scene.home().to_owned(), wanted, least: None }],
    };
    assert!(of(1).is_nothing());
    assert!(!of(u64::MAX).is_nothing());
}

#[test]
fn what_takes_from_a_cache_that_tasks_may_use_is_marked_to_be_asked_again() {
    let scene = Scene::new();
    fill(&scene.home().join(".npm/_cacache/file"), 10);
    fill(&scene.runner().kept.join("run-1/file"), 10);
    let path = scene.home().to_owned();
    let goal = [FreeGoal { path, wanted: u64::MAX, least: None }];
    let marks = |choices: &[Choice]| -> Vec<(String, bool)> {
        let draft = scene.draft_for(choices, &goal, Detail::Quick);
        draft.groups.into_iter().map(|group| (group.preset, group.idle_only)).collect()
    };
    let kept = ("kept".to_owned(), false);
    let free = |idle_only| (FREE_SPACE.to_owned(), idle_only);
    assert_eq!(marks(&[keeps_all()]), [kept.clone(), free(false)]);
    let both = marks(&[keeps_all(), Choice::built_in("npm-cache")]);
    assert_eq!(both, [kept, ("npm-cache".to_owned(), true), free(false), free(true)]);
}

#[test]
fn what_was_set_aside_can_be_swept_wherever_a_preset_has_it() {
    let mut scene = Scene::new();
    for path in
        ["runner/work.kept/a/file", "temp/circleci-a", "home/.cargo/registry/src/index-1/b/lib.rs"]
    {
        fill(&scene.home().parent().unwrap().join(path), 10);
    }
    read_days_ago(&scene.around.temp.join("circleci-a"), 1);
    scene.in_days(60);
    let choices = ["kept", "circleci-temp", "cargo-cache"].map(Choice::built_in);
    let draft = scene.draft(&choices, Detail::Measured);
    let done = carry_out(&draft, Undo::Kept, scene.now, &Stop::never(), &Progress::default());
    assert_eq!(done.freed(), 0, "it can be put back still");
    let trash = scene.runner().kept.join(cleanup::TRASH);
    assert!(trash.exists() && !scene.runner().kept.join("a").exists());
    let later = jiff::Timestamp::from_second(scene.now.as_second() + 1000).unwrap();
    let (stop, progress) = (Stop::never(), Progress::default());
    let until = |at| sweep(&choices, &scene.around, at, later, &stop, &progress);
    let early = until(scene.now);
    let fates: Vec<&Fate> =
        early.iter().flat_map(|receipt| &receipt.items).map(|item| &item.fate).collect();
    assert_eq!(fates, [&Fate::SetAside; 3], "not yet, and that is told");
    let swept = until(later);
    assert_eq!(swept.iter().map(|receipt| receipt.items.len()).sum::<usize>(), 3, "{swept:?}");
    assert!(!trash.exists());
    assert!(until(later).is_empty());
}
