//! Working directories and clean-up, with the real binaries: a task begins in a fresh directory, what it
//! left is bounded, what goes is what was planned, and no clean-up ever costs a task.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

mod by_hand;
mod sweeps;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use local_circleci::{NewTask, Outcome, TaskNumber};
use protocol::{
    CleanupPlan, CleanupReceipt, CleanupReceipts, CleanupWhy, Presets, ProblemCode, RunnerState,
    WorkDir, WorkDirKind, WorkDirs,
};
use serde::de::DeserializeOwned;
use trials::{CLASS, DEADLINE, Options, Rig, is_alive, until, until_some};

/// Where what was set aside lies, in a folder of clean-up's.
const TRASH: &str = ".runner-tray-trash";

fn json<T: DeserializeOwned>(rig: &Rig, words: &[&str]) -> T {
    let said = rig.place.runnerctl(words);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{words:?}: {error}\n{said}"))
}

fn work(rig: &Rig) -> PathBuf {
    rig.runner().working_directory.into()
}

fn kept(rig: &Rig) -> PathBuf {
    work(rig).with_file_name("work.kept")
}

fn names(folder: &Path) -> Vec<String> {
    let read = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = read.map(|it| it.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Writes so many bytes beside what it finds there, which it prints.
fn leaving(rig: &Rig, name: &str, bytes: usize) -> TaskNumber {
    let script =
        format!("ls > \"$FOUND-{name}\"; head -c {bytes} /dev/urandom > {name}.bin; echo {name}");
    let found = rig.place.path("signs").join("found");
    let task = NewTask::new(CLASS)
        .project("acme/rocket")
        .job(name)
        .env("FOUND", found.to_str().unwrap())
        .step("leave", &script);
    rig.circle.enqueue(&task)
}

/// What a job of [`leaving`] found in its directory.
fn found(rig: &Rig, name: &str) -> String {
    fs::read_to_string(rig.place.path("signs").join(format!("found-{name}"))).unwrap()
}

fn runs(rig: &Rig, name: &str) {
    let number = leaving(rig, name, 100_000);
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success), "{name}");
}

fn until_recorded(rig: &Rig, tasks: usize) {
    until(DEADLINE, "the tasks are in the history", || rig.api.history().unwrap().len() >= tasks);
}

#[test]
fn every_task_begins_in_a_fresh_directory_and_the_last_three_are_kept() {
    let rig = Rig::idle(&Options::default());
    for name in ["one", "two", "three", "four", "five", "six"] {
        runs(&rig, name);
        assert_eq!(found(&rig, name), "", "{name} begins with nothing");
    }
    until_recorded(&rig, 6);
    rig.until_state(RunnerState::Idle);
    assert_eq!(names(&work(&rig)), ["six.bin"], "until the next task it stays where it was");
    let kept = names(&kept(&rig));
    assert_eq!(kept.len(), 3, "{kept:?}");
    let dirs: WorkDirs = json(&rig, &["workdirs", "--json"]);
    let task = |dir: &WorkDir| dir.task.as_ref().map(|task| task.as_str().to_owned());
    let mut tasks: Vec<(WorkDirKind, Option<String>)> =
        dirs.directories.iter().map(|dir| (dir.kind, task(dir))).collect();
    tasks.sort_by_key(|(_, task)| task.clone());
    let run = rig.runner().run.unwrap();
    let of = |number: u32| (WorkDirKind::Kept, Some(format!("{run}.{number}")));
    assert_eq!(tasks, [(WorkDirKind::Current, None), of(3), of(4), of(5)]);
    assert!(dirs.directories.iter().all(|dir| dir.project.is_some() == dir.task.is_some()));
    assert!(dirs.directories.iter().all(|dir| dir.size.is_some_and(|it| it.0 >= 100_000)));
    let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
    let last = receipts.receipts.first().unwrap();
    assert_eq!(last.why, CleanupWhy::BeforeTask);
    assert!(last.freed.0 >= 100_000, "{last:?}");
    rig.finish();
}

fn is_told_of_a_failure(rig: &Rig) -> bool {
    let problems = rig.api.snapshot().unwrap().problems;
    problems.iter().any(|it| it.code == ProblemCode::CleanupFailed)
}

