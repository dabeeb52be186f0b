//! The agent and its tasks: claims, works, drains at the first TERM, cancels its task at the second.

use jiff::{SignedDuration, Timestamp};
use protocol::{RunId, TaskId};
use supervisor_core::Heard;

use super::World;
use super::disk::{How, RunDir, TaskDir, TaskOver};
use super::keeper::Keeper;

pub(crate) enum Process {
    None,
    /// It waits for its keeper's word and becomes the agent then, or ends when the keeper does.
    Gate,
    Agent(Agent),
    Dead(End),
}

#[derive(Clone, Copy)]
pub(crate) enum End {
    Code(i32),
    Signal(i32),
}

pub(crate) struct Agent {
    begun: bool,
    terms: u32,
    /// A claim is under way and may bring a task though the agent drains by now.
    claim_under_way: bool,
    one_more: bool,
    /// It has taken a task since drain.json was written. From there to the TERM are milliseconds:
    /// one task may begin in them, two may not.
    pub(crate) claimed_in_between: bool,
    pub(crate) claimed_at: Option<Timestamp>,
}

impl Agent {
    pub(crate) fn starting() -> Self {
        Self {
            begun: false,
            terms: 0,
            claim_under_way: false,
            one_more: false,
            claimed_in_between: false,
            claimed_at: None,
        }
    }

    /// It claims, and no TERM has reached it.
    pub(crate) fn is_claiming(&self) -> bool {
        self.begun && self.terms == 0
    }
}

/// How an agent goes about its next move.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    Well,
    /// It leaves a claim under way.
    Claiming,
    Refused,
    Exits(i32),
    Crashes,
}

impl World {
    /// One move of the agent; false where there is nothing to do.
    pub(crate) fn agent_moves(&mut self, run: &RunId, manner: Manner) -> bool {
        let now = self.now;
        let network = self.network;
        let Some(dir) = self.runs.get_mut(run) else { return false };
        let waiting = self.queue.get_mut(&dir.runner).unwrap();
        let about_to_drain = dir.keeper.as_ref().is_some_and(Keeper::is_about_to_drain);
        let busy = dir.running_task().is_some();
        let agent = match &mut dir.process {
            Process::Agent(agent) => agent,
            Process::Gate if dir.keeper.as_ref().is_none_or(|keeper| !keeper.is_starting()) => {
                dir.process = Process::Dead(End::Code(0));
                dir.touched = true;
                return true;
            }
            Process::None | Process::Gate | Process::Dead(_) => return false,
        };
        dir.touched = true;
        match manner {
            Manner::Refused if !busy => {
                dir.log.push(Heard::TokenRefused { line: "401 Unauthorized".into() });
                dir.process = Process::Dead(End::Code(1));
                return true;
            }
            Manner::Exits(code) if !busy => {
                dir.process = Process::Dead(End::Code(code));
                return true;
            }
            Manner::Crashes => {
                dir.process = Process::Dead(End::Signal(11));
                return true;
            }
            Manner::Well | Manner::Claiming | Manner::Refused | Manner::Exits(_) => {}
        }
        if !agent.begun {
            agent.begun = true;
            dir.log.push(Heard::AgentStarted { version: Some("3.1.11".into()) });
            return true;
        }
        if busy {
            return false;
        }
        if agent.terms > 0 && !agent.one_more {
            dir.process = Process::Dead(End::Code(0));
            return true;
        }
        agent.one_more = false;
        agent.claim_under_way = matches!(manner, Manner::Claiming);
        agent.claimed_at = Some(now);
        let may_take = network && !(about_to_drain && agent.claimed_in_between);
        if *waiting > 0 && may_take {
            *waiting -= 1;
            agent.claimed_in_between |= about_to_drain;
            begin_task(dir, run, now);
        } else if network {
            dir.log.push(Heard::ClaimAnswered);
        } else {
            dir.log.push(Heard::ClaimFailed { status: None, why: "no such host".into() });
        }
        true
    }

    /// A TERM reaches the agent.
    pub(crate) fn term(&mut self, run: &RunId) {
        let now = self.now;
        let Some(dir) = self.runs.get_mut(run) else { return };
        dir.touched = true;
        let running = dir.running_task().map(|task| task.number);
        let agent = match &mut dir.process {
            Process::Agent(agent) => agent,
            Process::Gate => return dir.process = Process::Dead(End::Signal(15)),
            Process::None | Process::Dead(_) => return,
        };
        agent.terms += 1;
        let terms = agent.terms;
        if terms == 1 {
            agent.one_more =
                agent.claim_under_way && !agent.claimed_in_between && running.is_none();
            return self.say(|| format!("   {run}: TERM, drains"));
        }
        let word = running.is_some_and(|task| self.words.contains(&TaskId::new(run, task)));
        if !word {
            self.broke("one TERM, but for the user's word", || {
                format!("number {terms} reaches the agent of {run} in its task {running:?}")
            });
        }
        self.say(|| format!("   {run}: TERM, cancels {running:?}"));
        if let (Some(task), Some(dir)) = (running, self.runs.get_mut(run)) {
            end_task(dir, task, TaskOver { at: now, how: How::Cancelled });
        }
    }

    pub(crate) fn task_speaks(&mut self, run: &RunId, failed: bool) {
        let now = self.now;
        let Some(dir) = self.runs.get_mut(run) else { return };
        let Some(task) = dir.tasks.iter_mut().rev().find(|task| task.end.is_none()) else { return };
        task.failed_step |= failed;
        let number = task.number;
        let at = Some(super::disk::whole_seconds(now));
        let line = Heard::StepEnded { at, failed, exit_code: failed.then_some(1) };
        dir.speak(run, number, now, Some(line));
    }

    pub(crate) fn task_ends(&mut self, run: &RunId, how: How) -> bool {
        let now = self.now;
        let Some(dir) = self.runs.get_mut(run) else { return false };
        let Some(task) = dir.running_task().map(|task| task.number) else { return false };
        end_task(dir, task, TaskOver { at: now, how });
        self.say(|| format!("   task {run}.{task} ends: {how:?}"));
        true
    }

    /// Whether this agent would claim now if it were given the time.
    pub(crate) fn claim_is_due(&self, run: &RunId) -> bool {
        let Some(Process::Agent(agent)) = self.runs.get(run).map(|dir| &dir.process) else {
            return true;
        };
        let waiting = self.runs.get(run).is_some_and(|dir| self.queue[&dir.runner] > 0);
        let long_ago = |at: Timestamp| {
            at > self.now || at.duration_until(self.now) >= SignedDuration::from_secs(5)
        };
        waiting || agent.terms > 0 || agent.claimed_at.is_none_or(long_ago)
    }
}

fn begin_task(dir: &mut RunDir, run: &RunId, now: Timestamp) {
    let number = dir.tasks.last().map_or(0, |task| task.number) + 1;
    dir.tasks.push(TaskDir { number, started_at: now, end: None, failed_step: false });
    let at = Some(super::disk::whole_seconds(now));
    dir.speak(run, number, now, Some(Heard::StepStarted { at, step: "checkout".into() }));
}

fn end_task(dir: &mut RunDir, number: u32, over: TaskOver) {
    if let Some(task) = dir.tasks.iter_mut().find(|task| task.number == number) {
        task.end.get_or_insert(over);
    }
    dir.touched = true;
}
