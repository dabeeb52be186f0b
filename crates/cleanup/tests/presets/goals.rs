//! Free space that a volume shall have.

use cleanup::preset::{Choice, Detail, FREE_SPACE, FreeGoal, Limits, Undo, carry_out, sweep};
use cleanup::{Progress, Stop};

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
    let goal = |wanted: u64| [FreeGoal { path: path.clone(), wanted }];
    let draft = |wanted| scene.draft_for(&choices, &goal(wanted), Detail::Quick);
    assert_eq!(draft(free - MB).groups.len(), 2, "the goal is met, and nothing is asked");
    let one = draft(free + MB);
    assert_eq!(one.groups[2].preset, FREE_SPACE);
    assert_eq!(named(&one.groups[2]), ["run-1"]);
    let two = draft(free + 15 * MB);
    assert_eq!(named(&two.groups[2]), ["_cacache", "run-1"]);
    let why = &two.groups[2].plan.as_ref().unwrap().items[1].why;
    assert!(why.contains("it was used least recently"), "{why}");
    let all = draft(70 * MB);
    assert_eq!(named(&all.groups[2]), ["_cacache", "_npx", "run-1", "run-2"]);
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
    let busy = scene.draft_for(&choices, &goal(70 * MB), Detail::Quick);
    assert_eq!(named(&busy.groups[2]), ["run-2"]);
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
    assert!(until(scene.now).iter().all(|receipt| receipt.items.is_empty()), "not yet");
    let swept = until(later);
    assert_eq!(swept.iter().map(|receipt| receipt.items.len()).sum::<usize>(), 3, "{swept:?}");
    assert!(!trash.exists());
    assert!(until(later).is_empty());
}
