//! The one owner of the state: takes events and wishes, keeps the books, lets `decide` decide.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use protocol::{
    CleanupWhy, PauseReason, Preferences, Problem, RunId, RunnerName, Snapshot, SupervisorInfo,
    TaskId, WorkDirShort,
};

use crate::after_task::Firing;
use crate::cleaning::Cleaning;
use crate::decide::{Situation, decide, next_turn, waits_for_tasks};
use crate::disk::Disk;
use crate::effect::Effect;
use crate::event::Event;
use crate::keep_awake::Awake;
use crate::notice::Telling;
use crate::preinstalling::Preinstalling;
use crate::problems;
use crate::runner::Runner;
use crate::wanted::{StoppedInstall, Wanted};
use crate::wish::{Refusal, Wish};

pub(crate) const SAVE_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// What became of reading `wanted.json` at start.
#[derive(Debug, Clone)]
pub enum StateFile {
    Read(Wanted),
    /// It cannot be read or is too new: nothing is started and nothing written over it.
    Kept(Problem),
}

/// All runners of this machine. See the crate's page for the rules.
#[derive(Debug, Clone)]
pub struct Core {
    pub(crate) info: SupervisorInfo,
    pub(crate) boot: String,
    pub(crate) runners: BTreeMap<RunnerName, Runner>,
    pub(crate) wanted: Wanted,
    /// What is on disk; only this counts.
    pub(crate) saved: Wanted,
    pub(crate) saving: Option<(u64, Wanted)>,
    pub(crate) saves: u64,
    pub(crate) save_again: Option<Timestamp>,
    pub(crate) read_only: Option<Problem>,
    pub(crate) settings: Settings,
    pub(crate) cannot_save: Option<Problem>,
    pub(crate) history: Option<Problem>,
    pub(crate) preferences: Option<Preferences>,
    pub(crate) awake: Awake,
    pub(crate) disk: Disk,
    pub(crate) cleaning: Cleaning,
    pub(crate) preinstalling: Preinstalling,
    pub(crate) work_dirs: Vec<WorkDirShort>,
    /// A task ran, or may have, at the turn before.
    pub(crate) ran_task: bool,
    pub(crate) firing: Option<Firing>,
    pub(crate) after_task_refused: Option<Problem>,
    pub(crate) telling: Telling,
    pub(crate) strays: BTreeSet<RunId>,
    pub(crate) woke_for: Option<Timestamp>,
    pub(crate) shown: Snapshot,
}

#[derive(Debug, Clone)]
pub(crate) enum Settings {
    Unread,
    Read,
    Unreadable(Problem),
}

impl Settings {
    fn are_known(&self) -> bool {
        matches!(self, Self::Read)
    }
}

impl Core {
    /// `boot` names the machine's present boot, as started.json does.
    pub fn new(info: SupervisorInfo, boot: String, state: StateFile) -> Self {
        let (wanted, read_only) = match state {
            StateFile::Read(wanted) => (wanted, None),
            StateFile::Kept(problem) => (Wanted::default(), Some(problem)),
        };
        let shown = Snapshot {
            revision: 0,
            supervisor: info.clone(),
            runners: Vec::new(),
            problems: Vec::new(),
            preferences: None,
            after_task: None,
            keep_awake: None,
            notices: None,
            volumes: Vec::new(),
            cleanup: None,
            work_dirs: Vec::new(),
            preinstall: None,
        };
        Self {
            info,
            boot,
            runners: BTreeMap::new(),
            saved: wanted.clone(),
            wanted,
            saving: None,
            saves: 0,
            save_again: None,
            read_only,
            settings: Settings::Unread,
            cannot_save: None,
            history: None,
            preferences: None,
            awake: Awake::default(),
            disk: Disk::default(),
            cleaning: Cleaning::default(),
            preinstalling: Preinstalling::default(),
            work_dirs: Vec::new(),
            ran_task: false,
            firing: None,
            after_task_refused: None,
            telling: Telling::default(),
            strays: BTreeSet::new(),
            woke_for: None,
            shown,
        }
    }

    /// What clients see now.
    pub fn snapshot(&self) -> &Snapshot {
        &self.shown
    }

