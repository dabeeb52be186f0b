//! What happens once no task runs any more: nothing is claimed until then, it is done once, and it is
//! gone from the disk before it is done, so that nothing ever does it again.

use jiff::{SignedDuration, Timestamp};
use protocol::{AfterTask, AfterTaskAct, PauseBy, PauseReason, RunnerName};

use crate::core::{Core, Settings};
use crate::effect::Effect;
use crate::problems;
use crate::wanted::WantedAfterTask;

/// The system takes a moment from its word until it sleeps; nothing is claimed in it.
const SLEEPS_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// And from its word until it ends everything.
const RESTARTS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// How far it is; runners are held all the while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firing {
    /// It is being taken off the disk.
    Saving(WantedAfterTask),
    /// It was asked for.
    Acting(WantedAfterTask),
    /// It was granted, and comes before then.
    Granted(WantedAfterTask, Timestamp),
}

impl Firing {
    fn wanted(self) -> WantedAfterTask {
        match self {
            Self::Saving(wanted) | Self::Acting(wanted) | Self::Granted(wanted, _) => wanted,
        }
    }
}

impl Core {
    pub(crate) fn want_after_task(&mut self, act: AfterTaskAct, now: Timestamp) {
        self.after_task_refused = None;
        let since = match self.wanted.after_task {
            Some(wanted) if wanted.act == act => wanted.since,
            Some(_) | None => now,
        };
        self.wanted.after_task = Some(WantedAfterTask { act, since });
    }

    pub(crate) fn forget_after_task(&mut self) {
        self.after_task_refused = None;
        self.wanted.after_task = None;
        if matches!(self.firing, Some(Firing::Granted(..))) {
            self.firing = None;
        }
    }

    /// Before anything is saved: whether its moment has come.
    pub(crate) fn fire_after_task(&mut self, now: Timestamp) {
        if let Some(Firing::Granted(_, until)) = self.firing
            && (until <= now || now.duration_until(until) > RESTARTS_WITHIN)
        {
            self.firing = None;
        }
        let Some(wanted) = self.saved.after_task else { return };
        let unchanged = self.saving.is_none() && self.wanted.after_task == Some(wanted);
        if self.firing.is_some() || !unchanged || self.is_any_live() {
            return;
        }
        self.wanted.after_task = None;
        if wanted.act == AfterTaskAct::Pause {
            let named = self.runners.iter().filter(|(_, runner)| runner.in_settings);
            for name in named.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
                let reason = PauseReason {
                    by: PauseBy::You,
                    since: now,
                    until: None,
                    note: None,
                    reading: None,
                };
                let wants = self.wanted.runners.entry(name).or_default();
                // A pause of yours that is there already keeps its end.
                if !wants.pauses.iter().any(|held| held.by == PauseBy::You) {
                    crate::pause::hold(&mut wants.pauses, reason);
                }
            }
        }
        self.firing = Some(Firing::Saving(wanted));
    }

    /// It is off the disk: now, and only now, it is done.
    pub(crate) fn act_after_task(&mut self, now: Timestamp) -> Option<Effect> {
        let Some(Firing::Saving(wanted)) = self.firing else { return None };
        if self.saved.after_task.is_some() || self.saving.is_some() {
            return None;
        }
        self.tell_after_task(wanted.act, now);
        if wanted.act == AfterTaskAct::Pause {
            self.firing = None;
            return None;
        }
        self.firing = Some(Firing::Acting(wanted));
        Some(Effect::AfterTask(wanted.act))
    }

    pub(crate) fn after_task_done(&mut self, failure: Option<&str>, now: Timestamp) {
        let Some(Firing::Acting(wanted)) = self.firing else { return };
        self.firing = None;
        if let Some(why) = failure {
            self.after_task_refused = Some(problems::after_task_refused(now, wanted.act, why));
            return;
        }
        let sleeps = wanted.act == AfterTaskAct::Sleep;
        let within = if sleeps { SLEEPS_WITHIN } else { RESTARTS_WITHIN };
        self.firing = now.checked_add(within).ok().map(|until| Firing::Granted(wanted, until));
    }

    /// What holds every runner while it is waited for.
    pub(crate) fn after_task_hold(&self) -> Option<PauseReason> {
        let WantedAfterTask { act, since } =
            self.saved.after_task.or(self.firing.map(Firing::wanted))?;
        let (by, reading) = (PauseBy::AfterTask, Some(then(act).to_owned()));
        Some(PauseReason { by, since, until: None, note: None, reading })
    }

    pub(crate) fn after_task_ends(&self) -> Option<Timestamp> {
        match self.firing {
            Some(Firing::Granted(_, until)) => Some(until),
            Some(Firing::Saving(_) | Firing::Acting(_)) | None => None,
        }
    }

    /// That the supervisor ends is shown to its own end: whoever sees it go knows why.
    pub(crate) fn shown_after_task(&self) -> Option<AfterTask> {
        let ends = self.firing.map(Firing::wanted).filter(|it| it.act == AfterTaskAct::Quit);
        let wanted = self.saved.after_task.or(ends)?;
        let live = |name: &RunnerName| {
            let runner = &self.runners[name];
            runner.starting || runner.live_run(&self.boot).is_some()
        };
        let waits_for = self.runners.keys().filter(|name| live(name)).cloned().collect();
        Some(AfterTask { act: wanted.act, since: wanted.since, waits_for })
    }

    /// What cannot be told counts as alive. Until the settings were looked for, not all is known.
    fn is_any_live(&self) -> bool {
        matches!(self.settings, Settings::Unread)
            || !self.strays.is_empty()
            || self
                .runners
                .values()
                .any(|runner| runner.starting || runner.live_run(&self.boot).is_some())
    }
}

/// What comes then, after "Finishing a task, ".
pub(crate) fn then(act: AfterTaskAct) -> &'static str {
    match act {
        AfterTaskAct::Pause => "then paused",
        AfterTaskAct::Quit => "then Runner Tray ends",
        AfterTaskAct::Sleep => "then the machine sleeps",
        AfterTaskAct::Restart => "then the machine restarts",
    }
}