#[test]
fn a_task_on_a_disk_between_its_two_marks_is_not_refused() {
    let mut rig = Rig::idle(&Options::default());
    for (name, value) in
        [("clean-fails", "fail-task"), ("stop-below", "1"), ("go-on-above", "1000000")]
    {
        rig.place.runnerctl(&["preferences", "set", name, value]);
    }
    let job = rig.short_job();
    rig.assert_ended_well(&job);
    assert!(!is_told_of_a_failure(&rig));
    rig.finish();
}

#[test]
fn a_directory_that_a_job_chose_is_learnt_and_shown_and_never_cleaned_up() {
    let mut rig = Rig::idle(&Options::default());
    let chosen = rig.place.path("signs").join("project");
    fs::create_dir(&chosen).unwrap();
    let go = rig.place.path("signs").join("go");
    let script = "head -c 100000 /dev/urandom > big; until [ -e \"$GO\" ]; do sleep 0.05; done";
    let task = NewTask::new(CLASS)
        .job("elsewhere")
        .working_directory(chosen.to_str().unwrap())
        .env("GO", go.to_str().unwrap())
        .step("leave", script);
    let number = rig.circle.enqueue(&task);
    rig.until_runner("where the task works is known", |runner| {
        let directory = runner.task.as_ref().and_then(|task| task.directory.as_deref());
        directory.map(Path::new) == Some(&*chosen)
    });
    fs::File::create(&go).unwrap();
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    until_recorded(&rig, 1);
    rig.until_state(RunnerState::Idle);
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    rig.until_state(RunnerState::Idle);
    let dirs: WorkDirs = json(&rig, &["workdirs", "--json"]);
    let dir = dirs.directories.iter().find(|dir| dir.kind == WorkDirKind::Chosen).unwrap();
    assert_eq!(Path::new(&dir.path), chosen);
    assert_eq!(dir.job.as_deref(), Some("elsewhere"));
    assert!(dir.size.is_some_and(|size| size.0 >= 100_000), "{dir:?}");
    let refused = rig.place.runnerctl_fails(&["clean", "--directory", &dir.id.0]);
    assert!(refused.contains("is not deleted. A job chose it"), "{refused}");
    rig.place.runnerctl(&["clean"]);
    runs(&rig, "next");
    assert!(chosen.join("big").exists());
    rig.finish();
}

#[test]
fn a_weekly_clean_up_that_was_missed_is_made_up_for_once() {
    let mut rig = Rig::idle(&Options::default());
    for name in ["one", "two", "three"] {
        runs(&rig, name);
    }
    until_recorded(&rig, 3);
    assert_eq!(names(&kept(&rig)).len(), 2);
    rig.place.runnerctl(&["presets", "set", "kept", "--keep-last", "1"]);
    rig.place.runnerctl(&["preferences", "set", "clean-weekly", "sun-03"]);
    let weekly = |rig: &Rig| -> Vec<CleanupReceipt> {
        let receipts: CleanupReceipts = json(rig, &["clean", "--receipts", "--json"]);
        receipts.receipts.into_iter().filter(|it| it.why == CleanupWhy::Weekly).collect()
    };
    assert_eq!(weekly(&rig), [], "it was not wanted before now");
    // The machine was off since long before its last time.
    let kept = kept(&rig);
    rig.kill_supervisor();
    let file = rig.place.folders().wanted_file();
    let mut wanted: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(wanted["weekly_cleanup_since"].is_string(), "{wanted}");
    wanted["weekly_cleanup_since"] = "2026-01-01T00:00:00Z".into();
    run_dir::write_atomically(&file, wanted.to_string().as_bytes()).unwrap();
    let cut = cut_short(&kept);
    rig.start_supervisor(&Options::default());
    until(DEADLINE, "the weekly clean-up is over", || !weekly(&rig).is_empty());
    until(DEADLINE, "what an earlier clean-up was killed at is gone", || !cut.exists());
    until(DEADLINE, "a receipt says so", || told_of_the_rest(&rig));
    let receipts = weekly(&rig);
    assert!(receipts[0].freed.0 >= 100_000 && receipts[0].failures.is_empty(), "{receipts:?}");
    runs(&rig, "four");
    until_recorded(&rig, 4);
    rig.until_state(RunnerState::Idle);
    assert_eq!(weekly(&rig).len(), 1, "once a week");
    rig.finish();
}

