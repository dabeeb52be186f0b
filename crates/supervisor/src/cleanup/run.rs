//! Plans carried out, one at a time, and their receipts kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanup::preset::{Choice, FreeGoal, LeftOver, Undo, What};
use jiff::{SignedDuration, Timestamp};
use protocol::{
    CarryOut, CleanupFailure, CleanupPlan, CleanupReceipt, CleanupWhy, RunnerName, WorkDirUse,
};
use supervisor_core::Event;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::around::{Party, goals, parties, presets};
use super::begun;
use super::calls::CleanupCall;
use super::job::{Carried, Drafted, Job};
use super::left::Place;
use super::shown::{self, Of};
use super::trash::Swept;
use super::work_dirs::Sizes;
use crate::api::refusal;
use crate::hold::hold;
use crate::input::{Input, Reply};
use crate::supervisor::{Supervisor, now};

/// So long what was removed by hand may be put back.
pub(super) const UNDO: SignedDuration = SignedDuration::from_mins(10);
/// So long after one that was cut short its rest goes.
pub(super) const SOON: SignedDuration = SignedDuration::from_mins(1);
/// A plan that nobody carried out by then is of another world.
const PLAN_HOLDS: SignedDuration = SignedDuration::from_mins(30);

/// Clean-up as the loop knows it.
#[derive(Default)]
pub(crate) struct Cleaning {
    pub(super) running: Option<Running>,
    /// Answered once that is over.
    pub(super) asked: Vec<CleanupCall>,
    /// Begun once that is over.
    waits: Option<CleanupWhy>,
    /// Says `true` to those that measure for somebody who waits.
    pub(super) measuring: Vec<watch::Sender<bool>>,
    pub(super) plan: Option<Arc<StoredPlan>>,
    pub(super) plans: u64,
    /// Of the last one that was carried out.
    at: Timestamp,
    pub(super) sizes: Sizes,
    /// The next repetition of a sweep that left something.
    pub(super) sweeps_again: Option<AbortHandle>,
    /// Where runners work by the settings that were read last.
    pub(super) works_in: Vec<Place>,
    /// Volumes, and the runners that one is for alone.
    pub(super) volumes: BTreeMap<String, Option<Vec<RunnerName>>>,
    /// What shall be free on them.
    pub(super) goals: Vec<FreeGoal>,
}

/// The clean-up that runs.
pub(crate) struct Running {
    /// Says `true` to it.
    pub(super) stop: watch::Sender<bool>,
    why: CleanupWhy,
}

/// A plan, and what it would do as each user.
pub(crate) struct StoredPlan {
    pub(super) shown: CleanupPlan,
    pub(super) drafted: Drafted,
    pub(super) runner: Option<RunnerName>,
}

/// What a clean-up came to.
pub(crate) struct Ended {
    receipt: CleanupReceipt,
    /// What the owner has to know of it, beside what stayed.
    failed: Option<String>,
    /// Of trashes, before it.
    swept: Option<Swept>,
    /// Something that it began waits for its end.
    is_cut: bool,
    reply: Option<Reply<CleanupReceipt>>,
}

impl Supervisor {
    pub(super) fn job(&mut self, why: CleanupWhy) -> Option<Job> {
        if self.cleaning.running.is_some() {
            return None;
        }
        let (stop, told) = watch::channel(false);
        self.cleaning.running = Some(Running { stop, why });
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        Some(Job { folders, to_loop, stop: told, why, since: now() })
    }

    pub(super) fn job_is_over(&mut self) {
        self.cleaning.running = None;
        for call in std::mem::take(&mut self.cleaning.asked) {
            self.cleanup_call(call);
        }
        if let Some(why) = self.cleaning.waits.take() {
            self.clean_up(why);
        }
    }

    pub(crate) fn stop_clean_up(&mut self) {
        self.cleaning.waits = None;
        let running = self.cleaning.running.iter().map(|running| &running.stop);
        for stop in running.chain(&self.cleaning.measuring) {
            let _ = stop.send(true);
        }
    }

    /// What runs is a sweep, which gives way to whoever asks.
    pub(super) fn is_sweeping(&self) -> bool {
        self.cleaning.running.as_ref().is_some_and(|running| running.why == CleanupWhy::Rest)
    }

