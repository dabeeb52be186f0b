//! Links of both kinds.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use cleanup::{Progress, Stop, measure};

use crate::yard::{Yard, write};

#[test]
fn links_to_the_top_and_to_a_home_at_every_level_lead_nowhere() {
    let yard = Yard::new();
    let mut level = yard.item("item");
    for number in 0..40 {
        symlink("/", level.join("top")).unwrap();
        symlink(yard.home(), level.join("home")).unwrap();
        symlink("../../../../../..", level.join("up")).unwrap();
        symlink("home", level.join("link-to-a-link")).unwrap();
        symlink("no/such/thing", level.join("dangling")).unwrap();
        symlink(".", level.join("itself")).unwrap();
        write(&level.join("file"), b"x");
        level.push(format!("level-{number}"));
        fs::create_dir(&level).unwrap();
    }
    symlink(yard.home(), yard.root().join("an-item-that-is-a-link")).unwrap();
    let size = measure(&yard.root(), &Stop::never(), &Progress::default()).unwrap();
    assert_eq!((size.files, size.folders), (40 * 7 + 1, 42));
    let receipt = yard.clean();
    assert_eq!(receipt.removed, 40 * 7 + 1 + 41);
    yard.all_went(&receipt);
}

#[test]
fn a_file_with_a_name_outside_lives_and_frees_nothing() {
    let yard = Yard::new();
    let item = yard.item("item");
    let big = yard.home().join("a");
    fs::hard_link(&big, item.join("linked")).unwrap();
    fs::hard_link(&big, item.join("linked-twice")).unwrap();
    write(&item.join("own"), &vec![7; 100_000]);
    fs::hard_link(item.join("own"), item.join("own-again")).unwrap();
    let own = fs::metadata(item.join("own")).unwrap().blocks() * 512;
    let folder = fs::metadata(&item).unwrap().blocks() * 512;
    let plan = yard.plan();
    assert_eq!(plan.bytes(), own + folder, "a dry run says what comes free");
    let receipt = yard.clean();
    assert_eq!(receipt.freed, own + folder);
    assert_eq!(fs::metadata(&big).unwrap().nlink(), 1);
    yard.all_went(&receipt);
}

#[test]
fn a_root_that_became_a_link_and_one_whose_parent_did_are_refused() {
    let yard = Yard::new();
    yard.item("project");
    let plan = yard.plan();
    let moved = yard.path.join("moved");
    fs::rename(yard.root(), &moved).unwrap();
    symlink(yard.home(), yard.root()).unwrap();
    let receipt = crate::yard::carry_out(&plan);
    assert!(matches!(receipt.items[0].fate, cleanup::Fate::Refused(_)), "{receipt:?}");
    // Its parent now, with a folder of the same name behind it.
    let yard = Yard::new();
    let above = yard.path.join("above");
    fs::create_dir_all(above.join("home/project")).unwrap();
    let root = cleanup::Root::given(&above.join("home")).unwrap();
    let plan = crate::yard::plan_of(&root);
    drop(root);
    fs::rename(&above, yard.path.join("above-moved")).unwrap();
    symlink(&yard.path, &above).unwrap();
    let receipt = crate::yard::carry_out(&plan);
    assert!(matches!(receipt.items[0].fate, cleanup::Fate::Refused(_)), "{receipt:?}");
    yard.canary_lives();
}