/// What one leaves in a trash that is killed while it deletes; no receipt tells of it.
fn cut_short(kept: &Path) -> PathBuf {
    let trash = kept.join(TRASH);
    let batch = trash.join("1700000000-1-0.going");
    fs::create_dir_all(batch.join("0")).unwrap();
    fs::set_permissions(&trash, fs::Permissions::from_mode(0o700)).unwrap();
    run_dir::write_atomically(&batch.join("0/file"), &[7; 10_000]).unwrap();
    batch
}

fn told_of_the_rest(rig: &Rig) -> bool {
    let receipts: CleanupReceipts = json(rig, &["clean", "--receipts", "--json"]);
    let mut groups = receipts.receipts.iter().flat_map(|receipt| &receipt.groups);
    groups.any(|group| group.preset == "trash" && group.freed.0 >= 10_000)
}

#[test]
fn what_a_clean_up_was_killed_at_goes_by_itself_and_has_a_receipt() {
    let mut rig = Rig::idle(&Options::default());
    runs(&rig, "one");
    until_recorded(&rig, 1);
    let kept = kept(&rig);
    rig.kill_supervisor();
    let cut = cut_short(&kept);
    rig.start_supervisor(&Options::default());
    until(DEADLINE, "it is gone", || !cut.exists());
    until(DEADLINE, "a receipt says so", || told_of_the_rest(&rig));
    let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
    assert!(receipts.receipts.iter().any(|receipt| receipt.why == CleanupWhy::Rest));
    rig.finish();
}

#[test]
fn a_run_that_began_before_its_disk_was_seen_has_its_goal_once_it_is() {
    let mut rig = Rig::idle(&Options::default());
    rig.place.runnerctl(&["preferences", "set", "stop-below", "1"]);
    let file = rig.run().clean_up();
    let read =
        || -> serde_json::Value { serde_json::from_slice(&fs::read(&file).unwrap()).unwrap() };
    let has_goals = || read()["before"]["goals"].as_array().is_some_and(|goals| !goals.is_empty());
    until(DEADLINE, "its disk was seen", has_goals);
    rig.kill_supervisor();
    let mut plan = read();
    plan["before"]["goals"] = serde_json::json!([]);
    run_dir::write_atomically(&file, plan.to_string().as_bytes()).unwrap();
    rig.start_supervisor(&Options::default());
    until(DEADLINE, "it has its goal again", has_goals);
    rig.finish();
}

/// A preset of the owner's that is done before each task.
fn own_command(rig: &Rig, script: &str) {
    own_preset(rig, "mine", "before_task", script);
}

fn own_preset(rig: &Rig, id: &str, when: &str, script: &str) {
    let file = rig.place.folders().settings_file();
    let settings = fs::read_to_string(&file).unwrap();
    let own = format!(
        "\n[[cleanup.preset]]\nid = \"{id}\"\ntitle = \"{id}\"\nwhen = \"{when}\"\n\
         default = true\nwhat = {{ command = {{ script = '''{script}''', time_limit_seconds = 60 }} }}\n"
    );
    run_dir::write_atomically(&file, format!("{settings}{own}").as_bytes()).unwrap();
    until(DEADLINE, "the settings are heeded", || {
        let presets: Presets = json(rig, &["presets", "--json"]);
        presets.presets.iter().any(|preset| preset.id == id && preset.own)
    });
}

#[test]
fn a_clean_up_that_hangs_is_ended_and_the_task_goes_on() {
    let rig = Rig::idle(&Options::default());
    rig.place.runnerctl(&["preferences", "set", "clean-limit", "1"]);
    own_command(&rig, "exec sleep 600");
    runs(&rig, "one");
    let told = rig.place.until_told(ProblemCode::CleanupFailed, "").problem.reading.unwrap();
    // By itself, or by its guard where it began late.
    assert!(["its time was over", "took too long"].iter().any(|it| told.contains(it)), "{told}");
    rig.finish();
}

