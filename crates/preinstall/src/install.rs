//! A plan carried out: step by step, what a tool writes into a file, each thing on disk before it is
//! done. It ends no tool in the middle: it can be cancelled between two calls, and where this process
//! dies the tool goes on and the next one takes it up. What fails stops nothing else.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use process::{ExitWatch, Pid, ProcessId};
use protocol::{ItemChecked, ItemState, PreinstallEnd, PreinstallOutcome};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::calls::Call;
use crate::item::Item;
use crate::jobs::{Jobs, find};
use crate::lock::gave_up;
use crate::machine::Machine;
use crate::output::Output;
use crate::plan::{Step, What};
use crate::probe;
use crate::record::{Failure, Record, State};

mod asked;
mod waiting;

use waiting::{ended, pause};

/// How often it is looked how far a tool is, or whether a lock is free.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So much of what a tool said last is told of a failure.
const LAST_LINES: usize = 12;
/// One that was begun so often and is not there is left to people.
const MOST_TAKEN_UP: u32 = 3;
/// One that gave up because another process of its manager is at work is called again after it, for
/// so long.
const AGAIN_AFTER: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 5000 });
const PATIENCE: Duration = Duration::from_mins(15);
/// So long, in all of an installation, it waits for locks that others hold.
pub const LOCK_PATIENCE: Duration = Duration::from_mins(30);

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// From 1.
    pub step: u32,
    pub title: String,
    /// Ids.
    pub items: Vec<String>,
    pub last_line: Option<String>,
    pub waits: Option<String>,
}

/// All that carrying out needs.
pub struct Installation {
    pub record: Record,
    pub machine: Machine,
    pub jobs: Jobs,
    /// The owner's environment.
    pub owner: BTreeMap<String, String>,
    pub output: Output,
    /// Where Runner Tray's own commands are, on the PATH of jobs.
    pub own_commands: PathBuf,
    /// The lock files to wait for, where they are not the system's own.
    pub locks: Option<Vec<PathBuf>>,
    /// So long it still waits for them: [`LOCK_PATIENCE`] at first.
    pub lock_patience: Duration,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub outcomes: Vec<PreinstallOutcome>,
    /// Why it ended before its end, one sentence.
    pub cut_short: Option<String>,
    pub record: Record,
}

/// Who is told: of progress, and to put the record on disk.
pub struct Told<'a> {
    pub progress: &'a mut (dyn FnMut(Progress) + Send),
    /// Durably, before it returns.
    pub save: &'a mut (dyn FnMut(&Record) -> io::Result<()> + Send),
}

/// Why no further step is begun.
enum Stop {
    Cancelled,
    Cannot(String),
}

impl Installation {
    /// Whoever sends `true` by `cancel` ends it after the call that runs.
    pub async fn carry_out(
        mut self,
        mut cancel: watch::Receiver<bool>,
        mut told: Told<'_>,
    ) -> Done {
        self.follow_what_was_begun(&mut told).await;
        let mut cut_short = None;
        if self.record.taken_up > MOST_TAKEN_UP {
            cut_short =
                Some(format!("It was begun {MOST_TAKEN_UP} times and never came to its end."));
        }
        for at in 0..self.record.steps.len() {
            if cut_short.is_some() {
                break;
            }
            match self.step(at, &mut cancel, &mut told).await {
                Ok(()) => {}
                Err(Stop::Cancelled) => {
                    self.record.cancelled = true;
                    cut_short = Some("It was cancelled.".to_owned());
                }
                Err(Stop::Cannot(why)) => cut_short = Some(why),
            }
        }
        let outcomes = self.verify(cut_short.is_some(), &mut told).await;
        Done { outcomes, cut_short, record: self.record }
    }

    async fn step(
        &mut self,
        at: usize,
        cancel: &mut watch::Receiver<bool>,
        told: &mut Told<'_>,
    ) -> Result<(), Stop> {
        let Some(rest) = self.record.steps.get(at) else { return Ok(()) };
        let step = rest.step.clone();
        if rest.state == State::Over {
            return Ok(());
        }
        if *cancel.borrow() || self.record.cancelled {
            return Err(Stop::Cancelled);
        }
        (told.progress)(self.progress(at, &step, None));
        let wanting = self.wanting(&step).await;
        if step.items.is_empty() || !wanting.is_empty() {
            let step = step.only(&wanting);
            if step.runs_as_admin() && !self.record.not_allowed.is_empty() {
                self.refused(&step, "");
                return Ok(());
            }
            self.may_ask_for(&step)?;
            self.carry_out_step(at, &step, cancel, told).await?;
        }
        self.save(at, State::Over, told)
    }

    /// The step's items that are not there yet: somebody else may have been quicker.
    async fn wanting(&self, step: &Step) -> Vec<String> {
        let items = self.items_of(step);
        let checked = probe::check(&items, &self.machine, &self.jobs, |_| ()).await;
        let wanting = checked.into_iter().filter(|item| item.state != ItemState::Present);
        wanting.map(|item| item.id).collect()
    }

