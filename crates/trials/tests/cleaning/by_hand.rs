//! Clean-ups by hand: the plan, its carrying out, what comes back, and what a task has to do with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use local_circleci::{NewTask, Outcome};
use protocol::{
    CleanupPlan, CleanupReceipt, CleanupReceipts, RunnerState, WorkDir, WorkDirKind, WorkDirUse,
    WorkDirs,
};
use trials::{CLASS, Circle, DEADLINE, Options, Ours, Place, RUNNER, Rig, is_stopped, until};

use crate::{
    TRASH, is_told_of_a_failure, json, kept, leaving, names, own_preset, runs, until_recorded, work,
};

#[test]
fn a_dry_run_is_the_plan_that_is_carried_out_and_what_went_comes_back() {
    let rig = Rig::idle(&Options::default());
    for name in ["one", "two", "three"] {
        runs(&rig, name);
    }
    until_recorded(&rig, 3);
    let before = names(&kept(&rig));
    assert_eq!(before.len(), 2);
    rig.place.runnerctl(&["presets", "set", "kept", "--keep-last", "1"]);
    let words = ["clean", "--dry-run", "--preset", "kept", "--json"];
    let plan: CleanupPlan = json(&rig, &words);
    let item = &plan.groups[0].items[0];
    assert_eq!(plan.entries, 1, "{plan:?}");
    assert!(item.what.ends_with(&before[0]) && item.bytes.unwrap().0 >= 100_000, "{item:?}");
    assert_eq!(names(&kept(&rig)), before, "a dry run does nothing");
    let all: CleanupPlan = json(&rig, &["clean", "--dry-run", "--json"]);
    assert!(!all.groups.iter().any(|it| it.preset == "fresh"), "it frees nothing: {all:?}");
    let receipt: CleanupReceipt = json(&rig, &["clean", "--preset", "kept", "--json"]);
    assert_eq!(receipt.groups[0].went, 1);
    assert!(receipt.undo_until.is_some() && receipt.failures.is_empty(), "{receipt:?}");
    let left = |rig: &Rig| -> Vec<String> {
        names(&kept(rig)).into_iter().filter(|name| !name.starts_with('.')).collect()
    };
    assert_eq!(left(&rig), before[1..]);
    let said = rig.place.runnerctl(&["clean", "--undo"]);
    assert!(said.contains("1 entries are back."), "{said}");
    assert_eq!(left(&rig), before);
    let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
    assert!(receipts.receipts.iter().any(|it| it.undone));
    rig.finish();
}

#[test]
fn what_is_undone_after_all_of_it_is_gone_is_told_so() {
    let rig = Rig::idle(&Options::default());
    for name in ["one", "two"] {
        runs(&rig, name);
    }
    until_recorded(&rig, 2);
    let one = format!("{RUNNER}/{}", names(&kept(&rig))[0]);
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", &one, "--json"]);
    assert_eq!(receipt.groups.len(), 1, "{receipt:?}");
    fs::remove_dir_all(kept(&rig).join(TRASH)).unwrap();
    let refused = rig.place.runnerctl_fails(&["clean", "--undo", &receipt.id.to_string()]);
    assert!(refused.contains("was found in a trash"), "{refused}");
    rig.finish();
}

#[test]
fn what_went_from_the_directory_in_use_comes_back_after_the_next_task_too() {
    let rig = Rig::idle(&Options::default());
    rig.place.runnerctl(&["presets", "set", "fresh", "off"]);
    runs(&rig, "one");
    until_recorded(&rig, 1);
    rig.until_state(RunnerState::Idle);
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", RUNNER, "--json"]);
    assert_eq!(receipt.groups[0].went, 1, "{receipt:?}");
    let bare = leaving(&rig, "two", 10);
    assert_eq!(rig.circle.finished(bare).outcome, Some(Outcome::Success));
    let number = rig.circle.enqueue(&NewTask::new(CLASS).step("look", "ls -A"));
    assert_eq!(rig.circle.finished(number).outcome, Some(Outcome::Success));
    let output = rig.circle.output(number);
    assert!(output.contains("two.bin") && !output.contains(TRASH), "{output}");
    let said = rig.place.runnerctl(&["clean", "--undo", &receipt.id.to_string()]);
    assert!(said.contains("1 entries are back."), "{said}");
    assert_eq!(names(&work(&rig)), ["one.bin", "two.bin"]);
    rig.finish();
}

