//! Plans made and carried out, off the loop and one at a time; their receipts kept, what they set aside
//! deleted after ten minutes.

use std::sync::Arc;
use std::time::Duration;

use cleanup::preset::{
    Choice, Chosen as Named, Done, Draft, Entries, Folders as Entry, Preset, Undo, What,
};
use cleanup::work::{Said, Work};
use host::Folders;
use jiff::{SignedDuration, Timestamp};
use protocol::{
    AskPlan, Bytes, CarryOut, CleanupPlan, CleanupReceipt, CleanupRuns, CleanupStage, CleanupWhy,
    RunnerName, Undone, WorkDirId, WorkDirs,
};
use supervisor_core::Event;
use tokio::sync::watch;

use super::around::{Party, goals, parties, presets};
use super::calls::{CleanupCall, no_such_directory, no_such_preset};
use super::shown::{self, Of};
use super::work_dirs::{self, Measured, Sizes};
use crate::api::refusal;
use crate::input::{Input, Loop, Reply};
use crate::supervisor::{Supervisor, now};

/// So long what was removed by hand may be put back.
const UNDO: SignedDuration = SignedDuration::from_mins(10);
/// A plan that nobody carried out by then is of another world.
const PLAN_HOLDS: SignedDuration = SignedDuration::from_mins(30);
/// What stands for a preset where directories were named.
const NAMED: &str = "directories";
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Clean-up as the loop knows it.
#[derive(Default)]
pub(crate) struct Cleaning {
    /// Says `true` to the one that runs.
    running: Option<watch::Sender<bool>>,
    plan: Option<Arc<StoredPlan>>,
    pub(super) sizes: Sizes,
    plans: u64,
}

/// A plan, and what it would do as each user.
pub(crate) struct StoredPlan {
    pub(crate) shown: CleanupPlan,
    parts: Vec<(Option<String>, Draft)>,
    runner: Option<RunnerName>,
}

/// What a clean-up came to.
pub(crate) struct Ended {
    receipt: Result<CleanupReceipt, String>,
    reply: Option<Reply<CleanupReceipt>>,
}

/// What a clean-up needs off the loop.
struct Job {
    folders: Folders,
    to_loop: Loop,
    stop: watch::Receiver<bool>,
    why: CleanupWhy,
    since: Timestamp,
}

impl Job {
    async fn ask(
        &self,
        user: Option<&str>,
        work: Work,
        stage: CleanupStage,
        of: Option<Bytes>,
        before: (u64, u64),
    ) -> Result<Said, String> {
        let mut told = std::time::Instant::now();
        self.tell(stage, before, of);
        super::helper::ask(&self.folders, user, work, self.stop.clone(), |entries, bytes| {
            if told.elapsed() >= TELL_EVERY {
                told = std::time::Instant::now();
                self.tell(stage, (before.0 + entries, before.1 + bytes), of);
            }
        })
        .await
        .map_err(|why| user.map_or_else(|| why.clone(), |user| format!("as {user}: {why}")))
    }

    fn tell(&self, stage: CleanupStage, (entries, bytes): (u64, u64), of: Option<Bytes>) {
        let (why, since, bytes) = (self.why, self.since, Bytes(bytes));
        self.to_loop.event(Event::CleanupAdvanced(CleanupRuns {
            why,
            stage,
            since,
            entries,
            bytes,
            of,
        }));
    }

    async fn draft(
        &self,
        parties: Vec<Party>,
        choices: Vec<Choice>,
        goals: Vec<cleanup::preset::FreeGoal>,
    ) -> Result<Vec<(Option<String>, Draft)>, String> {
        let mut parts = Vec::new();
        for Party { user, around } in parties {
            let work = Work::Draft { choices: choices.clone(), around, goals: goals.clone() };
            let said =
                self.ask(user.as_deref(), work, CleanupStage::Measuring, None, (0, 0)).await?;
            let Said::Drafted { draft } = said else { return Err("it gave another answer".into()) };
            parts.push((user, draft));
        }
        Ok(parts)
    }

