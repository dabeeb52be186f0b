//! The wish to end a task early, whoever has it: a signal or the server. Once wished it stays.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use super::steps::Event;

#[derive(Clone, Default)]
pub(super) struct Cancel(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    is_wished: bool,
    is_deaf: bool,
    step: Option<Sender<Event>>,
    inner_agent: Option<Pid>,
}

impl Cancel {
    pub(super) fn wish(&self) {
        let mut inside = self.inside();
        inside.is_wished = true;
        if let Some(step) = &inside.step {
            let _ = step.send(Event::Cancel);
        }
        if let Some(pid) = inside.inner_agent {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// A TERM or an INT has come.
    pub(super) fn hear_signal(&self) {
        if !self.inside().is_deaf {
            self.wish();
        }
    }

    /// From now on only the server is heard.
    pub(super) fn ignore_signals(&self) {
        self.inside().is_deaf = true;
    }

    pub(super) fn is_wished(&self) -> bool {
        self.inside().is_wished
    }

    /// The running step hears of the wish, at once if it is an old one.
    pub(super) fn tell(&self, step: Sender<Event>) {
        let mut inside = self.inside();
        if inside.is_wished {
            let _ = step.send(Event::Cancel);
        }
        inside.step = Some(step);
    }

    /// The child that does the work hears of it as a TERM.
    pub(super) fn pass_on_to(&self, child: u32) {
        let mut inside = self.inside();
        inside.inner_agent = i32::try_from(child).ok().and_then(Pid::from_raw);
        if let (true, Some(pid)) = (inside.is_wished, inside.inner_agent) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
