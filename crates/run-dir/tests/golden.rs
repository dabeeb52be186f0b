//! Files as releases wrote them load for ever, and this release writes the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::path::{Path, PathBuf};

use run_dir::{CancelOutcome, End, Record, RunDir, Side, TaskEnd, TaskNumber, TokenMark};

fn golden(name: &str) -> RunDir {
    RunDir::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name))
}

#[test]
fn a_run_of_the_first_release_loads() {
    let run = golden("v1");
    let plan = run.plan().written().unwrap();
    assert_eq!(plan.run.as_str(), "20261123T181047.123Z-4f2a9c");
    assert_eq!(plan.runner, "mac-mini-01");
    assert_eq!(plan.argv[1..3], ["machine", "--config"]);
    assert_eq!(plan.working_directory, PathBuf::from("/Users/ci/Bücher und Code"));
    assert_eq!(plan.job_user.as_deref(), Some("ci-jobs"));
    assert_eq!(plan.token_mark, Some(TokenMark::of("a-token-of-the-golden-1")));

    assert_eq!(run.keeper().written().unwrap().process.pid.get(), 4711);
    let started = run.started().written().unwrap();
    assert_eq!((started.process.pid.get(), started.process.start.0), (4712, 812_347));
    assert_eq!(started.process.boot.0, "0f6e62c5-3d0b-4a0c-9df6-8c1f1e2f7a10");
    assert_eq!(run.drain().written().unwrap().at.to_string(), "2026-11-23T19:00:00Z");
    assert_eq!(run.drain().written().unwrap().tasks_before, 1);
    assert!(run.drain_sent().written().is_some());
    assert_eq!(run.drain_lost().written().unwrap().tasks, [TaskNumber(2), TaskNumber(3)]);
    assert_eq!(run.cancel().written().unwrap().task, TaskNumber(3));
    assert_eq!(run.cancel_sent().written().unwrap().outcome, CancelOutcome::Sent);
    assert_eq!(run.exit().written().unwrap().end, End::Code(0));

    let task = run.task(TaskNumber(1));
    assert_eq!(task.started().written().unwrap().front.pid.get(), 4790);
    let finished = task.finished().written().unwrap();
    assert_eq!(finished.end, TaskEnd::Lost(Side::Front));
    assert_eq!(finished.left_behind.len(), 1);
}

#[test]
fn this_release_writes_what_the_first_one_wrote() {
    let old = golden("v1");
    let folder = tempfile::tempdir().unwrap();
    let new = RunDir::at(folder.path().to_owned());
    std::fs::create_dir_all(new.task(TaskNumber(1)).path()).unwrap();
    macro_rules! write_again {
        ($($read:ident, $write:ident: $file:literal;)*) => {
            $(new.$write(&old.$read().written().unwrap()).unwrap();
            assert_eq!(json(&new, $file), json(&old, $file));)*
        };
    }
    write_again! {
        plan, write_plan: "plan.json";
        keeper, write_keeper: "keeper.json";
        started, write_started: "started.json";
        drain, write_drain: "drain.json";
        drain_sent, write_drain_sent: "drain-sent.json";
        drain_lost, write_drain_lost: "drain-lost.json";
        cancel, write_cancel: "cancel.json";
        cancel_sent, write_cancel_sent: "cancel-sent.json";
        exit, write_exit: "exit.json";
    }
    let (old_task, new_task) = (old.task(TaskNumber(1)), new.task(TaskNumber(1)));
    new_task.write_started(&old_task.started().written().unwrap()).unwrap();
    new_task.write_finished(&old_task.finished().written().unwrap()).unwrap();
    for file in ["tasks/1/started.json", "tasks/1/finished.json"] {
        assert_eq!(json(&new, file), json(&old, file));
    }
}

fn json(run: &RunDir, file: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(run.path().join(file)).unwrap()).unwrap()
}

#[test]
fn all_ways_to_end_have_their_words() {
    let words = |end: &End| serde_json::to_string(end).unwrap();
    assert_eq!(words(&End::Code(3)), r#"{"code":3}"#);
    assert_eq!(words(&End::Signal(9)), r#"{"signal":9}"#);
    assert_eq!(words(&End::Unknown), r#""unknown""#);
    assert_eq!(words(&End::NeverStarted("why".into())), r#"{"never_started":"why"}"#);
}

#[test]
fn what_a_later_release_adds_is_ignored_and_what_it_changes_is_not_guessed() {
    let run = golden("later");
    assert_eq!(run.started().written().unwrap().process.pid.get(), 4712);
    assert_eq!(run.exit(), Record::Newer(2));
}