#[test]
fn nothing_comes_back_under_a_task_that_runs_and_all_of_it_does_after_it() {
    let mut rig = Rig::idle(&Options::default());
    rig.place.runnerctl(&["presets", "set", "fresh", "off"]);
    runs(&rig, "one");
    until_recorded(&rig, 1);
    rig.until_state(RunnerState::Idle);
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", RUNNER, "--json"]);
    let id = receipt.id.to_string();
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    let output = rig.place.command("runnerctl").args(["clean", "--undo", &id]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("0 entries are back.") && said.contains("after the task"), "{said}");
    assert!(!work(&rig).join("one.bin").exists());
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Idle);
    let said = rig.place.runnerctl(&["clean", "--undo", &id]);
    assert!(said.contains("1 entries are back."), "{said}");
    assert!(work(&rig).join("one.bin").exists());
    let refused = rig.place.runnerctl_fails(&["clean", "--undo", &id]);
    assert!(refused.contains("can be put back"), "all of it is back: {refused}");
    rig.finish();
}

#[test]
fn a_clean_up_whose_supervisor_was_killed_has_a_receipt_and_is_put_back() {
    let mut rig = Rig::idle(&Options::default());
    for name in ["one", "two"] {
        runs(&rig, name);
    }
    until_recorded(&rig, 2);
    rig.kill_supervisor();
    rig.start_supervisor(&Options { hold_at: Some("cleaned-up"), ..Options::default() });
    rig.until_state(RunnerState::Idle);
    let kept = kept(&rig);
    let before = names(&kept);
    let one = format!("{RUNNER}/{}", before[0]);
    let mut command = rig.place.command("runnerctl");
    command.args(["clean", "--directory", &one]);
    let mut by_hand = Ours::start(command);
    let held = rig.place.folders().state.join("held-at-cleaned-up");
    let supervisor = rig.supervisor.as_ref().unwrap().id().clone();
    until(DEADLINE, "all is set aside", || held.exists() && is_stopped(&supervisor));
    assert!(!kept.join(&before[0]).exists());
    rig.kill_supervisor();
    assert!(!by_hand.ended("the command").success());
    // Nor is it told of twice.
    for _ in 0..2 {
        rig.start_supervisor(&Options::default());
        rig.until_state(RunnerState::Idle);
        let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
        let cut: Vec<_> = receipts.receipts.iter().filter(|it| it.cut_short.is_some()).collect();
        assert!(cut.len() == 1 && cut[0].undo_until.is_some(), "{receipts:?}");
        assert_eq!(cut[0].groups[0].set_aside.map(|aside| aside.entries), Some(1));
        rig.kill_supervisor();
    }
    rig.start_supervisor(&Options::default());
    rig.until_state(RunnerState::Idle);
    let said = rig.place.runnerctl(&["clean", "--undo"]);
    assert!(said.contains("1 entries are back."), "{said}");
    assert_eq!(names(&kept), before);
    // One that comes to its end leaves nothing to be told of.
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", &one, "--json"]);
    assert_eq!(receipt.cut_short, None);
    assert!(!rig.place.folders().state.join("clean-up-begun.json").exists());
    rig.finish();
}

