//! A state file is replaced whole or not at all, on a full disk too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use run_dir::{Spare, write_atomically};

fn state(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_state_and_its_spare_change_places_each_time() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wanted.json");
    let spare = Spare::reserve(&path, 8192).unwrap();
    assert!(!path.exists());
    let mut inodes = Vec::new();
    for n in 0..6 {
        spare.replace(format!("{{\"n\":{n}}}").as_bytes()).unwrap();
        assert_eq!(state(&path)["n"], n);
        inodes.push(fs::metadata(&path).unwrap().ino());
    }
    assert_eq!(inodes[2], inodes[4]);
    assert_eq!(inodes[3], inodes[5]);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["wanted.json", "wanted.json.spare"]);
}

#[test]
fn a_state_that_outgrows_its_spare_is_saved_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wanted.json");
    let spare = Spare::reserve(&path, 16).unwrap();
    for length in [10, 5000, 3] {
        spare.replace(format!("{{\"s\":\"{}\"}}", "x".repeat(length)).as_bytes()).unwrap();
        assert_eq!(state(&path)["s"].as_str().unwrap().len(), length);
    }
}

#[test]
fn a_failed_write_leaves_the_old_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    write_atomically(&path, b"old").unwrap();
    // Its temporary name is taken by a folder.
    fs::create_dir(folder.path().join("state.new")).unwrap();
    let error = write_atomically(&path, b"new").unwrap_err();
    assert!(error.to_string().contains("state"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

/// A small file system of the test's own.
struct SmallDisk(PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_takes_a_new_state() {
    let folder = tempfile::tempdir().unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder.path().to_str().unwrap()];
    if !Command::new("mount").args(mount).output().is_ok_and(|output| output.status.success()) {
        skipped::skipped("a small file system can be mounted by root only");
        return;
    }
    let disk = SmallDisk(folder.path().to_owned());
    let path = disk.0.join("wanted.json");
    let spare = Spare::reserve(&path, 4096).unwrap();
    spare.replace(b"{\"n\":0}").unwrap();
    let mut filler = fs::File::create(disk.0.join("filler")).unwrap();
    while filler.write_all(&[b'x'; 512]).is_ok() {}
    for n in 1..20 {
        spare.replace(format!("{{\"n\":{n}}}").as_bytes()).unwrap();
        assert_eq!(state(&path)["n"], n);
    }
    assert!(filler.write_all(b"x").is_err(), "it is full still");
}
