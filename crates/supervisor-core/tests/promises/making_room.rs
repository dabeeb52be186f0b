//! Below one mark no task is claimed, above a higher one they are again; clean-up comes by itself when
//! the disk is low, and once a week when no task runs.

use jiff::tz::TimeZone;
use protocol::{
    Bytes, CleanupPreference, CleanupRuns, CleanupStage, CleanupWhy, PauseBy, Preferences,
    ProblemCode, RunnerState, Weekly,
};
use supervisor_core::{Event, VolumeFacts};

use crate::scene::Scene;

const GB: u64 = 1_000_000_000;

fn volume(free_gb: u64) -> VolumeFacts {
    VolumeFacts {
        path: "/".into(),
        holds: "tasks".into(),
        total: 256 * GB,
        free: free_gb * GB,
        runners: None,
    }
}

fn sees(scene: &mut Scene, free_gb: u64) {
    scene.tell(Event::DiskSeen(vec![volume(free_gb)]));
}

fn prefer(scene: &mut Scene, cleanup: CleanupPreference) {
    scene.tell(Event::PreferencesRead(Preferences { cleanup, ..Preferences::default() }));
}

fn at_15_and_20() -> CleanupPreference {
    CleanupPreference {
        stop_below_gb: Some(15),
        go_on_above_gb: Some(20),
        ..CleanupPreference::default()
    }
}

fn runs(why: CleanupWhy) -> Event {
    Event::CleanupAdvanced(CleanupRuns {
        why,
        stage: CleanupStage::Removing,
        since: "2026-11-23T12:00:00Z".parse().unwrap(),
        entries: 1,
        bytes: Bytes(1),
        of: None,
    })
}

#[test]
fn it_stops_below_one_mark_and_goes_on_above_a_higher_one() {
    let mut scene = Scene::idle();
    prefer(&mut scene, at_15_and_20());
    sees(&mut scene, 15);
    assert!(scene.shown().pause_reasons.is_empty(), "the mark itself is enough");
    sees(&mut scene, 14);
    let reason = scene.shown().pause_reasons[0].clone();
    assert_eq!(reason.by, PauseBy::Disk);
    assert_eq!(reason.reading.as_deref(), Some("free 14 GB, needs 20 GB"));
    assert_eq!(scene.did(), ["drain run-1"]);
    sees(&mut scene, 19);
    assert_eq!(scene.shown().pause_reasons.len(), 1, "between the marks it stays as it was");
    scene.drains();
    scene.exits(0);
    assert_eq!(scene.shown().state, RunnerState::Paused);
    scene.did();
    sees(&mut scene, 20);
    assert_eq!(scene.did(), ["start"]);
}

#[test]
fn a_task_that_runs_is_left_alone_and_resume_clears_only_yours() {
    let mut scene = Scene::busy();
    prefer(&mut scene, at_15_and_20());
    sees(&mut scene, 3);
    assert_eq!(scene.shown().state, RunnerState::Draining);
    scene.pause(PauseBy::You);
    scene.resume(PauseBy::You);
    let reasons: Vec<PauseBy> =
        scene.shown().pause_reasons.iter().map(|reason| reason.by).collect();
    assert_eq!(reasons, [PauseBy::Disk]);
}

#[test]
fn another_runner_s_volume_holds_nobody_else() {
    let mut scene = Scene::idle();
    prefer(&mut scene, at_15_and_20());
    let theirs = VolumeFacts { runners: Some(vec!["other".parse().unwrap()]), ..volume(1) };
    scene.tell(Event::DiskSeen(vec![theirs]));
    assert!(scene.shown().pause_reasons.is_empty());
    assert_eq!(scene.core.snapshot().problems[0].code, ProblemCode::DiskNearlyFull);
}

