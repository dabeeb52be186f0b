//! Room on the volumes that tasks fill: below one mark none is claimed, above a higher one again. What
//! cannot be read holds nobody.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use protocol::{
    Bytes, CleanupPreference, PauseBy, PauseReason, Problem, ProblemCode, RunnerName, Volume,
};

use crate::effect::Effect;
use crate::facts::VolumeFacts;

/// How often it is looked at while agents wait for tasks.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// So long after the last look a turn that comes anyway is used for the next one: the machine wakes once, not twice.
const LOOK_WITH_OTHERS: SignedDuration = SignedDuration::from_secs(40);
/// While it is low nobody claims, so that what was made room for is seen soon.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// A clean-up that made no room is tried again this much later.
const CLEAN_EVERY: SignedDuration = SignedDuration::from_mins(30);
const GB: u64 = 1_000_000_000;
/// What is shown of free space changes in these steps.
const STEP: u64 = GB / 10;

#[derive(Debug, Default, Clone)]
pub(crate) struct Disk {
    volumes: Vec<VolumeFacts>,
    /// Volumes that are low, and since when.
    low: BTreeMap<String, Timestamp>,
    looked_at: Option<Timestamp>,
    /// The answer has come.
    answered: bool,
    cleaned_at: Option<Timestamp>,
    /// A task ended, or the marks are others: worth a look.
    stale: bool,
}

impl Disk {
    pub(crate) fn seen(
        &mut self,
        volumes: Vec<VolumeFacts>,
        wanted: CleanupPreference,
        now: Timestamp,
    ) {
        self.volumes = volumes;
        self.answered = true;
        self.judge(wanted, now);
    }

    /// Nobody runs tasks here.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_stale(&mut self) {
        self.stale = true;
    }

    /// By the marks as they are now.
    pub(crate) fn judge(&mut self, wanted: CleanupPreference, now: Timestamp) {
        let before = std::mem::take(&mut self.low);
        for volume in &self.volumes {
            let marks = Marks::of(volume.total, wanted);
            let since = before.get(&volume.path);
            let enough = if since.is_some() { marks.goes_on_above } else { marks.stops_below };
            if volume.free < enough {
                self.low.insert(volume.path.clone(), since.copied().unwrap_or(now));
            }
        }
        if self.low.is_empty() {
            self.cleaned_at = None;
        }
    }

    /// `waits`: an agent waits for tasks; `settled`: nobody cleans up.
    pub(crate) fn decide(&mut self, waits: bool, settled: bool, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let age = self.looked_at.map(|at| at.duration_until(now));
        let nearly = waits && age.is_some_and(|age| age >= LOOK_WITH_OTHERS);
        let due = nearly || self.look_due(waits).is_some_and(|at| at <= now);
        let clock_was_set_back = self.looked_at.is_some_and(|at| at > now);
        // A disk far away may never answer; then it is asked no more.
        let free = self.answered || self.looked_at.is_none();
        if free && (self.stale || due || clock_was_set_back) {
            self.stale = false;
            self.answered = false;
            self.looked_at = Some(now);
            effects.push(Effect::LookAtDisk);
        }
        let cleaned = self.cleaned_at.filter(|at| *at <= now);
        let again = cleaned.is_none_or(|at| at.duration_until(now) >= CLEAN_EVERY);
        if !self.low.is_empty() && settled && again {
            self.cleaned_at = Some(now);
            effects.push(Effect::CleanUp(protocol::CleanupWhy::LowDisk));
        }
        effects
    }

    fn look_due(&self, waits: bool) -> Option<Timestamp> {
        let looks = self.answered && (waits || !self.low.is_empty());
        let wait = if self.low.is_empty() { LOOK_EVERY } else { LOOK_AGAIN };
        self.looked_at.filter(|_| looks)?.checked_add(wait).ok()
    }

    pub(crate) fn next_turn(&self, waits: bool, settled: bool) -> Option<Timestamp> {
        let again = self.cleaned_at.filter(|_| settled && !self.low.is_empty());
        let again = again.and_then(|at| at.checked_add(CLEAN_EVERY).ok());
        [self.look_due(waits), again].into_iter().flatten().min()
    }

    /// Those of the runner's volumes that hold it, the fullest first.
    pub(crate) fn hold(
        &self,
        runner: &RunnerName,
        wanted: CleanupPreference,
    ) -> Option<PauseReason> {
        let of_it = |volume: &&VolumeFacts| {
            volume.runners.as_ref().is_none_or(|runners| runners.contains(runner))
        };
        let low = self.volumes.iter().filter(of_it);
        let low = low.filter_map(|volume| Some((volume, self.low.get(&volume.path)?)));
        let (volume, since) = low.min_by_key(|(volume, _)| volume.free)?;
        Some(PauseReason {
            by: PauseBy::Disk,
            since: *since,
            until: None,
            note: None,
            reading: Some(reading(volume, wanted)),
        })
    }

    pub(crate) fn problems(&self, wanted: CleanupPreference) -> Vec<Problem> {
        let low = self.volumes.iter();
        let low = low.filter_map(|volume| Some((volume, self.low.get(&volume.path)?)));
        low.map(|(volume, since)| {
            let place = format!("{} ({}): ", volume.path, volume.holds);
            Problem::of(ProblemCode::DiskNearlyFull, *since)
                .reading(place + &reading(volume, wanted))
        })
        .collect()
    }

    pub(crate) fn shown(&self, wanted: CleanupPreference) -> Vec<Volume> {
        let shown = |volume: &VolumeFacts| {
            let marks = Marks::of(volume.total, wanted);
            Volume {
                path: volume.path.clone(),
                holds: volume.holds.clone(),
                total: Bytes(volume.total),
                free: Bytes(volume.free / STEP * STEP),
                stops_below: Bytes(marks.stops_below),
                goes_on_above: Bytes(marks.goes_on_above),
            }
        };
        self.volumes.iter().map(shown).collect()
    }
}

/// In bytes.
struct Marks {
    stops_below: u64,
    goes_on_above: u64,
}

impl Marks {
    fn of(total: u64, wanted: CleanupPreference) -> Self {
        let gb = |gb: u32| u64::from(gb) * GB;
        let stops_below = wanted.stop_below_gb.map_or((10 * GB).min(total / 20), gb);
        let higher = wanted.go_on_above_gb.map_or(stops_below / 2 * 3, gb);
        Self { stops_below, goes_on_above: higher.max(stops_below) }
    }
}

fn reading(volume: &VolumeFacts, wanted: CleanupPreference) -> String {
    let needs = Marks::of(volume.total, wanted).goes_on_above;
    format!("free {}, needs {}", Bytes(volume.free).words(), Bytes(needs).words())
}