    /// As each user; what one fails at does not keep the others from their part.
    async fn carry_out(
        &self,
        parts: Vec<(Option<String>, Draft)>,
        undo: Undo,
    ) -> (Vec<(Option<String>, Done)>, Vec<String>) {
        let bytes =
            |draft: &Draft| draft.groups.iter().filter_map(|group| group.bytes).sum::<u64>();
        let of = Some(Bytes(parts.iter().map(|(_, draft)| bytes(draft)).sum()));
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        let mut before = (0, 0);
        for (user, draft) in parts {
            let planned = bytes(&draft);
            let work = Work::CarryOut { draft, undo };
            match self.ask(user.as_deref(), work, CleanupStage::Removing, of, before).await {
                Ok(Said::Done { done: part }) => done.push((user, part)),
                Ok(_) => failed.push("it gave another answer".into()),
                Err(why) => failed.push(why),
            }
            before.1 += planned;
        }
        (done, failed)
    }
}

impl Supervisor {
    fn job(&mut self, why: CleanupWhy) -> Option<Job> {
        if self.cleaning.running.is_some() {
            return None;
        }
        let (stop, told) = watch::channel(false);
        self.cleaning.running = Some(stop);
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        Some(Job { folders, to_loop, stop: told, why, since: now() })
    }

    pub(crate) fn stop_clean_up(&mut self) {
        if let Some(stop) = &self.cleaning.running {
            let _ = stop.send(true);
        }
    }

    fn runs_task(&self) -> bool {
        // What is unknown counts as busy.
        let snapshot = self.core.snapshot();
        let idle = |runner: &protocol::Runner| {
            runner.task.is_none() && runner.state != protocol::RunnerState::Unknown
        };
        !snapshot.runners.iter().all(idle)
    }