#[test]
fn without_a_word_the_mark_is_10_gb_or_a_twentieth_and_zero_is_never() {
    let mut scene = Scene::idle();
    prefer(&mut scene, CleanupPreference::default());
    sees(&mut scene, 9);
    assert_eq!(scene.shown().pause_reasons.len(), 1);
    let small = VolumeFacts { total: 20 * GB, free: GB, ..volume(0) };
    scene.tell(Event::DiskSeen(vec![small]));
    let low = VolumeFacts { total: 20 * GB, free: GB - 1, ..volume(0) };
    assert_eq!(scene.shown().pause_reasons.len(), 1, "1 GB of 20 is not more than 1.5 GB");
    scene.tell(Event::DiskSeen(vec![VolumeFacts { free: 2 * GB, ..low.clone() }]));
    assert_eq!(scene.shown().pause_reasons.len(), 0);
    scene.tell(Event::DiskSeen(vec![low.clone()]));
    assert_eq!(scene.shown().pause_reasons.len(), 1);
    prefer(
        &mut scene,
        CleanupPreference { stop_below_gb: Some(0), ..CleanupPreference::default() },
    );
    assert_eq!(scene.shown().pause_reasons.len(), 0, "new marks are judged at once");
}

#[test]
fn what_cannot_be_read_holds_nobody() {
    let mut scene = Scene::idle();
    sees(&mut scene, 1);
    assert_eq!(scene.shown().pause_reasons.len(), 1);
    scene.tell(Event::DiskSeen(Vec::new()));
    assert!(scene.shown().pause_reasons.is_empty());
}

#[test]
fn a_turn_that_comes_anyway_is_used_for_the_next_look_so_that_the_machine_wakes_once() {
    let mut scene = Scene::idle();
    sees(&mut scene, 100);
    scene.tidied();
    scene.wait(30);
    scene.tell(Event::ZoneRead(TimeZone::UTC));
    assert_eq!(scene.tidied(), [""; 0], "it was looked at just before");
    scene.wait(15);
    scene.tell(Event::ZoneRead(TimeZone::UTC));
    assert_eq!(scene.tidied(), ["look at disk"]);
}

#[test]
fn it_is_looked_at_with_the_probe_and_after_every_task_and_else_never() {
    let mut scene = Scene::idle();
    assert_eq!(scene.tidied(), ["look at disk"], "once at the start");
    sees(&mut scene, 100);
    for _ in 0..3 {
        scene.wait(60);
        assert_eq!(scene.tidied(), ["look at disk"], "once a minute while an agent waits");
        sees(&mut scene, 100);
    }
    scene.wait(60);
    scene.wait(600);
    assert_eq!(scene.tidied(), ["look at disk"], "not again before there is an answer");
    sees(&mut scene, 100);
    scene.tidied();
    sees(&mut scene, 100);
    scene.task_begins();
    scene.wait(3600);
    assert_eq!(scene.tidied(), Vec::<String>::new());
    scene.task_ends(0);
    assert_eq!(scene.tidied(), ["look at disk"]);
}

#[test]
fn a_low_disk_is_cleaned_at_once_and_again_after_a_while() {
    let mut scene = Scene::idle();
    scene.tidied();
    sees(&mut scene, 1);
    assert_eq!(scene.tidied(), ["clean up LowDisk"]);
    scene.tell(runs(CleanupWhy::LowDisk));
    scene.wait(3600);
    assert!(!scene.tidied().iter().any(|did| did.starts_with("clean")), "one at a time");
    scene.tell(Event::CleanupEnded { failure: None });
    let did = scene.tidied();
    assert!(did.contains(&"clean up LowDisk".into()), "it is low still: {did:?}");
    scene.tell(Event::CleanupEnded { failure: None });
    sees(&mut scene, 1);
    scene.tidied();
    scene.wait(29 * 60);
    assert!(!scene.tidied().iter().any(|did| did.starts_with("clean")));
    scene.wait(2 * 60);
    assert!(scene.tidied().contains(&"clean up LowDisk".into()));
}

