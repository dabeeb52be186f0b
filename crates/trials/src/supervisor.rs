//! The supervisor as a child of the trial, so that it can be killed and started anew.

use std::path::Path;
use std::process::{Command, Stdio};

use process::{ProcessId, Signal};

use crate::{Api, DEADLINE, Ours, Place, until};

/// What a supervisor is started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Keepers that it starts stop themselves at this point (see the keeper's `hold.rs`).
    pub hold_at: Option<&'a str>,
    /// What agents that it starts are to be like (see `local-circleci`'s variants).
    pub variant: &'a str,
}

pub struct Supervisor {
    process: Ours,
}

impl Supervisor {
    /// Starts one, and returns once it answers.
    #[track_caller]
    pub fn start(place: &Place, api: &Api, options: &Options<'_>) -> Self {
        Self::begin(Self::command(place, options), api)
    }

    /// The same of a program that lies elsewhere, with its keeper beside it.
    #[track_caller]
    pub fn start_program(place: &Place, api: &Api, program: &Path) -> Self {
        let mut command = place.command(&program.to_string_lossy());
        command.stdout(Stdio::null()).env("RUNNER_TRAY_LOG", "debug");
        Self::begin(command, api)
    }

    #[track_caller]
    fn begin(command: Command, api: &Api) -> Self {
        let mut process = Ours::start(command);
        let own = process.id().pid.get();
        until(DEADLINE, "the supervisor answers", || {
            let ended = process.child().try_wait().expect("a child of ours");
            assert!(ended.is_none(), "the supervisor ended at start: {ended:?}");
            api.health().is_ok_and(|health| health.pid == own)
        });
        Self { process }
    }

    /// What starts one in this place.
    pub fn command(place: &Place, options: &Options<'_>) -> Command {
        let mut command = place.command("runner-tray-supervisor");
        command.stdout(Stdio::null()).env("RUNNER_TRAY_LOG", "debug");
        if let Some(point) = options.hold_at {
            command.env("RUNNER_TRAY_HOLD_AT", point);
        }
        if !options.variant.is_empty() {
            command.env("LOCAL_CIRCLECI_VARIANT", options.variant);
        }
        command
    }

    pub fn id(&self) -> &ProcessId {
        self.process.id()
    }

    /// `kill -9`.
    pub fn kill(self) {
        self.process.kill();
    }

    /// Asks it to end, as a service manager does; agents and tasks go on.
    #[track_caller]
    pub fn stop(self) {
        self.process.signal(Signal::TERM);
        self.until_ended();
    }

    /// Waits until it has ended well.
    #[track_caller]
    pub fn until_ended(mut self) {
        let status = self.process.ended("the supervisor");
        assert!(status.success(), "the supervisor ended with {status}");
    }
}
