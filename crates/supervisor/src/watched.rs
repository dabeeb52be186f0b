//! What the loop remembers of a run it follows: how far its log was read, and who waits for its locks.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use process::{Liveness, ProcessId};
use protocol::{RunId, RunnerName, TaskId};
use run_dir::RunDir;
use supervisor_core::{LockSeen, Phase, RunFacts, TaskFacts};

use crate::input::{Input, Loop};
use crate::log_tail::LogTail;

pub(crate) struct Watched {
    folder: RunDir,
    pub(crate) tail: LogTail,
    pub(crate) readings: u64,
    /// Neither keeper nor agent live: it is complete, and may be deleted.
    pub(crate) over: bool,
    pub(crate) runner: Option<RunnerName>,
    agent: Option<ProcessId>,
    pub(crate) tasks: Vec<TaskId>,
    /// Tasks that are over, as they were read.
    ended: BTreeMap<u32, TaskFacts>,
    /// The last task whose clean-up was noted.
    pub(crate) cleaned: u32,
    /// Locks that a thread waits for.
    awaited: BTreeSet<Lock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lock {
    Keeper,
    Task(u32),
    /// Of a task that could get no folder.
    Unrecorded,
}

/// A thread that waits for a lock needs next to nothing.
const STACK: usize = 64 << 10;

impl Watched {
    pub(crate) fn new(folder: &RunDir) -> Self {
        Self {
            folder: folder.clone(),
            tail: LogTail::new(folder),
            readings: 0,
            over: false,
            runner: None,
            agent: None,
            tasks: Vec::new(),
            ended: BTreeMap::new(),
            cleaned: 0,
            awaited: BTreeSet::new(),
        }
    }

    /// A keeper that an earlier program of this process started is nobody's to wait for but ours.
    pub(crate) fn reap_keeper(&self) {
        if let Some(keeper) = self.folder.keeper().written() {
            process::reap(&keeper.process);
        }
    }

    /// Whether its agent may live though its directory is gone.
    pub(crate) fn may_live(&self) -> bool {
        let alive = |agent: &ProcessId| process::alive(agent) != Liveness::Dead;
        self.agent.as_ref().is_some_and(alive)
    }

    /// Hands out what was remembered, for a reading that adds to it.
    pub(crate) fn take_over(&mut self) -> BTreeMap<u32, TaskFacts> {
        std::mem::take(&mut self.ended)
    }

    pub(crate) fn remember(&mut self, ended: BTreeMap<u32, TaskFacts>) {
        self.ended = ended;
    }

    /// Waits, each in a thread of its own, for the locks that are held: the kernel releases them
    /// whatever becomes of their holder.
    pub(crate) fn follow(&mut self, facts: &RunFacts, boot: &str, to_loop: &Loop) {
        self.runner = Some(facts.runner.name.clone());
        self.tasks = facts.tasks.iter().map(|task| task.task.clone()).collect();
        if facts.lock == LockSeen::Held {
            self.wait_for(Lock::Keeper, &facts.run, to_loop);
        } else {
            // An adopter takes the lock anew.
            self.awaited.remove(&Lock::Keeper);
        }
        for task in facts.tasks.iter().filter(|task| task.may_run()) {
            self.wait_for(Lock::Task(task.number), &facts.run, to_loop);
        }
        if facts.unrecorded_task.is_no() {
            self.awaited.remove(&Lock::Unrecorded);
        } else {
            self.wait_for(Lock::Unrecorded, &facts.run, to_loop);
        }
        self.agent = self.folder.started().written().map(|started| started.process);
        self.over = facts.phase(boot) == Phase::Over
            && facts.lock == LockSeen::Free
            && !facts.may_run_task(boot);
    }

    fn wait_for(&mut self, lock: Lock, run: &RunId, to_loop: &Loop) {
        if !self.awaited.insert(lock) {
            return;
        }
        let (folder, run, to_loop) = (self.folder.clone(), run.clone(), to_loop.clone());
        let wait = move || {
            let waited = match lock {
                Lock::Keeper => folder.wait_until_unlocked(),
                Lock::Unrecorded => folder.wait_until_no_unrecorded_task(),
                Lock::Task(number) => {
                    folder.task(run_dir::TaskNumber(number)).wait_until_unlocked()
                }
            };
            if let Err(error) = waited {
                tracing::warn!(%run, %error, "cannot wait for a lock");
            }
            to_loop.send(Input::Touched(run));
        };
        if let Err(error) = thread::Builder::new().stack_size(STACK).spawn(wait) {
            self.awaited.remove(&lock);
            tracing::warn!(%error, "cannot wait for a lock");
        }
    }
}
