//! The keeper's rules, move by move, so that a kill can come between any two of them: drain.json,
//! then the TERM, then drain-sent.json; the first TERM once, the second on the user's word only.

use protocol::RunId;
use supervisor_core::ExitSeen;

use super::World;
use super::agent::{Agent, End, Process};
use super::disk::{CancelSent, DrainRecord, Lock, RunDir, Started};

#[derive(Debug)]
pub(crate) struct Keeper {
    /// The agent is its child, so it learns the exit code.
    parent: bool,
    at: At,
    pub(crate) stop_asked: bool,
    pub(crate) look_asked: bool,
    /// This keeper has sent a first TERM, whatever the files say.
    sent: bool,
    /// The first TERM of a cancel went a moment ago; the second may go now.
    cancel_due: bool,
    /// This keeper has sent the cancelling TERM for that task.
    cancelled: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// It has the lock and has done nothing yet.
    LockTaken,
    StartedWritten,
    Keeping,
    DrainWritten,
    TermSent,
    CancelSent,
    ExitWritten,
}

impl Keeper {
    pub(crate) fn of_a_new_run() -> Self {
        Self {
            parent: true,
            at: At::LockTaken,
            stop_asked: false,
            look_asked: false,
            sent: false,
            cancel_due: false,
            cancelled: None,
        }
    }

    pub(crate) fn of_an_orphan() -> Self {
        Self { parent: false, ..Self::of_a_new_run() }
    }

    /// An agent may still come of it.
    pub(crate) fn is_starting(&self) -> bool {
        self.parent && matches!(self.at, At::LockTaken | At::StartedWritten)
    }

    /// drain.json says so, and the TERM is about to go.
    pub(crate) fn is_about_to_drain(&self) -> bool {
        self.at == At::DrainWritten
    }
}

impl World {
    pub(crate) fn keeper_dies(&mut self, run: &RunId) {
        let Some(dir) = self.runs.get_mut(run) else { return };
        if dir.keeper.take().is_some() {
            dir.lock = Lock::Free;
            dir.touched = true;
            self.say(|| format!("   keeper of {run} is killed"));
        }
    }

    /// The keeper goes on until it is at this point, and is killed there.
    pub(crate) fn keeper_dies_at(&mut self, run: &RunId, at: At) {
        for _ in 0..6 {
            let keeper = self.runs.get(run).and_then(|dir| dir.keeper.as_ref());
            if keeper.is_some_and(|keeper| keeper.at == at) {
                return self.keeper_dies(run);
            }
            self.keeper_moves(run);
        }
    }

    /// The keeper finds that it cannot start what it is to start.
    pub(crate) fn keeper_cannot_start(&mut self, run: &RunId) {
        let now = self.now;
        let Some(dir) = self.runs.get_mut(run) else { return };
        let Some(keeper) = dir.keeper.as_mut().filter(|it| it.parent && it.at == At::LockTaken)
        else {
            return;
        };
        keeper.at = At::ExitWritten;
        dir.exit = Some(ExitSeen::NeverStarted { at: now, why: Some("no such file".into()) });
        dir.touched = true;
    }

    /// One move of the keeper; false where there is nothing to do.
    pub(crate) fn keeper_moves(&mut self, run: &RunId) -> bool {
        let Some(dir) = self.runs.get_mut(run) else { return false };
        let Some(mut keeper) = dir.keeper.take() else { return false };
        let before = keeper.at;
        let mut terms = 0;
        let moved = moves(&mut keeper, dir, (self.now, self.boot), &mut terms);
        let after = keeper.at;
        if after == At::ExitWritten && before == At::ExitWritten {
            dir.lock = Lock::Free;
        } else {
            dir.keeper = Some(keeper);
        }
        dir.touched |= moved;
        if moved {
            self.say(|| format!("   keeper of {run}: {before:?} -> {after:?}"));
        }
        for _ in 0..terms {
            self.term(run);
        }
        moved
    }
}

