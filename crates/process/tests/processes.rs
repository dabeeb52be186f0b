//! What is said of real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use process::{
    BootId, ExitWatch, Liveness, Pid, ProcessId, Sent, Signal, StartTime, State, alive, signal,
};

/// Ends a child with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Ended {
    fn sleeping() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    /// Runs a script and returns with the first line it prints.
    fn script(text: &str) -> (Self, String) {
        let mut child =
            Command::new("/bin/bash").args(["-c", text]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self(child), line.trim().to_owned())
    }

    fn id(&self) -> ProcessId {
        ProcessId::of(Pid::of_child(&self.0)).unwrap()
    }
}

#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_child_lives_is_a_zombie_and_is_gone() {
    let mut child = Ended::sleeping();
    let id = child.id();
    assert_eq!(alive(&id), Liveness::Alive);
    child.0.kill().unwrap();
    until(|| process::look(id.pid).unwrap().is_some_and(|look| look.state == State::Zombie));
    assert_eq!(alive(&id), Liveness::Dead, "a zombie is dead");
    assert_eq!(signal(&id, Signal::TERM).unwrap(), Sent::Gone);
    child.0.wait().unwrap();
    assert_eq!(alive(&id), Liveness::Dead);
    assert_eq!(process::look(id.pid).unwrap(), None);
    assert!(ProcessId::of(id.pid).is_err());
}

#[test]
fn only_a_child_that_has_ended_is_reaped_and_only_that_very_one() {
    let mut child = Ended::sleeping();
    let id = child.id();
    process::reap(&id);
    assert_eq!(alive(&id), Liveness::Alive);
    child.0.kill().unwrap();
    until(|| process::look(id.pid).unwrap().is_some_and(|look| look.state == State::Zombie));
    process::reap(&ProcessId { start: StartTime(id.start.0 - 1), ..id.clone() });
    assert!(ProcessId::of(id.pid).is_ok());
    process::reap(&id);
    assert!(ProcessId::of(id.pid).is_err());
}

#[test]
fn another_start_time_or_another_boot_is_another_process_and_gets_no_signal() {
    let mut child = Ended::sleeping();
    let id = child.id();
    let earlier = ProcessId { start: StartTime(id.start.0 - 1), ..id.clone() };
    let before = ProcessId { boot: BootId("another".into()), ..id.clone() };
    for other in [earlier, before] {
        assert_eq!(alive(&other), Liveness::Dead);
        assert_eq!(signal(&other, Signal::KILL).unwrap(), Sent::Gone);
        assert!(ExitWatch::of(&other).unwrap().is_none());
    }
    assert!(child.0.try_wait().unwrap().is_none(), "it was not touched");
    assert_eq!(signal(&id, Signal::KILL).unwrap(), Sent::Delivered);
    child.0.wait().unwrap();
}

#[test]
fn a_process_whose_first_thread_ended_is_alive_while_others_run() {
    let script = "import ctypes, threading, time\n\
                  threading.Thread(target=time.sleep, args=(1000,)).start()\n\
                  print('ready', flush=True)\n\
                  ctypes.CDLL(None).pthread_exit(None)\n";
    let mut child =
        Command::new("python3").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let child = Ended(child);
    let id = child.id();
    until(|| process::look(id.pid).unwrap().unwrap().state == State::Zombie);
    assert_eq!(alive(&id), Liveness::Alive);
}

#[test]
fn a_stopped_process_is_alive() {
    let child = Ended::sleeping();
    signal(&child.id(), Signal::STOP).unwrap();
    until(|| process::look(child.id().pid).unwrap().unwrap().state == State::Stopped);
    assert_eq!(alive(&child.id()), Liveness::Alive);
}

#[test]
fn a_tree_is_found_from_its_root_and_measured() {
    let (child, line) = Ended::script(
        "cd /tmp; sleep 1000 & a=$!; bash -c 'sleep 1000 & echo $!; wait' | while read b; do echo $a $b; done; wait",
    );
    let leaves: Vec<Pid> =
        line.split(' ').map(|pid| Pid::new(pid.parse().unwrap()).unwrap()).collect();
    let root = child.id().pid;
    let tree = process::tree(root).unwrap();
    assert_eq!(tree[0], root);
    for leaf in &leaves {
        assert!(tree.contains(leaf));
        assert!(process::descends_from(*leaf, root).unwrap());
        assert!(process::descends_from(*leaf, Pid::own()).unwrap());
        assert!(!process::descends_from(root, *leaf).unwrap());
    }
    let usage = process::usage(root).unwrap();
    assert_eq!(usage.processes as usize, tree.len());
    assert!(usage.rss > 0);
    assert_eq!(usage.cwd.as_deref(), Some(std::path::Path::new("/tmp")));
    for pid in tree {
        let _ = signal(&ProcessId::of(pid).unwrap(), Signal::KILL);
    }
}

