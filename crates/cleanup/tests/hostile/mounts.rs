//! File systems mounted inside of what is deleted, in a mount namespace of the test's own.

use std::fs;

use cleanup::{Fate, Progress, Root, RootError, Stop, Why, measure};

use crate::again::{in_own_mounts, run};
use crate::yard::{Yard, carry_out, write};

#[test]
fn a_plan_is_void_once_another_file_system_is_mounted_over_its_root() {
    if in_own_mounts("mounts::a_plan_is_void_once_another_file_system_is_mounted_over_its_root") {
        return;
    }
    let yard = Yard::new();
    write(&yard.item("item").join("file"), b"x");
    let plan = yard.plan();
    let root = yard.root().to_str().unwrap().to_owned();
    run("mount", &["-t", "tmpfs", "tmpfs", &root]);
    // Under the same name lies something else now, which nobody planned.
    write(&yard.item("item").join("file"), b"alive");
    let receipt = carry_out(&plan);
    let Fate::Refused(why) = &receipt.items[0].fate else { panic!("{receipt:?}") };
    assert!(why.contains("is not the folder that the plan was made for"), "{why}");
    assert_eq!(fs::read(yard.root().join("item/file")).unwrap(), b"alive");
    run("umount", &[&root]);
    assert_eq!(fs::read(yard.root().join("item/file")).unwrap(), b"x");
    yard.all_went(&carry_out(&plan));
}

#[test]
fn what_is_mounted_inside_stays_and_the_rest_goes() {
    if in_own_mounts("mounts::what_is_mounted_inside_stays_and_the_rest_goes") {
        return;
    }
    let yard = Yard::new();
    let item = yard.item("item");
    for folder in ["bound", "memory", "rest/deep"] {
        fs::create_dir_all(item.join(folder)).unwrap();
        write(&item.join(folder).join("file"), b"x");
    }
    write(&item.join("bound-file"), b"x");
    fs::create_dir_all(yard.item("is-a-mount")).unwrap();
    let plan = yard.plan();
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let home = path(&yard.home());
    run("mount", &["--bind", &home, &path(&item.join("bound"))]);
    run("mount", &["--bind", &format!("{home}/a"), &path(&item.join("bound-file"))]);
    run("mount", &["-t", "tmpfs", "tmpfs", &path(&item.join("memory"))]);
    run("mount", &["--bind", &home, &path(&yard.root().join("is-a-mount"))]);
    write(&item.join("memory/canary"), b"alive");

    let size = measure(&item, &Stop::never(), &Progress::default()).unwrap();
    assert_eq!(size.mounts, 2, "{size:?}");
    let refused = Root::given(&yard.root());
    assert!(matches!(refused, Err(RootError::Mount { .. })), "{refused:?}");
    assert!(
        Root::given(&item.join("memory")).is_err() && Root::given(&item.join("bound")).is_err()
    );

    // Planned before they were mounted.
    let receipt = carry_out(&plan);
    yard.canary_lives();
    let fates: Vec<_> =
        receipt.items.iter().map(|item| (item.path.to_string(), &item.fate)).collect();
    for (path, fate) in fates {
        let expected = if path.ends_with("is-a-mount") { Fate::Failed } else { Fate::Partly };
        assert_eq!(*fate, expected, "{path}");
    }
    assert_eq!(receipt.failures.len(), 4, "{:#?}", receipt.failures);
    for failure in &receipt.failures {
        assert_eq!(failure.why, Why::Mounted, "{failure:?}");
        assert!(failure.way_out.contains("umount"), "{failure:?}");
    }
    assert!(!item.exists(), "its name is free");
    let left = receipt.failures.iter().find(|failure| failure.path.ends_with("memory")).unwrap();
    assert_eq!(fs::read(left.path.join("canary")).unwrap(), b"alive");
    assert!(!left.path.with_file_name("rest").exists());

    // With the mounts gone the next sweep does the rest.
    for failure in &receipt.failures {
        run("umount", &["--", failure.path.to_str().unwrap()]);
    }
    yard.sweep();
    assert_eq!(
        fs::read_dir(yard.root()).unwrap().count(),
        1,
        "but for what never was in the trash"
    );
    yard.canary_lives();
}
