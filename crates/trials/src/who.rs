//! Who is who by the records of a run, and the few things a trial does to a process: always to a
//! recorded identity, never to a bare number.

use process::{Liveness, ProcessId, Sent, Signal, State};
use run_dir::TaskDir;

use crate::{DEADLINE, until};

/// The processes that a task's record names.
#[derive(Clone, Debug)]
pub struct TaskProcesses {
    pub front: ProcessId,
    pub guard: ProcessId,
    pub agent: ProcessId,
}

impl TaskProcesses {
    pub fn of(task: &TaskDir) -> Option<Self> {
        let started = task.started().written()?;
        Some(Self { front: started.front, guard: started.guard, agent: started.process })
    }

    pub fn all(&self) -> [&ProcessId; 3] {
        [&self.front, &self.guard, &self.agent]
    }
}

pub fn is_alive(id: &ProcessId) -> bool {
    process::alive(id) != Liveness::Dead
}

/// Stopped itself at a named point, or was stopped.
pub fn is_stopped(id: &ProcessId) -> bool {
    is_alive(id)
        && process::look(id.pid).ok().flatten().is_some_and(|look| look.state == State::Stopped)
}

/// `kill -9`, and its end. Whether it was still there.
pub fn kill(id: &ProcessId) -> bool {
    let sent = process::signal(id, Signal::KILL).expect("we may signal our own process");
    until_dead(id);
    sent == Sent::Delivered
}

/// `kill -9` of several, so that none sees another die. Children first: a stopped process whose
/// parent dies may be continued by the kernel, as its group has nobody left to do it.
#[track_caller]
pub fn kill_at_once(ids: &[&ProcessId]) {
    let send = |signal: Signal| {
        for id in ids {
            process::signal(id, signal).expect("we may signal our own process");
        }
    };
    send(Signal::STOP);
    until(DEADLINE, "all have stopped", || ids.iter().all(|id| is_stopped(id) || !is_alive(id)));
    send(Signal::KILL);
    for id in ids {
        until_dead(id);
    }
}

/// Lets a stopped process go on.
pub fn resume(id: &ProcessId) {
    process::signal(id, Signal::CONT).expect("we may signal our own process");
}

#[track_caller]
pub fn until_dead(id: &ProcessId) {
    until(DEADLINE, &format!("process {id} ends"), || !is_alive(id));
}