#[test]
fn what_lay_in_a_working_directory_before_any_task_is_never_cleaned_up_unasked() {
    let rig = Rig::idle(&Options::default());
    let mine = rig.place.path("signs").join("projects/work");
    fs::create_dir_all(&mine).unwrap();
    run_dir::write_atomically(&mine.join("thesis"), b"years").unwrap();
    let spec = protocol::RunnerSpec {
        working_directory: Some(mine.to_str().unwrap().to_owned()),
        ..rig.circle.spec(CLASS)
    };
    let refused = rig.api.set_up_as(RUNNER, spec.clone(), None).unwrap_err().to_string();
    assert!(refused.contains("holds files, and no task of mini made them"), "{refused}");
    // Its owner can say so in the settings all the same.
    let before = rig.runner().agent_pid;
    rig.add_setting(&format!("working_directory = \"{}\"", mine.display()));
    rig.until_runner("another agent works there", |runner| {
        Path::new(&runner.working_directory) == mine
            && runner.state == RunnerState::Idle
            && runner.agent_pid.is_some_and(|pid| Some(pid) != before)
    });
    rig.place.runnerctl(&["presets", "set", "kept", "--keep-last", "1"]);
    for name in ["one", "two", "three", "four"] {
        runs(&rig, name);
    }
    until_recorded(&rig, 4);
    rig.until_state(RunnerState::Idle);
    rig.place.runnerctl(&["clean"]);
    let before = names(&kept(&rig)).into_iter().find(|name| name.starts_with("before-")).unwrap();
    assert!(kept(&rig).join(&before).join("thesis").exists());
    assert_eq!(names(&kept(&rig)).len(), 2, "and of what tasks left one");
    // What tasks made is theirs, and the runner may have it again.
    rig.api.set_up_as(RUNNER, spec, None).unwrap();
    let named = format!("{RUNNER}/{before}");
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", &named, "--json"]);
    assert_eq!(receipt.groups[0].went, 1, "by name it goes: {receipt:?}");
    rig.finish();
}

#[test]
fn a_task_that_begins_in_the_middle_of_a_clean_up_goes_on_and_what_is_only_for_idle_times_waits() {
    let mut rig = Rig::idle(&Options::default());
    let sign = |name: &str| rig.place.path("signs").join(name);
    let (begun, go, second) = (sign("begun"), sign("go"), sign("second"));
    let wait =
        format!(": > '{}'; until [ -e '{}' ]; do sleep 0.05; done", begun.display(), go.display());
    own_preset(&rig, "mine", "idle_only", &wait);
    own_preset(&rig, "then", "idle_only", &format!(": > '{}'", second.display()));
    let words = ["clean", "--preset", "mine", "--preset", "then", "--json"];
    let mut by_hand = rig.place.command("runnerctl");
    let by_hand = by_hand.args(words).stdout(std::process::Stdio::piped()).spawn().unwrap();
    until(DEADLINE, "it cleans up", || begun.exists());
    let job = rig.long_job();
    job.until_begun();
    fs::File::create(&go).unwrap();
    let output = by_hand.wait_with_output().unwrap();
    let receipt: CleanupReceipt = serde_json::from_slice(&output.stdout).unwrap();
    let told = receipt.cut_short.as_deref().unwrap_or_default();
    assert!(told.starts_with("A task began") && told.ends_with(": then."), "{receipt:?}");
    assert_eq!(receipt.groups.len(), 1, "{receipt:?}");
    assert!(!second.exists());
    assert!(!is_told_of_a_failure(&rig), "it is none");
    job.let_go();
    rig.assert_ended_well(&job);
    // A plan that was made while nothing ran is no leave for later.
    rig.until_state(RunnerState::Idle);
    let plan: CleanupPlan = json(&rig, &["clean", "--dry-run", "--preset", "then", "--json"]);
    assert_eq!(plan.entries, 1);
    let job = rig.long_job();
    job.until_begun();
    let asked = protocol::CarryOut { plan: plan.id, presets: None };
    let receipt = rig.api.call(async |client| client.clean_up(&asked).await).unwrap();
    assert!(receipt.groups.is_empty() && receipt.cut_short.is_some(), "{receipt:?}");
    assert!(!second.exists());
    job.let_go();
    rig.assert_ended_well(&job);
    rig.finish();
}

