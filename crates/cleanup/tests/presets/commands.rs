//! Programs that are run: apart, for a limited time, and nothing of theirs stays.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cleanup::preset::{
    Choice, Detail, LeftOver, Outcome, OwnCommand, Preset, Risk, StepReceipt, Undo, What, When,
    built_in, carry_out,
};
use cleanup::{Progress, Stop};
use process::{Liveness, Pid, ProcessId, alive};

use crate::scene::{Scene, fill};

fn own(script: &str, time_limit_seconds: u32) -> Choice {
    let mut preset: Preset = built_in().iter().find(|it| it.id == "kept").unwrap().clone();
    (preset.id, preset.risk, preset.when) = ("mine".into(), Risk::High, When::BeforeTask);
    preset.limits = cleanup::preset::Limits::default();
    preset.what = What::Command(OwnCommand { script: script.to_owned(), time_limit_seconds });
    Choice::own(preset)
}

fn run(scene: &Scene, script: &str, time_limit_seconds: u32) -> StepReceipt {
    let (group, mut done) = scene.clean(own(script, time_limit_seconds));
    assert_eq!(group.steps[0].words, script);
    assert_eq!(group.bytes, None, "nobody knows what a script frees");
    done.steps.remove(0)
}

fn process_in(file: &Path) -> ProcessId {
    let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    ProcessId::of(Pid::new(pid).unwrap()).unwrap()
}

#[test]
fn a_script_runs_in_the_home_without_input_and_its_last_lines_are_told() {
    let scene = Scene::new();
    let script = "pwd; cat; echo \"$HOME\"; for n in $(seq 100); do echo line $n; done; \
                  rm -f rubbish; printf 'half\\rwhole\\nTotal reclaimed space: 2kB'";
    fill(&scene.home().join("rubbish"), 10);
    let receipt = run(&scene, script, 20);
    assert_eq!(receipt.outcome, Outcome::Done);
    assert_eq!(receipt.printed.len(), 40);
    assert_eq!(receipt.printed[37..], ["line 100", "whole", "Total reclaimed space: 2kB"]);
    assert_eq!(receipt.freed, Some(2000), "by its own word");
    assert!(receipt.volume.unwrap().total > 0);
    assert!(!scene.home().join("rubbish").exists());
    let receipt = run(&scene, "pwd; cat; echo \"$HOME\"", 20);
    assert_eq!(receipt.printed, [scene.home().to_str().unwrap(); 2]);
}

#[test]
fn one_that_fails_is_told_by_its_code_or_signal() {
    let scene = Scene::new();
    let receipt = run(&scene, "echo no such thing >&2; exit 3", 20);
    assert_eq!(
        (receipt.outcome, receipt.printed),
        (Outcome::Exited(3), vec!["no such thing".into()])
    );
    assert_eq!(run(&scene, "kill -9 $$", 20).outcome, Outcome::Signalled(9));
    let mut draft = scene.draft(&[own("true", 20)], Detail::Quick);
    let cleanup::preset::Act::Run { program, .. } = &mut draft.groups[0].steps[0].act else {
        panic!("a script is run");
    };
    *program = "/no/such/program".into();
    let done = scene.carry_out(&draft);
    let told = format!("{:?}", done.groups[0].steps[0].outcome);
    assert!(told.contains("/no/such/program cannot be started"), "{told}");
}

