//! What was removed by hand comes back, wherever its trash is.

use std::fs;

use cleanup::Place;
use cleanup::preset::{Choice, Detail, Freshened, Preset, Undo, fresh, own};
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
    let back = said(Work::PutBack { roots: roots.clone(), at });
    let Said::PutBack { put_back, not, shut } = back else { panic!("{back:?}") };
    assert_eq!((put_back, shut), (1, vec![Place::from("/not/there")]));
    assert!(not.len() == 1 && not[0].contains("other: something else has its name"), "{not:?}");
    assert!(work.join("project/file").exists());
    assert_eq!(fs::metadata(work.join("other")).unwrap().len(), 20);
    // What has no name any more is swept in the end.
    let around = scene.around.clone();
    let until = at.checked_add(jiff::SignedDuration::from_mins(20)).unwrap();
    let swept = said(Work::Sweep { choices: vec![Choice::built_in("kept")], around, until });
    let Said::Swept { receipts } = swept else { panic!("{swept:?}") };
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    assert_eq!(names(kept), ["run-2"]);
    let none = said(Work::PutBack { roots, at });
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
    assert!(matches!(said(Work::PutBack { roots, at }), Said::PutBack { put_back: 1, .. }));
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
