//! A run directory as it is, and as it is read: with all that may keep a record from being read.

use jiff::Timestamp;
use protocol::{Boundary, RunId, RunnerName, TaskId};
use supervisor_core::{
    AgentSeen, Cancelled, Drained, ExitSeen, Heard, Link, LockSeen, Read, RunFacts, RunnerFacts,
    TaskEnd, TaskFacts,
};

use super::agent::Process;
use super::keeper::Keeper;

pub(crate) struct RunDir {
    pub(crate) runner: RunnerName,
    pub(crate) mark: u32,
    pub(crate) planned_at: Timestamp,
    pub(crate) lock: Lock,
    pub(crate) started: Option<Started>,
    pub(crate) drain: Option<DrainRecord>,
    pub(crate) drain_sent: bool,
    /// The numbers of the tasks that prove the loss.
    pub(crate) drain_lost: Option<Vec<u32>>,
    pub(crate) cancel: Option<u32>,
    pub(crate) cancel_sent: Option<CancelSent>,
    pub(crate) exit: Option<ExitSeen>,
    pub(crate) tasks: Vec<TaskDir>,
    pub(crate) log: Vec<Heard>,
    pub(crate) keeper: Option<Keeper>,
    pub(crate) process: Process,
    /// What the supervisor cannot read at the moment.
    pub(crate) hidden: u8,
    /// Something changed since the supervisor last looked.
    pub(crate) touched: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Free,
    /// Between making the run and starting its keeper.
    Supervisor,
    Keeper,
}

pub(crate) struct Started {
    pub(crate) boot: u32,
    pub(crate) pid: u32,
    pub(crate) at: Timestamp,
}

pub(crate) struct DrainRecord {
    pub(crate) at: Timestamp,
    pub(crate) tasks_before: u32,
}

#[derive(Clone, Copy)]
pub(crate) struct CancelSent {
    pub(crate) task: u32,
    /// It had ended by itself: nothing was sent.
    pub(crate) over: bool,
}

pub(crate) struct TaskDir {
    pub(crate) number: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) end: Option<TaskOver>,
    pub(crate) failed_step: bool,
}

#[derive(Clone, Copy)]
pub(crate) struct TaskOver {
    pub(crate) at: Timestamp,
    pub(crate) how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Code(i32),
    /// The agent's second TERM ended it.
    Cancelled,
    Lost,
}

/// Records that may be unreadable for a while.
pub(crate) mod hidden {
    pub(crate) const PLAN: u8 = 1;
    pub(crate) const LOCK: u8 = 2;
    pub(crate) const STARTED: u8 = 4;
    pub(crate) const ALIVE: u8 = 8;
    pub(crate) const DRAIN: u8 = 16;
    pub(crate) const CANCEL: u8 = 32;
    pub(crate) const EXIT: u8 = 64;
    pub(crate) const TASKS: u8 = 128;
}

pub(crate) fn runner_facts(name: &RunnerName, mark: u32) -> RunnerFacts {
    RunnerFacts {
        name: name.clone(),
        resource_class: "acme/linux".parse().unwrap(),
        working_directory: format!("/srv/{name}"),
        boundary: Boundary::SameUser { meaning: "a job can read what you can".into() },
        api_url: None,
        releases_url: "https://releases.example".into(),
        mark: format!("mark-{mark}"),
        token_store: None,
        token_copy: None,
    }
}

impl RunDir {
    pub(crate) fn new(runner: RunnerName, mark: u32, planned_at: Timestamp) -> Self {
        Self {
            runner,
            mark,
            planned_at,
            lock: Lock::Free,
            started: None,
            drain: None,
            drain_sent: false,
            drain_lost: None,
            cancel: None,
            cancel_sent: None,
            exit: None,
            tasks: Vec::new(),
            log: Vec::new(),
            keeper: None,
            process: Process::None,
            hidden: 0,
            touched: true,
        }
    }

    pub(crate) fn hides(&self, what: u8) -> bool {
        self.hidden & what != 0
    }

    /// An agent lives, or somebody is about to start one.
    pub(crate) fn lives(&self) -> bool {
        matches!(self.process, Process::Agent(_))
            || self.lock == Lock::Supervisor
            || self.keeper.as_ref().is_some_and(Keeper::is_starting)
    }

    pub(crate) fn running_task(&self) -> Option<&TaskDir> {
        self.tasks.iter().rev().find(|task| task.end.is_none())
    }