#[test]
fn when_the_time_is_up_its_session_is_ended_and_nobody_else() {
    let scene = Scene::new();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let script = "sleep 60 & echo $! > below; trap '' TERM; echo begun; while :; do sleep 60; done";
    let receipt = run(&scene, script, 5);
    assert_eq!(receipt.outcome, Outcome::TimeUp { left: vec![] });
    assert_eq!(receipt.printed, ["begun"]);
    let pid = fs::read_to_string(scene.home().join("below")).unwrap();
    let below = Pid::new(pid.trim().parse().unwrap()).unwrap();
    let ended = ProcessId::of(below).map_or(Liveness::Dead, |id| alive(&id));
    assert_eq!(ended, Liveness::Dead);
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn what_it_leaves_running_is_ended_and_not_waited_for() {
    let scene = Scene::new();
    let receipt = run(&scene, "sleep 600 & echo $!", 60);
    assert_eq!(receipt.outcome, Outcome::Done);
    let left = Pid::new(receipt.printed[0].parse().unwrap()).unwrap();
    assert_eq!(ProcessId::of(left).map_or(Liveness::Dead, |id| alive(&id)), Liveness::Dead);
}

#[test]
fn one_that_prints_without_end_is_ended_in_time() {
    let scene = Scene::new();
    let receipt = run(&scene, "yes", 5);
    assert_eq!(receipt.outcome, Outcome::TimeUp { left: vec![] });
    assert_eq!(receipt.printed.len(), 40);
}

#[test]
fn a_stop_ends_what_runs_and_leaves_the_rest() {
    let scene = Scene::new();
    let draft =
        scene.draft(&[own("echo > begun; sleep 60", 60), own("echo > second", 60)], Detail::Quick);
    let stop = Stop::never();
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !scene.home().join("begun").exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.ask();
        });
        carry_out(&draft, Undo::Gone, scene.now, &stop, &Progress::default())
    });
    let stopped = Outcome::Stopped { left: vec![] };
    assert_eq!(done.groups[0].steps[0].outcome, stopped);
    assert_eq!(done.groups[1].steps[0].outcome, stopped);
    assert!(!scene.home().join("second").exists());
}

#[test]
fn a_draft_of_a_later_release_is_refused_whole() {
    let scene = Scene::new();
    fill(&scene.runner().kept.join("a/file"), 1);
    let all = Choice {
        limits: cleanup::preset::Limits { keep_last: Some(0), ..Default::default() },
        ..Choice::built_in("kept")
    };
    let mut draft = scene.draft(&[all, own("echo > ran", 60)], Detail::Quick);
    assert!(draft.groups[0].plan.is_some());
    draft.version = 2;
    let done = scene.carry_out(&draft);
    assert!(matches!(done.groups[1].steps[0].outcome, Outcome::Refused(_)));
    assert!(done.groups.iter().all(|group| group.notes[0].contains("later release")));
    assert!(scene.runner().kept.join("a/file").exists() && !scene.home().join("ran").exists());
}

#[test]
fn what_tasks_left_running_is_ended_and_what_has_its_number_now_is_not() {
    let mut scene = Scene::new();
    let mut willing = Command::new("sleep").arg("60").spawn().unwrap();
    let script = "trap '' TERM; echo; while :; do sleep 60 & wait; done";
    let mut unwilling = Command::new("sh");
    let mut unwilling = unwilling.args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    unwilling.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    let mut spared = Command::new("sleep").arg("60").spawn().unwrap();
    let of = |child| ProcessId::of(Pid::of_child(child)).unwrap();
    let mut earlier = of(&spared);
    earlier.start.0 -= 1;
    let left = |process: ProcessId, words: &str| LeftOver { process, words: words.into() };
    scene.around.left_over =
        vec![left(of(&willing), "a"), left(of(&unwilling), "b"), left(earlier.clone(), "c")];
    let mut draft = scene.draft(&[Choice::built_in("left-over-processes")], Detail::Quick);
    assert_eq!(
        draft.groups[0].steps.iter().map(|step| &step.words).collect::<Vec<_>>(),
        ["a", "b"]
    );
    // Of one that ended after the draft.
    let mut late = draft.groups[0].steps[0].clone();
    late.act = cleanup::preset::Act::End { process: earlier };
    draft.groups[0].steps.push(late);
    let done = scene.carry_out(&draft);
    let outcomes: Vec<_> = done.groups[0].steps.iter().map(|step| step.outcome.clone()).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done, Outcome::Nothing]);
    assert!(spared.try_wait().unwrap().is_none());
    spared.kill().unwrap();
    for child in [&mut willing, &mut unwilling, &mut spared] {
        child.wait().unwrap();
    }
    let none = scene.group(Choice::built_in("left-over-processes"));
    assert_eq!(none.notes, ["no task left anything running"]);
}

#[test]
fn a_script_that_moves_into_a_session_of_its_own_is_not_waited_for() {
    let scene = Scene::new();
    let receipt = run(
        &scene,
        "setsid sh -c 'echo $$ > away; exec sleep 60' & while [ ! -s away ]; do sleep 0.01; done",
        60,
    );
    assert_eq!(receipt.outcome, Outcome::Done);
    let away = process_in(&scene.home().join("away"));
    assert_eq!(alive(&away), Liveness::Alive, "it is not ours to end");
    process::signal(&away, process::Signal::KILL).unwrap();
}