    pub(super) fn runs_task(&self) -> bool {
        let snapshot = self.core.snapshot();
        snapshot.runners.iter().any(|runner| use_of(runner) != WorkDirUse::Free)
    }

    pub(super) fn parties(
        &self,
        runner: Option<&RunnerName>,
    ) -> Result<Vec<Party>, protocol::ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        if let Some(name) = runner.filter(|name| !settings.runners.contains_key(*name)) {
            return Err(refusal::no_such_runner(name));
        }
        let mut parties = parties(settings, &self.folders, runner, !self.runs_task());
        let left = self.left_over();
        for party in &mut parties {
            party.around.left_over.clone_from(&left);
        }
        Ok(parties)
    }

    /// What tasks left running, as their records have it.
    fn left_over(&self) -> Vec<LeftOver> {
        let mut all = Vec::new();
        for run in self.watched.keys() {
            let folder = self.folder_of(run);
            for task in folder.tasks().unwrap_or_default() {
                let left = task.finished().written().map(|it| it.left_behind).unwrap_or_default();
                let left = left.into_iter().map(run_dir::Ended::of);
                all.extend(left.map(|run_dir::Ended { process, program }| LeftOver {
                    words: format!(
                        "{program} (process {process}), left by task {run}.{}",
                        task.number()
                    ),
                    process,
                }));
            }
        }
        all
    }

    /// One that nobody asked for: what is on, at once.
    pub(crate) fn clean_up(&mut self, why: CleanupWhy) {
        let Ok(parties) = self.parties(None) else { return };
        let Ok(settings) = &self.settings else { return };
        let (all, _) = presets(&settings.cleanup);
        let choices: Vec<Choice> = all
            .iter()
            .filter(|chosen| chosen.on && !matches!(chosen.preset.what, What::Fresh))
            .map(super::Chosen::choice)
            .collect();
        let goals = goals(self.core.snapshot().volumes.iter());
        let Some(trashes) = self.trashes() else { return };
        let Some(job) = self.job(why) else {
            self.cleaning.waits = Some(why);
            return;
        };
        let at = self.next_moment();
        tokio::spawn(async move {
            let begun = std::time::Instant::now();
            // What is out of the way already makes room before anything else has to.
            let swept = job.sweep(trashes).await;
            let Drafted { parts, failed, stopped: _ } = job.draft(parties, choices, goals).await;
            job.begin(None, None, at, &parts).await;
            let mut carried = job.carry_out(parts, Undo::Gone, at).await;
            carried.done.splice(0..0, swept.rest());
            let ended = finish(&job, None, begun, None, &carried, failed);
            let ended = Ended { swept: Some(swept), ..ended };
            job.to_loop.send(Input::CleanupEnded(Box::new(ended)));
        });
    }

    /// The one that is meant, while it holds.
    pub(super) fn plan_of(&self, asked: &CarryOut) -> Option<Arc<StoredPlan>> {
        let known = self.cleaning.plan.clone().filter(|plan| plan.shown.id == asked.plan);
        known.filter(|plan| plan.shown.made_at.duration_until(now()).abs() < PLAN_HOLDS)
    }

    pub(super) fn carry_out_plan(&mut self, asked: &CarryOut, reply: Reply<CleanupReceipt>) {
        let Some(plan) = self.plan_of(asked) else {
            return drop(reply.send(Err(refusal::error(
                409,
                "plan-void",
                "That plan is not the newest one, or too old.".to_owned(),
                "Make a new plan and look at it.",
            ))));
        };
        let Some(job) = self.job(CleanupWhy::You) else {
            return drop(reply.send(Err(busy())));
        };
        self.cleaning.plan = None;
        let chosen = |preset: &str| {
            asked.presets.as_ref().is_none_or(|chosen| chosen.iter().any(|id| id == preset))
        };
        let Drafted { mut parts, failed, stopped: _ } = plan.drafted.clone();
        for (_, draft) in &mut parts {
            draft.groups.retain(|group| chosen(&group.preset));
        }
        let is_low = self
            .core
            .snapshot()
            .problems
            .iter()
            .any(|problem| problem.code == protocol::ProblemCode::DiskNearlyFull);
        // A trash that is kept makes no room.
        let undo = if is_low { Undo::Gone } else { Undo::Kept };
        let runner = plan.runner.clone();
        let at = self.next_moment();
        tokio::spawn(async move {
            let begun = std::time::Instant::now();
            let until = now().checked_add(UNDO).ok().filter(|_| undo == Undo::Kept);
            job.begin(runner.clone(), until, at, &parts).await;
            let carried = job.carry_out(parts, undo, at).await;
            hold(&job.folders, "cleaned-up");
            let ended = finish(&job, runner, begun, until, &carried, failed);
            job.to_loop.send(Input::CleanupEnded(Box::new(Ended { reply: Some(reply), ..ended })));
        });
    }

    /// Batches in a trash are told apart by their second.
    fn next_moment(&mut self) -> Timestamp {
        let next = self.cleaning.at.checked_add(SignedDuration::from_secs(1)).unwrap_or_default();
        self.cleaning.at = now().max(next);
        self.cleaning.at
    }

    pub(crate) fn cleanup_ended(&mut self, ended: Ended) {
        self.job_is_over();
        let Ended { mut receipt, failed, swept, is_cut, reply } = ended;
        let failed = failed.or(swept.and_then(|swept| self.note_swept(&swept)));
        let failure = failed.or_else(|| failure_of(&receipt));
        tracing::info!(freed = receipt.freed.0, why = ?receipt.why, "cleaned up");
        // One for which there is no room now waits, and is told of at the next start if that comes before.
        if let Some(id) = self.records.cleanup(&receipt) {
            receipt.id = id;
            begun::forget(&self.folders);
        }
        self.see_to_history();
        if receipt.undo_until.is_some() {
            self.sweep_later(UNDO);
        }
        if is_cut {
            self.sweep_later(SOON);
        }
        if receipt.id == 0 {
            // By its number it could be put back, and it has none yet.
            receipt.undo_until = None;
        }
        self.event(Event::CleanupEnded { failure });
        self.work_dirs(None, false, None);
        if let Some(reply) = reply {
            let _ = reply.send(Ok(receipt));
        }
    }
}

