//! A disk that is nearly full is told while there is still time, and that there is room again.

use protocol::ProblemCode;
use supervisor_core::{Disk, Event};

use crate::scene::Scene;

const GB: u64 = 1_000_000_000;

fn disk(at: &str, free: u64, total: u64) -> Disk {
    Disk { at: at.into(), free, total, reading: format!("{at}: free {free} of {total}") }
}

fn seen(scene: &mut Scene, free: u64) {
    scene.tell(Event::DisksSeen(vec![disk("/", 40 * GB, 256 * GB), disk("/work", free, 256 * GB)]));
}

fn looks(scene: &mut Scene) -> u32 {
    std::mem::take(&mut scene.looks_at_disks)
}

fn told(scene: &mut Scene) -> Vec<String> {
    scene
        .asides()
        .into_iter()
        .filter_map(|it| it.strip_prefix("tell ").map(str::to_owned))
        .collect()
}

#[test]
fn it_is_told_with_its_reading_and_so_is_its_end() {
    let mut scene = Scene::idle();
    seen(&mut scene, 3 * GB);
    assert_eq!((scene.problems(), told(&mut scene)), (vec![], vec![]));
    scene.task_begins();
    seen(&mut scene, GB);
    assert_eq!(scene.problems(), [ProblemCode::DiskNearlyFull]);
    let problem = scene.core.snapshot().problems[0].clone();
    assert_eq!(problem.reading.unwrap(), format!("/work: free {GB} of {}", 256 * GB));
    assert_eq!(told(&mut scene), ["The disk is nearly full."]);
    seen(&mut scene, 3 * GB);
    assert_eq!(scene.problems(), [ProblemCode::DiskNearlyFull], "a little more is not enough");
    seen(&mut scene, 5 * GB);
    assert_eq!(
        (scene.problems(), told(&mut scene)),
        (vec![], vec!["This machine is well again".into()])
    );
}

#[test]
fn a_small_disk_needs_less() {
    let mut scene = Scene::idle();
    for (free, problems) in [(6, vec![]), (4, vec![ProblemCode::DiskNearlyFull])] {
        scene.tell(Event::DisksSeen(vec![disk("/work", free, 100)]));
        assert_eq!(scene.problems(), problems, "{free} of 100");
    }
}

#[test]
fn it_is_looked_at_after_a_task_seldom_otherwise_and_often_until_there_is_room() {
    let mut scene = Scene::idle();
    assert_eq!(looks(&mut scene), 1, "when the runner is known");
    scene.wait(3600);
    assert_eq!(looks(&mut scene), 0, "not again before there is an answer");
    seen(&mut scene, 100 * GB);
    assert_eq!(looks(&mut scene), 1, "that one was old");
    seen(&mut scene, 100 * GB);
    scene.wait(599);
    assert_eq!(looks(&mut scene), 0);
    scene.wait(1);
    assert_eq!(looks(&mut scene), 1);
    seen(&mut scene, 100 * GB);
    scene.task_begins();
    assert_eq!(looks(&mut scene), 0);
    scene.task_ends(0);
    assert_eq!(looks(&mut scene), 1);
    seen(&mut scene, GB);
    scene.wait(30);
    assert_eq!(looks(&mut scene), 1);
}

#[test]
fn a_machine_without_runners_is_not_watched() {
    let mut scene = Scene::idle();
    seen(&mut scene, GB);
    looks(&mut scene);
    scene.tell(Event::SettingsRead(Vec::new()));
    assert_eq!(scene.core.snapshot().problems, []);
    scene.wait(3600);
    assert_eq!(looks(&mut scene), 0);
}