    /// Whether a start that was asked for is wanted still. Asked at the last moment before it: while
    /// it was prepared, somebody may have paused the runner.
    pub fn wants_start(&self, runner: &RunnerName, now: Timestamp) -> bool {
        let readable = self.read_only.is_none() && self.settings.are_known();
        let wanted = |runner: &Runner| {
            runner.in_settings && runner.starting && runner.live_run(&self.boot).is_none()
        };
        readable
            && self.strays.is_empty()
            && self.runners.get(runner).is_some_and(wanted)
            && self.in_force(runner, now).is_empty()
    }

    /// Whether the agent that runs was started as the settings have it now, and the server has
    /// answered a claim of it: its token is the stored one, and it works.
    pub fn is_proven(&self, runner: &RunnerName) -> bool {
        self.runners.get(runner).is_some_and(|runner| runner.is_proven(&self.boot))
    }

    /// Takes what happened and says what to do about it, in this order.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        self.take(event, now);
        self.turn(now)
    }

    /// Takes a wish, or says why not. A pause or resume counts once its `Save` has succeeded.
    pub fn wish(&mut self, wish: Wish, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        if self.read_only.is_some() {
            return Err(Refusal::ReadOnly);
        }
        if let Some(name) = wish.runner()
            && !self.runners.get(name).is_some_and(|runner| runner.is_in_sight(&self.boot))
        {
            return Err(Refusal::NoSuchRunner);
        }
        match wish {
            Wish::Pause { runner, by, until, note, reading } => {
                if until.is_some_and(|until| until <= now) {
                    return Err(Refusal::InThePast);
                }
                let reason = PauseReason { by, since: now, until, note, reading };
                let wants = self.wanted.runners.entry(runner).or_default();
                crate::pause::hold(&mut wants.pauses, reason);
            }
            Wish::Resume { runner, by } => {
                let wants = self.wanted.runners.entry(runner).or_default();
                crate::pause::release(&mut wants.pauses, by);
            }
            Wish::Cancel { runner, task } => self.cancel(&runner, &task)?,
            Wish::Install { runner } => {
                self.wanted.forget_stop(&runner);
                if let Some(runner) = self.runners.get_mut(&runner) {
                    runner.install_wanted();
                }
            }
            Wish::StopInstall { runner } => self.stop_install(runner, now),
            Wish::AfterTask(act) => self.want_after_task(act, now),
            Wish::ForgetAfterTask => self.forget_after_task(),
        }
        self.save_again = None;
        Ok(self.turn(now))
    }

    fn cancel(&mut self, runner: &RunnerName, task: &TaskId) -> Result<(), Refusal> {
        let boot = &self.boot;
        let runner = self.runners.get_mut(runner).ok_or(Refusal::NoSuchRunner)?;
        let run = runner
            .runs
            .values_mut()
            .find(|run| {
                run.is_live(boot) && run.current_task().is_some_and(|current| current.task == *task)
            })
            .ok_or(Refusal::NotRunning)?;
        run.cancel(task);
        Ok(())
    }

    /// The word on an installation; where none is under way or to come, it came too late.
    fn stop_install(&mut self, runner: RunnerName, now: Timestamp) {
        let Some(known) = self.runners.get(&runner).filter(|known| known.may_install()) else {
            return;
        };
        let releases_url = known.facts.releases_url.clone();
        let wants = self.wanted.runners.entry(runner).or_default();
        wants.stopped_install.get_or_insert(StoppedInstall { since: now, releases_url });
    }

    /// Derives everything anew.
    fn turn(&mut self, now: Timestamp) -> Vec<Effect> {
        self.fire_after_task(now);
        self.tell_ended_pauses(now);
        let begins = self.clean_up(now);
        let mut effects: Vec<Effect> = self.save(now).into_iter().collect();
        effects.extend(begins);
        effects.extend(self.act_after_task(now));
        let holds: Vec<Vec<PauseReason>> =
            self.runners.keys().map(|name| self.in_force(name, now)).collect();
        let situation = Situation {
            boot: &self.boot,
            now,
            read_only: self.read_only.is_some() || !self.settings.are_known(),
            stray: !self.strays.is_empty(),
        };
        for (runner, pauses) in self.runners.values_mut().zip(&holds) {
            effects.extend(runner.heed_stop(self.saved.install_stopped(&runner.facts)));
            effects.extend(decide(runner, pauses, &situation));
            record_finished(runner, &mut effects);
        }
        effects.extend(crate::decide::probes(self.runners.values_mut(), &self.boot, now));
        let mut wake = [self.save_again, self.after_task_ends()].into_iter().flatten().min();
        let mut shown = Vec::new();
        for (runner, pauses) in self.runners.values_mut().zip(&holds) {
            if !runner.is_in_sight(situation.boot) && self.settings.are_known() {
                continue;
            }
            let next = next_turn(runner, pauses, &situation);
            wake = [wake, next].into_iter().flatten().min();
            shown.push(crate::snapshot::show(runner, pauses, &situation));
        }
        let preferences = self.preferences.unwrap_or_default();
        let task_runs = self.may_run_task();
        effects.extend(self.awake.decide(task_runs, preferences.keep_awake, now));
        let problems = self.problems(now);
        effects.extend(self.tell(&shown, &problems, preferences, now));
        let awake = self.awake.next_turn(task_runs, preferences.keep_awake);
        let tidy = self.next_clean_up(preferences, now);
        wake = [wake, awake, tidy, self.telling.next].into_iter().flatten().min();
        if wake != self.woke_for {
            self.woke_for = wake;
            effects.push(Effect::WakeAt(wake));
        }
        let snapshot = Snapshot {
            revision: self.shown.revision,
            supervisor: self.info.clone(),
            runners: shown,
            problems,
            preferences: self.preferences,
            after_task: self.shown_after_task(),
            keep_awake: Some(self.awake.shown(task_runs, preferences.keep_awake)),
            notices: self.telling.seen,
            volumes: self.disk.shown(preferences.cleanup),
            cleanup: self.cleaning.shown(),
            work_dirs: self.work_dirs.clone(),
            preinstall: self.preinstalling.shown(),
        };
        if snapshot != self.shown {
            self.shown = Snapshot { revision: snapshot.revision + 1, ..snapshot };
            effects.push(Effect::Publish);
        }
        effects
    }

    /// Looks for room, and begins or ends a clean-up whose time has come.
    fn clean_up(&mut self, now: Timestamp) -> Vec<Effect> {
        if !self.may_clean_up() {
            self.disk.forget();
            return Vec::new();
        }
        let runs_task = self.may_run_task();
        if std::mem::replace(&mut self.ran_task, runs_task) && !runs_task {
            self.disk.is_stale();
        }
        let mut effects = Vec::new();
        if let Some(since) = self.cleaning.gives_way(runs_task, now) {
            self.wanted.weekly_cleanup_since = Some(since);
            effects.push(Effect::StopCleanUp);
        }
        let settled = self.cleaning.is_settled(now);
        effects.extend(self.disk.decide(self.any_waits(), settled, now));
        let begins = effects.iter().any(|effect| matches!(effect, Effect::CleanUp(_)));
        if self.weekly_is_due(now) && settled && !runs_task && !begins {
            let since = self.wanted.weekly_cleanup_since.replace(now);
            self.cleaning.begins_weekly(since);
            effects.push(Effect::CleanUp(CleanupWhy::Weekly));
        }
        for effect in &effects {
            if let Effect::CleanUp(why) = effect {
                self.cleaning.asks(*why, now);
            }
        }
        effects
    }

    /// What is not known is left as it is, and where no task is run nobody fills a disk.
    fn may_clean_up(&self) -> bool {
        let known = self.read_only.is_none() && self.settings.are_known();
        known && self.runners.values().any(|runner| runner.in_settings)
    }

    fn weekly_is_due(&mut self, now: Timestamp) -> bool {
        // What was missed is not forgotten while nobody knows whether it is wanted.
        let Some(preferences) = self.preferences else { return false };
        let Some(weekly) = preferences.cleanup.weekly else {
            self.wanted.weekly_cleanup_since = None;
            return false;
        };
        // Before it was wanted, and where the clock was ahead, nothing was missed.
        let since = self.wanted.weekly_cleanup_since.filter(|since| *since <= now);
        let since = *self.wanted.weekly_cleanup_since.insert(since.unwrap_or(now));
        let is_due = self.cleaning.next(weekly, since).is_some_and(|at| at <= now);
        is_due && self.cleaning.weekly_waits(now).is_none()
    }

    fn next_clean_up(&self, preferences: Preferences, now: Timestamp) -> Option<Timestamp> {
        if !self.may_clean_up() {
            return None;
        }
        let room = self.disk.next_turn(self.any_waits(), self.cleaning.is_settled(now));
        let weekly = preferences.cleanup.weekly.zip(self.wanted.weekly_cleanup_since);
        let weekly = weekly.and_then(|(weekly, since)| self.cleaning.next(weekly, since));
        // One that is due waits for a task or a clean-up to end, which is told, or for its time to try again.
        let weekly = weekly
            .and_then(|next| if next > now { Some(next) } else { self.cleaning.weekly_waits(now) });
        [room, weekly].into_iter().flatten().min()
    }

    fn any_waits(&self) -> bool {
        let runs = self.runners.values().filter_map(|runner| runner.live_run(&self.boot));
        runs.into_iter().any(|run| waits_for_tasks(run, &self.boot))
    }

    /// A task runs somewhere, or may run for all that is known.
    fn may_run_task(&self) -> bool {
        let runs = self.runners.values().filter_map(|runner| runner.live_run(&self.boot));
        runs.into_iter().any(|run| run.facts.may_run_task(&self.boot))
    }

    /// What holds a runner now: the pauses on disk that are not past their deadline, and what is to
    /// come after the task.
    fn in_force(&self, runner: &RunnerName, now: Timestamp) -> Vec<PauseReason> {
        let wants = self.saved.runners.get(runner);
        let mut pauses = wants.map(|wants| wants.pauses.clone()).unwrap_or_default();
        crate::pause::expire(&mut pauses, now);
        let wanted = self.preferences.unwrap_or_default().cleanup;
        pauses.extend(self.disk.hold(runner, wanted));
        pauses.extend(self.preinstalling.hold());
        pauses.extend(self.after_task_hold());
        pauses
    }

    /// One save at a time; a later want waits for the one under way.
    fn save(&mut self, now: Timestamp) -> Option<Effect> {
        if self.read_only.is_some() || self.saving.is_some() {
            return None;
        }
        if self.save_again.is_some_and(|at| now < at && now.duration_until(at) <= SAVE_AGAIN) {
            return None;
        }
        self.save_again = None;
        for wants in self.wanted.runners.values_mut() {
            crate::pause::expire(&mut wants.pauses, now);
        }
        self.wanted.tidy();
        if self.wanted == self.saved {
            return None;
        }
        self.saves += 1;
        self.saving = Some((self.saves, self.wanted.clone()));
        Some(Effect::Save { number: self.saves, wanted: self.wanted.clone() })
    }

    fn problems(&self, now: Timestamp) -> Vec<Problem> {
        let mut found: Vec<Problem> = self.read_only.iter().cloned().collect();
        if let Settings::Unreadable(problem) = &self.settings {
            found.push(problem.clone());
        }
        found.extend(self.cannot_save.iter().cloned());
        found.extend(self.history.iter().cloned());
        found.extend(self.after_task_refused.iter().cloned());
        found.extend(self.disk.problems(self.preferences.unwrap_or_default().cleanup));
        found.extend(self.cleaning.problem());
        for run in &self.strays {
            let known =
                self.shown.problems.iter().find(|problem| {
                    problem.reading.as_deref() == Some(format!("runs/{run}").as_str())
                });
            found.push(problems::run_unreadable(known.map_or(now, |p| p.since), run.as_str(), &[]));
        }
        found
    }
}

/// Every finished task once, when the log has told all it had to tell; again if it tells more.
fn record_finished(runner: &mut Runner, effects: &mut Vec<Effect>) {
    let name = &runner.facts.name;
    for run in runner.runs.values_mut().filter(|run| run.log_read) {
        for task in run.facts.tasks.clone() {
            let cancelled = run.was_cancelled(&task);
            let story = run.stories.entry(task.task.clone()).or_default();
            let Some(finished) = story.finished(&task, name, cancelled) else { continue };
            if story.recorded.as_ref() == Some(&finished) {
                continue;
            }
            let first = story.recorded.is_none();
            story.recorded = Some(finished.clone());
            effects.push(if first { Effect::Record(finished) } else { Effect::Amend(finished) });
        }
    }
}
