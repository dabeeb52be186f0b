//! Disks without a byte or an inode left: that is when clean-up is needed most.

use std::fs;
use std::path::Path;

use cleanup::Fate;

use crate::again::{in_own_mounts, run, within};
use crate::yard::{Yard, carry_out, write};

/// A yard on a small disk of its own.
fn small(options: &[&str], at: &Path) -> Yard {
    fs::create_dir_all(at).unwrap();
    run("mount", &[options, &[at.to_str().unwrap()]].concat());
    // The disk's own folder cannot be a root; one in it can.
    Yard::at(at.join("yard"), None)
}

fn fill_only_bytes(folder: &Path) {
    use std::io::Write;
    let mut filler = fs::File::create(folder.join("filler")).unwrap();
    for size in [1 << 16, 4096, 512, 1] {
        while filler.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

fn fill_bytes(folder: &Path) {
    fill_only_bytes(folder);
    // What folders need may be left: take it too.
    let mut number = 0;
    while fs::create_dir(folder.join(format!("take-{number}"))).is_ok() {
        number += 1;
    }
}

fn fill_inodes(folder: &Path) {
    let mut number = 0;
    while fs::File::create(folder.join(format!("inode-{number}"))).is_ok() {
        number += 1;
    }
}

fn goes_on_a_full_disk(yard: &Yard) {
    let item = yard.item("item");
    for number in 0..20 {
        let folder = item.join(format!("folder-{number}/deep"));
        fs::create_dir_all(&folder).unwrap();
        write(&folder.join("file"), &[1; 9000]);
    }
    let plan = yard.plan();
    fill_bytes(&yard.path);
    fill_inodes(&yard.path);
    assert!(fs::create_dir(yard.path.join("none-left")).is_err(), "the disk is full");
    let receipt = carry_out(&plan);
    assert_eq!(receipt.items[0].fate, Fate::Deleted, "{receipt:#?}");
    assert!(receipt.freed >= 20 * 9000);
    assert!(receipt.volumes[0].free_after > receipt.volumes[0].free_before);
    yard.all_went(&receipt);
}

#[test]
fn what_cannot_be_kept_for_an_undo_stays_whole_and_says_so() {
    if in_own_mounts("full::what_cannot_be_kept_for_an_undo_stays_whole_and_says_so") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tmpfs = ["-t", "tmpfs", "-o", "size=2m,nr_inodes=300", "tmpfs"];
    for (number, fill) in [fill_inodes, fill_only_bytes].into_iter().enumerate() {
        let at = folder.path().join(format!("disk-{number}"));
        let yard = small(&tmpfs, &at);
        write(&yard.item("item").join("file"), &[1; 9000]);
        let plan = yard.plan();
        fill(&yard.path);
        let receipt = cleanup::remove::set_aside(&plan, crate::yard::now()).keep();
        assert_eq!(receipt.items[0].fate, Fate::Failed, "{receipt:#?}");
        assert_eq!(receipt.failures[0].why, cleanup::Why::NoRoom);
        assert!(receipt.failures[0].way_out.contains("rm -rf -- "), "{receipt:?}");
        assert_eq!(fs::read(yard.root().join("item/file")).unwrap(), [1; 9000]);
        assert!(!yard.root().join(cleanup::TRASH).exists(), "nothing of ours is left");
        yard.canary_lives();
        // Without an undo it goes all the same.
        yard.all_went(&carry_out(&plan));
        run("umount", &[at.to_str().unwrap()]);
    }
}

#[test]
fn what_was_planned_goes_where_there_is_no_byte_and_no_inode_left() {
    if in_own_mounts("full::what_was_planned_goes_where_there_is_no_byte_and_no_inode_left") {
        return;
    }
    assert!(within().is_some());
    let folder = tempfile::tempdir().unwrap();
    let tmpfs = ["-t", "tmpfs", "-o", "size=2m,nr_inodes=300", "tmpfs"];
    goes_on_a_full_disk(&small(&tmpfs, &folder.path().join("memory")));
    run("umount", &[folder.path().join("memory").to_str().unwrap()]);
    if !rustix::process::geteuid().is_root() {
        skipped::skipped("only root mounts a disk that is a file");
        return;
    }
    let image = folder.path().join("image");
    fs::File::create(&image).unwrap().set_len(4 << 20).unwrap();
    let image = image.to_str().unwrap();
    run("mkfs.ext4", &["-q", "-F", "-N", "256", "-m", "0", image]);
    let disk = folder.path().join("disk");
    goes_on_a_full_disk(&small(&["-o", "loop", image], &disk));
    run("umount", &[disk.to_str().unwrap()]);
}
