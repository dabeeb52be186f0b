//! Plans carried out, one at a time, and taken up again where a supervisor died in the middle.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::preinstall::{
    Done, Draft, Installation, Item, Jobs, LOCK_PATIENCE, Output, Progress, Record, Rights, Told,
};
use host::Folders;
use jiff::{SignedDuration, Timestamp};
use protocol::{
    ApiError, PreinstallNow, PreinstallPlan, PreinstallReceipt, PreinstallRuns, StartPreinstall,
};
use tokio::sync::watch;

use super::calls::PreinstallCall;
use super::kept::{self, Kept, save};
use super::rights::{may, rights};
use super::shown;
use super::whose::{Eyes, Whose, again, eyes};
use crate::api::refusal;
use crate::input::{Input, Loop, Reply};
use crate::supervisor::{Supervisor, now};

/// A plan that nobody carried out by then is of another world.
const PLAN_HOLDS: SignedDuration = SignedDuration::from_mins(30);
const TELL_EVERY: Duration = Duration::from_millis(400);

/// Installing as the loop knows it.
pub(crate) struct Preinstalling {
    runs: Option<Running>,
    plan: Option<StoredPlan>,
    plans: u64,
    pub(super) looking: Option<(usize, usize)>,
    shown: Option<PreinstallNow>,
    pub(super) output: Output,
    folder: PathBuf,
}

/// The one that runs.
struct Running {
    /// Says `true` to it.
    cancel: watch::Sender<bool>,
    kept: Arc<Kept>,
}

/// A plan, and what is needed to carry it out.
pub(crate) struct StoredPlan {
    draft: Draft,
    items: Vec<Item>,
    whose: Whose,
    jobs: Jobs,
    id: String,
    made_at: Timestamp,
}

impl StoredPlan {
    pub(super) fn new(draft: Draft, items: Vec<Item>, whose: Whose, jobs: Jobs) -> Self {
        Self { draft, items, whose, jobs, id: String::new(), made_at: Timestamp::UNIX_EPOCH }
    }
}

impl Preinstalling {
    pub(crate) fn new(folders: &Folders) -> Self {
        let folder = folders.state.join("preinstall");
        let output = Output::at(folder.join("output.log"));
        let (runs, plan, plans, looking, shown) = (None, None, 0, None, None);
        Self { runs, plan, plans, looking, shown, output, folder }
    }

    /// What is installed matters more than what is looked at.
    pub(super) fn shown(&self) -> Option<PreinstallNow> {
        match (&self.shown, self.looking) {
            (Some(PreinstallNow::Installing(_)), _) | (_, None) => self.shown.clone(),
            (_, Some((done, of))) => {
                let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                Some(PreinstallNow::Checking { done: number(done), of: number(of) })
            }
        }
    }

    fn record_file(&self) -> PathBuf {
        self.folder.join("record.json")
    }

    fn last_file(&self) -> PathBuf {
        self.folder.join("last.json")
    }
}

impl Supervisor {
    pub(super) fn preinstall_planned(
        &mut self,
        plan: Result<StoredPlan, ApiError>,
        reply: Reply<PreinstallPlan>,
    ) {
        let answer = plan.map(|mut plan| {
            self.preinstalling.plans += 1;
            plan.made_at = now();
            plan.id = format!("{}-{}", plan.made_at.as_millisecond(), self.preinstalling.plans);
            let is_root = rustix::process::geteuid().is_root();
            let shown =
                shown::plan(&plan.draft, plan.id.clone(), plan.made_at, &plan.jobs, is_root);
            self.preinstalling.plan = Some(plan);
            shown
        });
        let _ = reply.send(answer);
    }

    fn known_plan(&self, id: &str) -> Result<&StoredPlan, ApiError> {
        if self.preinstalling.runs.is_some() {
            return Err(busy());
        }
        let known =
            self.preinstalling.plan.as_ref().filter(|plan| {
                plan.id == id && plan.made_at.duration_until(now()).abs() < PLAN_HOLDS
            });
        known.ok_or_else(|| {
            refusal::error(
                409,
                "plan-void",
                "That plan is not the newest one, or too old.",
                "Make a new plan and look at it.",
            )
        })
    }

