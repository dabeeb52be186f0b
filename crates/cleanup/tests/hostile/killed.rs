//! kill -9 in the middle of a removal: nothing is half named, and the next start does the rest.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use cleanup::Fate;

use crate::again::{again, within};
use crate::yard::{Yard, carry_out, plan_of, write};

const TEST: &str = "killed::heavy_fifty_kills_at_random_leave_nothing_half_named";
const ITEMS: usize = 8;
const FILES: usize = 160;

fn fill(yard: &Yard) {
    for item in 0..ITEMS {
        for file in 0..FILES {
            let folder = yard.item(&format!("item-{item}/folder-{}", file % 8));
            write(&folder.join(format!("{file}")), b"x");
        }
    }
}

fn files_in(folder: PathBuf) -> usize {
    let (mut count, mut folders) = (0, vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { count += 1 }
        }
    }
    count
}

#[test]
fn heavy_fifty_kills_at_random_leave_nothing_half_named() {
    if let Some(yard) = within() {
        let root = cleanup::Root::given(&PathBuf::from(yard).join("root")).unwrap();
        carry_out(&plan_of(&root));
        return;
    }
    let yard = Yard::new();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    // The longest of the kills comes after an undisturbed run would have ended.
    fill(&yard);
    let begun = std::time::Instant::now();
    assert!(again(TEST, yard.path.to_str().unwrap()).output().unwrap().status.success());
    let whole = begun.elapsed();
    assert!(yard.is_empty());
    let mut random = u64::from(std::process::id());
    for round in 0..50 {
        fill(&yard);
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = u32::try_from(random >> 33 & 0xffff).unwrap();
        let wait: Duration = whole * part / 0xffff;
        let mut child = again(TEST, yard.path.to_str().unwrap());
        let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
        if round % 2 == 0 {
            std::thread::sleep(wait);
        } else {
            // However long all else takes: these come while it is deleted.
            while !yard.is_nameless() && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
        }
        let _ = child.kill();
        child.wait().unwrap();
        // Each item is whole under its name, or gone from it.
        let left: Vec<usize> = (0..ITEMS)
            .map(|item| yard.root().join(format!("item-{item}")))
            .filter(|item| item.exists())
            .map(files_in)
            .collect();
        assert!(left.iter().all(|files| *files == FILES), "round {round}: {left:?}");
        let trash = yard.root().join(cleanup::TRASH).exists();
        let state = match (left.len(), trash) {
            (ITEMS, _) => "before the first",
            (0, true) => "while it was deleted",
            (0, false) => "after the last",
            _ => "between the names",
        };
        *seen.entry(state).or_default() += 1;
        let receipt = yard.sweep();
        assert!(receipt.items.iter().all(|item| item.fate == Fate::Deleted), "{receipt:?}");
        assert!(!yard.root().join(cleanup::TRASH).exists(), "round {round}: the rest went");
        let receipt = yard.clean();
        yard.all_went(&receipt);
    }
    println!("{seen:?}");
    assert!(seen.contains_key("while it was deleted"), "{seen:?}");
}
