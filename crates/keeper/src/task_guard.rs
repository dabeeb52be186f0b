//! The side of the task wrapper that is the parent of the task agent; the front has made it of itself.
//!
//! It keeps the task's records and lock, and ends the task's processes when the front dies: by a
//! KILL that nothing can forward. On a task's own end it ends nobody.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Context;
use process::{Inherited, Pid, ProcessId, Sent, Signal, SignalState};
use run_dir::{Ended, RunDir, Side, TaskDir, TaskEnd, TaskFinished, TaskLock, TaskStarted};
use rustix::process::{WaitOptions, WaitStatus};

use crate::as_job_user::{Act, JobUser, ask};
use crate::clean_up::{self, Cleaned, Held};
use crate::clock::now;
use crate::end_tree::{Trees, end_trees};
use crate::gate::{Gate, Go};
use crate::hold::hold;
use crate::left_overs::clear_left_overs;
use crate::link::{Forward, Link, Told};
use crate::mark::{Mark, Search};
use crate::note::note;
use crate::signals::Signals;
use crate::task_front::FORWARDED;
use crate::wait::wait;

/// Room in started.json for the arguments; the rest of the record is small.
const ARGV_ROOM: usize = 3000;
/// The exit code of a task that was not begun: "try again later", as sysexits has it.
const NOT_BEGUN: i32 = 75;

pub(crate) fn guard(
    run: &RunDir,
    mut link: Link,
    at_start: SignalState,
    command: &[OsString],
) -> anyhow::Result<ExitCode> {
    let inherited = Inherited::at_start()?;
    let front = rustix::process::getppid().map(Pid::from).context("the front is gone")?;
    // Signals come from the front and not from outside: one sent to all of us must not count twice.
    let heard: Vec<Signal> = FORWARDED
        .into_iter()
        .filter(|signal| !at_start.ignored.contains(&signal.as_raw()))
        .chain([Signal::CHILD])
        .collect();
    let signals = Signals::listen(&heard)?;
    process::unblock_signals();
    process::become_subreaper()?;
    let job_user = run.plan().written().as_ref().and_then(JobUser::of);

    clear_left_overs(run, job_user.as_ref());
    let records = Records::claim(run);
    let folder = records.claimed.as_ref().map(|(task, _)| task);
    let cleaned = clean_up::before(run, folder, job_user.as_ref(), &mut link, &signals)?;
    let held = match cleaned {
        Cleaned::Begin(held) => held,
        Cleaned::Refused => return Ok(no_task(&records, link, TaskEnd::Code(NOT_BEGUN))),
        Cleaned::Signalled(number) => return Ok(no_task(&records, link, TaskEnd::Signal(number))),
        Cleaned::FrontDied => return Ok(no_task(&records, link, TaskEnd::Lost(Side::Front))),
    };
    let gate = Gate::spawn(command, |_: &mut Command| {})?;
    let agent = gate.process.clone();
    records.started(&agent, front, command);
    hold(run, "task-started-written");
    let search = (!process::ORPHANS_COME).then(|| Search::begun(Instant::now()));
    let mut guard = Guard { run, job_user, link, agent, records, held, search };
    let (task, spared) = (guard.records.number(), guard.held.spared.clone());
    guard.link.send(&Told::Running { task, spared })?;
    inherited.let_go(&[guard.link.as_fd()])?;
    let go = Go::Task { signals: at_start, dies_with: Pid::own() };
    let opened = gate.open(&go);
    if let Err(error) = &opened {
        note(run, format_args!("{error:#}"));
    }
    // For the task after this one, which will try again if there is no room now.
    let _ = run.reserve_next_task();
    let end = guard.follow(&signals)?;
    guard.over(end);
    Ok(ExitCode::SUCCESS)
}

/// A task that never began: its records say how it ended, and the other side is told.
fn no_task(records: &Records, mut link: Link, end: TaskEnd) -> ExitCode {
    records.finished(TaskFinished::nothing_left(end.clone(), now()));
    let _ = link.send(&Told::Running { task: records.number(), spared: Vec::new() });
    let _ = link.send(&Told::Over(end));
    ExitCode::SUCCESS
}

struct Guard<'run> {
    run: &'run RunDir,
    job_user: Option<JobUser>,
    link: Link,
    agent: ProcessId,
    records: Records<'run>,
    held: Box<Held>,
    /// None where all orphans come here: nothing is to be looked for, and nothing wakes up for it.
    search: Option<Search>,
}

