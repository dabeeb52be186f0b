//! Directories of earlier tasks.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use cleanup::preset::{Choice, Detail, Limits};

use crate::scene::{Scene, fill, named};

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
