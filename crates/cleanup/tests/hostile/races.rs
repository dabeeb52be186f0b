//! Somebody who swaps names, or writes, while a tree is deleted.

use std::ffi::CStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cleanup::Fate;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, openat, renameat_with};

use crate::yard::{Yard, carry_out, plan_of, write};

const ROUNDS: usize = 2000;

/// Ends the other thread also where this one panics.
struct WhenDone<'a>(&'a AtomicBool);

impl Drop for WhenDone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn heavy_a_folder_swapped_for_a_link_while_it_is_deleted_leads_nowhere() {
    let yard = Yard::new();
    let (target, over, swaps) =
        (Mutex::new(None::<OwnedFd>), AtomicBool::new(false), AtomicU64::new(0));
    let mut raced = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let folder = target.lock().unwrap().as_ref().map(|it| it.try_clone().unwrap());
                let Some(folder) = folder else {
                    std::thread::yield_now();
                    continue;
                };
                for (a, b) in [(c"dir", c"link"), (c"other", c"link"), (c"dir", c"other")].repeat(8)
                {
                    let swapped = renameat_with(&folder, a, &folder, b, RenameFlags::EXCHANGE);
                    swaps.fetch_add(u64::from(swapped.is_ok()), Ordering::Relaxed);
                }
            }
        });
        let _over = WhenDone(&over);
        for round in 0..ROUNDS {
            let item = yard.item("item");
            for folder in ["dir", "other", "dir/project", "other/project"] {
                fs::create_dir(item.join(folder)).unwrap();
                for file in ["a", "b", "c"] {
                    write(&item.join(folder).join(file), b"");
                }
            }
            symlink(yard.home(), item.join("link")).unwrap();
            let folder =
                openat(CWD, &item, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
            let plan = yard.plan();
            let before = swaps.load(Ordering::Relaxed);
            *target.lock().unwrap() = Some(folder);
            while swaps.load(Ordering::Relaxed) == before {
                std::thread::yield_now();
            }
            let begun = swaps.load(Ordering::Relaxed);
            let receipt = carry_out(&plan);
            raced += u32::from(swaps.load(Ordering::Relaxed) > begun);
            *target.lock().unwrap() = None;
            assert!(receipt.failures.is_empty(), "round {round}: {:#?}", receipt.failures);
            assert!(yard.is_empty(), "round {round}");
            yard.canary_lives();
        }
    });
    assert!(raced > 0, "of {ROUNDS} removals only {raced} had a swap in their course");
}

#[test]
fn heavy_the_parent_of_a_root_swapped_at_any_moment_leads_nowhere() {
    let yard = Yard::new();
    // The canaries lie under the same names as what is planned.
    let above = yard.path.join("above");
    symlink(&yard.path, yard.path.join("link")).unwrap();
    let over = AtomicBool::new(false);
    let (mut gone, mut refused) = (0, 0);
    fs::create_dir(&above).unwrap();
    for round in 0..ROUNDS {
        fs::create_dir_all(above.join("home/project/deep")).unwrap();
        write(&above.join("home/project/a"), b"");
        let root = cleanup::Root::given(&above.join("home")).unwrap();
        let plan = plan_of(&root);
        drop(root);
        over.store(false, Ordering::Relaxed);
        let receipt = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (here, link): (&CStr, &CStr) = (c"above", c"link");
                let folder =
                    openat(CWD, &yard.path, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty());
                let folder = folder.unwrap();
                let mut swapped = false;
                while !over.load(Ordering::Relaxed) || swapped {
                    renameat_with(&folder, here, &folder, link, RenameFlags::EXCHANGE).unwrap();
                    swapped = !swapped;
                }
            });
            let _over = WhenDone(&over);
            carry_out(&plan)
        });
        match &receipt.items[0].fate {
            Fate::Deleted => gone += 1,
            Fate::Refused(_) => refused += 1,
            other @ (Fate::SetAside
            | Fate::Partly
            | Fate::Stopped
            | Fate::InUse
            | Fate::Gone
            | Fate::Changed
            | Fate::Failed) => panic!("round {round}: {other:?} {receipt:?}"),
        }
        yard.canary_lives();
    }
    assert!(gone > 0 && refused > 0, "{gone} went, {refused} were refused");
}

#[test]
fn a_tree_that_grows_while_it_is_deleted_ends_the_removal_all_the_same() {
    let yard = Yard::new();
    let item = yard.item("item");
    fs::create_dir(item.join("busy")).unwrap();
    let folder =
        openat(CWD, item.join("busy"), OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
    let over = AtomicBool::new(false);
    let receipt = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0_u64.. {
                let flags = OFlags::CREATE | OFlags::WRONLY;
                let made = openat(&folder, format!("{number}"), flags, Mode::RWXU);
                // Its folder is gone, or it is enough.
                if made.is_err() || over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let _over = WhenDone(&over);
        yard.clean()
    });
    assert!(!item.exists(), "its name is free whatever writes");
    if receipt.items[0].fate != Fate::Deleted {
        assert_eq!(receipt.failures[0].why, cleanup::Why::Growing);
    }
    yard.sweep();
    assert!(yard.is_empty());
    yard.canary_lives();
}
