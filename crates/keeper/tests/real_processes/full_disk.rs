//! On a full disk a run can be started, drained and ended, and tasks run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use process::Signal;
use run_dir::{End, RunsFolder, TaskEnd, TaskNumber};

use crate::home::{Home, secrets, send, until, until_written, wait};
use crate::task::task;

/// A small file system of the test's own.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs"])
            .arg(&at)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self { at })
    }

    fn fill(&self, name: &str) {
        let mut file = std::fs::File::create(self.at.join(name)).unwrap();
        for size in [65536, 4096, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
        assert!(is_full(&self.at));
    }
}

fn is_full(at: &Path) -> bool {
    let probe = at.join("probe");
    let full = std::fs::File::create(&probe).is_ok_and(|mut file| file.write_all(b"x").is_err());
    let _ = std::fs::remove_file(probe);
    full
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

fn on_small_disk() -> Option<(Home, SmallDisk)> {
    let mut home = Home::new();
    let disk = SmallDisk::mount(home.path("small"));
    if disk.is_none() {
        skipped::skipped("a small file system can be mounted by root only");
    }
    let disk = disk?;
    home.runs = RunsFolder::open(&disk.at).unwrap();
    Some((home, disk))
}

#[test]
fn start_drain_and_exit_code_work() {
    let Some((mut home, disk)) = on_small_disk() else { return };
    home.runs.reserve_next().unwrap();
    disk.fill("all of it");
    let (run, lock) = home.run(&home.plan());
    disk.fill("what the configuration did not need");
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    until("the agent is ready", || home.path("ready").exists());
    home.remember(&run);
    send(&keeper, Signal::TERM);
    until_written("the drain is recorded", || run.drain_sent());
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(4);
    wait(&mut keeper);
    assert!(is_full(&disk.at));
    assert_eq!(run.exit().written().unwrap().end, End::Code(4));
    assert_eq!(home.signals(), ["SIGTERM"]);
}

#[test]
fn the_next_task_has_its_records_and_those_after_it_run_without() {
    let Some((home, disk)) = on_small_disk() else { return };
    let (run, _lock) = home.run(&home.plan());
    disk.fill("all of it");
    for code in [3, 4] {
        let output = task(&run, &["/bin/sh", "-c", &format!("exit {code}")]).output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stderr.is_empty());
    }
    assert!(is_full(&disk.at));
    let first = run.task(TaskNumber(1)).finished().written().unwrap();
    assert_eq!(first.end, TaskEnd::Code(3));
    assert_eq!(run.tasks().unwrap().len(), 1);
}

#[test]
fn an_adopter_records_the_end() {
    let Some((mut home, disk)) = on_small_disk() else { return };
    let (run, mut keeper) = home.running();
    disk.fill("all of it");
    send(&keeper, Signal::KILL);
    wait(&mut keeper);
    let mut adopter = home.adopter(&run, &[]);
    until("it is ready", || run.keeper().written().is_some_and(|keeper| keeper.adopted));
    send(&adopter, Signal::TERM);
    until("it arrived", || !home.signals().is_empty());
    home.finish_agent(0);
    wait(&mut adopter);
    assert_eq!(run.exit().written().unwrap().end, End::Unknown);
}

#[test]
fn the_log_is_cut_though_it_cannot_be_copied() {
    let Some((mut home, disk)) = on_small_disk() else { return };
    home.script(
        "agent",
        "#!/bin/bash\nhere=${0%/*}\nwhile [ ! -e \"$here/finish\" ]; do echo some words; done 2>/dev/null\n",
    );
    let mut plan = home.plan();
    plan.log_limit = 64 * 1024;
    home.runs.reserve_next().unwrap();
    let filler = disk.at.join("most of it");
    disk.fill("most of it");
    // Room for the log to grow beyond its limit, but not for two of it.
    let there = std::fs::metadata(&filler).unwrap().len();
    std::fs::File::options().write(true).open(&filler).unwrap().set_len(there - 100_000).unwrap();
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    let mut largest = 0;
    until("it was cut", || {
        let size = std::fs::metadata(run.agent_log()).unwrap().len();
        largest = largest.max(size);
        size < largest
    });
    home.remember(&run);
    home.finish_agent(0);
    wait(&mut keeper);
}
