//! The history as the loop sees to it: what finished goes in, what is old goes out, and what is wrong
//! with it is told and tried again.

use std::collections::HashSet;
use std::time::Duration;

use protocol::{Problem, ProblemCode, TaskId};
use supervisor_core::Event;

use crate::history::Keep;
use crate::input::Input;
use crate::supervisor::{Supervisor, now};

const TRY_AGAIN: Duration = Duration::from_secs(10);

impl Supervisor {
    /// At start, when all runs were looked at.
    pub(crate) fn open_history(&mut self) {
        self.records.look();
        // What is too old can wait until agents run.
        self.tell_history();
    }

    /// After anything that touched the history, and once in a while.
    pub(crate) fn see_to_history(&mut self) {
        if self.records.is_prune_due(now()) {
            self.prune_history();
        }
        self.tell_history();
    }

    fn tell_history(&mut self) {
        let trouble = self.records.trouble().map(str::to_owned);
        if trouble == self.history_trouble {
            return;
        }
        if let Some(why) = &trouble
            && self.history_trouble.is_none()
        {
            tracing::warn!(why, "finished tasks are kept in memory");
            self.try_history_later();
        }
        self.history_trouble.clone_from(&trouble);
        let problem =
            trouble.map(|why| Problem::of(ProblemCode::HistoryUnavailable, now()).reading(why));
        self.event(Event::HistoryLooked(problem));
    }

    pub(crate) fn prune_history(&mut self) {
        let keep = self.settings.as_ref().map_or(Keep::default(), |settings| settings.history);
        let watched = self.watched.values();
        let needed: HashSet<TaskId> =
            watched.flat_map(|watched| watched.tasks.iter().cloned()).collect();
        self.records.prune(keep, &needed, now());
    }

    pub(crate) fn try_history_again(&mut self) {
        self.records.look();
        self.records.write();
        self.see_to_history();
        if self.history_trouble.is_some() {
            self.try_history_later();
        }
    }

    fn try_history_later(&self) {
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(TRY_AGAIN).await;
            to_loop.send(Input::HistoryAgain);
        });
    }
}
