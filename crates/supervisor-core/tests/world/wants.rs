//! What people asked for, kept a second time and in the dullest way, to compare the core's with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use protocol::{PauseBy, RunnerName};
use supervisor_core::{Wanted, Wish};

/// Who holds a pause of which runner, and until when.
pub(crate) type Pauses = BTreeMap<(RunnerName, u8), Option<Timestamp>>;

#[derive(Default)]
pub(crate) struct Wants {
    asked: Pauses,
    saving: Option<(u64, Pauses)>,
    /// What the core was told is on disk.
    saved: Pauses,
    /// Pauses that somebody was told hold, until their deadline or another word of the holder.
    promised: Pauses,
    /// Of which the core was told that the disk says: no installation.
    stopped: BTreeSet<RunnerName>,
    /// The latest the clock has shown.
    latest: Option<Timestamp>,
}

pub(crate) const HOLDERS: [PauseBy; 3] = [PauseBy::You, PauseBy::Disk, PauseBy::Schedule];

pub(crate) fn holder(by: PauseBy) -> u8 {
    match by {
        PauseBy::You => 0,
        PauseBy::Disk => 1,
        PauseBy::Schedule => 2,
        PauseBy::AfterTask => 3,
        PauseBy::Preinstall => 4,
        PauseBy::Other => 5,
    }
}

pub(crate) fn pauses_in(wanted: &Wanted) -> Pauses {
    let pairs = wanted.runners.iter().flat_map(|(name, wants)| {
        wants.pauses.iter().map(|pause| ((name.clone(), holder(pause.by)), pause.until))
    });
    pairs.collect()
}

fn stopped_in(wanted: &Wanted) -> BTreeSet<RunnerName> {
    let stopped = wanted.runners.iter().filter(|(_, wants)| wants.stopped_install.is_some());
    stopped.map(|(name, _)| name.clone()).collect()
}

fn holds(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_none_or(|until| now < until)
}

impl Wants {
    pub(crate) fn new_life(&mut self, disk: &Wanted) {
        self.saved = pauses_in(disk);
        self.asked = self.saved.clone();
        self.saving = None;
        self.stopped = stopped_in(disk);
    }

    pub(crate) fn time_is(&mut self, now: Timestamp) {
        self.latest = self.latest.max(Some(now));
        self.promised.retain(|_, until| holds(*until, now));
    }

    pub(crate) fn wished(&mut self, wish: &Wish) {
        match wish {
            Wish::Pause { runner, by, until, .. } => {
                let key = (runner.clone(), holder(*by));
                self.promised.remove(&key);
                self.asked.insert(key, *until);
            }
            Wish::Resume { runner, by } => {
                let key = (runner.clone(), holder(*by));
                self.promised.remove(&key);
                self.asked.remove(&key);
            }
            Wish::Cancel { .. }
            | Wish::Install { .. }
            | Wish::StopInstall { .. }
            | Wish::AfterTask(_)
            | Wish::ForgetAfterTask => {}
        }
    }

    /// What is about to be saved is what was asked for, but for what is past its deadline.
    pub(crate) fn saves(&mut self, number: u64, wanted: &Wanted) -> Result<(), String> {
        let saving = pauses_in(wanted);
        let latest = self.latest;
        let expired = |until: Option<Timestamp>| until.is_some_and(|until| Some(until) <= latest);
        let missing = |(key, until): (&(RunnerName, u8), &Option<Timestamp>)| {
            saving.get(key) != Some(until) && !expired(*until)
        };
        if self.asked.iter().any(missing) || saving.keys().any(|key| !self.asked.contains_key(key))
        {
            return Err(format!("asked for {:?}, saves {saving:?}", self.asked));
        }
        self.asked.clone_from(&saving);
        self.saving = Some((number, saving));
        Ok(())
    }

    pub(crate) fn saved(&mut self, number: u64, wanted: &Wanted) {
        self.stopped = stopped_in(wanted);
        let Some((_, saved)) = self.saving.take_if(|(saving, _)| *saving == number) else { return };
        let now = self.latest;
        for (key, until) in &saved {
            if self.asked.get(key) == Some(until) && until.is_none_or(|until| Some(until) > now) {
                self.promised.insert(key.clone(), *until);
            }
        }
        self.saved = saved;
    }

    pub(crate) fn save_failed(&mut self, number: u64) {
        if self.saving.take_if(|(saving, _)| *saving == number).is_some() {
            self.asked = self.saved.clone();
        }
    }

    /// The holders whose pauses of this runner hold now.
    pub(crate) fn in_force(&self, runner: &RunnerName, now: Timestamp) -> Vec<u8> {
        let of_runner = self.saved.iter().filter(|((name, _), _)| name == runner);
        of_runner.filter(|(_, until)| holds(**until, now)).map(|((_, by), _)| *by).collect()
    }

    pub(crate) fn may_install(&self, runner: &RunnerName) -> bool {
        !self.stopped.contains(runner)
    }

    /// A promise that the disk does not hold.
    pub(crate) fn lost_promise(&self, disk: &Wanted) -> Option<String> {
        let disk = pauses_in(disk);
        let lost = self.promised.iter().find(|(key, until)| disk.get(key) != Some(until));
        lost.map(|(key, until)| format!("{key:?} until {until:?}, on disk: {disk:?}"))
    }
}
