//! The clean-up around a task: what it starts is not the task's, its lock is the task's, and where there
//! is nothing to do it costs no process.

use std::fs::File;
use std::os::unix::process::CommandExt;

use cleanup::preset::{Around, Choice, FreeGoal, Platform};
use cleanup::work::{BeforeTask, Fresh, TaskCleanUp, TaskCleaned, VERSION};
use process::{Liveness, ProcessId, alive};
use run_dir::{RunDir, TaskNumber};

use crate::home::{Home, lines, until, until_dead, until_written};
use crate::task::task;

/// What is done before each task of the run: the script, if there is one.
fn plan(home: &Home, script: Option<&str>) -> TaskCleanUp {
    let choice = |script: &str| -> Choice {
        let what = serde_json::json!({"command": {"script": script, "time_limit_seconds": 60}});
        let preset = serde_json::json!({
            "id": "mine", "title": "Mine", "touches": "", "why": "", "risk": "low",
            "platforms": ["linux", "macos"], "default": true, "when": "before_task", "what": what,
        });
        serde_json::from_value(serde_json::json!({ "preset": preset })).unwrap()
    };
    let around = Around {
        platform: Platform::here(),
        home: home.path(""),
        temp: home.path(""),
        path: Vec::new(),
        runners: Vec::new(),
        left_over: Vec::new(),
        never_delete: Vec::new(),
        idle: false,
        others: false,
    };
    let goals = vec![FreeGoal { path: home.path(""), wanted: 1, least: None }];
    let choices = script.map(choice).into_iter().collect();
    TaskCleanUp {
        version: VERSION,
        within_seconds: 60,
        fail_task: false,
        end_left_overs: true,
        lock: home.path("work.lock").into(),
        before: Some(BeforeTask { fresh: None, choices, around, goals }),
    }
}

fn write(run: &RunDir, plan: &TaskCleanUp) {
    run_dir::write_atomically(&run.clean_up(), &serde_json::to_vec(plan).unwrap()).unwrap();
}

fn cleaned(run: &RunDir) -> TaskCleaned {
    let text = std::fs::read(run.task(TaskNumber(1)).clean_up()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn remembered(home: &mut Home, name: &str) -> ProcessId {
    let pid = lines(&home.path(name))[0].parse().unwrap();
    home.remember_pid(pid)
}

/// Leaves a process in a session of its own, which writes its number down.
fn leaves(home: &Home, name: &str) -> String {
    let file = home.path(name);
    let file = file.display();
    format!(
        "setsid sh -c 'echo $$ > \"$0\"; exec sleep 1000' '{file}' >/dev/null 2>&1 &\n\
         until [ -s '{file}' ]; do sleep 0.01; done"
    )
}

#[test]
fn what_a_command_before_the_task_left_is_never_taken_for_the_task_s_and_never_ended() {
    let mut home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    write(&run, &plan(&home, Some(&leaves(&home, "of-the-owner"))));
    let of_the_task = leaves(&home, "of-the-task");
    let status = task(&run, &["/bin/sh", "-c", &of_the_task]).status().unwrap();
    assert!(status.success());
    let owners = remembered(&mut home, "of-the-owner");
    assert_eq!(alive(&owners), Liveness::Alive);
    let finished = run.task(TaskNumber(1)).finished().written().unwrap();
    assert_eq!(finished.left_behind, []);
    let [ended] = &finished.ended[..] else { panic!("{finished:?}") };
    assert_eq!(lines(&home.path("of-the-task")), [ended.process.pid.to_string()]);
    // Where it was asked before its exec, it was a shell still.
    assert!(["sleep", "setsid", "sh", "dash", "bash"].contains(&&*ended.program), "{ended:?}");
    assert_eq!(alive(&ended.process), Liveness::Dead);
}

#[test]
fn it_is_not_ended_either_where_a_side_of_the_wrapper_is_killed() {
    for side in ["front", "guard"] {
        let mut home = Home::new();
        let (run, _lock) = home.run(&home.plan());
        write(&run, &plan(&home, Some(&leaves(&home, "of-the-owner"))));
        let mut command = task(&run, &["/bin/sleep", "1000"]);
        let mut front = command.process_group(0).spawn().unwrap();
        let started = until_written("the task is on record", || run.task(TaskNumber(1)).started());
        let agent = home.remember_pid(started.process.pid.get());
        let owners = remembered(&mut home, "of-the-owner");
        let victim = if side == "front" { &started.front } else { &started.guard };
        process::signal(victim, process::Signal::KILL).unwrap();
        until_dead(&agent);
        front.wait().unwrap();
        until_dead(&started.guard);
        assert_eq!(alive(&owners), Liveness::Alive, "{side}");
    }
}

#[test]
fn where_there_is_nothing_to_do_no_process_is_started() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let nothing = plan(&home, None);
    assert!(nothing.before.as_ref().is_some_and(BeforeTask::is_nothing));
    write(&run, &nothing);
    assert!(task(&run, &["/bin/true"]).status().unwrap().success());
    let first = run.task(TaskNumber(1));
    // What a clean-up's process prints goes there, from its start on.
    assert!(!first.clean_up_log().exists() && !first.clean_up().exists());
}

#[test]
fn a_task_waits_for_its_lock_no_longer_than_its_limit_and_takes_it_as_soon_as_it_is_free() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let mut plan = plan(&home, Some("true"));
    plan.within_seconds = 1;
    write(&run, &plan);
    // Whoever cleans up by hand, and hangs.
    let holder = File::create(home.path("work.lock")).unwrap();
    holder.lock_shared().unwrap();
    let go = home.path("go");
    let waits = format!("until [ -e '{}' ]; do sleep 0.02; done", go.display());
    let mut front = task(&run, &["/bin/sh", "-c", &waits]).spawn().unwrap();
    until_written("the task begins all the same", || run.task(TaskNumber(1)).started());
    let failures = cleaned(&run).failures;
    assert!(failures.len() == 1 && failures[0].contains("another holds"), "{failures:?}");
    drop(holder);
    let is_held = || File::open(home.path("work.lock")).unwrap().try_lock_shared().is_err();
    until("the task has its lock", is_held);
    home.write("go");
    assert!(front.wait().unwrap().success());
    assert!(!is_held());
}