    /// Whether an admin's rights can be had is tried first. What asks for them (`pkexec`) is only looked
    /// for: it asks when the step begins that needs them, once for each such step and never again after
    /// a no.
    pub(super) fn start_preinstall(&mut self, asked: StartPreinstall, reply: Reply<()>) {
        let plan = match self.known_plan(&asked.plan) {
            Ok(plan) => plan,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let rights = rights(&asked);
        let needs_admin = plan.draft.steps.iter().any(::preinstall::Step::runs_as_admin);
        if !needs_admin || rights == Rights::Root {
            return drop(reply.send(self.begin_preinstall(&asked)));
        }
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            let tried = tokio::task::spawn_blocking(move || may(rights)).await;
            let allowed = tried.unwrap_or_else(|error| Err(refusal::failed(&error.to_string())));
            to_loop.send(Input::Preinstall(PreinstallCall::Allowed(asked, allowed, reply)));
        });
    }

    pub(super) fn begin_preinstall(&mut self, asked: &StartPreinstall) -> Result<(), ApiError> {
        self.known_plan(&asked.plan)?;
        let Some(plan) = self.preinstalling.plan.take() else { return Err(busy()) };
        let StoredPlan { draft, items, whose, id, .. } = plan;
        let record = Record::new(
            id,
            now(),
            whose.runner.clone(),
            rights(asked),
            draft.steps,
            items,
            (draft.human, draft.left),
        );
        let saved = std::fs::create_dir_all(&self.preinstalling.folder)
            .and_then(|()| save(&self.preinstalling.record_file(), &record))
            .and_then(|()| self.preinstalling.output.begin());
        saved.map_err(|error| {
            let _ = std::fs::remove_file(self.preinstalling.record_file());
            refusal::cannot_save(&error.to_string())
        })?;
        self.carry_out_preinstall(record, Ok(whose));
        Ok(())
    }

    fn carry_out_preinstall(&mut self, record: Record, whose: Result<Whose, String>) {
        let (cancel, told) = watch::channel(record.cancelled);
        let kept = Arc::new(Kept::new(self.preinstalling.record_file(), record.clone()));
        self.preinstalling.runs = Some(Running { cancel, kept: Arc::clone(&kept) });
        self.preinstalling.shown = Some(PreinstallNow::Installing(runs(&record)));
        self.show_preinstall();
        tracing::info!(id = %record.id, steps = record.steps.len(), "installs what jobs need");
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        let output = self.preinstalling.output.clone();
        tokio::spawn(async move {
            let seen = match whose {
                Ok(whose) => again(|| eyes(whose.clone(), &folders)).await,
                Err(why) => Err(why),
            };
            let done = match seen {
                Ok(eyes) => Ok(carry_out(record, eyes, output, &kept, told, &to_loop).await),
                Err(why) => {
                    until_nothing_works(&record, &to_loop).await;
                    Err(why)
                }
            };
            to_loop.send(Input::Preinstall(PreinstallCall::Ended(Box::new(done))));
        });
    }

    pub(super) fn preinstall_advanced(&mut self, progress: Progress) {
        let Some(PreinstallNow::Installing(runs)) = &mut self.preinstalling.shown else { return };
        let Progress { step, title, items, last_line, waits } = progress;
        *runs = PreinstallRuns { step, title, items, last_line, waits, ..runs.clone() };
        self.show_preinstall();
    }

    /// On disk first: the next supervisor does not do the rest either.
    pub(super) fn cancel_preinstall(&mut self) -> Result<(), ApiError> {
        let Some(Running { cancel, kept }) = &self.preinstalling.runs else { return Ok(()) };
        let saved = kept.cancel();
        let _ = cancel.send(true);
        if let Some(PreinstallNow::Installing(runs)) = &mut self.preinstalling.shown {
            runs.cancelling = true;
        }
        self.show_preinstall();
        saved.map_err(|error| refusal::cannot_save(&error.to_string()))
    }

    pub(super) fn preinstall_ended(&mut self, done: Result<Done, String>) {
        self.preinstalling.runs = None;
        let Some(PreinstallNow::Installing(runs)) = self.preinstalling.shown.take() else { return };
        let at = now();
        let seconds = runs.since.duration_until(at).as_secs().max(0).cast_unsigned();
        let (items, human, left, cut_short) = match done {
            Ok(done) => (done.outcomes, done.record.human, done.record.left, done.cut_short),
            Err(why) => {
                let why = format!("It could not go on: {why}.");
                (Vec::new(), Vec::new(), Vec::new(), Some(why))
            }
        };
        tracing::info!(id = %runs.id, ?cut_short, "the installation is over");
        let (id, taken_up) = (runs.id, runs.taken_up);
        let receipt =
            PreinstallReceipt { id, at, seconds, items, human, left, cut_short, taken_up };
        if let Err(error) = kept::keep(&self.preinstalling.last_file(), &receipt) {
            tracing::warn!(%error, "what an installation came to is not known after a restart");
        }
        self.preinstalling.shown = Some(PreinstallNow::Done(receipt));
        if let Err(error) = std::fs::remove_file(self.preinstalling.record_file()) {
            tracing::warn!(%error, "the record of an installation that is over stays");
        }
        self.show_preinstall();
    }

    /// What an earlier supervisor was at when it died, which holds runners from now on.
    pub(crate) fn interrupted_preinstall(&mut self) -> Option<Record> {
        let file = self.preinstalling.record_file();
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.show_last_preinstall();
                return None;
            }
            Err(error) => return self.unreadable_preinstall(&error.to_string()),
        };
        match Record::read(&bytes) {
            Ok(mut record) => {
                record.taken_up += 1;
                self.preinstalling.shown = Some(PreinstallNow::Installing(runs(&record)));
                self.show_preinstall();
                Some(record)
            }
            Err(why) => self.unreadable_preinstall(&why),
        }
    }

    /// Of an earlier supervisor.
    fn show_last_preinstall(&mut self) {
        match kept::last(&self.preinstalling.last_file()) {
            Ok(last) => self.preinstalling.shown = last.map(PreinstallNow::Done),
            Err(why) => tracing::warn!(why, "what the last installation came to cannot be read"),
        }
        self.show_preinstall();
    }

    /// Nothing is written over it, and it holds nobody: what it began is over or runs on by itself.
    fn unreadable_preinstall(&mut self, why: &str) -> Option<Record> {
        let file = self.preinstalling.record_file();
        let aside = file.with_extension("unreadable.json");
        let _ = std::fs::rename(&file, &aside);
        tracing::warn!(why, "the record of an interrupted installation cannot be read");
        let cut_short = format!(
            "It was interrupted, and what is known of it cannot be read ({why}): {}. Check again.",
            aside.display()
        );
        self.preinstalling.shown = Some(PreinstallNow::Done(PreinstallReceipt {
            id: String::new(),
            at: now(),
            seconds: 0,
            items: Vec::new(),
            human: Vec::new(),
            left: Vec::new(),
            cut_short: Some(cut_short),
            taken_up: true,
        }));
        self.show_preinstall();
        None
    }

    pub(crate) fn take_up_preinstall(&mut self, interrupted: Option<Record>) {
        let Some(record) = interrupted else { return };
        tracing::info!(id = %record.id, "an interrupted installation is taken up");
        let whose = self.whose(record.runner.as_ref()).map_err(|error| error.title);
        self.carry_out_preinstall(record, whose);
    }
}