impl Guard<'_> {
    /// Until the task agent or the front ends.
    fn follow(&mut self, signals: &Signals) -> anyhow::Result<TaskEnd> {
        loop {
            signals.take();
            if let Some(end) = self.reap() {
                return Ok(end);
            }
            let again = [self.held.try_lock(), self.search_mark()].into_iter().flatten().min();
            let ready = wait(&[signals.as_fd(), self.link.as_fd()], again)?;
            if ready.get(1) != Some(&true) {
                continue;
            }
            let came = self.link.receive::<Forward>()?;
            for Forward(number) in came.messages {
                self.forward(number);
            }
            if came.closed {
                return Ok(TaskEnd::Lost(Side::Front));
            }
        }
    }

    /// Looks for the task's mark if it is time to; when it will be again.
    fn search_mark(&mut self) -> Option<Duration> {
        let search = self.search.as_mut()?;
        search.turn(Instant::now(), || Mark::below(&self.agent))
    }

    /// Reaps every child that ended, adopted orphans too; how the task agent did if it was one.
    fn reap(&self) -> Option<TaskEnd> {
        let mut end = None;
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            if Pid::from(pid) == self.agent.pid {
                end = Some(how_it_ended(status));
            }
        }
        end
    }

    fn forward(&self, number: i32) {
        let Some(signal) = Signal::from_named_raw(number) else { return };
        match (process::signal(&self.agent, signal), &self.job_user) {
            (Ok(Sent::Delivered | Sent::Gone), _) => {}
            // sudo is root's; the task agent behind it is the job user's.
            (Err(_), Some(job_user)) => {
                if let Err(error) = ask(job_user, Act::Signal(number), vec![self.agent.clone()]) {
                    note(self.run, format_args!("signal {number} was not passed on: {error:#}"));
                }
            }
            (Err(error), None) => {
                note(self.run, format_args!("signal {number} was not passed on: {error}"));
            }
        }
    }

    fn over(mut self, end: TaskEnd) {
        let mut trees = Trees {
            below_this_process: true,
            roots: Vec::new(),
            led_by: Some(self.agent.clone()),
            mark: self.search.take().and_then(|search| search.found),
            spared: std::mem::take(&mut self.held.spared),
        };
        trees.learn_mark();
        let mut ended = Vec::new();
        let left_behind = match &end {
            TaskEnd::Code(_) | TaskEnd::Signal(_) if self.held.ends_left_overs() => {
                ended = trees.running().into_iter().map(Ended::of).collect();
                for Ended { process, program } in &ended {
                    note(self.run, format_args!("left running, ended: {program} ({process})"));
                }
                end_trees(&trees, self.job_user.as_ref())
            }
            TaskEnd::Code(_) | TaskEnd::Signal(_) => trees.running(),
            TaskEnd::Lost(_) => {
                note(self.run, "the front of a task died, so the task is ended");
                trees.roots.push(self.agent.clone());
                end_trees(&trees, self.job_user.as_ref())
            }
        };
        ended.retain(|it| !left_behind.contains(&it.process));
        // Whoever reads that it is over finds its directory free.
        *self.held = Held::default();
        self.records.finished(TaskFinished { end: end.clone(), left_behind, ended, at: now() });
        hold(self.run, "task-finished-written");
        // A front that died needs no telling.
        let _ = self.link.send(&Told::Over(end));
    }
}

fn how_it_ended(status: WaitStatus) -> TaskEnd {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => TaskEnd::Code(code),
        (None, Some(signal)) => TaskEnd::Signal(signal),
        // wait(2) reports no third kind without being asked for it.
        (None, None) => TaskEnd::Code(1),
    }
}

/// The records of the task. A task runs without them where the disk takes none; then a lock that
/// needs no space says that it runs.
struct Records<'run> {
    run: &'run RunDir,
    claimed: Option<(TaskDir, TaskLock)>,
    _unrecorded: Option<TaskLock>,
}

impl<'run> Records<'run> {
    fn claim(run: &'run RunDir) -> Self {
        match run.claim_task() {
            Ok(claimed) => Self { run, claimed: Some(claimed), _unrecorded: None },
            Err(error) => {
                note(run, format_args!("a task runs without records: {error}"));
                let lock = run.take_unrecorded_lock(now());
                Self { run, claimed: None, _unrecorded: lock.ok().flatten() }
            }
        }
    }

    fn number(&self) -> Option<run_dir::TaskNumber> {
        self.claimed.as_ref().map(|(task, _)| task.number())
    }

    fn started(&self, agent: &ProcessId, front: Pid, command: &[OsString]) {
        let Some((task, _)) = &self.claimed else { return };
        let written = || -> std::io::Result<()> {
            task.write_started(&TaskStarted {
                process: agent.clone(),
                front: ProcessId::of(front)?,
                guard: ProcessId::own()?,
                argv: fitting(command),
                cwd: std::env::current_dir()?,
                at: now(),
            })
        };
        if let Err(error) = written() {
            note(self.run, format_args!("a task's start could not be recorded: {error}"));
        }
    }

    fn finished(&self, mut finished: TaskFinished) {
        let Some((task, _)) = &self.claimed else { return };
        let mut written = task.write_finished(&finished);
        // A long list may need space that a full disk does not have.
        if written.is_err() && !(finished.left_behind.is_empty() && finished.ended.is_empty()) {
            finished.left_behind.clear();
            finished.ended.clear();
            written = task.write_finished(&finished);
        }
        if let Err(error) = written {
            note(self.run, format_args!("a task's end could not be recorded: {error}"));
        }
    }
}

/// The arguments as text, as many as have room, and without what a flag calls a token.
fn fitting(command: &[OsString]) -> Vec<String> {
    let mut room = ARGV_ROOM;
    let mut argv: Vec<String> = Vec::new();
    for arg in command {
        let names_token = |arg: &str| arg.starts_with('-') && arg.to_lowercase().contains("token");
        let arg = arg.to_string_lossy();
        let arg = match arg.split_once('=') {
            Some((flag, _)) if names_token(flag) => format!("{flag}=[token]"),
            _ if argv.last().is_some_and(|last| names_token(last) && !last.contains('=')) => {
                "[token]".to_owned()
            }
            _ => arg.into_owned(),
        };
        let Some(left) = room.checked_sub(arg.len() + 3) else { break };
        room = left;
        argv.push(arg);
    }
    argv
}
