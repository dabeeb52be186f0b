//! What clients ask of clean-up, answered by the loop.

use std::sync::Arc;

use protocol::{
    ApiError, AskPlan, CarryOut, CleanupPlan, CleanupReceipt, MarkWorkDir, Preset, PresetChange,
    Presets, RunnerName, Undone, WorkDirId, WorkDirs,
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::around::{Party, presets};
use super::run::{StoredPlan, stopped};
use super::work_dirs::{self, Folder};
use crate::api::refusal;
use crate::earlier_users;
use crate::input::{Input, Reply};
use crate::supervisor::Supervisor;

pub(crate) enum CleanupCall {
    Presets(Reply<Presets>),
    ChangePreset(String, PresetChange, Reply<Preset>),
    WorkDirs {
        runner: Option<RunnerName>,
        measure: bool,
        reply: Reply<WorkDirs>,
    },
    Mark(MarkWorkDir, Reply<()>),
    /// With the directories that are there.
    MarkOf(MarkWorkDir, Vec<Folder>, Reply<()>),
    Plan(AskPlan, Reply<CleanupPlan>),
    /// The same, where some are named.
    PlanOf(AskPlan, Vec<Folder>, Reply<CleanupPlan>),
    /// A plan that was made, and who waits for it.
    Planned(Result<Arc<StoredPlan>, ApiError>, Reply<CleanupPlan>),
    CarryOut(CarryOut, Reply<CleanupReceipt>),
    /// Whether no task runs, asked in the middle of a clean-up.
    IsIdle(oneshot::Sender<bool>),
    Stop(Reply<()>),
    /// Asked at that moment, which counts, whatever has to end first.
    Undo(u64, Timestamp, Reply<Undone>),
}

impl CleanupCall {
    /// Somebody said stop before its turn came.
    fn refuse(self) {
        let nothing_went = || stopped("It was stopped; nothing was removed.");
        match self {
            Self::Plan(_, reply) | Self::PlanOf(_, _, reply) => {
                let _ = reply.send(Err(nothing_went()));
            }
            Self::CarryOut(_, reply) => {
                let _ = reply.send(Err(nothing_went()));
            }
            Self::Undo(_, _, reply) => {
                let _ = reply.send(Err(stopped("It was stopped; nothing was put back.")));
            }
            Self::Presets(_)
            | Self::ChangePreset(..)
            | Self::WorkDirs { .. }
            | Self::Mark(..)
            | Self::MarkOf(..)
            | Self::Planned(..)
            | Self::IsIdle(_)
            | Self::Stop(_) => {}
        }
    }
}

impl Supervisor {
    pub(crate) fn cleanup_call(&mut self, call: CleanupCall) {
        if self.is_sweeping() && self.has_to_wait(&call) {
            return self.ask_after_sweep(call);
        }
        match call {
            CleanupCall::Presets(reply) => {
                let _ = reply.send(self.presets());
            }
            CleanupCall::ChangePreset(id, change, reply) => {
                let _ = reply.send(self.change_preset(&id, change));
            }
            CleanupCall::WorkDirs { runner, measure, reply } => {
                self.work_dirs(runner.as_ref(), measure, Some(reply));
            }
            CleanupCall::Mark(mark, reply) => match self.parties(None) {
                Ok(parties) => self.list(parties, |there| CleanupCall::MarkOf(mark, there, reply)),
                Err(refused) => drop(reply.send(Err(refused))),
            },
            CleanupCall::MarkOf(mark, there, reply) => {
                let _ = reply.send(self.mark(&mark, &there));
            }
            CleanupCall::Plan(asked, reply) if asked.directories.is_empty() => {
                self.make_plan(&asked, &[], reply);
            }
            CleanupCall::Plan(asked, reply) => match self.parties(asked.runner.as_ref()) {
                Ok(parties) => self.list(parties, |there| CleanupCall::PlanOf(asked, there, reply)),
                Err(refused) => drop(reply.send(Err(refused))),
            },
            CleanupCall::PlanOf(asked, there, reply) => self.make_plan(&asked, &there, reply),
            CleanupCall::Planned(plan, reply) => self.planned(plan, reply),
            CleanupCall::CarryOut(asked, reply) => self.carry_out_plan(&asked, reply),
            CleanupCall::IsIdle(reply) => {
                // A task that began just now may not have been told yet.
                self.look_at_open_runs();
                let _ = reply.send(!self.runs_task());
            }
            CleanupCall::Stop(reply) => {
                self.stop_clean_up();
                for call in std::mem::take(&mut self.cleaning.asked) {
                    call.refuse();
                }
                let _ = reply.send(Ok(()));
            }
            CleanupCall::Undo(receipt, asked, reply) => self.undo(receipt, asked, reply),
        }
    }

    /// Looks which directories there are, off the loop, and goes on with them.
    fn list(
        &self,
        parties: Vec<Party>,
        next: impl FnOnce(Vec<Folder>) -> CleanupCall + Send + 'static,
    ) {
        let (history, to_loop) = (self.folders.history_file(), self.to_loop.clone());
        let shared = self.folders.shared();
        tokio::task::spawn_blocking(move || {
            let chosen = crate::history::chosen(&history).unwrap_or_default();
            to_loop.send(Input::Cleanup(next(work_dirs::list(
                &parties,
                &chosen,
                earlier_users::places(&shared),
            ))));
        });
    }

    /// It is done while nothing else is, and is not refused anyway.
    fn has_to_wait(&mut self, call: &CleanupCall) -> bool {
        match call {
            CleanupCall::Plan(..) | CleanupCall::PlanOf(..) => true,
            CleanupCall::CarryOut(asked, _) => self.plan_of(asked).is_some(),
            CleanupCall::Undo(id, asked, _) => self.undoable(*id, *asked).is_some(),
            CleanupCall::Presets(_)
            | CleanupCall::ChangePreset(..)
            | CleanupCall::WorkDirs { .. }
            | CleanupCall::Mark(..)
            | CleanupCall::MarkOf(..)
            | CleanupCall::Planned(..)
            | CleanupCall::IsIdle(_)
            | CleanupCall::Stop(_) => false,
        }
    }

    /// A sweep is nobody's wish: it ends where it is, and is repeated later.
    fn ask_after_sweep(&mut self, call: CleanupCall) {
        if let Some(running) = &self.cleaning.running {
            let _ = running.stop.send(true);
        }
        self.cleaning.asked.push(call);
    }

    fn presets(&self) -> Result<Presets, ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let (all, bad) = presets(&settings.cleanup);
        for error in bad {
            tracing::warn!(%error, "a clean-up preset of the settings is left out");
        }
        Ok(Presets { presets: all.iter().map(super::Chosen::shown).collect() })
    }

    fn change_preset(&mut self, id: &str, change: PresetChange) -> Result<Preset, ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let find = |settings: &crate::settings::Settings| {
            let (all, _) = presets(&settings.cleanup);
            all.into_iter().find(|chosen| chosen.preset.id == id)
        };
        let known = find(settings).ok_or_else(|| no_such_preset(id))?;
        let taken = known.preset.limits_taken();
        let said = change.limits.unwrap_or_default();
        let fields = [
            ("keep_last", said.keep_last.is_some()),
            ("unused_days", said.unused_days.is_some()),
            ("at_most_bytes", said.at_most.is_some()),
        ];
        if let Some((field, _)) = fields.iter().find(|(field, set)| *set && !taken.contains(field))
        {
            let field = field.trim_end_matches("_bytes");
            return Err(refusal::bad_request(
                format!("{} has no limit {field}.", known.preset.title),
                if taken.is_empty() { "It takes no limits." } else { "Leave that limit out." },
            ));
        }
        let mut changed = settings.clone();
        changed.set_preset(id, change);
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        let shown = find(&changed).ok_or_else(|| no_such_preset(id))?.shown();
        self.settings = Ok(changed);
        // What is done before a task is written down with each run.
        self.rewrite_task_clean_ups();
        Ok(shown)
    }

    fn mark(&mut self, mark: &MarkWorkDir, there: &[Folder]) -> Result<(), ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let folder = there.iter().find(|folder| folder.id() == mark.id);
        let folder = folder.ok_or_else(|| no_such_directory(&mark.id))?;
        let path = folder.path.to_str().ok_or_else(|| {
            refusal::bad_request(
                format!("The path of {} is no text.", mark.id.0),
                "Rename it, then try again.",
            )
        })?;
        let mut changed = settings.clone();
        changed.set_never_delete(path, mark.never_delete);
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        self.rewrite_task_clean_ups();
        self.work_dirs(None, false, None);
        Ok(())
    }
}

pub(super) fn no_such_preset(id: &str) -> ApiError {
    refusal::error(
        404,
        "no-such-preset",
        format!("There is no clean-up preset {id}."),
        "`runnerctl presets` lists them.",
    )
}

pub(super) fn no_such_directory(id: &WorkDirId) -> ApiError {
    refusal::error(
        404,
        "no-such-directory",
        format!("There is no working directory {}.", id.0),
        "`runnerctl workdirs` lists them.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_a_sweep_is_answered_when_it_is_stopped() {
        let (reply, mut plan) = oneshot::channel();
        CleanupCall::Plan(AskPlan::default(), reply).refuse();
        let refused = plan.try_recv().unwrap().unwrap_err();
        assert_eq!((refused.status, &*refused.code), (409, "stopped"));
        let (reply, mut undo) = oneshot::channel();
        CleanupCall::Undo(7, Timestamp::UNIX_EPOCH, reply).refuse();
        let refused = undo.try_recv().unwrap().unwrap_err();
        assert!(refused.title.contains("nothing was put back"), "{refused:?}");
    }
}