/// As the runner shows it: what is unknown counts as busy.
pub(super) fn use_of(runner: &protocol::Runner) -> WorkDirUse {
    if runner.task.is_some() {
        WorkDirUse::InUse
    } else if runner.state == protocol::RunnerState::Unknown {
        WorkDirUse::Unknown
    } else {
        WorkDirUse::Free
    }
}

fn finish(
    job: &Job,
    runner: Option<RunnerName>,
    begun: std::time::Instant,
    undo_until: Option<Timestamp>,
    carried: &Carried,
    mut not_looked_at: Vec<CleanupFailure>,
) -> Ended {
    let seconds = begun.elapsed().as_secs();
    let cut_short = carried.cut_short();
    let failed = (!carried.failed.is_empty()).then(|| carried.failed.join("; "));
    let of = Of { runner, seconds, undo_until, cut_short, ..Of::all(job.why) };
    let mut receipt = shown::receipt(of, carried.at, &carried.done);
    not_looked_at.append(&mut receipt.failures);
    receipt.failures = not_looked_at;
    Ended { receipt, failed, swept: None, is_cut: carried.is_cut(), reply: None }
}

/// What the owner has to know of what stayed.
pub(super) fn failure_of(receipt: &CleanupReceipt) -> Option<String> {
    let stayed = receipt.failures.len() as u64 + receipt.more_failures;
    (stayed > 0).then(|| match receipt.failures.first() {
        Some(first) if stayed == 1 => format!("{}: {}", first.path, first.why),
        Some(first) => format!("{stayed} entries stayed, the first {}: {}", first.path, first.why),
        None => format!("{stayed} entries stayed"),
    })
}

pub(super) fn stopped(what: &str) -> protocol::ApiError {
    refusal::error(409, "stopped", what, "Ask again, if it was not you who stopped it.")
}

pub(super) fn busy() -> protocol::ApiError {
    refusal::error(
        409,
        "cleaning-up",
        "A clean-up runs just now.".to_owned(),
        "Wait for its end, or stop it: `runnerctl clean --stop`.",
    )
}