    fn items_of(&self, step: &Step) -> Vec<&Item> {
        let of = |id: &String| self.record.items.iter().find(|item| item.id == *id);
        step.items.iter().filter_map(|item| of(&item.id)).collect()
    }

    async fn carry_out_step(
        &mut self,
        at: usize,
        step: &Step,
        cancel: &mut watch::Receiver<bool>,
        told: &mut Told<'_>,
    ) -> Result<(), Stop> {
        self.save(at, State::Begun { process: None }, told)?;
        if let What::Ours { .. } = &step.what {
            (told.progress)(self.progress(at, step, None));
            if let Err(error) = write_circleci(&self.own_commands) {
                let command = format!("write {}", self.own_commands.display());
                self.failed(step, &command, &error.to_string());
            }
            return Ok(());
        }
        if self.asks() && step.runs_as_admin() {
            return self.at_once(at, step, cancel, told).await;
        }
        let mut whole = Ok(());
        for call in Call::of(step, &self.jobs.home) {
            let (code, said) = self.call(at, step, &call, cancel, told).await?;
            let command = call.shown(self.record.rights, &self.jobs);
            if code == Some(0) {
                self.failed(&step.of(&call.argv), &command, &said);
            } else {
                whole = Err((command, said));
            }
        }
        let Err((command, said)) = whole else { return Ok(()) };
        if step.items.len() < 2 {
            // Lists that could not be renewed have no item: what fails for it says so.
            self.failed(step, &command, &said);
            return Ok(());
        }
        // One that cannot be had keeps no other from its place.
        for item in self.wanting(step).await {
            let alone = step.only(&[item]);
            for call in Call::of(&alone, &self.jobs.home) {
                let (_, said) = self.call(at, &alone, &call, cancel, told).await?;
                let command = call.shown(self.record.rights, &self.jobs);
                self.failed(&alone, &command, &said);
            }
        }
        Ok(())
    }

    /// What is told of these where they are not there in the end: also of a tool that ended well, as npm
    /// does on a full disk.
    fn failed(&mut self, step: &Step, command: &str, said: &str) {
        for item in &step.items {
            let failure = Failure { command: command.to_owned(), said: said.to_owned() };
            self.record.failures.insert(item.id.clone(), failure);
        }
    }

    /// Runs one call to its end, and once more where another process of its manager was in the way; its
    /// exit code, and what it said last.
    async fn call(
        &mut self,
        at: usize,
        step: &Step,
        call: &Call,
        cancel: &mut watch::Receiver<bool>,
        told: &mut Told<'_>,
    ) -> Result<(Option<i32>, String), Stop> {
        let until = Instant::now() + PATIENCE;
        loop {
            let (code, said) = self.call_once(at, step, call, cancel, told).await?;
            let in_the_way = manager_of(step).and_then(|manager| gave_up(manager, &said));
            let Some(waits) = in_the_way.filter(|_| code != Some(0) && Instant::now() < until)
            else {
                return Ok((code, said));
            };
            self.output.note(&format!("Waiting: {waits}."));
            (told.progress)(self.progress(at, step, Some(waits)));
            pause(AGAIN_AFTER, cancel).await;
        }
    }

    async fn call_once(
        &mut self,
        at: usize,
        step: &Step,
        call: &Call,
        cancel: &mut watch::Receiver<bool>,
        told: &mut Told<'_>,
    ) -> Result<(Option<i32>, String), Stop> {
        if let Some(holder) = self.wait_for_lock(at, step, cancel, told).await? {
            let why = format!(
                "{holder}, which was waited for long enough. Install again once it has ended."
            );
            self.output.note(&why);
            return Ok((None, why));
        }
        let from = self.output.end();
        let shown = call.shown(self.record.rights, &self.jobs);
        self.output.note(&format!("$ {shown}"));
        let from_after = self.output.end().max(from);
        let mut child = match self.spawn(call) {
            Ok(child) => child,
            Err(error) => return Ok((None, error)),
        };
        let id = ProcessId::of(Pid::of_child(&child));
        let gate = child.stdin.take();
        // On disk before it begins: whoever finds the record finds what runs, or nothing runs.
        let process = id.as_ref().ok().cloned();
        let noted = self.save(at, State::Begun { process }, told);
        if let Some(mut gate) = gate {
            // Closed without a word where it cannot be written down; one that died of itself has ended,
            // which is seen below.
            let _ = if noted.is_ok() { gate.write_all(b"go\n") } else { Ok(()) };
        }
        if let Some(watch) = id.ok().and_then(|id| ExitWatch::of(&id).ok().flatten()) {
            self.follow(watch, at, step, told).await;
        }
        let status = ended(&mut child).await;
        noted?;
        let said = self.output.last_lines(from_after, LAST_LINES).unwrap_or_default();
        match status {
            Ok(status) => {
                if !status.success() {
                    self.output.note(&format!("({status})"));
                }
                let code = status.code();
                let said = if said.is_empty() { status.to_string() } else { said };
                Ok((code, said))
            }
            Err(error) => Ok((None, error.to_string())),
        }
    }