#[test]
fn where_its_owner_wants_it_a_task_fails_whose_clean_up_did() {
    let rig = Rig::idle(&Options::default());
    for (name, value) in [("clean-limit", "1"), ("clean-fails", "fail-task")] {
        rig.place.runnerctl(&["preferences", "set", name, value]);
    }
    own_command(&rig, "exec sleep 600");
    let number = leaving(&rig, "one", 10);
    assert_ne!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    assert!(!rig.place.path("signs").join("found-one").exists(), "it was not begun");
    until_recorded(&rig, 1);
    rig.finish();
}

#[test]
fn what_a_command_of_the_owner_s_prints_is_in_the_task_s_folder_and_not_in_the_job_s_output() {
    let rig = Rig::idle(&Options::default());
    own_command(&rig, "echo OUT-OF-THE-OWNER; echo ERR-OF-THE-OWNER >&2");
    let number = leaving(&rig, "one", 10);
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    let output = rig.circle.output(number);
    assert!(output.contains("one") && !output.contains("OF-THE-OWNER"), "{output}");
    let (task, _) = rig.task(&rig.run());
    let folder = fs::read_to_string(task.clean_up()).unwrap();
    for line in ["OUT-OF-THE-OWNER", "ERR-OF-THE-OWNER"] {
        assert!(folder.contains(line), "{folder}");
    }
    rig.finish();
}

#[test]
fn a_command_of_the_owner_s_gets_no_token() {
    let rig = Rig::idle(&Options::default());
    let sign = rig.place.path("signs").join("environment");
    own_command(&rig, &format!("env > '{}'", sign.display()));
    runs(&rig, "one");
    let environment = fs::read_to_string(&sign).unwrap();
    assert!(environment.contains("HOME=") && !environment.contains("TOKEN"), "{environment}");
    rig.finish();
}

#[test]
fn a_helper_that_crashes_costs_no_task() {
    let rig = Rig::idle(&Options::default());
    // It kills its own parent, which is the process that cleans up.
    own_command(&rig, "kill -9 $PPID");
    runs(&rig, "one");
    rig.place.until_told(ProblemCode::CleanupFailed, "broke off");
    rig.finish();
}

#[test]
fn a_task_that_is_cancelled_during_its_clean_up_never_begins() {
    let rig = Rig::idle(&Options::default());
    let sign = rig.place.path("signs").join("cleaning");
    own_command(&rig, &format!(": > '{}'; exec sleep 600", sign.display()));
    let number = leaving(&rig, "one", 10);
    until(DEADLINE, "it cleans up", || sign.exists());
    let task = rig.task_id();
    rig.place.runnerctl(&["cancel-task", task.as_str(), "--yes"]);
    let finished = rig.circle.finished(number);
    assert_ne!(finished.outcome, Some(Outcome::Success));
    assert!(!rig.place.path("signs").join("found-one").exists(), "it was not begun");
    rig.finish();
}

#[test]
fn what_a_task_leaves_running_is_ended_where_its_owner_wants_it_and_else_left() {
    let rig = Rig::idle(&Options::default());
    let script = "setsid sleep 300 < /dev/null > /dev/null 2>&1 & echo $! > \"$LEFT\"";
    let leave = |name: &str| {
        let file = rig.place.path("signs").join(name);
        let task = NewTask::new(CLASS).env("LEFT", file.to_str().unwrap()).step("leave", script);
        let number = rig.circle.enqueue(&task);
        assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
        let pid = until_some(DEADLINE, "its number is there", || {
            fs::read_to_string(&file).ok()?.trim().parse().ok()
        });
        process::Pid::new(pid).and_then(|pid| process::ProcessId::of(pid).ok())
    };
    let left = leave("left").expect("it runs on");
    until_recorded(&rig, 1);
    assert!(is_alive(&left));
    let plan: CleanupPlan =
        json(&rig, &["clean", "--dry-run", "--preset", "left-over-processes", "--json"]);
    assert_eq!(plan.entries, 1, "{plan:?}");
    rig.place.runnerctl(&["clean", "--preset", "left-over-processes"]);
    until(DEADLINE, "it was ended", || !is_alive(&left));
    rig.place.runnerctl(&["preferences", "set", "end-left-overs", "on"]);
    let left = leave("ended");
    until_recorded(&rig, 2);
    assert!(left.is_none_or(|left| !is_alive(&left)));
    rig.finish();
}