/// Some 35,000 names of 200 letters: what is said of each is longer than the name.
#[test]
fn an_answer_that_nobody_reads_is_a_failed_clean_up_and_the_task_has_its_guard_and_its_lock() {
    for fail_task in [false, true] {
        let home = Home::new();
        let (run, _lock) = home.run(&home.plan());
        let full = home.path("full");
        std::fs::create_dir(&full).unwrap();
        for number in 0..35_000 {
            File::create(full.join(format!("{number:0>200}"))).unwrap();
        }
        let what = serde_json::json!({"folders": [{ "root": full }]});
        let preset = serde_json::json!({
            "id": "mine", "title": "Mine", "touches": "", "why": "", "risk": "low",
            "platforms": ["linux", "macos"], "default": true, "when": "before_task", "what": what,
        });
        let choice = serde_json::from_value(serde_json::json!({ "preset": preset })).unwrap();
        let mut plan = TaskCleanUp { fail_task, ..plan(&home, None) };
        plan.before.as_mut().unwrap().choices = vec![choice];
        write(&run, &plan);
        let go = home.path("go");
        let waits = format!("until [ -e '{}' ]; do sleep 0.02; done", go.display());
        let mut front = task(&run, &["/bin/sh", "-c", &waits]).spawn().unwrap();
        if !fail_task {
            until_written("the task begins all the same", || run.task(TaskNumber(1)).started());
            let lock = File::open(home.path("work.lock")).unwrap();
            assert!(lock.try_lock_shared().is_err(), "as long as it runs it is the task's");
            home.write("go");
        }
        let code = if fail_task { 75 } else { 0 };
        assert_eq!(front.wait().unwrap().code(), Some(code));
        let TaskCleaned { failures, refused, .. } = cleaned(&run);
        assert!(failures.len() == 1 && failures[0].contains("more than anybody"), "{failures:?}");
        assert_eq!(refused, fail_task);
        let finished = run.task(TaskNumber(1)).finished().written().expect("its end is on record");
        assert_eq!(finished.end, run_dir::TaskEnd::Code(code));
    }
}

#[test]
fn where_its_owner_wants_it_no_task_begins_without_its_lock() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let plan = TaskCleanUp { within_seconds: 1, fail_task: true, ..plan(&home, Some("true")) };
    write(&run, &plan);
    let holder = File::create(home.path("work.lock")).unwrap();
    holder.lock_shared().unwrap();
    let ran = home.path("ran");
    let status = task(&run, &["/usr/bin/touch", ran.to_str().unwrap()]).status().unwrap();
    assert_eq!(status.code(), Some(75));
    assert!(cleaned(&run).refused && !ran.exists());
}

/// What a task finds noted of those before it, and how its own directory was noted.
#[test]
fn what_no_task_made_is_kept_under_a_name_of_its_own() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let name = run.path().file_name().unwrap().to_str().unwrap().to_owned();
    let (work, kept) = (home.path("work"), home.path("work.kept"));
    let mut options = File::options();
    let lock = options.read(true).write(true).create(true).truncate(false);
    let lock = lock.open(home.path("work.lock")).unwrap();
    let noted = || cleanup::left_by(&lock, &work);
    let runs = |fresh: bool, leaves: &str| {
        let mut plan = plan(&home, Some("true"));
        plan.before.as_mut().unwrap().fresh = fresh.then(|| Fresh {
            work: work.as_path().into(),
            kept: kept.as_path().into(),
            name: String::new(),
        });
        write(&run, &plan);
        let leaves = work.join(leaves);
        assert!(
            task(&run, &["/usr/bin/touch", leaves.to_str().unwrap()]).status().unwrap().success()
        );
    };
    std::fs::create_dir(&work).unwrap();
    File::create(work.join("of-the-owner")).unwrap();
    // Without a fresh start it stays among what tasks make.
    runs(false, "one");
    assert_eq!(noted(), Some(format!("before-{name}.1")));
    runs(false, "two");
    assert_eq!(noted(), Some(format!("before-{name}.1")));
    runs(true, "three");
    assert!(kept.join(format!("before-{name}.1/of-the-owner")).exists());
    assert_eq!(noted(), Some(format!("{name}.3")));
    runs(true, "four");
    assert!(kept.join(format!("{name}.3/three")).exists());
    // Another directory is nobody's that a task of this one was in.
    cleanup::note(&lock, &home.path("elsewhere"), &format!("{name}.4")).unwrap();
    runs(true, "five");
    assert!(kept.join(format!("before-{name}.5/four")).exists());
    assert_eq!(noted(), Some(format!("{name}.5")));
}
