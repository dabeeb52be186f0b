//! A child of the trial: ended with it, by identity.

use std::process::{Child, Command, ExitStatus};

use process::{Pid, ProcessId, Signal};

use crate::{DEADLINE, until_some};

/// A process that this trial started.
pub struct Ours {
    child: Child,
    id: ProcessId,
}

impl Ours {
    pub fn start(mut command: Command) -> Self {
        let program = command.get_program().to_owned();
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let id = ProcessId::of(Pid::of_child(&child)).expect("a child of ours has an identity");
        Self { child, id }
    }

    pub fn id(&self) -> &ProcessId {
        &self.id
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn signal(&self, signal: Signal) {
        process::signal(&self.id, signal).expect("we may signal our own process");
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.end();
    }

    /// Waits for its own end.
    #[track_caller]
    pub fn ended(&mut self, what: &str) -> ExitStatus {
        until_some(DEADLINE, &format!("{what} ends"), || {
            self.child.try_wait().expect("a child of ours can be waited for")
        })
    }

    pub(crate) fn end(&mut self) {
        // Reaped already where it has ended: nobody is signalled then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.end();
    }
}
