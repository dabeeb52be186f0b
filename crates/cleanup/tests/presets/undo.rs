//! What was removed by hand comes back, wherever its trash is.

use std::fs;

use cleanup::Place;
use cleanup::preset::{Choice, Detail, Freshened, Preset, RunnerAround, Undo, fresh, own};
use cleanup::work::{Request, Said, Work};

use crate::scene::{Scene, asked, fill, true_time};

/// All that is in the runner's working directory.
fn all_of_work(scene: &Scene) -> Choice {
    let (work, lock) = (scene.runner().work.display(), scene.runner().lock.display());
    let text = format!(
        "id = \"mine\"\ntitle = \"Mine\"\n\
         what = {{ folders = [{{ root = \"{work}\", lock = \"{lock}\" }}] }}\n"
    );
    let (mut presets, bad): (Vec<Preset>, _) = own(&[text.parse().unwrap()]);
    assert!(bad.is_empty(), "{bad:?}");
    Choice::own(presets.remove(0))
}

fn said(work: Work) -> Said {
    asked(&Request { version: 1, within_seconds: None, work })
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_went_from_a_working_directory_leaves_nothing_there_and_comes_back_after_a_fresh_start() {
    let scene = Scene::new();
    let (work, kept) = (&scene.runner().work, &scene.runner().kept);
    fill(&work.join("project/file"), 5000);
    fill(&work.join("other"), 10);
    let draft = scene.draft(&[all_of_work(&scene)], Detail::Measured);
    let at = true_time();
    let done = said(Work::CarryOut { draft, undo: Undo::Kept, at: Some(at) });
    assert!(matches!(&done, Said::Done { done } if done.at == at), "{done:?}");
    assert_eq!(names(work), [""; 0], "a job finds nothing of ours");
    // Two tasks begin since; the second finds what the first left, which is kept.
    assert_eq!(fresh(work, kept, "run-1").unwrap(), Freshened::Nothing);
    fill(&work.join("project/of-the-task"), 10);
    assert_eq!(fresh(work, kept, "run-2").unwrap(), Freshened::Kept(kept.join("run-2")));
    fill(&work.join("other"), 20);
    // The folder that it went from, that of the kept ones, and one that is not there.
    let roots = vec![work.into(), kept.into(), Place::from("/not/there")];
    let runners = vec![scene.runner().clone()];
    let undo = || said(Work::PutBack { roots: roots.clone(), at, runners: runners.clone() });
    let back = undo();
    let Said::PutBack { put_back, not, shut } = back else { panic!("{back:?}") };
    assert_eq!((put_back, shut), (1, vec![Place::from("/not/there")]));
    assert!(not.len() == 1 && not[0].contains("other: something else has its name"), "{not:?}");
    assert!(work.join("project/file").exists());
    assert_eq!(fs::metadata(work.join("other")).unwrap().len(), 20);
    // Once its name is free it comes back, too.
    fs::rename(work.join("other"), work.join("another")).unwrap();
    let rest = undo();
    assert!(matches!(&rest, Said::PutBack { put_back: 1, not, .. } if not.is_empty()), "{rest:?}");
    assert_eq!(fs::metadata(work.join("other")).unwrap().len(), 10);
    let none = undo();
    assert!(matches!(&none, Said::PutBack { put_back: 0, not, .. } if not.is_empty()), "{none:?}");
}

#[test]
fn what_was_not_put_back_is_swept_in_the_end() {
    let scene = Scene::new();
    let (work, kept) = (&scene.runner().work, &scene.runner().kept);
    fill(&work.join("other"), 10);
    let draft = scene.draft(&[all_of_work(&scene)], Detail::Measured);
    let at = true_time();
    said(Work::CarryOut { draft, undo: Undo::Kept, at: Some(at) });
    let around = scene.around.clone();
    let until = at.checked_add(jiff::SignedDuration::from_mins(20)).unwrap();
    let swept = said(Work::Sweep { choices: vec![Choice::built_in("kept")], around, until });
    let Said::Swept { receipts } = swept else { panic!("{swept:?}") };
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    assert!(!kept.join(cleanup::TRASH).exists());
    let roots = vec![work.into(), kept.into()];
    let none = said(Work::PutBack { roots, at, runners: Vec::new() });
    assert!(matches!(&none, Said::PutBack { put_back: 0, not, .. } if not.is_empty()), "{none:?}");
}

#[test]
fn a_clean_up_of_another_moment_is_not_put_back_with_it() {
    let scene = Scene::new();
    let work = &scene.runner().work;
    let at = true_time();
    let next = at.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
    for (name, at) in [("first", at), ("second", next)] {
        fill(&work.join(name), 10);
        let draft = scene.draft(&[all_of_work(&scene)], Detail::Measured);
        said(Work::CarryOut { draft, undo: Undo::Kept, at: Some(at) });
    }
    let roots = vec![Place::from(&scene.runner().kept)];
    let back = said(Work::PutBack { roots, at, runners: Vec::new() });
    assert!(matches!(back, Said::PutBack { put_back: 1, .. }), "{back:?}");
    assert_eq!(names(work), ["first"]);
}

#[test]
fn the_lock_of_a_working_directory_is_held_until_all_of_it_is_out_of_the_way() {
    let scene = Scene::new();
    for number in 0..2000 {
        fs::File::create(scene.runner().work.join(format!("entry-{number}"))).unwrap();
    }
    let lock = fs::File::create(&scene.runner().lock).unwrap();
    let draft = scene.draft(&[all_of_work(&scene)], Detail::Quick);
    let work = scene.runner().work.clone();
    // A task that begins in the middle gets the lock once nothing is there, or before anything goes.
    let seen = std::thread::scope(|scope| {
        let task = scope.spawn(|| {
            while names(&work).len() == 2000 {
                std::thread::yield_now();
            }
            lock.lock().unwrap();
            names(&work).len()
        });
        said(Work::CarryOut { draft, undo: Undo::Kept, at: None });
        task.join().unwrap()
    });
    assert_eq!(seen, 0);
}

#[test]
fn nothing_comes_back_into_a_directory_that_a_task_works_in() {
    let scene = Scene::new();
    let runner = scene.runner().clone();
    fill(&runner.work.join("file"), 10);
    fs::File::create(&runner.lock).unwrap();
    let draft = scene.draft(&[all_of_work(&scene)], Detail::Measured);
    let at = true_time();
    said(Work::CarryOut { draft, undo: Undo::Kept, at: Some(at) });
    let put_back = |runner: &RunnerAround| {
        let roots = vec![Place::from(&runner.work), Place::from(&runner.kept)];
        let said = said(Work::PutBack { roots, at, runners: vec![runner.clone()] });
        let Said::PutBack { put_back, not, .. } = said else { panic!("{said:?}") };
        (put_back, not)
    };
    let task = fs::File::open(&runner.lock).unwrap();
    task.lock().unwrap();
    let (count, not) = put_back(&runner);
    assert_eq!(count, 0);
    assert!(not.len() == 1 && not[0].contains("Put it back after the task"), "{not:?}");
    // One that cannot be asked counts as held.
    let unknown = RunnerAround { lock: runner.work.join("file/no"), ..runner.clone() };
    fill(&runner.work.join("file"), 1);
    let (count, not) = put_back(&unknown);
    assert!(count == 0 && not[0].contains("may work in"), "{not:?}");
    fs::remove_file(runner.work.join("file")).unwrap();
    drop(task);
    assert_eq!(put_back(&runner), (1, Vec::new()));
    assert_eq!(names(&runner.work), ["file"]);
}

/// Of the home a receipt tells where a program of its own freed something.
#[test]
fn what_no_plan_can_have_had_is_no_root_that_is_shut() {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from).unwrap();
    let roots = vec![Place::from(home), Place::from("/")];
    let back = said(Work::PutBack { roots, at: true_time(), runners: Vec::new() });
    let nothing = Said::PutBack { put_back: 0, not: Vec::new(), shut: Vec::new() };
    assert_eq!(back, nothing);
}