async fn carry_out(
    record: Record,
    eyes: Eyes,
    output: Output,
    kept: &Kept,
    cancel: watch::Receiver<bool>,
    to_loop: &Loop,
) -> Done {
    let Eyes { jobs, machine, owner, commands } = eyes;
    let own_commands = commands;
    let (locks, lock_patience) = (None, LOCK_PATIENCE);
    let installation =
        Installation { record, machine, jobs, owner, output, own_commands, locks, lock_patience };
    let mut told: Option<(Instant, Progress)> = None;
    let mut progress = |now: Progress| {
        let same_step = told.as_ref().is_some_and(|(at, before)| {
            let shown = before.title == now.title && before.waits == now.waits;
            *before == now || shown && at.elapsed() < TELL_EVERY
        });
        if !same_step {
            told = Some((Instant::now(), now.clone()));
            to_loop.send(Input::Preinstall(PreinstallCall::Advanced(now)));
        }
    };
    let mut save = |record: &Record| kept.save(record);
    installation.carry_out(cancel, Told { progress: &mut progress, save: &mut save }).await
}

/// What an earlier supervisor started goes on though this one cannot: it holds runners meanwhile.
async fn until_nothing_works(record: &Record, to_loop: &Loop) {
    let Some((at, _)) = record.at_work() else { return };
    to_loop.send(Input::Preinstall(PreinstallCall::Advanced(Progress {
        step: u32::try_from(at + 1).unwrap_or(u32::MAX),
        title: "Wait for what was begun".to_owned(),
        items: Vec::new(),
        last_line: None,
        waits: None,
    })));
    record.until_nothing_works().await;
}

fn runs(record: &Record) -> PreinstallRuns {
    PreinstallRuns {
        id: record.id.clone(),
        since: record.began,
        step: 0,
        steps: u32::try_from(record.steps.len()).unwrap_or(u32::MAX),
        title: "Look at what is there".to_owned(),
        items: Vec::new(),
        last_line: None,
        waits: None,
        cancelling: record.cancelled,
        taken_up: record.taken_up > 0,
    }
}

fn busy() -> ApiError {
    refusal::error(
        409,
        "installing",
        "An installation runs just now.",
        "Wait for its end, or cancel it: `runnerctl preinstall install --cancel`.",
    )
}
