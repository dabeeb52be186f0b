//! Odd names, odd kinds, odd shapes.

use std::ffi::{CString, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixListener;

use cleanup::{Progress, Stop, measure};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skipped::skipped;

use crate::again::run;
use crate::yard::{Yard, write};

#[test]
fn any_name_that_a_file_system_takes_is_removed() {
    let yard = Yard::new();
    let item = yard.item("item");
    let names: [&[u8]; 9] = [
        b"new\nline",
        b"\xff\xfe\x80",
        b"-rf",
        b" ",
        b"...",
        b"*",
        b"a'b\"c`d$(e)",
        &[b'x'; 255],
        b"\x1b[31m",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let name = OsString::from_vec(name.to_vec());
        if let Err(error) = fs::create_dir_all(item.join(&name).join(&name)) {
            // Some file systems take text alone.
            assert_eq!(number, 1, "{error}");
            continue;
        }
        write(&item.join(&name).join(&name).join("file"), b"x");
        fs::create_dir(yard.root().join(&name)).unwrap();
    }
    let plan = yard.plan();
    let written = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<cleanup::Plan>(&written).unwrap(), plan);
    yard.all_went(&crate::yard::carry_out(&plan));
}

#[test]
fn fifos_sockets_and_devices_are_removed_and_never_opened() {
    let yard = Yard::new();
    let item = yard.item("item");
    run("mkfifo", &[item.join("fifo").to_str().unwrap()]);
    let _listener = UnixListener::bind(item.join("socket")).unwrap();
    if rustix::process::geteuid().is_root() {
        // A disk, and what blocks or rewinds when it is opened.
        for (name, kind, major, minor) in
            [("disk", "b", "7", "0"), ("tape", "c", "9", "0"), ("null", "c", "1", "3")]
        {
            run("mknod", &[item.join(name).to_str().unwrap(), kind, major, minor]);
        }
    } else {
        skipped("only root makes devices");
    }
    run("mkfifo", &[yard.root().join("fifo").to_str().unwrap()]);
    yard.all_went(&yard.clean());
}

#[test]
fn files_that_a_process_has_open_go_and_the_process_keeps_them() {
    use std::io::{Read, Seek};
    let yard = Yard::new();
    let item = yard.item("item");
    fs::create_dir(item.join("cwd")).unwrap();
    write(&item.join("open"), b"still here");
    let mut open = fs::File::open(item.join("open")).unwrap();
    let mut command = std::process::Command::new("sleep");
    let mut child = command.arg("600").current_dir(item.join("cwd")).spawn().unwrap();
    let receipt = yard.clean();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut text = String::new();
    open.rewind().unwrap();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "still here");
    yard.all_went(&receipt);
}

/// Each level has a folder beside the one that leads down, so every level has something left to do.
fn dig(item: &std::path::Path, depth: usize) {
    let folder = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let mut level: OwnedFd = openat(CWD, item, folder, Mode::empty()).unwrap();
    for number in 0..depth {
        let name = CString::new(format!("a-level-with-a-long-name-{number}")).unwrap();
        for name in [&name, c"beside"] {
            mkdirat(&level, name, Mode::RWXU).unwrap();
        }
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(&level, c"beside/file", flags, Mode::RWXU).unwrap();
        level = openat(&level, &name, folder, Mode::empty()).unwrap();
    }
}

#[test]
fn three_thousand_levels_are_measured_and_removed_with_few_handles() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum: limit.maximum }).unwrap();
    let yard = Yard::new();
    dig(&yard.item("item"), 3000);
    let size = measure(&yard.root(), &Stop::never(), &Progress::default()).unwrap();
    assert_eq!((size.files, size.folders, size.unreadable), (3000, 6002, 0));
    let receipt = yard.clean();
    assert_eq!(receipt.removed, 9001);
    assert_eq!(receipt.freed, receipt.items[0].planned);
    yard.all_went(&receipt);
}

fn fill(yard: &Yard, folders: usize, files: usize) {
    for folder in 0..folders {
        let folder = yard.item(&format!("item-{}/folder-{folder}", folder % 7));
        let open = openat(CWD, &folder, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
        for file in 0..files {
            openat(&open, format!("{file}"), OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
        }
    }
}

#[test]
fn many_files_in_many_folders_and_in_one() {
    let yard = Yard::new();
    fill(&yard, 300, 30);
    fill(&yard, 1, 10_000);
    let receipt = yard.clean();
    assert_eq!(receipt.removed, 300 * 30 + 300 + 7 + (10_000 - 30));
    yard.all_went(&receipt);
}

/// Peak memory of this process in bytes, where the system tells it.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[test]
#[ignore = "a million files take minutes: run it on demand"]
fn heavy_a_million_files_need_little_memory() {
    let yard = Yard::new();
    fill(&yard, 5_000, 160);
    fill(&yard, 1, 200_000);
    // As many folders in one.
    let wide = yard.item("wide");
    for number in 0..200_000 {
        fs::create_dir(wide.join(number.to_string())).unwrap();
    }
    let receipt = yard.clean();
    assert!(receipt.removed > 1_190_000);
    let peak = peak().unwrap();
    assert!(peak < 50_000_000, "{peak}");
    yard.all_went(&receipt);
}
