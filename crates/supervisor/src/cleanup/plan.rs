//! Plans: what would go, made for whoever asks, and kept until they are carried out.

use std::sync::Arc;

use cleanup::preset::{Choice, Chosen as Named, Entries, Folders as Entry, Preset, What};
use protocol::{AskPlan, CleanupPlan, CleanupWhy, WorkDirId, WorkDirUse};
use supervisor_core::Event;

use super::around::{Party, presets};
use super::calls::{CleanupCall, no_such_directory, no_such_preset};
use super::run::{StoredPlan, busy, use_of};
use super::shown;
use super::work_dirs::Folder;
use crate::api::refusal;
use crate::input::{Input, Reply};
use crate::supervisor::Supervisor;

/// What stands for a preset where directories were named.
const NAMED: &str = "directories";

impl Supervisor {
    /// `there`: the directories that may be named.
    pub(super) fn make_plan(
        &mut self,
        asked: &AskPlan,
        there: &[Folder],
        reply: Reply<CleanupPlan>,
    ) {
        match self.plan_choices(asked, there) {
            Err(refused) => drop(reply.send(Err(refused))),
            Ok((parties, choices)) => {
                let Some(job) = self.job(CleanupWhy::You) else {
                    return drop(reply.send(Err(busy())));
                };
                self.cleaning.plans += 1;
                let id = format!("{}-{}", job.since.as_second(), self.cleaning.plans);
                let runner = asked.runner.clone();
                tokio::spawn(async move {
                    let drafted = job.draft(parties, choices, Vec::new()).await;
                    let plan = drafted.or_why_not().map(|drafted| {
                        let shown = shown::plan(id, job.since, &drafted);
                        Arc::new(StoredPlan { shown, drafted, runner })
                    });
                    job.to_loop.send(Input::Cleanup(CleanupCall::Planned(plan, reply)));
                });
            }
        }
    }

    fn plan_choices(
        &self,
        asked: &AskPlan,
        there: &[Folder],
    ) -> Result<(Vec<Party>, Vec<Choice>), protocol::ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let mut parties = self.parties(asked.runner.as_ref())?;
        let (all, _) = presets(&settings.cleanup);
        let mut choices = Vec::new();
        match &asked.presets {
            Some(ids) => {
                for id in ids {
                    let found = all.iter().find(|chosen| chosen.preset.id == *id);
                    choices.push(found.ok_or_else(|| no_such_preset(id))?.choice());
                }
            }
            None if asked.directories.is_empty() => {
                // A fresh start is a task's: by itself it moves a directory and frees nothing.
                let goes = |chosen: &&super::Chosen| {
                    chosen.on && !matches!(chosen.preset.what, What::Fresh)
                };
                choices.extend(all.iter().filter(goes).map(super::Chosen::choice));
            }
            None => {}
        }
        if !asked.directories.is_empty() {
            self.name(&asked.directories, there, &mut parties)?;
        }
        Ok((parties, choices))
    }

    /// Gives each user those of its own.
    fn name(
        &self,
        ids: &[WorkDirId],
        there: &[Folder],
        parties: &mut [Party],
    ) -> Result<(), protocol::ApiError> {
        for id in ids {
            let folder = there.iter().find(|folder| folder.id() == *id);
            let folder = folder.ok_or_else(|| no_such_directory(id))?;
            let runners = &self.core.snapshot().runners;
            let its = runners.iter().find(|runner| runner.name == folder.runner);
            let is_current = folder.kind == protocol::WorkDirKind::Current;
            let used = its.filter(|_| is_current).map_or(WorkDirUse::Free, use_of);
            if used != WorkDirUse::Free {
                let title = match used {
                    WorkDirUse::InUse => format!("A task of {} works in {}.", folder.runner, id.0),
                    WorkDirUse::Free | WorkDirUse::Unknown => format!(
                        "Whether a task of {} works in {} cannot be told, so it counts as in use.",
                        folder.runner, id.0
                    ),
                };
                let way_out = "Wait for its end, then try again.";
                return Err(refusal::error(409, "in-use", title, way_out));
            }
            if let Some((why, way_out)) = folder.not_ours() {
                let title = format!("{} is not deleted. {why}", folder.path.display());
                return Err(refusal::error(409, "not-ours", title, &way_out));
            }
            let text = |path: &std::path::Path| path.to_str().map(str::to_owned);
            let no_text = || {
                refusal::bad_request(
                    format!("The path of {} is no text.", id.0),
                    "Remove it by hand.",
                )
            };
            // Its name stays: a runner has a working directory, and one that none has may lie in a home.
            let is_own = folder.kind == protocol::WorkDirKind::Current
                || parties.iter().flat_map(|party| &party.left).any(|it| it.work == folder.path);
            let (root, name) = if is_own {
                (text(&folder.path), Some("*".to_owned()))
            } else {
                let name = folder.path.file_name().and_then(|name| name.to_str());
                (folder.path.parent().and_then(text), name.map(str::to_owned))
            };
            let lock = folder.lock.as_deref().filter(|_| is_own).and_then(text);
            let entry = Entry {
                root: root.ok_or_else(no_text)?,
                names: vec![name.ok_or_else(no_text)?],
                exactly: !is_own,
                entries: Entries::All,
                lock,
            };
            let its = parties.iter_mut().find(|party| party.user == folder.user);
            its.ok_or_else(|| no_such_directory(id))?.named.push(entry);
        }
        Ok(())
    }

    pub(super) fn planned(
        &mut self,
        plan: Result<Arc<StoredPlan>, protocol::ApiError>,
        reply: Reply<CleanupPlan>,
    ) {
        self.job_is_over();
        self.event(Event::MeasuringEnded);
        let answer = plan.map(|plan| {
            self.cleaning.plan = Some(Arc::clone(&plan));
            plan.shown.clone()
        });
        let _ = reply.send(answer);
    }
}

/// These entries and no others, as a preset that is made for them.
pub(super) fn as_named(entries: Vec<Entry>) -> Choice {
    let mut preset = Preset {
        id: NAMED.to_owned(),
        title: "Working directories".to_owned(),
        touches: "The working directories that were named.".to_owned(),
        why: "They were named.".to_owned(),
        risk: cleanup::preset::Risk::High,
        platforms: vec![cleanup::preset::Platform::Linux, cleanup::preset::Platform::Macos],
        default: false,
        when: cleanup::preset::When::BeforeTask,
        limits: cleanup::preset::Limits::default(),
        what: What::Kept,
    };
    preset.what = What::Folders(entries);
    Choice { preset: Named::Own(Box::new(preset)), limits: cleanup::preset::Limits::default() }
}
