//! The loop: one owner of everything, no locks, no polling. Takes what happened to the core, and has
//! carried out what the core decides, in its order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};
use circleci::InstalledAgent;
use host::Folders;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use protocol::{RunId, RunnerName, TaskId};
use run_dir::{RunDir, RunsFolder};
use supervisor_core::{Core, Effect, Event, StateFile};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::downloads::Downloads;
use crate::input::{Input, Loop};
use crate::program::Program;
use crate::records::Records;
use crate::rotations::Attended;
use crate::settings::{Settings, SettingsError};
use crate::take::Ended;
use crate::usage::Sample;
use crate::wake_up::WakeUp;
use crate::wanted_file::WantedFile;
use crate::watch::Watch;
use crate::watched::Watched;

const AT_ONCE: usize = 64;

pub(crate) struct Supervisor {
    pub(crate) folders: Folders,
    pub(crate) core: Core,
    /// The machine's present boot, as started.json names it.
    pub(crate) boot: String,
    pub(crate) runs: RunsFolder,
    pub(crate) settings: Result<Settings, SettingsError>,
    /// The runners that the settings named when they could last be read.
    pub(crate) named: BTreeSet<RunnerName>,
    /// Since when the settings file lacks a runner that it had, until that counts.
    pub(crate) lacks_runner_since: Option<Instant>,
    pub(crate) to_loop: Loop,
    pub(crate) agents: BTreeMap<RunnerName, InstalledAgent>,
    pub(crate) watched: BTreeMap<RunId, Watched>,
    pub(crate) program: Program,
    pub(crate) wanted: WantedFile,
    pub(crate) records: Records,
    /// As it was last told.
    pub(crate) history_trouble: Option<String>,
    pub(crate) watch: Watch,
    pub(crate) snapshots: watch::Sender<Arc<str>>,
    pub(crate) effects: VecDeque<Effect>,
    /// The room that was set aside is in use; more is taken once nobody waits for the agent.
    pub(crate) reserve: bool,
    pub(crate) touched: BTreeSet<RunId>,
    pub(crate) wake_up: WakeUp,
    pub(crate) publish: bool,
    /// Why the last save failed, until somebody is told.
    pub(crate) save_failed: Option<String>,
    pub(crate) watchers: i32,
    pub(crate) samples: BTreeMap<TaskId, Option<Sample>>,
    pub(crate) sampled_at: Instant,
    /// Looks still to be had at a step that has begun: its environment names branch and job.
    pub(crate) looks: u32,
    pub(crate) downloads: Downloads,
    pub(crate) rotations: Attended,
    pub(crate) keeping: crate::awake::Keeping,
    pub(crate) cleaning: crate::cleanup::Cleaning,
    pub(crate) preinstalling: crate::preinstall::Preinstalling,
    pub(crate) notices: crate::notices::Shown,
    /// Asked for after the last task.
    pub(crate) ending: bool,
}

/// What starting needs beyond the folders.
pub(crate) struct Opened {
    pub(crate) folders: Folders,
    pub(crate) wanted: WantedFile,
    pub(crate) state: StateFile,
    pub(crate) program: Program,
    pub(crate) to_loop: Loop,
    pub(crate) snapshots: watch::Sender<Arc<str>>,
}

/// The wall clock, read once for each thing that happens.
#[expect(clippy::disallowed_methods, reason = "the loop owns the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