#[test]
fn the_owner_is_told_that_it_is_full_and_that_it_is_over() {
    let mut scene = Scene::idle();
    sees(&mut scene, 1);
    let told = scene.asides();
    assert_eq!(told, ["tell The disk is nearly full, so no task is claimed."]);
    sees(&mut scene, 100);
    assert_eq!(scene.asides(), ["tell This machine is well again"]);
}

#[test]
fn a_clean_up_that_failed_is_a_problem_until_one_did_all() {
    let mut scene = Scene::idle();
    scene.tell(runs(CleanupWhy::You));
    assert!(scene.core.snapshot().cleanup.is_some());
    scene.tell(Event::CleanupEnded { failure: Some("3 entries stayed".into()) });
    let problem = scene.core.snapshot().problems[0].clone();
    assert_eq!(problem.code, ProblemCode::CleanupFailed);
    assert_eq!(problem.reading.as_deref(), Some("3 entries stayed"));
    assert!(scene.core.snapshot().cleanup.is_none());
    scene.tell(runs(CleanupWhy::You));
    scene.tell(Event::MeasuringEnded);
    assert_eq!(scene.core.snapshot().problems.len(), 1, "to plan another mends nothing");
    scene.tell(runs(CleanupWhy::You));
    scene.tell(Event::CleanupEnded { failure: None });
    assert!(scene.core.snapshot().problems.is_empty());
}

#[test]
fn what_is_measured_for_somebody_is_told_until_its_end_and_mends_no_clean_up() {
    let mut scene = Scene::idle();
    scene.tell(Event::CleanupEnded { failure: Some("3 entries stayed".into()) });
    scene.tell(runs(CleanupWhy::You));
    assert!(scene.core.snapshot().cleanup.is_some());
    scene.tell(Event::MeasuringEnded);
    assert!(scene.core.snapshot().cleanup.is_none());
    assert_eq!(scene.core.snapshot().problems[0].code, ProblemCode::CleanupFailed);
}

/// The scene begins on Monday, 23 November 2026, at noon in UTC.
fn weekly(scene: &mut Scene, day: u8, hour: u8) {
    let weekly = Some(Weekly { day, hour });
    prefer(scene, CleanupPreference { weekly, ..CleanupPreference::default() });
    scene.saves();
    scene.tidied();
}

fn cleans(scene: &mut Scene) -> Vec<String> {
    scene.tidied().into_iter().filter(|did| did.starts_with("clean")).collect()
}

#[test]
fn once_a_week_at_its_time_by_the_machine_s_own_clock() {
    let mut scene = Scene::idle();
    scene.tell(Event::ZoneRead(TimeZone::fixed(jiff::tz::offset(2))));
    weekly(&mut scene, 1, 15);
    scene.wait(59 * 60);
    assert_eq!(cleans(&mut scene), [""; 0], "15:00 there is 13:00 in UTC");
    scene.wait(2 * 60);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
    scene.saves();
    scene.tell(Event::CleanupEnded { failure: None });
    scene.wait(6 * 24 * 3600);
    assert_eq!(cleans(&mut scene), [""; 0]);
    scene.wait(24 * 3600);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
}

#[test]
fn what_was_past_before_it_was_wanted_was_not_missed() {
    let mut scene = Scene::idle();
    weekly(&mut scene, 1, 11);
    scene.wait(3600);
    assert_eq!(cleans(&mut scene), [""; 0]);
}

#[test]
fn it_waits_for_the_task_and_gives_way_to_the_next() {
    let mut scene = Scene::busy();
    weekly(&mut scene, 1, 13);
    scene.wait(3 * 3600);
    assert_eq!(cleans(&mut scene), [""; 0]);
    scene.task_ends(0);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
    scene.tell(runs(CleanupWhy::Weekly));
    scene.task_begins();
    assert!(scene.tidied().contains(&"stop cleaning up".into()));
    scene.wait(60);
    assert!(!scene.tidied().contains(&"stop cleaning up".into()), "told once");
}

