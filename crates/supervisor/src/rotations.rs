//! Rotations of tokens that were begun, told to the core: how far each came, by its record and the
//! settings, and whether somebody is at it.

use std::collections::BTreeMap;

use protocol::RunnerName;
use supervisor_core::{Event, RotationFacts, RotationSeen};

use crate::input::{Input, Loop};
use crate::rotate::Record;
use crate::supervisor::Supervisor;

/// How many calls are at each.
pub(crate) type Attended = BTreeMap<RunnerName, usize>;

/// Held by whoever takes a rotation's steps, or waits for one of them.
pub(crate) struct Attending {
    runner: RunnerName,
    to_loop: Loop,
}

impl Attending {
    pub(crate) fn begin(runner: &RunnerName, to_loop: &Loop) -> Self {
        to_loop.send(Input::RotationAttended(runner.clone(), true));
        Self { runner: runner.clone(), to_loop: to_loop.clone() }
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        self.to_loop.send(Input::RotationAttended(self.runner.clone(), false));
    }
}

impl Supervisor {
    pub(crate) fn rotation_attended(&mut self, runner: &RunnerName, comes: bool) {
        let calls = self.rotations.entry(runner.clone()).or_default();
        *calls = if comes { *calls + 1 } else { calls.saturating_sub(1) };
        if *calls == 0 {
            self.rotations.remove(runner);
        }
        self.look_at_rotation(runner);
    }

    pub(crate) fn look_at_rotations(&mut self) {
        let Ok(settings) = &self.settings else { return };
        let runners: Vec<RunnerName> = settings.runners.keys().cloned().collect();
        for runner in &runners {
            self.look_at_rotation(runner);
        }
    }

    fn look_at_rotation(&mut self, runner: &RunnerName) {
        let Some(known) = self.registered().remove(runner) else { return };
        let seen = match Record::read(&self.folders, runner) {
            Ok(None) => None,
            Ok(Some(record)) if record.is_void(&known) || record.is_elsewhere(&known) => {
                Some(RotationSeen::Void { at: record.begun_at })
            }
            Ok(Some(record)) => {
                let next = record.step(&known, false);
                Some(RotationSeen::Begun { at: record.begun_at, next })
            }
            Err(unreadable) => Some(RotationSeen::Unreadable(unreadable.to_string())),
        };
        let attended = self.rotations.contains_key(runner);
        let rotation = seen.map(|seen| RotationFacts { seen, attended });
        self.event(Event::RotationSeen { runner: runner.clone(), rotation });
    }
}
