//! The TERMs to the agent. The first drains it, the second cancels its task: the first is sent once
//! however often it is asked for, the second once for each task that the user's confirmed word names.
//!
//! Save first, then act: drain.json is written before the first TERM and drain-sent.json after it.
//! One without the other means that nobody knows; then it is not repeated until the supervisor
//! proves, by drain-lost.json, that it never arrived. Such a proof holds for the drain.json that it
//! was made from: sending again writes that anew, and the proof is spent.

use std::io;
use std::time::{Duration, Instant};

use process::{ProcessId, Sent, Signal};
use run_dir::{
    Cancel, CancelOutcome, CancelSent, Drain, DrainSent, Record, RunDir, TaskNumber, TaskState,
};

use crate::clock::now;
use crate::hold::hold;
use crate::note::note;

/// Between the first TERM and the one that cancels, so that the agent takes them as two.
const APART: Duration = Duration::from_secs(1);

pub(crate) struct Drains<'run> {
    run: &'run RunDir,
    agent: &'run ProcessId,
    /// This process has sent a first TERM, whatever the files say.
    sent: bool,
    /// When the cancelling TERM may go.
    cancel_at: Option<Instant>,
    /// The task for which this process did what there was to do, whatever the files say.
    cancelled: Option<TaskNumber>,
}

impl<'run> Drains<'run> {
    pub(crate) fn of(run: &'run RunDir, agent: &'run ProcessId) -> Self {
        Self { run, agent, sent: false, cancel_at: None, cancelled: None }
    }

    /// Drains the agent, unless that was begun before.
    pub(crate) fn drain(&mut self) {
        if !self.sent && self.run.drain().is_unwritten() {
            self.send_first();
        }
    }

    /// Does what the supervisor wrote into the directory.
    pub(crate) fn look(&mut self) {
        if !self.sent && self.run.drain_sent().is_unwritten() && self.is_proven_lost() {
            self.send_first();
        }
        if let Record::Written(cancel) = self.run.cancel()
            && !self.is_done(cancel.task)
        {
            self.cancel(&cancel);
        }
    }

    /// Two tasks that started after drain.json as it is now: one may have been claimed in the same
    /// moment.
    fn is_proven_lost(&self) -> bool {
        let (Record::Written(drain), Record::Written(lost)) =
            (self.run.drain(), self.run.drain_lost())
        else {
            return false;
        };
        lost.tasks.iter().filter(|task| task.0 > drain.tasks_before).count() >= 2
    }

    /// A record that cannot be read may be of this task, and then another TERM could be too many.
    fn is_done(&self, task: TaskNumber) -> bool {
        self.cancelled == Some(task)
            || match self.run.cancel_sent() {
                Record::Absent | Record::Blank => false,
                Record::Written(sent) => sent.task == task,
                Record::Unreadable(_) | Record::Newer(_) => true,
            }
    }

    /// How long until [`Self::look`] has something to do by itself.
    pub(crate) fn due(&self) -> Option<Duration> {
        Some(self.cancel_at?.saturating_duration_since(Instant::now()))
    }

    fn send_first(&mut self) {
        if let Err(error) = self.try_first() {
            note(self.run, format_args!("the agent could not be drained for certain: {error}"));
        }
    }

    fn try_first(&mut self) -> io::Result<()> {
        let mut tasks_before = self.newest_task();
        self.run.write_drain(&Drain { at: now(), tasks_before })?;
        hold(self.run, "drain-written");
        // Whoever was slow here must not take tasks from before the signal for a proof of its loss.
        while tasks_before != self.newest_task() {
            tasks_before = self.newest_task();
            self.run.write_drain(&Drain { at: now(), tasks_before })?;
        }
        self.sent = true;
        match process::signal(self.agent, Signal::TERM)? {
            Sent::Delivered => {
                hold(self.run, "drain-sent-unwritten");
                self.run.write_drain_sent(&DrainSent { at: now() })
            }
            Sent::Gone => Ok(()),
        }
    }

    /// 0: none yet. What cannot be read proves nothing later.
    fn newest_task(&self) -> u32 {
        let tasks = self.run.tasks();
        tasks.map_or(u32::MAX, |tasks| tasks.last().map_or(0, |last| last.number().0))
    }

    fn cancel(&mut self, cancel: &Cancel) {
        if self.is_over(cancel.task) {
            return self.note_cancel(cancel, CancelOutcome::TaskOver);
        }
        let Some(at) = self.cancel_at else {
            hold(self.run, "cancel-seen");
            // Whatever became of an earlier TERM that nobody can vouch for: the user wants it now.
            if !self.sent && self.run.drain_sent().is_unwritten() {
                self.send_first();
            }
            hold(self.run, "between-the-terms");
            self.cancel_at = Some(Instant::now() + APART);
            return;
        };
        if Instant::now() < at {
            return;
        }
        // Two TERMs that the agent has not looked at are one to it.
        if process::signal_pending(self.agent.pid, Signal::TERM) == Some(true) {
            self.cancel_at = Some(Instant::now() + APART);
            return;
        }
        self.cancel_at = None;
        self.cancelled = Some(cancel.task);
        match process::signal(self.agent, Signal::TERM) {
            Ok(Sent::Delivered) => self.note_cancel(cancel, CancelOutcome::Sent),
            Ok(Sent::Gone) => self.note_cancel(cancel, CancelOutcome::TaskOver),
            Err(error) => {
                note(
                    self.run,
                    format_args!("task {} could not be cancelled: {error}", cancel.task),
                );
            }
        }
    }

    /// After the first TERM no task follows this one, so the second reaches it or none.
    fn is_over(&self, task: TaskNumber) -> bool {
        match self.run.task(task).state() {
            TaskState::Finished(_) | TaskState::Lost | TaskState::Unreadable(_) => true,
            TaskState::Running | TaskState::Unknown(_) => false,
        }
    }

    fn note_cancel(&mut self, cancel: &Cancel, outcome: CancelOutcome) {
        self.cancel_at = None;
        self.cancelled = Some(cancel.task);
        let sent = CancelSent { task: cancel.task, outcome, at: now() };
        if let Err(error) = self.run.write_cancel_sent(&sent) {
            note(self.run, format_args!("the cancel could not be recorded: {error}"));
        }
    }
}