    /// Behind a gate, in a session of its own: it has no terminal to ask at, and whoever ends us does
    /// not end it.
    fn spawn(&self, call: &Call) -> Result<Child, String> {
        let output =
            || self.output.open().map_err(|error| format!("its output has no file: {error}"));
        let command = call.command(self.record.rights, &self.jobs, &self.owner);
        let program = command.get_program().to_string_lossy().into_owned();
        let path = self.owner.get("PATH").map_or("", String::as_str);
        if find(&program, path).is_none() {
            return Err(format!("{program} cannot be started: it is in no folder of the PATH"));
        }
        let mut gated = behind_a_gate(&command);
        gated.stdin(Stdio::piped()).stdout(output()?).stderr(output()?).current_dir("/");
        process::spawn_apart(&mut gated)
            .map_err(|error| format!("{program} cannot be started: {error}"))
    }

    fn progress(&self, at: usize, step: &Step, waits: Option<String>) -> Progress {
        Progress {
            step: u32::try_from(at + 1).unwrap_or(u32::MAX),
            title: step.title(),
            items: step.items.iter().map(|item| item.id.clone()).collect(),
            last_line: self.output.last_line(),
            waits,
        }
    }

    fn save(&mut self, at: usize, state: State, told: &mut Told<'_>) -> Result<(), Stop> {
        if let Some(rest) = self.record.steps.get_mut(at) {
            rest.state = state;
        }
        (told.save)(&self.record)
            .map_err(|error| Stop::Cannot(format!("What is done cannot be written down: {error}.")))
    }

    /// The check again, of all that the steps are about.
    async fn verify(&self, cut_short: bool, told: &mut Told<'_>) -> Vec<PreinstallOutcome> {
        let steps = u32::try_from(self.record.steps.len()).unwrap_or(u32::MAX);
        (told.progress)(Progress {
            step: steps,
            title: "Check again".to_owned(),
            items: Vec::new(),
            last_line: self.output.last_line(),
            waits: None,
        });
        let of_steps: Vec<&Item> =
            self.record.steps.iter().flat_map(|rest| self.items_of(&rest.step)).collect();
        let checked = probe::check(&of_steps, &self.machine, &self.jobs, |_| ()).await;
        checked.into_iter().map(|item| self.outcome(item, cut_short)).collect()
    }

    fn outcome(&self, item: ItemChecked, cut_short: bool) -> PreinstallOutcome {
        if item.state == ItemState::Present {
            let (command, said) = (None, None);
            return PreinstallOutcome { outcome: PreinstallEnd::Installed, item, command, said };
        }
        let was_begun = self.record.steps.iter().any(|rest| {
            rest.state != State::Waiting && rest.step.items.iter().any(|it| it.id == item.id)
        });
        let failure = self.record.failures.get(&item.id).cloned();
        let outcome = if self.record.not_allowed.contains(&item.id)
            || cut_short && failure.is_none() && !was_begun
        {
            PreinstallEnd::NotBegun
        } else {
            PreinstallEnd::Failed
        };
        let (command, said) = failure.map(|it| (it.command, it.said)).unzip();
        PreinstallOutcome { outcome, item, command, said }
    }
}

fn manager_of(step: &Step) -> Option<crate::Manager> {
    match &step.what {
        What::Refresh => Some(crate::Manager::Apt),
        What::Packages { manager, .. } => Some(*manager),
        What::Ours { .. } => None,
    }
}

/// Waits for a word, then becomes its arguments, with nothing on their standard input. Where the word never
/// comes it ends. These words never change; what is run are arguments, which no shell reads.
const GATE: &str = "read -r go && exec \"$@\" </dev/null";

fn behind_a_gate(command: &Command) -> Command {
    let mut gated = Command::new("/bin/sh");
    gated.args(["-c", GATE, "gate"]).arg(command.get_program()).args(command.get_args());
    let set: Vec<_> = command.get_envs().collect();
    // A command as the owner has all of its environment from us; sudo sees to its own.
    if !set.is_empty() {
        gated.env_clear();
    }
    gated.envs(set.into_iter().filter_map(|(name, value)| Some((name, value?))));
    gated
}

/// Jobs written for CircleCI's cloud call `circleci`; on a runner the task agent is `circleci-agent`, and
/// it is on the PATH of its steps.
pub(crate) const CIRCLECI: &str = "#!/bin/sh\n\
    # Written by Runner Tray: on a self-hosted runner `circleci` is the task agent.\n\
    exec circleci-agent \"$@\"\n";

fn write_circleci(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    let new = folder.join(".circleci.new");
    let _ = std::fs::remove_file(&new);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&new)?;
    file.write_all(CIRCLECI.as_bytes())?;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(new, folder.join("circleci"))
}

#[cfg(test)]
#[path = "install_tests.rs"]
mod tests;