    fn parties(&self, runner: Option<&RunnerName>) -> Result<Vec<Party>, protocol::ApiError> {
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
    fn left_over(&self) -> Vec<cleanup::preset::LeftOver> {
        let mut all = Vec::new();
        for run in self.watched.keys() {
            let folder = self.folder_of(run);
            for task in folder.tasks().unwrap_or_default() {
                let left = task.finished().written().map(|it| it.left_behind).unwrap_or_default();
                all.extend(left.into_iter().map(|process| cleanup::preset::LeftOver {
                    words: format!("process {process}, left by task {run}.{}", task.number()),
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
        let goals = goals(&self.core.snapshot().volumes);
        let Some(job) = self.job(why) else { return };
        tokio::spawn(async move {
            let begun = std::time::Instant::now();
            let receipt = match job.draft(parties, choices, goals).await {
                Ok(parts) => {
                    let (done, failed) = job.carry_out(parts, Undo::Gone).await;
                    Ok(finish(&job, None, begun, None, &done, &failed))
                }
                Err(why) => Err(why),
            };
            job.to_loop.send(Input::CleanupEnded(Box::new(Ended { receipt, reply: None })));
        });
    }

    pub(super) fn make_plan(&mut self, asked: &AskPlan, reply: Reply<CleanupPlan>) {
        match self.plan_choices(asked) {
            Err(refused) => drop(reply.send(Err(refused))),
            Ok((parties, choices)) => {
                let Some(job) = self.job(CleanupWhy::You) else {
                    return drop(reply.send(Err(busy())));
                };
                self.cleaning.plans += 1;
                let id = format!("{}-{}", job.since.as_second(), self.cleaning.plans);
                let runner = asked.runner.clone();
                tokio::spawn(async move {
                    let parts = job.draft(parties, choices, Vec::new()).await;
                    let plan = parts.map(|parts| {
                        let shown = shown::plan(id, job.since, &parts);
                        Arc::new(StoredPlan { shown, parts, runner })
                    });
                    job.to_loop.send(Input::Cleanup(CleanupCall::Planned(plan, reply)));
                });
            }
        }
    }

    fn plan_choices(
        &self,
        asked: &AskPlan,
    ) -> Result<(Vec<Party>, Vec<Choice>), protocol::ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let parties = self.parties(asked.runner.as_ref())?;
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
                choices.extend(all.iter().filter(|chosen| chosen.on).map(super::Chosen::choice));
            }
            None => {}
        }
        if !asked.directories.is_empty() {
            choices.push(self.named(&asked.directories, &parties)?);
        }
        Ok((parties, choices))
    }

    /// These directories and no others, as a preset that is made for it.
    fn named(&self, ids: &[WorkDirId], parties: &[Party]) -> Result<Choice, protocol::ApiError> {
        let there = work_dirs::list(parties);
        let mut entries = Vec::new();
        for id in ids {
            let folder = there.iter().find(|folder| folder.id() == *id);
            let folder = folder.ok_or_else(|| no_such_directory(id))?;
            if let Some(task) = self.core.snapshot().runners.iter().find(|runner| {
                runner.name == folder.runner
                    && folder.kind == protocol::WorkDirKind::Current
                    && runner.task.is_some()
            }) {
                return Err(refusal::error(
                    409,
                    "in-use",
                    format!("A task of {} works in {}.", task.name, id.0),
                    "Wait for its end, then try again.",
                ));
            }
            let text = |path: &std::path::Path| path.to_str().map(str::to_owned);
            let no_text = || {
                refusal::bad_request(
                    format!("The path of {} is no text.", id.0),
                    "Remove it by hand.",
                )
            };
            let (root, name) = match folder.kind {
                // Its name stays; a runner has a working directory.
                protocol::WorkDirKind::Current => (text(&folder.path), Some("*".to_owned())),
                protocol::WorkDirKind::Kept
                | protocol::WorkDirKind::Chosen
                | protocol::WorkDirKind::Other => (
                    folder.path.parent().and_then(text),
                    folder.path.file_name().and_then(|name| name.to_str()).map(str::to_owned),
                ),
            };
            let lock = (folder.kind == protocol::WorkDirKind::Current)
                .then(|| text(&folder.lock))
                .flatten();
            entries.push(Entry {
                root: root.ok_or_else(no_text)?,
                names: vec![name.ok_or_else(no_text)?],
                entries: Entries::All,
                lock,
            });
        }
        Ok(as_named(entries))
    }

    pub(super) fn planned(
        &mut self,
        plan: Result<Arc<StoredPlan>, String>,
        reply: Reply<CleanupPlan>,
    ) {
        self.cleaning.running = None;
        self.event(Event::CleanupEnded { failure: None });
        let answer = plan.map(|plan| {
            self.cleaning.plan = Some(Arc::clone(&plan));
            plan.shown.clone()
        });
        let _ = reply.send(answer.map_err(|why| refusal::failed(&why)));
    }

    pub(super) fn carry_out_plan(&mut self, asked: &CarryOut, reply: Reply<CleanupReceipt>) {
        let known = self.cleaning.plan.clone().filter(|plan| plan.shown.id == asked.plan);
        let holds =
            |plan: &Arc<StoredPlan>| plan.shown.made_at.duration_until(now()).abs() < PLAN_HOLDS;
        let Some(plan) = known.filter(holds) else {
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
        let mut parts = plan.parts.clone();
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
        tokio::spawn(async move {
            let begun = std::time::Instant::now();
            let until = now().checked_add(UNDO).ok().filter(|_| undo == Undo::Kept);
            let (done, failed) = job.carry_out(parts, undo).await;
            let receipt = Ok(finish(&job, runner, begun, until, &done, &failed));
            job.to_loop.send(Input::CleanupEnded(Box::new(Ended { receipt, reply: Some(reply) })));
        });
    }

    pub(crate) fn cleanup_ended(&mut self, ended: Ended) {
        self.cleaning.running = None;
        let Ended { receipt, reply } = ended;
        let failure = match &receipt {
            Err(why) => Some(why.clone()),
            Ok(receipt) => failure_of(receipt),
        };
        let answer = receipt.map_err(|why| refusal::failed(&why)).map(|mut receipt| {
            tracing::info!(freed = receipt.freed.0, why = ?receipt.why, "cleaned up");
            receipt.id = self.records.cleanup(&receipt).unwrap_or_default();
            if receipt.undo_until.is_some() {
                self.sweep_later(UNDO);
            }
            receipt
        });
        self.event(Event::CleanupEnded { failure });
        self.work_dirs(None, false, None);
        if let Some(reply) = reply {
            let _ = reply.send(answer);
        }
    }

    pub(crate) fn sweep_later(&self, wait: SignedDuration) {
        let to_loop = self.to_loop.clone();
        let wait = Duration::try_from(wait).unwrap_or_default();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            to_loop.send(Input::SweepTrash);
        });
    }

    /// What was set aside more than ten minutes ago goes for good, and what an earlier clean-up was
    /// killed at.
    pub(crate) fn sweep_trash(&mut self) {
        let Ok(mut parties) = self.parties(None) else { return };
        let Ok(settings) = &self.settings else { return };
        let (all, _) = presets(&settings.cleanup);
        let mut choices: Vec<Choice> = all.iter().map(super::Chosen::choice).collect();
        let entry = |path: &std::path::Path| Entry {
            root: path.to_string_lossy().into_owned(),
            names: vec!["*".into()],
            entries: Entries::All,
            lock: None,
        };
        let own = parties.iter().flat_map(|party| &party.around.runners).map(|it| entry(&it.work));
        choices.push(as_named(own.collect()));
        let Some(until) = now().checked_sub(UNDO).ok() else { return };
        let Some(job) = self.job(CleanupWhy::You) else {
            // Whoever cleans up just now is waited for.
            return self.sweep_later(UNDO);
        };
        parties.retain(|party| party.user.is_none() || !party.around.runners.is_empty());
        tokio::spawn(async move {
            let mut swept = Vec::new();
            for Party { user, around } in parties {
                let work = Work::Sweep { choices: choices.clone(), around, until };
                match super::helper::ask(
                    &job.folders,
                    user.as_deref(),
                    work,
                    job.stop.clone(),
                    |_, _| {},
                )
                .await
                {
                    Ok(Said::Swept { receipts }) => swept.extend(receipts),
                    Ok(_) => {}
                    Err(why) => tracing::warn!(why, "what was set aside could not be deleted"),
                }
            }
            job.to_loop.send(Input::TrashSwept(swept));
        });
    }

    /// Receipts say what went for good.
    pub(crate) fn trash_swept(&mut self, swept: &[cleanup::Receipt]) {
        self.cleaning.running = None;
        for mut receipt in self.records.undoable_cleanups().unwrap_or_default() {
            if receipt.undo_until.is_some_and(|until| until > now()) {
                continue;
            }
            let of_it = swept.iter().flat_map(|swept| &swept.items).filter(|item| {
                let batch =
                    item.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let at = batch.split('-').next().and_then(|at| at.parse::<i64>().ok());
                at == Some(receipt.at.as_second())
            });
            let freed: u64 = of_it.map(|item| item.freed).sum();
            receipt.undo_until = None;
            receipt.freed = Bytes(receipt.freed.0 + freed);
            for volume in &mut receipt.volumes {
                let after = swept.iter().flat_map(|swept| &swept.volumes);
                if let Some(after) = after.filter(|it| it.path.to_string() == volume.path).last() {
                    volume.free_after = Bytes(after.free_after);
                }
            }
            self.records.amend_cleanup(&receipt);
        }
        let waits = self.records.undoable_cleanups().unwrap_or_default();
        if !waits.is_empty() {
            self.sweep_later(UNDO);
        }
        self.work_dirs(None, false, None);
    }

    pub(super) fn undo(&mut self, id: u64, reply: Reply<Undone>) {
        let known = self.records.cleanup_of(id).flatten();
        let due =
            known.as_ref().and_then(|receipt| receipt.undo_until).filter(|until| *until > now());
        let (Some(mut receipt), Some(_)) = (known, due) else {
            return drop(reply.send(Err(refusal::error(
                409,
                "nothing-to-undo",
                format!("Nothing of clean-up {id} can be put back."),
                "What is removed by hand can be put back for ten minutes.",
            ))));
        };
        let parties = match self.parties(None) {
            Ok(parties) => parties,
            Err(refused) => return drop(reply.send(Err(refused))),
        };
        let Some(job) = self.job(CleanupWhy::You) else {
            return drop(reply.send(Err(busy())));
        };
        let roots: Vec<cleanup::Place> = receipt
            .volumes
            .iter()
            .map(|volume| cleanup::Place::from(volume.path.as_str()))
            .collect();
        receipt.undone = true;
        receipt.undo_until = None;
        let at = receipt.at;
        tokio::spawn(async move {
            let (mut count, mut not) = (0, Vec::new());
            for party in parties {
                let work = Work::PutBack { roots: roots.clone(), at };
                match super::helper::ask(
                    &job.folders,
                    party.user.as_deref(),
                    work,
                    job.stop.clone(),
                    |_, _| {},
                )
                .await
                {
                    Ok(Said::PutBack { put_back, not: some }) => {
                        count += put_back;
                        not.extend(some);
                    }
                    Ok(_) => {}
                    Err(why) => not.push(why),
                }
            }
            let undone = Undone { put_back: count, not };
            job.to_loop.send(Input::PutBack(Box::new(receipt), undone, reply));
        });
    }

    pub(crate) fn put_back(
        &mut self,
        receipt: &CleanupReceipt,
        undone: Undone,
        reply: Reply<Undone>,
    ) {
        self.cleaning.running = None;
        if undone.put_back > 0 {
            self.records.amend_cleanup(receipt);
        }
        self.work_dirs(None, false, None);
        let _ = reply.send(Ok(undone));
    }

    /// After a task; while none runs what it left is measured, so that the tray can say how much that is.
    pub(crate) fn look_at_work_dirs(&mut self) {
        let measure = !self.runs_task() && self.cleaning.running.is_none();
        self.work_dirs(None, measure, None);
    }

    /// Looks for the working directories, measures those that were not if asked to, and tells.
    pub(crate) fn work_dirs(
        &mut self,
        runner: Option<&RunnerName>,
        measure: bool,
        reply: Option<Reply<WorkDirs>>,
    ) {
        let parties = match self.parties(runner) {
            Ok(parties) => parties,
            Err(refused) => {
                return if let Some(reply) = reply {
                    drop(reply.send(Err(refused)))
                };
            }
        };
        let busy: Vec<RunnerName> = self
            .core
            .snapshot()
            .runners
            .iter()
            .filter(|runner| runner.task.is_some())
            .map(|runner| runner.name.clone())
            .collect();
        let (sizes, folders, to_loop) =
            (self.cleaning.sizes.clone(), self.folders.clone(), self.to_loop.clone());
        let (history, volumes) =
            (self.folders.history_file(), self.core.snapshot().volumes.clone());
        let all = runner.is_none();
        tokio::spawn(async move {
            let listed = tokio::task::spawn_blocking(move || work_dirs::list(&parties));
            let listed = listed.await.unwrap_or_default();
            let mut sizes: Sizes = sizes
                .into_iter()
                .filter(|(inode, _)| !all || listed.iter().any(|it| it.inode == *inode))
                .collect();
            if measure {
                measure_all(&listed, &busy, &folders, &mut sizes).await;
            }
            let measured = sizes.clone();
            let shown = tokio::task::spawn_blocking(move || {
                let task_of =
                    |id: &protocol::TaskId| crate::history::task(&history, id).ok().flatten();
                let mut shown: Vec<protocol::WorkDir> = listed
                    .iter()
                    .map(|folder| folder.shown(&sizes, task_of, busy.contains(&folder.runner)))
                    .collect();
                work_dirs::sort(&mut shown);
                shown
            });
            let directories = shown.await.unwrap_or_default();
            if all {
                to_loop.send(Input::WorkDirsSeen(directories.clone(), measured));
            }
            if let Some(reply) = reply {
                let _ = reply.send(Ok(WorkDirs { directories, volumes }));
            }
        });
    }

    pub(crate) fn work_dirs_seen(
        &mut self,
        directories: &[protocol::WorkDir],
        sizes: std::collections::BTreeMap<u64, Measured>,
    ) {
        self.cleaning.sizes = sizes;
        self.event(Event::WorkDirsSeen(work_dirs::short(directories)));
    }
}

/// As the user whose they are. The one in use changes; it is measured anew each time.
async fn measure_all(
    listed: &[super::Folder],
    busy: &[RunnerName],
    folders: &Folders,
    sizes: &mut Sizes,
) {
    let changes = |folder: &super::Folder| folder.kind == protocol::WorkDirKind::Current;
    let mut users: Vec<Option<String>> = listed.iter().map(|folder| folder.user.clone()).collect();
    users.sort();
    users.dedup();
    for user in users {
        let unknown: Vec<&super::Folder> = listed
            .iter()
            .filter(|folder| folder.user == user)
            .filter(|folder| changes(folder) || !sizes.contains_key(&folder.inode))
            .filter(|folder| !(changes(folder) && busy.contains(&folder.runner)))
            .collect();
        if unknown.is_empty() {
            continue;
        }
        let work = Work::Measure {
            folders: unknown.iter().map(|folder| folder.path.as_path().into()).collect(),
        };
        let (_keep, stop) = watch::channel(false);
        let said = super::helper::ask(folders, user.as_deref(), work, stop, |_, _| {}).await;
        let Ok(Said::Measured { sizes: measured }) = said else { continue };
        for (folder, measured) in unknown.iter().zip(measured) {
            if let Ok(size) = measured.size {
                let of = Measured { bytes: size.bytes, files: size.files, used: size.used };
                sizes.insert(folder.inode, of);
            }
        }
    }
}

fn as_named(entries: Vec<Entry>) -> Choice {
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

fn finish(
    job: &Job,
    runner: Option<RunnerName>,
    begun: std::time::Instant,
    undo_until: Option<Timestamp>,
    done: &[(Option<String>, Done)],
    failed: &[String],
) -> CleanupReceipt {
    let stopped = (*job.stop.borrow()).then(|| "It was stopped.".to_owned());
    let cut_short = if failed.is_empty() { stopped } else { Some(failed.join("; ")) };
    let seconds = begun.elapsed().as_secs();
    let of = Of { why: job.why, runner, task: None, seconds, undo_until, cut_short };
    // Batches in a trash are named by this moment.
    let at = done.first().map_or_else(now, |(_, done)| done.at);
    shown::receipt(of, at, done)
}

/// What the owner has to know of it.
fn failure_of(receipt: &CleanupReceipt) -> Option<String> {
    if let Some(why) = receipt.cut_short.as_ref().filter(|why| *why != "It was stopped.") {
        return Some(why.clone());
    }
    let stayed = receipt.failures.len() as u64 + receipt.more_failures;
    (stayed > 0).then(|| match receipt.failures.first() {
        Some(first) if stayed == 1 => format!("{}: {}", first.path, first.why),
        Some(first) => format!("{stayed} entries stayed, the first {}: {}", first.path, first.why),
        None => format!("{stayed} entries stayed"),
    })
}

fn busy() -> protocol::ApiError {
    refusal::error(
        409,
        "cleaning-up",
        "A clean-up runs just now.".to_owned(),
        "Wait for its end, or stop it: `runnerctl clean --stop`.",
    )
}