/// `runnerctl` at it, to be stopped.
fn begin(rig: &Rig, words: &[&str]) -> std::process::Child {
    let mut command = rig.place.command("runnerctl");
    let command = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn one_that_is_stopped_while_it_measures_removes_nothing() {
    let mut place = Place::new();
    let (bin, asked) = (place.path("signs").join("bin"), place.path("signs").join("asked"));
    fs::create_dir(&bin).unwrap();
    // Asked what would go, it thinks it over.
    let docker = bin.join("docker");
    let script = format!("#!/bin/sh\n: > '{}'\nexec sleep 600\n", asked.display());
    run_dir::write_atomically(&docker, script.as_bytes()).unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = std::iter::once(bin).chain(std::env::split_paths(&path));
    place.set_env("PATH", std::env::join_paths(first).unwrap());
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &Options::default());
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    for name in ["one", "two"] {
        runs(&rig, name);
    }
    until_recorded(&rig, 2);
    rig.until_state(RunnerState::Idle);
    rig.place.runnerctl(&["presets", "set", "kept", "--keep-last", "0"]);
    let before = names(&kept(&rig));
    assert!(!asked.exists(), "nobody asked yet");
    // The first of the two is planned by then.
    let by_hand = begin(&rig, &["clean", "--preset", "kept", "--preset", "docker-containers"]);
    until(DEADLINE, "docker is asked", || asked.exists());
    rig.place.runnerctl(&["clean", "--stop"]);
    let output = by_hand.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    assert!(said.contains("It was stopped; nothing was removed."), "{said}");
    assert_eq!(names(&kept(&rig)), before);
    let receipt: CleanupReceipt = json(&rig, &["clean", "--preset", "kept", "--json"]);
    assert_eq!(receipt.groups[0].went, 1, "another begins anew: {receipt:?}");
    rig.finish();
}

#[test]
fn one_that_is_stopped_while_it_removes_leaves_what_it_has_not_begun() {
    let rig = Rig::idle(&Options::default());
    let sign = |name: &str| rig.place.path("signs").join(name);
    let (begun, second) = (sign("begun"), sign("second"));
    own_preset(&rig, "mine", "idle_only", &format!(": > '{}'; exec sleep 50", begun.display()));
    own_preset(&rig, "then", "idle_only", &format!(": > '{}'", second.display()));
    let by_hand = begin(&rig, &["clean", "--preset", "mine", "--preset", "then", "--json"]);
    until(DEADLINE, "it is at the first", || begun.exists());
    rig.place.runnerctl(&["clean", "--stop"]);
    let output = by_hand.wait_with_output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    let receipt: CleanupReceipt = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(receipt.cut_short.as_deref(), Some("It was stopped."), "{receipt:?}");
    assert!(!second.exists());
    rig.place.runnerctl(&["clean", "--preset", "then"]);
    assert!(second.exists());
    rig.finish();
}

#[test]
fn what_is_marked_stays_and_what_is_named_goes_unless_a_task_is_in_it() {
    let mut rig = Rig::idle(&Options::default());
    runs(&rig, "one");
    runs(&rig, "two");
    until_recorded(&rig, 2);
    let one = format!("{RUNNER}/{}", names(&kept(&rig))[0]);
    rig.place.runnerctl(&["workdirs", "keep", &one]);
    let plan: CleanupPlan = json(&rig, &["clean", "--dry-run", "--directory", &one, "--json"]);
    assert_eq!(plan.entries, 0, "it is marked");
    rig.place.runnerctl(&["workdirs", "release", &one]);
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    let found: WorkDirs = json(&rig, &["workdirs", "--json"]);
    let used = found.directories.iter().find(|it| it.kind == WorkDirKind::Current).unwrap();
    assert_eq!(used.in_use, WorkDirUse::InUse);
    assert!(used.size.is_some(), "it is measured for whoever asks: {used:?}");
    assert!(rig.api.snapshot().unwrap().cleanup.is_none(), "and that is over");
    let refused = rig.place.runnerctl_fails(&["clean", "--directory", RUNNER]);
    assert!(refused.contains("A task of mini works in mini."), "{refused}");
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", &one, "--json"]);
    assert_eq!(receipt.groups[0].went, 1);
    job.let_go();
    rig.assert_ended_well(&job);
    runs(&rig, "three");
    until_recorded(&rig, 4);
    let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", RUNNER, "--json"]);
    assert!(receipt.failures.is_empty() && receipt.groups[0].went == 1, "{receipt:?}");
    assert!(!work(&rig).join("three.bin").exists());
    assert!(work(&rig).is_dir(), "a runner has a working directory");
    let unknown = rig.place.runnerctl_fails(&["clean", "--directory", "mini/nothing"]);
    assert!(unknown.contains("There is no working directory mini/nothing."), "{unknown}");
    let unknown = rig.place.runnerctl_fails(&["clean", "--preset", "nothing"]);
    assert!(unknown.contains("There is no clean-up preset nothing."), "{unknown}");
    rig.finish();
}

