//! What cannot be removed is told, with the way out, and the rest goes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use cleanup::{Fate, Why};

use crate::again::{as_nobody, needs_root, run, within};
use crate::yard::{Yard, carry_out, write};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn folders_without_any_rights_are_opened_up_and_go() {
    if as_nobody("stuck::folders_without_any_rights_are_opened_up_and_go", "nobody") {
        return;
    }
    let yard = Yard::new();
    for mode in [0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600] {
        let item = yard.item(&format!("item-{mode:o}"));
        let inner = item.join("inner/most");
        fs::create_dir_all(&inner).unwrap();
        write(&inner.join("file"), b"x");
        write(&item.join("file"), b"x");
        set_mode(&inner.join("file"), 0);
        for folder in [&inner, &item.join("inner"), &item] {
            set_mode(folder, mode);
        }
    }
    // One deep enough to be moved up on the way.
    let mut level = yard.item("deep");
    let mut levels = Vec::new();
    for _ in 0..60 {
        level.push("level");
        fs::create_dir(&level).unwrap();
        levels.push(level.clone());
    }
    levels.iter().rev().for_each(|level| set_mode(level, 0o500));
    yard.all_went(&yard.clean());
}

#[test]
fn what_belongs_to_root_in_a_tree_of_another_user_is_told_and_the_rest_goes() {
    const TEST: &str =
        "stuck::what_belongs_to_root_in_a_tree_of_another_user_is_told_and_the_rest_goes";
    if let Some(yard) = within() {
        let yard = Yard::at(PathBuf::from(yard), None);
        let receipt = yard.clean();
        assert_eq!(receipt.items[0].fate, Fate::Partly, "{receipt:#?}");
        let mut told: Vec<(std::ffi::OsString, Why)> = Vec::new();
        told.extend(
            receipt
                .failures
                .iter()
                .map(|it| (it.path.file_name().unwrap().to_owned(), it.why.clone())),
        );
        told.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(told, ["file", "locked"].map(|name| (name.into(), Why::NotYours { owner: 0 })));
        assert!(receipt.failures[0].way_out.contains("sudo rm -rf"), "{receipt:?}");
        assert!(!yard.root().join("item").exists());
        return;
    }
    if needs_root() {
        return;
    }
    let yard = Yard::new();
    let item = yard.item("item");
    for folder in ["rest", "of-root", "of-root-empty", "locked"] {
        fs::create_dir(item.join(folder)).unwrap();
        if folder != "of-root-empty" {
            write(&item.join(folder).join("file"), b"x");
        }
    }
    set_mode(&item.join("locked"), 0o700);
    for path in ["", "root", "root/item", "root/item/rest", "root/item/rest/file"] {
        chown(yard.path.join(path), Some(65534), Some(65534)).unwrap();
    }
    for path in walk(&yard.home()) {
        chown(path, Some(65534), Some(65534)).unwrap();
    }
    // A file of root's in a folder of the user's goes; one in a folder of root's stays.
    write(&item.join("file-of-root"), b"x");
    assert!(as_nobody(TEST, yard.path.to_str().unwrap()));
    let batch = fs::read_dir(yard.root().join(cleanup::TRASH)).unwrap().next().unwrap().unwrap();
    let left: Vec<_> = walk(&batch.path());
    assert!(left.iter().any(|path| path.ends_with("of-root/file")), "{left:?}");
    assert!(
        !left.iter().any(|path| path.ends_with("rest") || path.ends_with("file-of-root")),
        "{left:?}"
    );
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        next += 1;
        if path.is_dir() && !path.is_symlink() {
            all.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    all
}

#[test]
fn what_is_immutable_is_told_and_goes_once_the_mark_is_taken_away() {
    if needs_root() {
        return;
    }
    let yard = Yard::new();
    let item = yard.item("item");
    for folder in ["marked", "rest"] {
        fs::create_dir(item.join(folder)).unwrap();
        write(&item.join(folder).join("file"), b"x");
    }
    write(&item.join("log"), b"x");
    let marked =
        [item.join("marked"), item.join("log")].map(|path| path.to_str().unwrap().to_owned());
    run("chattr", &["+i", &marked[0]]);
    run("chattr", &["+a", &marked[1]]);
    let receipt = yard.clean();
    assert_eq!(receipt.items[0].fate, Fate::Partly);
    let mut told: Vec<_> =
        receipt.failures.iter().map(|it| it.path.file_name().unwrap().to_owned()).collect();
    told.sort();
    assert_eq!(told, ["file", "log", "marked"], "{:#?}", receipt.failures);
    assert!(
        receipt.failures.iter().all(|it| it.why == Why::Immutable && it.way_out.contains("chattr"))
    );
    let left = receipt.failures.iter().find(|it| it.path.ends_with("log")).unwrap().path.clone();
    let item = left.parent().unwrap();
    assert!(!item.join("rest").exists());
    run("chattr", &["-i", item.join("marked").to_str().unwrap()]);
    run("chattr", &["-a", left.to_str().unwrap()]);
    let receipt = yard.sweep();
    assert_eq!(receipt.items[0].fate, Fate::Deleted);
    assert!(yard.is_empty());
    yard.canary_lives();
}

#[test]
fn in_a_root_that_cannot_be_written_to_nothing_is_called_set_aside() {
    const TEST: &str = "stuck::in_a_root_that_cannot_be_written_to_nothing_is_called_set_aside";
    if as_nobody(TEST, "nobody") {
        return;
    }
    let yard = Yard::new();
    write(&yard.item("item").join("file"), b"x");
    let plan = yard.plan();
    set_mode(&yard.root(), 0o500);
    let receipt = cleanup::remove::set_aside(&plan, crate::yard::now()).keep();
    set_mode(&yard.root(), 0o700);
    assert_eq!(receipt.items[0].fate, Fate::Failed, "{receipt:#?}");
    assert_eq!(receipt.failures[0].why, Why::NoPermission, "{receipt:#?}");
    assert!(yard.root().join("item/file").exists());
    yard.all_went(&yard.clean());
}

#[test]
fn an_item_that_changed_its_owner_or_is_another_one_now_is_left_alone() {
    let yard = Yard::new();
    for item in ["given-away", "another", "now-a-link", "gone", "same"] {
        yard.item(item);
    }
    let plan = yard.plan();
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        chown(yard.root().join("given-away"), Some(65534), None).unwrap();
    }
    // The place of the old one is taken while that lives, so that its number is another one.
    fs::rename(yard.root().join("another"), yard.path.join("another")).unwrap();
    yard.item("another");
    fs::remove_dir(yard.root().join("now-a-link")).unwrap();
    std::os::unix::fs::symlink(yard.home(), yard.root().join("now-a-link")).unwrap();
    fs::remove_dir(yard.root().join("gone")).unwrap();
    let receipt = carry_out(&plan);
    for item in &receipt.items {
        let expected = match item.path.file_name().unwrap().to_str().unwrap() {
            "given-away" if is_root => Fate::Changed,
            "another" => Fate::Changed,
            "gone" => Fate::Gone,
            "now-a-link" => continue,
            _ => Fate::Deleted,
        };
        assert_eq!(item.fate, expected, "{}", item.path);
    }
    yard.canary_lives();
}