fn moves(
    keeper: &mut Keeper,
    dir: &mut RunDir,
    (now, boot): (jiff::Timestamp, u32),
    terms: &mut u32,
) -> bool {
    match keeper.at {
        At::LockTaken if !keeper.parent => {
            keeper.look_asked = true;
            keeper.at = At::Keeping;
        }
        At::LockTaken | At::StartedWritten if keeper.stop_asked => {
            if keeper.at == At::StartedWritten {
                dir.process = Process::Dead(End::Code(0));
            }
            let why = Some("a stop was asked for before the agent was started".into());
            dir.exit = Some(ExitSeen::NeverStarted { at: now, why });
            keeper.at = At::ExitWritten;
        }
        At::LockTaken => {
            let pid = 1000 + u32::try_from(dir.planned_at.as_second() % 1000).unwrap();
            dir.started = Some(Started { boot, pid, at: now });
            dir.process = Process::Gate;
            keeper.at = At::StartedWritten;
        }
        At::StartedWritten => {
            dir.process = Process::Agent(Agent::starting());
            keeper.look_asked = true;
            keeper.at = At::Keeping;
        }
        At::Keeping => return keeps(keeper, dir, now, terms),
        At::DrainWritten => {
            keeper.sent = true;
            let there = !matches!(dir.process, Process::Dead(_));
            *terms += u32::from(there);
            keeper.at = if there { At::TermSent } else { At::Keeping };
        }
        At::TermSent => {
            dir.drain_sent = true;
            keeper.at = At::Keeping;
        }
        At::CancelSent => {
            dir.cancel_sent = keeper.cancelled.map(|task| CancelSent { task, over: false });
            keeper.at = At::Keeping;
        }
        At::ExitWritten => {}
    }
    true
}

fn keeps(keeper: &mut Keeper, dir: &mut RunDir, now: jiff::Timestamp, terms: &mut u32) -> bool {
    if let Process::Dead(end) = dir.process {
        dir.exit = Some(match end {
            _ if !keeper.parent => ExitSeen::Unknown { at: now },
            End::Code(code) => ExitSeen::Code { code, at: now },
            End::Signal(signal) => ExitSeen::Signal { signal, at: now },
        });
        keeper.at = At::ExitWritten;
        return true;
    }
    if std::mem::take(&mut keeper.stop_asked) {
        if !keeper.sent && dir.drain.is_none() {
            write_drain(keeper, dir, now);
        }
        return true;
    }
    if keeper.look_asked || keeper.cancel_due {
        keeper.look_asked = looks(keeper, dir, now, terms);
        return true;
    }
    false
}

/// Does one thing that the directory asks for; true where there may be another.
fn looks(keeper: &mut Keeper, dir: &mut RunDir, now: jiff::Timestamp, terms: &mut u32) -> bool {
    // The proof is the core's to judge, but of this drain.json: sending anew writes that anew.
    let before = dir.drain.as_ref().map_or(0, |drain| drain.tasks_before);
    let proves = |lost: &Vec<u32>| lost.iter().any(|task| *task > before);
    if !keeper.sent && !dir.drain_sent && dir.drain_lost.as_ref().is_some_and(proves) {
        write_drain(keeper, dir, now);
        return true;
    }
    let Some(task) = dir.cancel else { return false };
    let done = dir.cancel_sent.is_some_and(|sent| sent.task == task);
    if done || keeper.cancelled == Some(task) {
        keeper.cancel_due = false;
        return false;
    }
    let over = dir.tasks.iter().any(|known| known.number == task && known.end.is_some());
    if over {
        dir.cancel_sent = Some(CancelSent { task, over: true });
        keeper.cancel_due = false;
    } else if keeper.cancel_due {
        keeper.cancelled = Some(task);
        keeper.cancel_due = false;
        keeper.at = At::CancelSent;
        *terms += 1;
    } else {
        keeper.cancel_due = true;
        if !keeper.sent && !dir.drain_sent {
            write_drain(keeper, dir, now);
        }
    }
    false
}

fn write_drain(keeper: &mut Keeper, dir: &mut RunDir, now: jiff::Timestamp) {
    let tasks_before = dir.tasks.last().map_or(0, |task| task.number);
    dir.drain = Some(DrainRecord { at: now, tasks_before });
    if let Process::Agent(agent) = &mut dir.process {
        agent.claimed_in_between = false;
    }
    keeper.at = At::DrainWritten;
}