#[test]
fn one_user_that_cannot_be_asked_stops_nobody_else_s_clean_up_and_is_told() {
    let rig = Rig::idle(&Options::default());
    runs(&rig, "one");
    runs(&rig, "two");
    until_recorded(&rig, 2);
    let broken = format!(
        "\n[[runner]]\nname = \"broken\"\nresource_class = \"{CLASS}\"\njob_user = \"no-such-user\"\n\
         api_url = \"{0}\"\nreleases_url = \"{0}/releases\"",
        rig.circle.url()
    );
    rig.add_setting(&broken);
    until(DEADLINE, "it is heeded", || rig.api.runner("broken").is_some());
    let asked = protocol::AskPlan { presets: Some(vec!["kept".into()]), ..Default::default() };
    rig.place.runnerctl(&["presets", "set", "kept", "--keep-last", "0"]);
    let plan = rig.api.call(async |client| client.plan_cleanup(&asked).await).unwrap();
    let failed: Vec<&str> = plan.failures.iter().map(|failure| failure.path.as_str()).collect();
    assert_eq!((plan.entries, failed), (1, vec!["all of no-such-user"]), "{plan:?}");
    let carry_out = protocol::CarryOut { plan: plan.id, presets: None };
    let receipt = rig.api.call(async |client| client.clean_up(&carry_out).await).unwrap();
    assert_eq!(receipt.groups[0].went, 1, "{receipt:?}");
    assert!(receipt.failures[0].way_out.contains("runnerctl doctor"), "{receipt:?}");
    let refused = rig.place.runnerctl_fails(&["clean", "--runner", "broken"]);
    assert!(refused.contains("As no-such-user: "), "{refused}");
    rig.finish();
}

#[test]
fn what_a_runner_left_that_was_removed_is_shown_and_goes_by_name_alone() {
    let rig = Rig::idle(&Options::default());
    runs(&rig, "one");
    runs(&rig, "two");
    until_recorded(&rig, 2);
    let (work, kept) = (work(&rig), kept(&rig));
    rig.place.runnerctl(&["pause"]);
    rig.until_state(RunnerState::Paused);
    let name = RUNNER.parse().unwrap();
    rig.api.call(async |client| client.remove(&name).await).unwrap();
    until(DEADLINE, "it is gone", || rig.api.runner(RUNNER).is_none());
    let found = |rig: &Rig| -> Vec<WorkDir> {
        let found: WorkDirs = json(rig, &["workdirs", "--json"]);
        found.directories
    };
    let left = found(&rig);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().all(|it| it.kind == WorkDirKind::Left && it.kept_because.is_none()));
    assert!(left.iter().all(|it| it.size.is_some_and(|size| size.0 >= 100_000)), "{left:?}");
    rig.place.runnerctl(&["clean", "--preset", "kept"]);
    assert_eq!(found(&rig).len(), 2, "no rule takes it");
    for it in &left {
        let receipt: CleanupReceipt = json(&rig, &["clean", "--directory", &it.id.0, "--json"]);
        assert!(receipt.groups[0].went == 1 && receipt.failures.is_empty(), "{receipt:?}");
    }
    assert_eq!(found(&rig), []);
    let said = rig.place.runnerctl(&["clean", "--undo"]);
    assert!(said.contains("1 entries are back."), "{said}");
    assert_eq!(found(&rig).len(), 1);
    assert!(work.is_dir() && kept.is_dir());
    rig.finish();
}
