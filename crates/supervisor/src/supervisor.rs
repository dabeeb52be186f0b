//! The loop: one owner of everything, no locks, no polling. Takes what happened to the core, and
//! carries out what the core decides, in its order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use circleci::InstalledAgent;
use host::Folders;
use jiff::Timestamp;
use protocol::{RunId, RunnerName};
use run_dir::{RunDir, RunsFolder, TaskNumber};
use supervisor_core::{Core, Effect, Event, Heard, RunnerFacts, StateFile};
use tokio::sync::{mpsc, watch};

use crate::input::{Input, Loop};
use crate::program::Program;
use crate::records::Records;
use crate::settings::{RunnerSettings, Settings, SettingsError};
use crate::take::Ended;
use crate::usage::Sampler;
use crate::wake_up::WakeUp;
use crate::wanted_file::WantedFile;
use crate::watch::Watch;
use crate::watched::Watched;

const SAMPLE_EVERY: Duration = Duration::from_secs(2);
const LOOKS: u32 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Runs kept after their end, for logs, of each runner.
const KEPT_RUNS: usize = 5;

pub(crate) struct Supervisor {
    pub(crate) folders: Folders,
    pub(crate) core: Core,
    pub(crate) runs: RunsFolder,
    pub(crate) settings: Result<Settings, SettingsError>,
    pub(crate) to_loop: Loop,
    pub(crate) agents: BTreeMap<RunnerName, InstalledAgent>,
    pub(crate) watched: BTreeMap<RunId, Watched>,
    pub(crate) program: Program,
    wanted: WantedFile,
    records: Records,
    watch: Watch,
    snapshots: watch::Sender<Arc<str>>,
    effects: VecDeque<Effect>,
    touched: BTreeSet<RunId>,
    wake_up: WakeUp,
    publish: bool,
    /// Why the last save failed, until somebody is told.
    pub(crate) save_failed: Option<String>,
    watchers: i32,
    sampler: Option<Sampler>,
    /// Looks still to be had at a step that has begun: its environment names branch and job.
    looks: u32,
    installing: Arc<tokio::sync::Mutex<()>>,
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
        let wake_up = WakeUp::new(to_loop.clone());
        let watched = [folders.settings_file(), program.path().to_owned()];
        let mut watch = Watch::new(runs.path(), watched, to_loop.clone());
        watch.folder(runs.path());
        watch.folder(&folders.config);
        if let Some(folder) = program.path().parent() {
            watch.folder(folder);
        }
        Ok(Self {
            core: Core::new(info, boot.0, state),
            settings: Settings::read(&folders.settings_file()),
            folders,
            runs,
            to_loop,
            agents: BTreeMap::new(),
            watched: BTreeMap::new(),
            program,
            wanted,
            records,
            watch,
            snapshots,
            effects: VecDeque::new(),
            touched: BTreeSet::new(),
            wake_up,
            publish: true,
            save_failed: None,
            watchers: 0,
            sampler: None,
            looks: 0,
            installing: Arc::default(),
        })
    }

    /// Reads all there is, then lives by what happens, until it is asked to end.
    pub(crate) async fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) -> Result<Ended> {
        if let Err(error) = self.runs.reserve_next() {
            tracing::warn!(%error, "no room set aside for the next run");
        }
        // Runs first: nothing is started before all that may run is known.
        for run in self.runs.list()? {
            self.look_at(&RunId::from(run.as_str()));
        }
        self.settings_changed();
        self.settle();
        loop {
            let (sample, nap) = (self.next_sample(), self.wake_up.nap());
            tokio::select! {
                biased;
                input = inputs.recv() => {
                    let Some(input) = input else { return Ok(Ended::Asked) };
                    if let ControlFlow::Break(ended) = self.take(input) { return Ok(ended) }
                    while let Ok(input) = inputs.try_recv() {
                        if let ControlFlow::Break(ended) = self.take(input) { return Ok(ended) }
                        if self.touched.len() > 64 { break }
                    }
                }
                () = tokio::time::sleep(nap.unwrap_or_default()), if nap.is_some() => {
                    self.clock_moved();
                }
                () = tokio::time::sleep(sample.unwrap_or_default()), if sample.is_some() => {
                    self.looks = self.looks.saturating_sub(1);
                    self.sample();
                }
            }
            self.settle();
        }
    }

    /// The awaited moment may have come, or somebody set the clock.
    pub(crate) fn clock_moved(&mut self) {
        if self.wake_up.is_due() {
            self.event(Event::Woke);
        }
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

    fn carry_out(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            tracing::debug!(?effect, "carrying out");
            self.carry_out_one(effect);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Save { number, wanted } => match self.wanted.save(&wanted) {
                Ok(()) => self.event(Event::Saved(number)),
                Err(error) => {
                    tracing::error!(%error, "cannot save what is wanted");
                    self.save_failed = Some(error.to_string());
                    self.event(Event::SaveFailed { number, why: error.to_string() });
                }
            },
            Effect::Install(runner) => self.install(runner),
            Effect::StartRun(runner) => self.gather(runner),
            Effect::Adopt(run) => self.adopt(&run),
            Effect::Drain(run) => {
                if let Err(error) = crate::keepers::drain(&self.folder_of(&run)) {
                    tracing::warn!(%run, %error, "the keeper was not told to drain");
                    self.event(Event::DrainFailed(run.clone()));
                    self.touch(run);
                }
            }
            Effect::DrainAgain { run, proof } => {
                let tasks = proof.iter().filter_map(number_of).collect();
                tracing::warn!(%run, ?proof, "the drain signal was lost: it is sent again");
                if let Err(error) = crate::keepers::drain_again(&self.folder_of(&run), tasks, now())
                {
                    tracing::warn!(%run, %error, "the keeper was not told to drain again");
                }
                self.touch(run);
            }
            Effect::Cancel { run, task } => {
                let Some(number) = number_of(&task) else { return };
                tracing::info!(%task, "cancelled by the owner");
                if let Err(error) = crate::keepers::cancel(&self.folder_of(&run), number, now()) {
                    // The record is there: whoever keeps the agent next will find it.
                    tracing::warn!(%task, %error, "the keeper was not told to cancel");
                }
                self.touch(run);
            }
            Effect::Record(task) => self.records.record(task),
            Effect::Amend(task) => self.records.amend(task),
            Effect::Probe(runner) => self.probe(runner),
            Effect::WakeAt(at) => self.wake_up.set(at),
            Effect::Publish => self.publish = true,
        }
    }

    pub(crate) fn folder_of(&self, run: &RunId) -> RunDir {
        RunDir::at(self.runs.path().join(run.as_str()))
    }

    /// One complete reading of a run and of its log.
    fn look_at(&mut self, run: &RunId) {
        let folder = self.folder_of(run);
        let reading = self.watched.get(run).map_or(0, |watched| watched.readings) + 1;
        match crate::read_run::read_run(&folder, run, reading, now()) {
            crate::read_run::Found::Run(facts) => {
                self.watch_run(run, &folder, reading);
                self.event(Event::RunRead(facts.clone()));
                self.read_on(run, &facts);
            }
            crate::read_run::Found::Stray { may_live } => {
                self.event(Event::StrayRun { run: run.clone(), may_live });
            }
            crate::read_run::Found::Gone => {
                self.watched.remove(run);
                self.event(Event::RunGone(run.clone()));
            }
        }
    }

    fn watch_run(&mut self, run: &RunId, folder: &RunDir, reading: u64) {
        if !self.watched.contains_key(run) {
            self.watch.run(folder.path());
            self.watched.insert(run.clone(), Watched::new(folder));
        }
        if let Some(watched) = self.watched.get_mut(run) {
            watched.readings = reading;
        }
    }

    fn read_on(&mut self, run: &RunId, facts: &supervisor_core::RunFacts) {
        let Some(watched) = self.watched.get_mut(run) else { return };
        let over = watched.follow(facts, &self.to_loop);
        let brought = match watched.tail.read() {
            Ok(brought) => brought,
            Err(error) => {
                tracing::warn!(%run, %error, "cannot read the agent's log");
                crate::log_tail::Brought { heard: Vec::new(), more: false }
            }
        };
        let tail = if over && !brought.more { watched.tail.last_lines() } else { None };
        for heard in brought.heard {
            if matches!(heard, Heard::StepStarted { .. }) && !over {
                self.looks = LOOKS;
            }
            self.event(Event::LogHeard { run: run.clone(), heard });
        }
        if brought.more {
            self.touch(run.clone());
        } else {
            self.event(Event::LogRead { run: run.clone(), tail });
            if over {
                self.watch.forget(self.folder_of(run).path());
                self.prune(&facts.runner.name);
            }
        }
    }

    /// Deletes the oldest runs of a runner that are over and whose tasks are all in the history.
    fn prune(&mut self, runner: &RunnerName) {
        let over: Vec<RunId> = self
            .watched
            .iter()
            .filter(|(_, watched)| watched.over && watched.runner.as_ref() == Some(runner))
            .map(|(run, _)| run.clone())
            .collect();
        for run in over.iter().take(over.len().saturating_sub(KEPT_RUNS)) {
            let Ok(id) = run.as_str().parse() else { continue };
            let tasks = &self.watched[run].tasks;
            if !tasks.iter().all(|task| self.records.has(task)) {
                continue;
            }
            match self.runs.remove(&id) {
                Ok(()) => self.touch(run.clone()),
                Err(error) => tracing::warn!(%run, %error, "cannot delete an old run"),
            }
        }
    }

    fn adopt(&mut self, run: &RunId) {
        let folder = self.folder_of(run);
        let helper = folder
            .plan()
            .written()
            .map(|plan| plan.helper)
            .filter(|helper| helper.is_file())
            .map_or_else(|| crate::helpers::keeper(&self.folders.helpers()), Ok);
        match helper.and_then(|helper| crate::keepers::adopt(&helper, &folder)) {
            Ok(()) => tracing::info!(%run, "an agent without a keeper gets a new one"),
            Err(error) => {
                tracing::warn!(%run, %error, "no keeper could be put in charge");
                self.event(Event::AdoptFailed(run.clone()));
            }
        }
        self.touch(run.clone());
    }

    /// Finds the agent's release on this machine, or downloads it, off the loop.
    fn install(&mut self, runner: RunnerName) {
        let Some(settings) = self.runner_settings(&runner) else { return };
        let (data, to_loop) = (self.folders.data.clone(), self.to_loop.clone());
        let one_at_a_time = self.installing.clone();
        tokio::spawn(async move {
            let _turn = one_at_a_time.lock().await;
            crate::install::install(runner, &settings, &data, &to_loop).await;
        });
    }

    /// Reads the token and checks the agent, off the loop.
    fn gather(&mut self, runner: RunnerName) {
        let Some(settings) = self.runner_settings(&runner) else { return };
        let agent = self.agents.get(&runner).cloned();
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        tokio::spawn(async move {
            match crate::gather::gather(&runner, &settings, agent, &folders).await {
                Ok(ingredients) => {
                    to_loop.send(Input::ReadyToStart(runner, Box::new(ingredients)));
                }
                Err(failure) => to_loop.event(Event::StartFailed(runner, *failure)),
            }
        });
    }

    pub(crate) fn start(
        &mut self,
        runner: RunnerName,
        ingredients: &crate::start_run::Ingredients,
    ) {
        let Some(settings) = self.runner_settings(&runner) else {
            let failure = crate::gather::cannot_start("its settings are gone", now());
            return self.event(Event::StartFailed(runner, failure));
        };
        let mark = mark(&settings);
        let started =
            crate::start_run::start(&self.runs, &runner, &settings, &mark, ingredients, now());
        let (id, folder) = match started {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%runner, error = format!("{error:#}"), "cannot start a run");
                let failure = crate::gather::cannot_start(&format!("{error:#}"), now());
                return self.event(Event::StartFailed(runner, failure));
            }
        };
        let run = RunId::from(id.as_str());
        tracing::info!(%runner, %run, "a run begins");
        self.watch_run(&run, &folder, 1);
        match crate::read_run::read_run(&folder, &run, 1, now()) {
            crate::read_run::Found::Run(facts) => self.event(Event::RunStarted(facts)),
            crate::read_run::Found::Stray { .. } | crate::read_run::Found::Gone => {
                let failure = crate::gather::cannot_start("its directory is not readable", now());
                self.event(Event::StartFailed(runner, failure));
            }
        }
        self.touch(run);
    }

    fn probe(&mut self, runner: RunnerName) {
        // Once a minute is often enough for what a full disk refused.
        self.records.write();
        let Some(settings) = self.runner_settings(&runner) else { return };
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            let failure = circleci::answers(settings.api_url()).await.err();
            to_loop.event(Event::Probed { runner, failure });
        });
    }

    pub(crate) fn runner_settings(&self, runner: &RunnerName) -> Option<RunnerSettings> {
        self.settings.as_ref().ok()?.runners.get(runner).cloned()
    }

    /// Tells the core what the settings say now.
    pub(crate) fn settings_changed(&mut self) {
        let event = match &self.settings {
            Ok(settings) => Event::SettingsRead(
                settings.runners.iter().map(|(name, of)| self.facts(name, of)).collect(),
            ),
            Err(error) => Event::SettingsUnreadable(crate::gather::settings_problem(error, now())),
        };
        self.event(event);
    }

    pub(crate) fn read_settings(&mut self) {
        let read = Settings::read(&self.folders.settings_file());
        if let (Ok(read), Ok(known)) = (&read, &self.settings)
            && read.runners == known.runners
        {
            return;
        }
        tracing::info!("the settings were changed");
        self.settings = read;
        self.settings_changed();
    }

    fn facts(&self, name: &RunnerName, settings: &RunnerSettings) -> RunnerFacts {
        let places = crate::places::of(name, settings, &self.folders);
        RunnerFacts {
            name: name.clone(),
            resource_class: settings.resource_class.clone(),
            working_directory: places.working_directory.display().to_string(),
            boundary: crate::boundary::boundary(settings.job_user.as_deref(), settings.token_store),
            mark: mark(settings),
        }
    }

    fn running_tasks(&self) -> impl Iterator<Item = &protocol::Task> {
        self.core.snapshot().runners.iter().filter_map(|runner| runner.task.as_ref())
    }

    /// When to look at the processes of running tasks next: while somebody watches, and for a moment
    /// after a step began where the job has no name yet.
    fn next_sample(&self) -> Option<Duration> {
        if self.looks > 0 && self.running_tasks().any(|task| task.job.is_none()) {
            return Some(LOOK_AGAIN);
        }
        (self.watchers > 0 && self.running_tasks().next().is_some()).then_some(SAMPLE_EVERY)
    }

    /// Looks at the processes of every running task.
    pub(crate) fn sample(&mut self) {
        let running: Vec<_> =
            self.running_tasks().filter_map(|task| Some((task.id.clone(), task.pid?))).collect();
        for (task, pid) in running {
            if let Some(processes) = crate::usage::sample(&task, pid, &mut self.sampler) {
                self.event(Event::ProcessesSeen { task, processes });
            }
        }
    }
}

fn number_of(task: &protocol::TaskId) -> Option<TaskNumber> {
    task.as_str().rsplit_once('.')?.1.parse().ok()
}

/// Names all that an agent is started with, so that a change of it is seen.
fn mark(settings: &RunnerSettings) -> String {
    use sha2::{Digest, Sha256};
    let all = format!("{settings:?}");
    hex::encode(&Sha256::digest(all)[..8])
}