#[test]
fn cpu_time_of_a_tree_counts_children_that_ended() {
    let (child, _) = Ended::script(
        "bash -c 'n=0; while ((n < 300000)); do ((n += 1)); done'; echo done; sleep 1000",
    );
    assert!(process::usage(child.id().pid).unwrap().cpu > Duration::ZERO);
    for pid in process::tree(child.id().pid).unwrap() {
        let _ = signal(&ProcessId::of(pid).unwrap(), Signal::KILL);
    }
}

#[test]
fn the_end_of_somebody_elses_child_is_seen() {
    let (child, line) = Ended::script("sleep 1000 & echo $!; wait");
    let grandchild = ProcessId::of(Pid::new(line.parse().unwrap()).unwrap()).unwrap();
    let watch = ExitWatch::of(&grandchild).unwrap().unwrap();
    assert!(!watch.wait(Some(Duration::from_millis(1))).unwrap());
    signal(&grandchild, Signal::KILL).unwrap();
    assert!(watch.wait(Some(Duration::from_secs(10))).unwrap());
    assert!(watch.has_ended());
    drop(child);
}

#[test]
fn a_file_that_grows_is_announced_until_it_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut file = std::fs::File::create(&path).unwrap();
    let Some(watch) = process::growth_watch(&path) else {
        skipped::skipped("this system does not announce writes");
        return;
    };
    assert!(!watch.clear());
    for _ in 0..1000 {
        file.write_all(b"line\n").unwrap();
    }
    assert!(watch.clear());
    assert!(!watch.clear());
}

#[test]
fn a_signal_that_is_blocked_is_pending() {
    let (child, _) = Ended::script(
        "exec python3 -c 'import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); \
         print(1, flush=True); time.sleep(1000)'",
    );
    let id = child.id();
    assert_eq!(process::signal_pending(id.pid, Signal::TERM), Some(false));
    signal(&id, Signal::TERM).unwrap();
    assert_eq!(process::signal_pending(id.pid, Signal::TERM), Some(true));
    assert_eq!(process::signal_pending(id.pid, Signal::HUP), Some(false));
}

#[test]
fn a_peer_is_known_by_user_and_process() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let peer = process::peer_of(&ours).unwrap();
    assert_eq!(peer.pid, Some(Pid::own()));
    assert_eq!(Some(peer.uid), process::owner(Pid::own()).unwrap());
    drop(theirs);
}

#[test]
fn the_environment_of_a_child_can_be_looked_up() {
    let child = Command::new("sleep").arg("1000").env_clear().env("A", "1=2").env("B", "").spawn();
    let child = Ended(child.unwrap());
    let mut environment = process::environ(child.id().pid).unwrap();
    environment.sort();
    assert_eq!(environment, [("A".into(), "1=2".into()), ("B".into(), "".into())]);
    assert_eq!(process::cwd(child.id().pid), std::env::current_dir().ok());
}

#[test]
fn orphans_come_to_a_subreaper() {
    process::become_subreaper().unwrap();
    let (mut child, line) = Ended::script("( sleep 1000 >/dev/null & echo $! )");
    let orphan = ProcessId::of(Pid::new(line.parse().unwrap()).unwrap()).unwrap();
    child.0.wait().unwrap();
    until(|| process::look(orphan.pid).unwrap().unwrap().parent == Some(Pid::own()));
    assert!(process::children(Pid::own()).unwrap().contains(&orphan.pid));
    signal(&orphan, Signal::KILL).unwrap();
    until(|| alive(&orphan) == Liveness::Dead);
}

#[test]
fn identities_are_numbers_and_a_word_on_disk() {
    let id = ProcessId::own().unwrap();
    let json = serde_json::to_string(&id).unwrap();
    let expected =
        format!("{{\"pid\":{},\"start\":{},\"boot\":\"{}\"}}", id.pid, id.start.0, id.boot.0);
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_str::<ProcessId>(&json).unwrap(), id);
    for pid in ["0", "2147483648", "-1"] {
        assert!(serde_json::from_str::<Pid>(pid).is_err(), "{pid}");
    }
}

#[test]
fn a_descriptor_number_is_only_taken_over_if_it_is_open_and_no_standard_stream() {
    for number in [-1, 0, 2, 900] {
        assert!(process::inherited_fd(number).is_err(), "{number}");
    }
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let number = std::os::fd::IntoRawFd::into_raw_fd(theirs);
    drop(process::inherited_fd(number).unwrap());
    assert_eq!(ours.read(&mut [0]).unwrap(), 0, "it was ours alone, and is closed");
}
