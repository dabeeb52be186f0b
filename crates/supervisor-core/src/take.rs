//! What happened, taken into the books; what follows from it is decided elsewhere.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use protocol::{RunId, RunnerName};

use crate::after_task::Firing;
use crate::core::{Core, SAVE_AGAIN, Settings};
use crate::decide::waits_for_tasks;
use crate::event::Event;
use crate::facts::{Heard, Phase, RunFacts, RunnerFacts};
use crate::problems;
use crate::rotation::Rotation;
use crate::run::{MayLive, Run};
use crate::runner::{Release, Runner};

/// Claims come every 5 s at the slowest; failures older than this no longer tell.
const CLAIM_FAILURE_COUNTS: SignedDuration = SignedDuration::from_secs(15);

impl Core {
    pub(crate) fn take(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::SettingsRead(runners) => self.settings_read(runners),
            Event::SettingsUnreadable(problem) => self.settings = Settings::Unreadable(problem),
            Event::Saved(number) => self.save_done(number),
            Event::SaveFailed { number, why } => self.save_failed(number, &why, now),
            Event::RunRead(facts) => {
                self.run_read(*facts);
            }
            Event::RunStarted(facts) => self.run_started(*facts),
            Event::RunGone(run) => {
                self.strays.remove(&run);
                self.runners.retain(|_, runner| {
                    runner.runs.remove(&run);
                    runner.in_settings || runner.starting || !runner.runs.is_empty()
                });
            }
            Event::StrayRun { run, may_live } => {
                if let Some(known) = self.run(&run) {
                    known.stray = Some(MayLive(may_live));
                }
                if may_live {
                    self.strays.insert(run);
                } else {
                    self.strays.remove(&run);
                }
            }
            Event::LogHeard { run, heard } => self.log_heard(&run, heard, now),
            Event::LogRead { run, tail } => {
                if let Some(run) = self.run(&run) {
                    run.log_read = true;
                    run.log_tail = tail.or(run.log_tail.take());
                }
            }
            Event::ProcessesSeen { task, processes } => {
                for runner in self.runners.values_mut() {
                    for run in runner.runs.values_mut() {
                        run.see_processes(&task, processes.clone());
                    }
                }
            }
            Event::InstallAdvanced { runner, install } => {
                if let Some(Release::Installing(shown)) = self.release(&runner) {
                    *shown = install;
                }
            }
            Event::AgentReady { runner, version } => {
                // A stop that came too late is none.
                self.wanted.forget_stop(&runner);
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.release = Release::Ready(version);
                }
            }
            Event::InstallFailed { runner, problem, wait } => {
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.install_failed(problem, wait.unwrap_or_default(), now);
                }
            }
            Event::StartPutOff(runner) => {
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.starting = false;
                }
            }
            Event::AgentUnusable { runner, problem } => {
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.agent_unusable(problem, now);
                }
            }
            Event::StartFailed(runner, problem) => {
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.start_failed(problem, now);
                }
            }
            // The time of asking stands, so that it is asked again a while later.
            Event::AdoptFailed(_) => {}
            Event::Woke => self.woke_for = None,
            Event::DrainFailed(run) => {
                if let Some(run) = self.run(&run) {
                    run.drain_failed(now);
                }
            }
            Event::TokenChanged(runner) => {
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.is_changed();
                }
            }
            Event::RotationSeen { runner, rotation } => {
                if let Some(runner) = self.runners.get_mut(&runner) {
                    let before = runner.rotation.take();
                    runner.rotation = rotation.map(|facts| Rotation::new(facts, before, now));
                }
            }
            Event::HistoryLooked(problem) => self.history = problem,
            Event::Probed { api_url, failure } => {
                self.probed(api_url.as_deref(), failure.as_deref(), now);
            }
            Event::PreferencesRead(preferences) => {
                self.preferences = Some(preferences);
                self.disk.judge(preferences.cleanup, now);
            }
            Event::ZoneRead(zone) => self.cleaning.in_zone(zone),
            Event::DiskSeen(volumes) => {
                let wanted = self.preferences.unwrap_or_default().cleanup;
                self.disk.seen(volumes, wanted, now);
            }
            Event::PreinstallSeen(seen) => {
                if let Some((receipt, cancelled)) = self.preinstalling.seen(*seen) {
                    self.tell_preinstall(&receipt, cancelled, now);
                }
            }
            Event::CleanupAdvanced(runs) => self.cleaning.advanced(runs),
            Event::MeasuringEnded => self.cleaning.measured(),
            Event::CleanupEnded { failure } => {
                self.cleaning.ended(failure, now);
                self.disk.is_stale();
            }
            Event::TaskCleaned { failure } => self.cleaning.judged(failure, now),
            Event::WorkDirsSeen(directories) => self.work_dirs = directories,
            Event::PowerSeen(power) => self.awake.power_seen(power),
            Event::KeptAwake { failure } => self.awake.asked(failure, now),
            Event::AfterTaskDone { failure } => self.after_task_done(failure.as_deref(), now),
            Event::NoticesKept { seen, before } => {
                self.telling.seen = seen;
                self.telling.remember(before);
            }
            Event::TaskIsNew(task) => self.tell_task(&task, now),
        }
    }

    fn run(&mut self, id: &RunId) -> Option<&mut Run> {
        self.runners.values_mut().find_map(|runner| runner.runs.get_mut(id))
    }

    fn release(&mut self, runner: &RunnerName) -> Option<&mut Release> {
        self.runners.get_mut(runner).map(|runner| &mut runner.release)
    }

    fn settings_read(&mut self, runners: Vec<RunnerFacts>) {
        self.settings = Settings::Read;
        // Another runner may work on another volume.
        self.disk.is_stale();
        self.wanted.forget_stops_but_of(&runners);
        let named: BTreeSet<RunnerName> = runners.iter().map(|facts| facts.name.clone()).collect();
        for (_, runner) in self.runners.iter_mut().filter(|(name, _)| !named.contains(*name)) {
            runner.is_removed();
        }
        for facts in runners {
            let name = facts.name.clone();
            let runner = self.runners.entry(name).or_insert_with(|| Runner::new(facts.clone()));
            if runner.facts.releases_url != facts.releases_url {
                runner.releases_moved();
            }
            if runner.facts.mark != facts.mark {
                runner.is_changed();
            }
            runner.facts = facts;
            runner.in_settings = true;
        }
    }

    fn save_done(&mut self, number: u64) {
        let Some((asked, wanted)) = self.saving.take() else { return };
        if asked == number {
            self.saved = wanted;
            self.cannot_save = None;
        } else {
            self.saving = Some((asked, wanted));
        }
    }

    /// What could not be saved is not wanted: the asker is told, and may ask again.
    fn save_failed(&mut self, number: u64, why: &str, now: Timestamp) {
        if self.saving.as_ref().is_none_or(|(asked, _)| *asked != number) {
            return;
        }
        self.saving = None;
        self.wanted = self.saved.clone();
        if matches!(self.firing, Some(Firing::Saving(_))) {
            // It is on disk still, so its moment comes again.
            self.firing = None;
        }
        self.save_again = now.checked_add(SAVE_AGAIN).ok();
        self.cannot_save = Some(problems::cannot_save(now, why));
    }

    fn run_read(&mut self, facts: RunFacts) -> &mut Run {
        let id = facts.run.clone();
        let name = facts.runner.name.clone();
        let runner = self.runners.entry(name).or_insert_with(|| Runner::new(facts.runner.clone()));
        let boot = &self.boot;
        let run = runner.runs.entry(id.clone());
        let run = run.or_insert_with(|| Run::new(facts.clone(), boot));
        run.read_again(facts, boot);
        if run.stray.is_none() {
            self.strays.remove(&id);
        }
        run
    }

    /// Even a run that is over already was started by us, so its end is judged.
    fn run_started(&mut self, facts: RunFacts) {
        let name = facts.runner.name.clone();
        self.run_read(facts).is_ours();
        if let Some(runner) = self.runners.get_mut(&name) {
            runner.starting = false;
        }
    }

    fn log_heard(&mut self, id: &RunId, heard: Heard, now: Timestamp) {
        let boot = self.boot.clone();
        let Some(runner) = self.runners.values_mut().find(|r| r.runs.contains_key(id)) else {
            return;
        };
        let Some(run) = runner.runs.get_mut(id) else { return };
        let live = run.phase(&boot) != Phase::Over;
        run.hear(heard.clone());
        match heard {
            Heard::ClaimFailed { status, why } if live => runner.claim_failed(status, why, now),
            Heard::ClaimAnswered | Heard::TaskNamed { .. } if live => {
                runner.claim_failed_at = None;
                runner.offline = None;
            }
            Heard::AgentStarted { .. }
            | Heard::ClaimAnswered
            | Heard::ClaimFailed { .. }
            | Heard::TokenRefused { .. }
            | Heard::TaskNamed { .. }
            | Heard::StepStarted { .. }
            | Heard::StepEnded { .. } => {}
        }
    }

    /// It holds for every runner of that server; that it was not reached, for those that wait for it.
    fn probed(&mut self, api_url: Option<&str>, failure: Option<&str>, now: Timestamp) {
        let boot = &self.boot;
        let of_it = |runner: &&mut Runner| runner.facts.api_url.as_deref() == api_url;
        for runner in self.runners.values_mut().filter(of_it) {
            let claims_fail = runner
                .claim_failed_at
                .is_some_and(|at| at.duration_until(now).abs() < CLAIM_FAILURE_COUNTS);
            let waits = runner.live_run(boot).is_some_and(|run| waits_for_tasks(run, boot));
            match failure {
                Some(why) if waits => {
                    runner.offline.get_or_insert_with(|| problems::offline(now, why.to_owned()));
                }
                None if !claims_fail => runner.offline = None,
                Some(_) | None => {}
            }
        }
    }
}
