//! What is to go into the history, until it is there: on a full disk that may take a while, and a
//! restart finds it again in the run directories.

use std::path::PathBuf;

use protocol::{FinishedTask, TaskId};

use crate::history::History;

pub(crate) struct Records {
    path: PathBuf,
    history: Option<History>,
    waiting: Vec<(FinishedTask, How)>,
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// What is there stays.
    Record,
    /// It takes the place of what is there.
    Amend,
}

impl Records {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, history: None, waiting: Vec::new() }
    }

    pub(crate) fn record(&mut self, task: FinishedTask) {
        self.waiting.push((task, How::Record));
        self.write();
    }

    pub(crate) fn amend(&mut self, task: FinishedTask) {
        self.waiting.push((task, How::Amend));
        self.write();
    }

    /// False also where nobody can tell.
    pub(crate) fn has(&mut self, task: &TaskId) -> bool {
        self.open().is_some_and(|history| history.has(task).unwrap_or(false))
    }

    /// Tries all that wait, in order.
    pub(crate) fn write(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let Some(history) = self.open() else {
            self.waiting = waiting;
            return;
        };
        let written = |(task, how): &(FinishedTask, How)| {
            let done = match how {
                How::Record => history.record(task),
                How::Amend => history.amend(task),
            };
            done.inspect_err(
                |error| tracing::warn!(task = %task.id, %error, "not in the history yet"),
            )
            .is_ok()
        };
        self.waiting = waiting.into_iter().filter(|entry| !written(entry)).collect();
    }

    fn open(&mut self) -> Option<&History> {
        if self.history.is_none() {
            match History::open(&self.path) {
                Ok(history) => self.history = Some(history),
                Err(error) => tracing::warn!(error = format!("{error:#}"), "no history yet"),
            }
        }
        self.history.as_ref()
    }
}
