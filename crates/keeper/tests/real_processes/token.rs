//! The token in the keeper's memory: in no core file, and there no longer than it takes.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;

use process::{Pid, Signal};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::home::{Home, TOKEN, fs, lines, secrets, send, until, until_held, wait};

/// Whether a keeper that is killed by what leaves a core, at this point, leaves one.
fn leaves_core_at(point: &str) -> bool {
    let mut home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let mut keeper = home.keeper(&run, lock, &[point], &secrets());
    until_held(&run, point, Pid::of_child(&keeper));
    send(&keeper, Signal::ABORT);
    send(&keeper, Signal::CONT);
    wait(&mut keeper).core_dumped()
}

#[test]
fn a_keeper_that_holds_the_token_leaves_no_core() {
    let limit = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: limit.maximum, ..limit }).unwrap();
    if !leaves_core_at("lock-taken") {
        return println!("no process leaves a core file here, so this proves nothing");
    }
    assert!(!leaves_core_at("started-written"));
}

/// Whether `wanted` is in memory that the process may write. `None`: its memory cannot be read.
fn has_in_memory(pid: Pid, wanted: &str) -> Option<bool> {
    let mut memory = std::fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    Some(maps.lines().filter(|map| map.contains(" rw")).any(|map| {
        let (from, to) = map.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut bytes = Vec::new();
        memory.seek(SeekFrom::Start(from)).unwrap();
        // What the kernel keeps for itself ends early.
        let _ = memory.by_ref().take(to - from).read_to_end(&mut bytes);
        bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
    }))
}

#[test]
fn once_the_agent_has_the_token_the_keeper_has_it_no_more() {
    let mut home = Home::new();
    let (run, lock) = home.run(&home.plan());
    let mut keeper = home.keeper(&run, lock, &["started-written"], &secrets());
    let pid = Pid::of_child(&keeper);
    until_held(&run, "started-written", pid);
    assert_ne!(has_in_memory(pid, TOKEN), Some(false), "it was there, or only root may look");
    home.remember(&run);
    send(&keeper, Signal::CONT);
    until("the agent is ready", || home.path("ready").exists());
    until("the keeper has it no more", || has_in_memory(pid, TOKEN) == Some(false));
    home.finish_agent(0);
    wait(&mut keeper);
}

#[test]
fn the_agent_has_the_limits_of_whoever_started_the_keeper_and_may_leave_a_core() {
    let set = |resource, current| {
        let limit = getrlimit(resource);
        setrlimit(resource, Rlimit { current: Some(current), ..limit }).unwrap();
    };
    set(Resource::Nofile, 700);
    set(Resource::Core, 0);
    let mut home = Home::new();
    let agent = "#!/usr/bin/env python3
import ctypes, resource
for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
    print(*resource.getrlimit(limit))
print(ctypes.CDLL(None).prctl(3))
";
    let mut plan = home.plan();
    plan.argv = vec![home.script("limits", agent).to_str().unwrap().to_owned()];
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    wait(&mut keeper);
    let hard =
        |resource| getrlimit(resource).maximum.map_or("-1".to_owned(), |max| max.to_string());
    let expected = [
        format!("700 {}", hard(Resource::Nofile)),
        format!("0 {}", hard(Resource::Core)),
        "1".to_owned(),
    ];
    assert_eq!(lines(&run.agent_log()), expected, "{:?}", fs::read(&run.keeper_log()));
}
