//! Stopped in the middle: what was not measured is not judged, and what was not deleted goes with the next
//! sweep.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use cleanup::{Fate, Progress, Root, Rule, Stop, Survey, measure, plan, remove, survey};

use crate::yard::{Yard, now, plan_of, write};

#[test]
fn what_was_not_measured_when_it_was_stopped_is_not_judged() {
    // More than are measured together.
    const ITEMS: usize = 100;
    let yard = Yard::new();
    for number in 0..ITEMS {
        write(&yard.item(&format!("item-{number:03}")).join("file"), &[7; 5000]);
    }
    let root = Root::given(&yard.root()).unwrap();
    let (stop, asked_for) = (Stop::never(), Cell::new(0));
    // It is asked for once the first have been measured.
    let lock = |_: &Path| {
        asked_for.set(asked_for.get() + 1);
        stop.ask();
        None
    };
    let asked = Survey { index: 0, is_meant: &|_| true, lock: &lock, never_delete: &[] };
    let found = survey(&root, &asked, &stop, &Progress::default()).unwrap();
    assert_eq!((found.len(), asked_for.get()), (ITEMS, ITEMS));
    let whole = found.iter().filter(|it| it.size.complete).count();
    assert!(whole > 0 && whole < ITEMS, "{whole} of {ITEMS}");
    let plan = plan(vec![root.planned()], &found, &[Rule::All], now());
    assert_eq!(plan.items.len(), whole);
    assert!(plan.items.iter().all(|item| item.bytes >= 5000), "{plan:?}");
    yard.canary_lives();
}

fn files_in(folder: &Path) -> u64 {
    let (mut count, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            count += 1;
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    count
}

#[test]
fn what_was_not_deleted_when_it_was_stopped_goes_with_the_next_sweep_and_the_sum_is_right() {
    let mut files = 4000;
    // Where it is over before it can be stopped, more is deleted.
    while !is_stopped_in_the_middle(files) {
        files *= 2;
        assert!(files < 1_000_000, "it is never stopped in the middle");
    }
}

/// False: it was at its beginning or its end.
fn is_stopped_in_the_middle(files: usize) -> bool {
    let yard = Yard::new();
    let item = yard.item("item");
    for folder in 0..20 {
        let folder = item.join(format!("folder-{folder}"));
        fs::create_dir(&folder).unwrap();
        for file in 0..files / 20 {
            write(&folder.join(file.to_string()), b"x");
        }
    }
    let size = measure(&item, &Stop::never(), &Progress::default()).unwrap();
    let plan = plan_of(&Root::given(&yard.root()).unwrap());
    let (stop, progress, is_over) = (Stop::never(), Progress::default(), AtomicBool::new(false));
    let receipt = std::thread::scope(|scope| {
        scope.spawn(|| {
            while progress.entries() == 0 && !is_over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            stop.ask();
        });
        let receipt = remove::set_aside(&plan, now()).delete(&stop, &progress);
        is_over.store(true, Ordering::Relaxed);
        receipt
    });
    yard.canary_lives();
    assert!(!item.exists(), "its name is free");
    assert!(receipt.failures.is_empty(), "a stop is none: {receipt:?}");
    assert_eq!((receipt.removed, receipt.freed), (progress.entries(), progress.bytes()));
    if receipt.items[0].fate == Fate::Deleted {
        return false;
    }
    assert_eq!(receipt.items[0].fate, Fate::Stopped);
    let batch = fs::read_dir(yard.root().join(cleanup::TRASH)).unwrap().next().unwrap().unwrap();
    assert_eq!(Path::new(&batch.file_name()).extension(), Some("going".as_ref()), "{batch:?}");
    // But for the list of what was where.
    let left = files_in(&batch.path()) - 1;
    assert_eq!(receipt.removed + left, size.files + size.folders);
    let swept = yard.sweep();
    assert_eq!((&swept.items[0].fate, swept.removed), (&Fate::Deleted, left));
    assert_eq!(receipt.freed + swept.freed, size.bytes);
    assert!(yard.is_empty());
    yard.canary_lives();
    receipt.removed > 0
}