#[test]
fn one_that_gave_way_is_made_up_for_when_no_task_runs_and_not_in_every_gap() {
    let mut scene = Scene::idle();
    weekly(&mut scene, 1, 13);
    scene.wait(2 * 3600);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
    scene.saves();
    scene.tell(runs(CleanupWhy::Weekly));
    scene.task_begins();
    assert!(scene.tidied().contains(&"stop cleaning up".into()));
    scene.saves();
    scene.tell(Event::CleanupEnded { failure: None });
    scene.wait(60);
    scene.task_ends(0);
    assert_eq!(cleans(&mut scene), [""; 0], "the next task may come at once");
    scene.wait(20 * 60);
    assert_eq!(cleans(&mut scene), [""; 0]);
    scene.wait(10 * 60);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
    scene.saves();
    scene.tell(runs(CleanupWhy::Weekly));
    scene.tell(Event::CleanupEnded { failure: None });
    scene.wait(6 * 24 * 3600);
    assert_eq!(cleans(&mut scene), [""; 0], "once");
}

#[test]
fn one_that_gave_way_is_made_up_for_after_a_restart_and_one_that_its_owner_stopped_is_not() {
    let wanted = CleanupPreference {
        weekly: Some(Weekly { day: 1, hour: 13 }),
        ..CleanupPreference::default()
    };
    let restarts = |scene: &mut Scene| {
        scene.restarts();
        scene.settings_are_read();
        prefer(scene, wanted);
        scene.wait(60);
        cleans(scene)
    };
    let mut scene = Scene::idle();
    weekly(&mut scene, 1, 13);
    scene.wait(2 * 3600);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
    scene.saves();
    scene.tell(runs(CleanupWhy::Weekly));
    scene.task_begins();
    scene.saves();
    scene.tell(Event::CleanupEnded { failure: None });
    scene.task_ends(0);
    assert_eq!(restarts(&mut scene), ["clean up Weekly"]);
    scene.saves();
    scene.tell(runs(CleanupWhy::Weekly));
    scene.tell(Event::CleanupEnded { failure: None });
    assert_eq!(restarts(&mut scene), [""; 0]);
}

#[test]
fn yours_does_not_give_way() {
    let mut scene = Scene::idle();
    scene.tell(runs(CleanupWhy::You));
    scene.task_begins();
    assert!(!scene.tidied().contains(&"stop cleaning up".into()));
}

#[test]
fn a_restart_remembers_when_the_last_one_was() {
    let mut scene = Scene::idle();
    weekly(&mut scene, 1, 13);
    scene.wait(2 * 3600);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
    scene.saves();
    scene.restarts();
    scene.settings_are_read();
    prefer(
        &mut scene,
        CleanupPreference {
            weekly: Some(Weekly { day: 1, hour: 13 }),
            ..CleanupPreference::default()
        },
    );
    scene.wait(3600);
    assert_eq!(cleans(&mut scene), [""; 0]);
}

#[test]
fn one_that_was_missed_while_nobody_was_there_is_made_up_for() {
    let wanted = CleanupPreference {
        weekly: Some(Weekly { day: 1, hour: 13 }),
        ..CleanupPreference::default()
    };
    let mut scene = Scene::idle();
    prefer(&mut scene, wanted);
    scene.saves();
    scene.tidied();
    scene.restarts();
    // Until the settings are read nobody knows that it is wanted.
    scene.wait(2 * 3600);
    scene.settings_are_read();
    prefer(&mut scene, wanted);
    scene.wait(60);
    assert_eq!(cleans(&mut scene), ["clean up Weekly"]);
}

#[test]
fn a_machine_without_runners_is_not_watched() {
    let mut scene = Scene::idle();
    sees(&mut scene, 1);
    scene.tidied();
    scene.tell(Event::SettingsRead(Vec::new()));
    assert_eq!(scene.core.snapshot().problems, []);
    scene.wait(3600);
    assert_eq!(scene.tidied(), Vec::<String>::new());
}