    pub(crate) fn machine_ends(&mut self, now: Timestamp) {
        self.keeper = None;
        self.lock = Lock::Free;
        if !matches!(self.process, Process::None) {
            self.process = Process::Dead(super::agent::End::Signal(9));
        }
        for task in &mut self.tasks {
            task.end.get_or_insert(TaskOver { at: now, how: How::Lost });
        }
        self.touched = true;
    }

    /// Writes a line of the task into the agent's log, as the task agent does: named, whole seconds.
    pub(crate) fn speak(&mut self, run: &RunId, task: u32, now: Timestamp, says: Option<Heard>) {
        let at = whole_seconds(now);
        let url = Some(format!("https://ci.example/{run}/{task}"));
        let link = Link { url, project: None, build_number: None };
        self.log.push(Heard::TaskNamed { at: Some(at), link });
        self.log.extend(says);
        self.touched = true;
    }

    pub(crate) fn lock_seen(&self) -> LockSeen {
        match self.lock {
            _ if self.hides(hidden::LOCK) => LockSeen::Unknown,
            Lock::Free => LockSeen::Free,
            Lock::Supervisor | Lock::Keeper => LockSeen::Held,
        }
    }

    fn agent_seen(&self, run: &RunId, boot: u32) -> AgentSeen {
        let Some(started) = &self.started else {
            return if self.hides(hidden::STARTED) {
                AgentSeen::Unknown
            } else {
                AgentSeen::NotStarted
            };
        };
        if self.hides(hidden::STARTED) {
            return AgentSeen::Unknown;
        }
        // After a boot the same number and start time may name another process.
        let another_took_its_place =
            started.boot != boot && run.as_str().ends_with(['0', '2', '4']);
        let alive = match self.process {
            _ if self.hides(hidden::ALIVE) => Read::Unknown,
            _ if another_took_its_place => Read::Yes(()),
            Process::Gate | Process::Agent(_) => Read::Yes(()),
            Process::None | Process::Dead(_) => Read::No,
        };
        let boot = format!("boot-{}", started.boot);
        AgentSeen::Started { boot, pid: started.pid, at: started.at, alive }
    }

    /// One reading. The lock is read first, so it may be older than the rest.
    pub(crate) fn read(&self, run: &RunId, reading: u64, lock: LockSeen, boot: u32) -> RunFacts {
        RunFacts {
            reading,
            run: run.clone(),
            runner: runner_facts(&self.runner, self.mark),
            agent_version: "3.1.11".into(),
            planned_at: self.planned_at,
            lock,
            agent: self.agent_seen(run, boot),
            drain: self.drain_seen(),
            cancel: self.cancel_seen(run),
            exit: match &self.exit {
                _ if self.hides(hidden::EXIT) => Read::Unknown,
                Some(exit) => Read::Yes(exit.clone()),
                None => Read::No,
            },
            tasks: self.tasks_seen(run),
            unrecorded_task: Read::No,
        }
    }

    fn drain_seen(&self) -> Read<Drained> {
        match &self.drain {
            _ if self.hides(hidden::DRAIN) => Read::Unknown,
            Some(drain) => Read::Yes(Drained {
                at: drain.at,
                tasks_before: drain.tasks_before,
                sent: self.drain_sent,
                lost: self.drain_lost.is_some(),
            }),
            None => Read::No,
        }
    }

    fn cancel_seen(&self, run: &RunId) -> Read<Cancelled> {
        if self.hides(hidden::CANCEL) {
            return Read::Unknown;
        }
        let Some(task) = self.cancel else { return Read::No };
        match self.cancel_sent.filter(|sent| sent.task == task) {
            Some(CancelSent { over: true, .. }) => Read::No,
            sent => Read::Yes(Cancelled { task: TaskId::new(run, task), sent: sent.is_some() }),
        }
    }

    fn tasks_seen(&self, run: &RunId) -> Vec<TaskFacts> {
        let seen = |task: &TaskDir| TaskFacts {
            task: TaskId::new(run, task.number),
            number: task.number,
            started_at: task.started_at,
            pid: Some(4000 + task.number),
            directory: None,
            end: match task.end {
                _ if self.hides(hidden::TASKS) => TaskEnd::Unknown,
                None => TaskEnd::Running,
                Some(TaskOver { at, how: How::Code(code) }) => {
                    TaskEnd::Exited { code: Some(code), at }
                }
                Some(TaskOver { at, how: How::Cancelled }) => TaskEnd::Exited { code: None, at },
                Some(TaskOver { at, how: How::Lost }) => TaskEnd::Lost { at },
            },
        };
        self.tasks.iter().map(seen).collect()
    }
}

pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}