impl Supervisor {
    pub(crate) fn new(opened: Opened) -> Result<Self> {
        let Opened { folders, wanted, state, program, to_loop, snapshots } = opened;
        let runs = RunsFolder::open(&folders.state).context("opening the folder of runs")?;
        let info = protocol::SupervisorInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            started_at: now(),
        };
        let boot = process::BootId::current().context("asking the machine for its boot")?;
        let records = Records::new(folders.history_file());
        let preinstalling = crate::preinstall::Preinstalling::new(&folders);
        let wake_up = WakeUp::new(to_loop.clone());
        let watched = [folders.settings_file(), program.path().to_owned()];
        let mut watch = Watch::new(runs.path(), watched, to_loop.clone());
        watch.folder(runs.path());
        watch.folder(&folders.config);
        watch.folder(&folders.state);
        watch.program(program.path());
        Ok(Self {
            core: Core::new(info, boot.0.clone(), state),
            boot: boot.0,
            settings: Settings::read(&folders.settings_file()),
            named: BTreeSet::new(),
            lacks_runner_since: None,
            folders,
            runs,
            to_loop,
            agents: BTreeMap::new(),
            watched: BTreeMap::new(),
            program,
            wanted,
            records,
            history_trouble: None,
            watch,
            snapshots,
            effects: VecDeque::new(),
            reserve: false,
            touched: BTreeSet::new(),
            wake_up,
            publish: true,
            save_failed: None,
            watchers: 0,
            samples: BTreeMap::new(),
            sampled_at: Instant::now(),
            looks: 0,
            downloads: Downloads::default(),
            rotations: Attended::new(),
            keeping: crate::awake::Keeping::default(),
            cleaning: crate::cleanup::Cleaning::default(),
            preinstalling,
            notices: crate::notices::Shown::default(),
            ending: false,
        })
    }

    /// Reads all there is, then lives by what happens, until it is asked to end.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::UnboundedReceiver<Input>,
        zone: TimeZone,
    ) -> Result<Ended> {
        self.reserve_next();
        // Runs first: nothing is started before all that may run is known.
        for run in self.runs.list()? {
            self.look_at(&RunId::from(run.as_str()));
        }
        // What was being installed holds runners before any agent is started.
        let interrupted = self.interrupted_preinstall();
        self.settings_changed();
        self.take_up_preinstall(interrupted);
        self.note_tokens();
        self.drop_token_copies();
        self.open_history();
        self.take_up_clean_up();
        self.read_notices();
        self.event(Event::ZoneRead(zone));
        // What an earlier supervisor set aside, or was killed at; agents are started first.
        self.sweep_later(SignedDuration::from_secs(5));
        self.settle();
        loop {
            if self.ending {
                return Ok(Ended::Asked);
            }
            let (sample, nap) = (self.next_sample(), self.wake_up.nap());
            tokio::select! {
                biased;
                input = inputs.recv() => {
                    let Some(input) = input else { return Ok(Ended::Asked) };
                    if let ControlFlow::Break(ended) = self.take(input) { return Ok(ended) }
                    // What came at once is looked at once.
                    for _ in 0..AT_ONCE {
                        let Ok(input) = inputs.try_recv() else { break };
                        if let ControlFlow::Break(ended) = self.take(input) { return Ok(ended) }
                    }
                }
                () = tokio::time::sleep(nap.unwrap_or_default()), if nap.is_some() => {
                    self.clock_moved();
                }
                () = sleep_until(sample), if sample.is_some() => {
                    self.looks = self.looks.saturating_sub(1);
                    self.sample();
                }
            }
            self.settle();
            // However much there is to take, whoever asks something is answered in between.
            tokio::task::yield_now().await;
        }
    }

    /// Takes room on the disk for the next run.
    pub(crate) fn reserve_next(&mut self) {
        self.reserve = false;
        if let Err(error) = self.runs.reserve_next() {
            // Only the next start on a full disk would miss it.
            tracing::warn!(%error, "no room set aside for the next run");
        }
    }

    /// The awaited moment may have come, or somebody set the clock.
    pub(crate) fn clock_moved(&mut self) {
        // Either way the core decides anew, and says when to wake it next.
        self.wake_up.set(None);
        self.event(Event::Woke);
    }

    /// Looks at every run that changed and does all that follows.
    pub(crate) fn settle(&mut self) {
        loop {
            self.carry_out();
            let Some(run) = self.touched.pop_first() else { break };
            self.look_at(&run);
        }
        if std::mem::take(&mut self.publish) {
            let snapshot = serde_json::to_string(self.core.snapshot()).unwrap_or_default();
            self.snapshots.send_replace(snapshot.into());
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        let effects = self.core.handle(event, now());
        self.effects.extend(effects);
    }

    pub(crate) fn wish(
        &mut self,
        wish: supervisor_core::Wish,
    ) -> Result<(), supervisor_core::Refusal> {
        self.save_failed = None;
        let effects = self.core.wish(wish, now())?;
        self.effects.extend(effects);
        self.settle();
        Ok(())
    }

    pub(crate) fn touch(&mut self, run: RunId) {
        self.touched.insert(run);
    }

    pub(crate) fn watchers(&mut self, more: i32) {
        self.watchers += more;
        if more > 0 {
            self.sample();
        }
    }

    pub(crate) fn folder_of(&self, run: &RunId) -> RunDir {
        RunDir::at(self.runs.path().join(run.as_str()))
    }
}

async fn sleep_until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment).await;
    }
}
