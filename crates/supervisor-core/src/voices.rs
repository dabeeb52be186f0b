//! Whose lines the agent's log is at. Tasks speak one after another and name themselves by their
//! link; a line never goes to a task that cannot have spoken it.

use std::collections::VecDeque;

use jiff::Timestamp;
use protocol::TaskId;

use crate::facts::{Heard, TaskEnd, TaskFacts};

/// Lines wait for the reading that shows their task; of more than this the oldest is forgotten.
const MOST_WAITING: usize = 500;

#[derive(Debug, Default, Clone)]
pub(crate) struct Voices {
    /// The number of the task that speaks, and the link it named itself by.
    speaks: Option<(u32, String)>,
    waiting: VecDeque<Heard>,
}

impl Voices {
    pub(crate) fn hear(&mut self, heard: Heard) {
        self.waiting.push_back(heard);
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
    }

    /// The next line and its task; nothing while no reading has shown that task.
    pub(crate) fn next(&mut self, tasks: &[TaskFacts]) -> Option<(TaskId, Heard)> {
        while self.waiting.front().is_some_and(|heard| is_of_a_forgotten_task(heard, tasks)) {
            self.waiting.pop_front();
        }
        let task = self.whose(self.waiting.front()?, tasks)?.clone();
        let heard = self.waiting.pop_front()?;
        if let Heard::TaskNamed { link, .. } = &heard
            && let Some(url) = link.url.clone()
        {
            self.speaks = Some((task.number, url));
        }
        Some((task.task, heard))
    }

    fn whose<'tasks>(
        &self,
        heard: &Heard,
        tasks: &'tasks [TaskFacts],
    ) -> Option<&'tasks TaskFacts> {
        let (at, url) = said(heard)?;
        match (&self.speaks, url) {
            (Some((number, named)), url) if url.is_none_or(|url| url == named) => {
                tasks.iter().find(|task| task.number == *number)
            }
            (Some((number, _)), _) => next_speaker(tasks, *number, at),
            (None, Some(_)) if at.is_some() => next_speaker(tasks, 0, at),
            (None, _) => newest_begun_by(tasks, at),
        }
    }
}

/// When it was said, and by which link; nothing for what no task says.
fn said(heard: &Heard) -> Option<(Option<Timestamp>, Option<&str>)> {
    match heard {
        Heard::TaskNamed { at, link } => Some((*at, link.url.as_deref())),
        Heard::StepStarted { at, .. } | Heard::StepEnded { at, .. } => Some((*at, None)),
        Heard::AgentStarted { .. }
        | Heard::ClaimAnswered
        | Heard::ClaimFailed { .. }
        | Heard::TokenRefused { .. } => None,
    }
}

/// The log tells longer of finished tasks than their folders are kept.
fn is_of_a_forgotten_task(heard: &Heard, tasks: &[TaskFacts]) -> bool {
    let Some((Some(at), _)) = said(heard) else { return false };
    let oldest = tasks.first().filter(|task| task.number > 1);
    oldest.is_some_and(|oldest| at.as_second() < oldest.started_at.as_second())
}

/// The first task after `number` that can have spoken then; else the newest, if it runs.
fn next_speaker(tasks: &[TaskFacts], number: u32, at: Option<Timestamp>) -> Option<&TaskFacts> {
    let mut later = tasks.iter().filter(|task| task.number > number);
    later.clone().find(|task| can_speak(task, at)).or_else(|| later.rfind(|task| task.may_run()))
}

/// Log lines carry whole seconds. A clock that was set back in a task leaves its end open.
fn can_speak(task: &TaskFacts, at: Option<Timestamp>) -> bool {
    let Some(at) = at else { return true };
    let begun = task.started_at.as_second() <= at.as_second();
    match task.end {
        TaskEnd::Exited { at: end, .. } if end >= task.started_at => {
            begun && at.as_second() <= end.as_second()
        }
        TaskEnd::Exited { .. }
        | TaskEnd::Lost { .. }
        | TaskEnd::Unreadable { .. }
        | TaskEnd::Running
        | TaskEnd::Unknown => begun,
    }
}

/// Where tasks do not name themselves.
fn newest_begun_by(tasks: &[TaskFacts], at: Option<Timestamp>) -> Option<&TaskFacts> {
    let begun =
        |task: &&TaskFacts| at.is_none_or(|at| task.started_at.as_second() <= at.as_second());
    tasks.iter().rfind(begun)
}
