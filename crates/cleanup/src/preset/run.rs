//! A program run apart: in a session of its own, without input, for a limited time. When that is over
//! the processes of its session are ended, and never any other.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use process::{ExitWatch, Pid, ProcessId, Signal, in_session, spawn_apart};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::stop::Stop;

/// How often a stop that was asked for is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// From TERM to KILL.
const GRACE: Duration = Duration::from_secs(5);
/// KILL works at once except on a process that waits for a device.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// Of its output that is kept from the first byte on, to be read.
const HEAD: usize = 8 << 20;
/// And from the end, to be shown.
const LINES: usize = 40;
const LINE: usize = 400;

/// What to run.
pub(crate) struct Run<'a> {
    pub(crate) program: &'a Path,
    pub(crate) words: &'a [String],
    pub(crate) home: &'a Path,
    pub(crate) path: &'a [PathBuf],
    pub(crate) limit: Duration,
}

/// What it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    pub end: End,
    /// Its standard output, up to some megabytes.
    pub output: Vec<u8>,
    /// The last lines of that and of its errors; which of two pipes was first nobody knows.
    pub lines: Vec<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    Signalled(i32),
    /// With those of its processes that are still there.
    TimeUp(Vec<ProcessId>),
    Stopped(Vec<ProcessId>),
    NotStarted(String),
}

impl Run<'_> {
    pub(crate) fn now(&self, stop: &Stop) -> Printed {
        let mut tail = Tail::default();
        let mut output = Vec::new();
        let end = self.run(stop, &mut output, &mut tail).unwrap_or_else(|error| {
            End::NotStarted(format!("{} cannot be started: {error}", self.program.display()))
        });
        Printed { end, output, lines: tail.lines() }
    }

    fn run(&self, stop: &Stop, output: &mut Vec<u8>, tail: &mut Tail) -> io::Result<End> {
        let mut command = Command::new(self.program);
        command.args(self.words).current_dir(self.home).env("HOME", self.home);
        if let Ok(path) = std::env::join_paths(self.path) {
            command.env("PATH", path);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn_apart(&mut command)?;
        let leader = Pid::of_child(&child);
        let watch = ProcessId::of(leader).and_then(|id| ExitWatch::of(&id)).unwrap_or(None);
        let mut pipes = Pipes::of(&mut child)?;
        let deadline = Instant::now() + self.limit;
        let cut = loop {
            pipes.read(output, tail);
            if watch.as_ref().is_none_or(ExitWatch::has_ended) {
                break None;
            }
            if stop.is_asked() {
                break Some(End::Stopped as fn(Vec<ProcessId>) -> End);
            }
            if Instant::now() >= deadline {
                break Some(End::TimeUp as fn(Vec<ProcessId>) -> End);
            }
            pipes.wait(watch.as_ref(), deadline);
        };
        // Before its status is taken: until then nobody else gets its number.
        let left = end_session(leader);
        pipes.read(output, tail);
        if let Some(cut) = cut {
            if left.is_empty() {
                let _ = child.wait();
            }
            return Ok(cut(left));
        }
        let status = child.wait()?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => End::Exited(code),
            (None, signal) => End::Signalled(signal.unwrap_or_default()),
        })
    }
}

/// Ends what runs in the session; those that are still there in the end.
fn end_session(leader: Pid) -> Vec<ProcessId> {
    for (signal, limit) in [(Signal::TERM, GRACE), (Signal::KILL, KILL_LIMIT)] {
        let until = Instant::now() + limit;
        loop {
            let running = in_session(leader).unwrap_or_default();
            if running.is_empty() {
                return running;
            }
            for id in &running {
                let _ = process::signal(id, signal);
            }
            wait_for(&running, until);
            if Instant::now() >= until {
                break;
            }
        }
    }
    in_session(leader).unwrap_or_default()
}

/// Until they have ended, or it is time.
pub(crate) fn wait_for(processes: &[ProcessId], until: Instant) {
    for id in processes {
        if let Ok(Some(watch)) = ExitWatch::of(id) {
            let _ = watch.wait(Some(until.saturating_duration_since(Instant::now())));
        }
    }
}

/// What comes out of it.
struct Pipes {
    out: Option<std::process::ChildStdout>,
    errors: Option<std::process::ChildStderr>,
}

impl Pipes {
    fn of(child: &mut Child) -> io::Result<Self> {
        let pipes = Self { out: child.stdout.take(), errors: child.stderr.take() };
        for pipe in pipes.open() {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(pipes)
    }

    fn open(&self) -> Vec<BorrowedFd<'_>> {
        let out = self.out.as_ref().map(AsFd::as_fd);
        out.into_iter().chain(self.errors.as_ref().map(AsFd::as_fd)).collect()
    }

    /// All that is there now.
    fn read(&mut self, output: &mut Vec<u8>, tail: &mut Tail) {
        let is_over = self.out.as_mut().is_some_and(|pipe| {
            drain(pipe, |some| {
                let room = HEAD.saturating_sub(output.len()).min(some.len());
                output.extend_from_slice(some.get(..room).unwrap_or_default());
                tail.add(some);
            })
        });
        if is_over {
            self.out = None;
        }
        if self.errors.as_mut().is_some_and(|pipe| drain(pipe, |some| tail.add(some))) {
            self.errors = None;
        }
    }

    /// Until something happens, though not long.
    fn wait(&self, watch: Option<&ExitWatch>, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now()).min(LOOK_EVERY);
        let fds = self.open().into_iter().chain(watch.and_then(ExitWatch::fd));
        let mut fds: Vec<PollFd<'_>> =
            fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
    }
}

/// Whether it is at its end.
fn drain(pipe: &mut impl Read, mut each: impl FnMut(&[u8])) -> bool {
    let mut some = [0_u8; 16 << 10];
    // Who prints without end must not keep the time limit from being looked at.
    for _ in 0..64 {
        match pipe.read(&mut some) {
            Ok(0) => return true,
            Ok(count) => each(some.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
    false
}

/// The last lines of what was printed.
#[derive(Default)]
struct Tail {
    whole: VecDeque<String>,
    begun: Vec<u8>,
    /// What follows is written over it, as progress bars do.
    is_over: bool,
}

impl Tail {
    fn add(&mut self, some: &[u8]) {
        for byte in some {
            if *byte == b'\n' {
                self.end_line();
                continue;
            }
            if std::mem::replace(&mut self.is_over, *byte == b'\r') {
                self.begun.clear();
            }
            if *byte != b'\r' && self.begun.len() < LINE {
                self.begun.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.begun).trim_end().to_owned();
        (self.begun, self.is_over) = (Vec::new(), false);
        if line.is_empty() {
            return;
        }
        if self.whole.len() == LINES {
            self.whole.pop_front();
        }
        self.whole.push_back(line);
    }

    fn lines(mut self) -> Vec<String> {
        self.end_line();
        self.whole.into()
    }
}
