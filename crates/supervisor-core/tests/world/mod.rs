//! A small world for the core: one machine with its disk, processes, clock and people. It never asks
//! the core what is true; it knows, and keeps the first law that was broken.

mod agent;
mod chance;
mod disk;
mod jobs;
mod keeper;
mod laws;
mod news;
mod quiet;
mod step;
mod story;
mod supervisor;
mod wants;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use protocol::{FinishedTask, RunId, RunnerName, TaskId};
use supervisor_core::{Event, Wanted};

pub(crate) use chance::{Flavour, histories};
pub(crate) use step::Step;

use disk::RunDir;
use supervisor::Supervisor;
use wants::Wants;

pub(crate) struct World {
    /// The wall clock.
    now: Timestamp,
    boot: u32,
    runners: Vec<RunnerName>,
    settings: SettingsFile,
    runs: BTreeMap<RunId, RunDir>,
    /// wanted.json, as last durably saved.
    wanted: Wanted,
    wanted_readable: bool,
    history: BTreeMap<TaskId, FinishedTask>,
    /// Tasks that wait at CircleCI, of each runner.
    queue: BTreeMap<RunnerName, u32>,
    network: bool,
    disk_full: bool,
    /// Spawning a keeper fails.
    no_spawn: bool,
    supervisor: Option<Supervisor>,
    wants: Wants,
    /// Tasks that the user has confirmed to cancel.
    words: BTreeSet<TaskId>,
    /// Tasks that were recorded while nobody could read whether they were cancelled.
    recorded_blindly: BTreeSet<TaskId>,
    runs_made: u32,
    broken: Option<String>,
    trace: Option<Vec<String>>,
}

struct SettingsFile {
    readable: bool,
    /// Each runner that is listed, with how often what its agent is started with was changed.
    listed: BTreeMap<RunnerName, u32>,
    /// The supervisor has not been told of the newest.
    touched: bool,
}

impl World {
    pub(crate) fn new(runners: usize, traced: bool) -> Self {
        let runners: Vec<RunnerName> = ["one", "two", "three"]
            .iter()
            .take(runners)
            .map(|name| name.parse().unwrap())
            .collect();
        let listed = runners.iter().map(|name| (name.clone(), 0)).collect();
        let mut world = Self {
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
            boot: 1,
            queue: runners.iter().map(|name| (name.clone(), 0)).collect(),
            runners,
            settings: SettingsFile { readable: true, listed, touched: false },
            runs: BTreeMap::new(),
            wanted: Wanted::default(),
            wanted_readable: true,
            history: BTreeMap::new(),
            network: true,
            disk_full: false,
            no_spawn: false,
            supervisor: None,
            wants: Wants::default(),
            words: BTreeSet::new(),
            recorded_blindly: BTreeSet::new(),
            runs_made: 0,
            broken: None,
            trace: traced.then(Vec::new),
        };
        world.supervisor_starts();
        world
    }

    /// Lives through a whole history and then a quiet time; the law that was broken, if one was.
    pub(crate) fn live(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            self.say(|| format!("## {step:?}"));
            self.take(step);
            self.advance(SignedDuration::from_millis(7));
            self.check_laws();
            if let Some(law) = self.broken.take() {
                return Err(law);
            }
        }
        self.say(|| "## and now all is quiet".into());
        self.quiet_time();
        self.check_laws();
        self.broken.take().map_or(Ok(()), Err)
    }

    pub(crate) fn story(&self) -> String {
        self.trace.as_ref().map(|lines| lines.join("\n")).unwrap_or_default()
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = self.trace.as_mut().filter(|_| self.broken.is_none()) {
            trace.push(line());
        }
    }

    /// Keeps the first law that was broken.
    fn broke(&mut self, law: &str, how: impl FnOnce() -> String) {
        if self.broken.is_none() {
            let text = format!("{law}: {}", how());
            self.say(|| format!("!! {text}"));
            self.broken = Some(text);
        }
    }

    fn boot_id(&self) -> String {
        format!("boot-{}", self.boot)
    }

    /// Time goes by; who asked to be woken is woken at his moment.
    fn wait(&mut self, duration: SignedDuration) {
        let until = self.now + duration;
        let mut woken = 0;
        while let Some(at) = self.supervisor.as_ref().and_then(|it| it.wake)
            && at <= until
        {
            self.now = self.now.max(at);
            self.wants.time_is(self.now);
            self.wake();
            woken += 1;
            if woken > 5_000 {
                return self
                    .broke("wakes now and then only", || format!("{woken} in {duration:#}"));
            }
        }
        self.advance(until.duration_since(self.now));
    }

    fn wake(&mut self) {
        for _ in 0..5 {
            let Some(supervisor) = &mut self.supervisor else { return };
            if supervisor.wake.is_none_or(|at| at > self.now) {
                return;
            }
            supervisor.wake = None;
            self.event(Event::Woke);
            self.carry_out();
        }
        self.broke("wakes now and then only", || "it asks again and again for this moment".into());
    }

    fn advance(&mut self, duration: SignedDuration) {
        self.now += duration;
        self.wants.time_is(self.now);
        let due = self.supervisor.as_ref().and_then(|it| it.wake).is_some_and(|at| at <= self.now);
        if due {
            self.wake();
        }
    }

    /// Somebody sets the clock, or the machine slept: whoever owns the loop says so to the core.
    fn set_clock(&mut self, by: SignedDuration) {
        self.now += by;
        self.wants.time_is(self.now);
        self.event(Event::Woke);
        self.carry_out();
    }

    /// Everything that runs is gone, and what the disk has is still there.
    fn reboot(&mut self) {
        self.supervisor_dies();
        let now = self.now;
        for run in self.runs.values_mut() {
            run.machine_ends(now);
        }
        self.boot += 1;
        self.now += SignedDuration::from_secs(40);
        self.wants.time_is(self.now);
    }
}
