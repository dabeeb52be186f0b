//! What reaches the loop, one arm a case.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use protocol::{
    AgentRelease, ApiError, ConfigText, RunId, RunnerName, RunnerSpec, RunnerState, Stopping,
};
use supervisor_core::Event;

use crate::api::refusal;
use crate::input::{Input, Registered, WhichRun};
use crate::logs::LogSource;
use crate::settings::TokenCopy;
use crate::supervisor::{Supervisor, now};
use crate::watched::Watched;

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Asked,
    /// Another version lies where this program was.
    Replaced,
}

impl Supervisor {
    fn program_touched(&mut self) {
        self.watch.program(self.program.path());
        if !self.program.was_replaced() {
            return;
        }
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(crate::program::SETTLES).await;
            to_loop.send(Input::ProgramSettled);
        });
    }

    /// Breaks when the supervisor is to end.
    pub(crate) fn take(&mut self, input: Input) -> ControlFlow<Ended> {
        match input {
            Input::Event(event) => self.event(event),
            Input::Touched(run) => self.touch(run),
            Input::InstallAdvanced(number, install) => self.install_advanced(number, &install),
            Input::InstallEnded(number, done) => self.install_ended(number, &done),
            Input::ReadyToStart(runner, ingredients) => self.start(runner, &ingredients),
            Input::NotReady(runner, settings, problem) => {
                self.not_ready(runner, &settings, *problem);
            }
            Input::NewsLost => self.look_at_everything(),
            Input::AlarmWentOff => self.clock_moved(),
            Input::HistoryAgain => self.try_history_again(),
            Input::SettingsTouched => self.read_settings(),
            Input::Wish(wish, reply) => {
                let runner = wish.runner().cloned();
                let done = match self.wish(wish) {
                    Err(refused) => Err(refusal::of(&refused, runner.as_ref())),
                    Ok(()) => self.saved(),
                };
                let _ = reply.send(done);
            }
            Input::SetUp { name, spec, new_token, reply } => {
                let _ = reply.send(self.set_up(&name, &spec, new_token));
            }
            Input::Remove(name, reply) => {
                let _ = reply.send(self.remove(&name));
            }
            Input::TokenChanged { name, reply } => {
                let _ = reply.send(self.token_changed(&name, None));
            }
            Input::TokenStored { name, id, reply } => {
                let _ = reply.send(self.token_changed(&name, Some(&id)));
            }
            Input::RotationAttended(name, comes) => self.rotation_attended(&name, comes),
            Input::RotationsTouched => self.look_at_rotations(),
            Input::Proven(name, reply) => {
                let _ = reply.send(Ok(self.core.is_proven(&name)));
            }
            Input::TokenCopy(name, store, reply) => {
                let _ = reply.send(self.token_copy(&name, store));
            }
            Input::TokenIsIn(name, store, reply) => {
                let _ = reply.send(self.token_is_in(&name, store));
            }
            Input::Preferences(reply) => {
                let known = self.settings.as_ref().map_err(refusal::settings);
                let _ = reply.send(known.map(|settings| settings.preferences));
            }
            Input::Prefer(change, reply) => {
                let _ = reply.send(self.prefer(change));
            }
            Input::SeenNotices(up_to, reply) => {
                let _ = reply.send(self.seen_notices(up_to));
            }
            Input::NoticeEnded(notice, end) => self.notice_ended(&notice, &end),
            Input::Awake(number, asked) => self.awake_asked(number, asked),
            Input::Config(name, reply) => {
                let _ = reply.send(self.config(&name));
            }
            Input::Agents(reply) => {
                let _ = reply.send(Ok(self.releases()));
            }
            Input::Registered(name, reply) => {
                let _ = reply.send(Ok(self.registered().remove(&name)));
            }
            Input::AllRegistered(reply) => {
                let _ = reply.send(Ok(self.registered()));
            }
            Input::LogOf(name, which, reply) => {
                let _ = reply.send(self.log_of(&name, &which));
            }
            Input::Cleanup(call) => self.cleanup_call(call),
            Input::Preinstall(call) => self.preinstall_call(call),
            Input::CleanupEnded(ended) => self.cleanup_ended(*ended),
            Input::DisksSeen(volumes) => self.disks_seen(volumes),
            Input::SweepTrash => self.sweep_trash(),
            Input::TrashSwept(swept) => self.trash_swept(&swept),
            Input::PutBack(receipt, undone, reply) => self.put_back(&receipt, undone, reply),
            Input::WorkDirsSeen(directories, sizes) => self.work_dirs_seen(&directories, sizes),
            Input::WorkDirsMeasuring(runs) => self.work_dirs_measuring(runs),
            Input::WorkDirsMeasured => self.work_dirs_measured(),
            Input::Watchers(more) => self.watchers(more),
            Input::SampleNow(done) => {
                self.sample();
                self.settle();
                let _ = done.send(());
            }
            Input::Stop(reply) => {
                tracing::info!("asked to end; agents and tasks go on");
                let _ = reply.send(Ok(self.stopping()));
                return ControlFlow::Break(Ended::Asked);
            }
            Input::ProgramTouched => self.program_touched(),
            Input::ProgramSettled => {
                if self.program.was_replaced() {
                    tracing::info!("this program was replaced; the new one takes over");
                    return ControlFlow::Break(Ended::Replaced);
                }
            }
            Input::Signal(name) => {
                tracing::info!("ended by {name}; agents and tasks go on");
                return ControlFlow::Break(Ended::Asked);
            }
        }
        ControlFlow::Continue(())
    }

    pub(crate) fn registered(&self) -> BTreeMap<RunnerName, Registered> {
        let Ok(known) = &self.settings else { return BTreeMap::new() };
        let registered = known.runners.iter().map(|(name, settings)| {
            let registered = Registered {
                token_store: settings.token_store,
                token_copy: settings.token_copy.as_ref().map(|copy| copy.store),
                resource_class: settings.resource_class.clone(),
                api_url: settings.api_url().to_owned(),
                releases_url: settings.releases_url().to_owned(),
                working_directory: crate::places::of(name, settings, &self.folders)
                    .working_directory,
                token_number: settings.token_number,
                token_id: known.token_id(name).map(str::to_owned),
            };
            (name.clone(), registered)
        });
        registered.collect()
    }

    /// Whether what was just wished for reached the disk.
    fn saved(&mut self) -> Result<(), ApiError> {
        match self.save_failed.take() {
            None => Ok(()),
            Some(why) => Err(refusal::cannot_save(&why)),
        }
    }

    fn set_up(
        &mut self,
        name: &RunnerName,
        spec: &RunnerSpec,
        new_token: bool,
    ) -> Result<Vec<String>, ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let mut changed = settings.clone();
        self.refuse_shared_directory(name, spec)?;
        let second = !settings.runners.is_empty() && !settings.runners.contains_key(name);
        let mut did = changed.set(name, spec);
        if second {
            did.push(
                "This machine has more than one runner now; CircleCI documents one for each machine."
                    .into(),
            );
        }
        let before = settings.runners.get(name).map(|runner| runner.token_store);
        if let Some(before) =
            before.filter(|before| spec.token_store.is_some_and(|to| to != *before))
        {
            changed.set_token_copy(name, Some(&TokenCopy { store: before, since: now() }));
        }
        if new_token {
            changed.count_token(name, None);
            did.push("The token is stored.".into());
        }
        if did.is_empty() {
            return Ok(did);
        }
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        self.settings_changed();
        if new_token {
            self.event(Event::TokenChanged(name.clone()));
        }
        self.settle();
        Ok(did)
    }

    /// Two runners in one working directory would take each other's files away.
    fn refuse_shared_directory(
        &self,
        name: &RunnerName,
        spec: &RunnerSpec,
    ) -> Result<(), ApiError> {
        let Some(wanted) = spec.working_directory.as_deref().map(Path::new) else { return Ok(()) };
        let Ok(settings) = &self.settings else { return Ok(()) };
        let other =
            settings.runners.iter().filter(|(other, _)| *other != name).find(|(other, of)| {
                let theirs = crate::places::of(other, of, &self.folders).working_directory;
                theirs.starts_with(wanted) || wanted.starts_with(&theirs)
            });
        match other {
            None => Ok(()),
            Some((other, _)) => Err(refusal::bad_request(
                format!("The working directory {} is also that of {other}.", wanted.display()),
                "Give each runner a folder of its own, none within another's.",
            )),
        }
    }

    fn token_changed(&mut self, name: &RunnerName, id: Option<&str>) -> Result<(), ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let mut changed = settings.clone();
        if !changed.runners.contains_key(name) {
            return Err(refusal::no_such_runner(name));
        }
        changed.count_token(name, id);
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        self.settings_changed();
        self.event(Event::TokenChanged(name.clone()));
        Ok(())
    }

    fn remove(&mut self, name: &RunnerName) -> Result<(), ApiError> {
        self.look_at_open_runs();
        let snapshot = self.core.snapshot();
        let runner = snapshot.runners.iter().find(|runner| runner.name == *name);
        let runner = runner.ok_or_else(|| refusal::no_such_runner(name))?;
        // What is unknown counts as busy.
        if runner.task.is_some() || (runner.state == RunnerState::Unknown && runner.run.is_some()) {
            return Err(refusal::busy(name));
        }
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let mut changed = settings.clone();
        changed.remove(name);
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        self.settings_changed();
        Ok(())
    }

    fn config(&self, name: &RunnerName) -> Result<ConfigText, ApiError> {
        let shown = self.core.snapshot().runners.iter().find(|runner| runner.name == *name);
        if let Some(run) = shown.and_then(|runner| runner.run.as_ref())
            && let Ok(yaml) = std::fs::read_to_string(self.folder_of(run).config())
        {
            return Ok(ConfigText { yaml });
        }
        let settings = self.runner_settings(name).ok_or_else(|| refusal::no_such_runner(name))?;
        let mut places = crate::places::of(name, &settings, &self.folders);
        places.helper = crate::helpers::keeper(&self.folders.helpers())
            .map_err(|error| refusal::failed(&format!("{error:#}")))?;
        let run = self.runs.path().join("RUN");
        let yaml = crate::start_run::config(name, &settings, &places, &run)
            .map_err(|error| refusal::failed(&format!("{error:#}")))?;
        Ok(ConfigText { yaml })
    }

    fn releases(&self) -> Vec<AgentRelease> {
        let runners = &self.core.snapshot().runners;
        circleci::installed(&self.folders.data)
            .into_iter()
            .map(|agent| AgentRelease {
                used_by: runners
                    .iter()
                    .filter(|runner| {
                        runner.run.is_some()
                            && runner.agent_version.as_deref() == Some(agent.version.as_str())
                    })
                    .map(|runner| runner.name.clone())
                    .collect(),
                path: agent.path.display().to_string(),
                sha256: agent.sha256,
                version: agent.version,
            })
            .collect()
    }

    /// Which of a runner's runs is meant; what is in its log is read elsewhere.
    fn log_of(&self, name: &RunnerName, which: &WhichRun) -> Result<Option<LogSource>, ApiError> {
        let of_runner = |(_, watched): &(&RunId, &Watched)| watched.runner.as_ref() == Some(name);
        let mut runs: Vec<&RunId> =
            self.watched.iter().filter(of_runner).map(|(run, _)| run).collect();
        let known = self.core.snapshot().runners.iter().any(|runner| runner.name == *name);
        if !known && runs.is_empty() {
            return Err(refusal::no_such_runner(name));
        }
        // The one that follows is as good as an end where it cannot be told whether this one ended.
        let at = match which {
            WhichRun::Newest => runs.len().checked_sub(1),
            WhichRun::Named(asked) => {
                let at = runs.iter().position(|run| *run == asked);
                Some(at.ok_or_else(|| refusal::no_such_run(name, asked, &runs))?)
            }
            WhichRun::OrAfter(asked) => runs.iter().position(|run| *run >= asked),
            WhichRun::OrBefore(asked) => runs.iter().rposition(|run| *run <= asked),
        };
        let Some(at) = at else { return Ok(None) };
        let (previous, next) = (at.checked_sub(1).map(|at| runs[at].clone()), runs.get(at + 1));
        let next = next.map(|run| (*run).clone());
        let run = runs.swap_remove(at);
        Ok(Some(LogSource {
            run: run.clone(),
            folder: self.folder_of(run),
            ended: next.is_some() || self.watched[run].over,
            previous,
            next,
        }))
    }

    fn stopping(&self) -> Stopping {
        let runners = &self.core.snapshot().runners;
        Stopping {
            pid: std::process::id(),
            left_running: runners
                .iter()
                .filter(|runner| runner.agent_pid.is_some())
                .map(|runner| runner.name.clone())
                .collect(),
        }
    }
}
