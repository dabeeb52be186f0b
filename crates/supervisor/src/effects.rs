//! What the core decided, carried out. What takes long is done off the loop and reports back.

use std::collections::BTreeMap;

use protocol::{RunId, RunnerName};
use run_dir::TaskNumber;
use supervisor_core::{Effect, Event};

use crate::input::Input;
use crate::knowing::mark;
use crate::supervisor::{Supervisor, now};
use crate::watched::Watched;

impl Supervisor {
    pub(crate) fn carry_out(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            tracing::debug!(?effect, "carrying out");
            self.carry_out_one(effect);
        }
    }

    pub(crate) fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Save { number, wanted } => match self.wanted.save(&wanted) {
                Ok(()) => self.event(Event::Saved(number)),
                Err(error) => {
                    tracing::error!(%error, "cannot save what is wanted");
                    self.save_failed = Some(error.to_string());
                    self.event(Event::SaveFailed { number, why: error.to_string() });
                }
            },
            Effect::Install(runner) => self.install(runner),
            Effect::CallOff(runner) => self.call_off_install(&runner),
            Effect::StartRun(runner) => self.gather(runner),
            Effect::Adopt(run) => self.adopt(&run),
            Effect::Drain(run) => {
                if let Err(error) = crate::keepers::drain(&self.folder_of(&run)) {
                    tracing::warn!(%run, %error, "the keeper was not told to drain");
                    // Told again at the next news of the run: its keeper is new, or gone.
                    self.event(Event::DrainFailed(run));
                }
            }
            Effect::DrainAgain { run, proof } => {
                let tasks = proof.iter().filter_map(number_of).collect();
                tracing::warn!(%run, ?proof, "the drain signal was lost: it is sent again");
                if let Err(error) = crate::keepers::drain_again(&self.folder_of(&run), tasks, now())
                {
                    tracing::warn!(%run, %error, "the keeper was not told to drain again");
                }
                self.touch(run);
            }
            Effect::Cancel { run, task } => {
                let Some(number) = number_of(&task) else { return };
                tracing::info!(%task, "cancelled by the owner");
                if let Err(error) = crate::keepers::cancel(&self.folder_of(&run), number, now()) {
                    // The record is there: whoever keeps the agent next will find it.
                    tracing::warn!(%task, %error, "the keeper was not told to cancel");
                }
                self.touch(run);
            }
            Effect::Record(task) => {
                // What cannot be looked up may have been told by an earlier supervisor.
                let is_news = match self.records.knows(&task.id) {
                    Some(known) => !known,
                    None => task.finished_at >= self.core.snapshot().supervisor.started_at,
                };
                self.records.record(task.clone());
                self.see_to_history();
                if is_news {
                    self.event(Event::TaskIsNew(Box::new(task)));
                }
            }
            Effect::Amend(task) => {
                self.records.amend(task);
                self.see_to_history();
            }
            Effect::Probe(api_url) => self.probe(api_url),
            Effect::LookAtPower => self.look_at_power(),
            Effect::LookAtDisk => self.look_at_disk(),
            Effect::CleanUp(why) => self.clean_up(why),
            Effect::StopCleanUp => self.stop_clean_up(),
            Effect::KeepAwake(on) => self.keep_awake(on),
            Effect::AfterTask(act) => self.after_task(act),
            Effect::Tell(notice) => self.tell(*notice),
            Effect::WakeAt(at) => self.wake_up.set(at),
            Effect::Publish => self.publish = true,
        }
    }

    pub(crate) fn adopt(&mut self, run: &RunId) {
        let folder = self.folder_of(run);
        let helper = folder
            .plan()
            .written()
            .map(|plan| plan.helper)
            .filter(|helper| helper.is_file())
            .map_or_else(|| crate::helpers::keeper(&self.folders.helpers()), Ok);
        match helper.and_then(|helper| crate::keepers::adopt(&helper, &folder)) {
            Ok(()) => tracing::info!(%run, "an agent without a keeper gets a new one"),
            Err(error) => {
                tracing::warn!(%run, %error, "no keeper could be put in charge");
                self.event(Event::AdoptFailed(run.clone()));
            }
        }
        self.touch(run.clone());
    }

    /// Reads the token and checks the agent, off the loop.
    pub(crate) fn gather(&mut self, runner: RunnerName) {
        let Some(settings) = self.runner_settings(&runner) else {
            return self.event(Event::StartFailed(runner, crate::gather::no_settings(now())));
        };
        let agent = self.agents.get(&runner).cloned();
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        tokio::spawn(async move {
            match crate::gather::gather(&runner, &settings, agent, &folders).await {
                Ok(ingredients) => {
                    to_loop.send(Input::ReadyToStart(runner, Box::new(ingredients)));
                }
                Err(crate::gather::Failure::Start(problem)) => {
                    to_loop.send(Input::NotReady(runner, Box::new(settings), problem));
                }
                Err(crate::gather::Failure::Agent(problem)) => {
                    to_loop.event(Event::AgentUnusable { runner, problem: *problem });
                }
            }
        });
    }

    /// What was lacking may be there since: the settings may have changed, or the token its place.
    pub(crate) fn not_ready(
        &mut self,
        runner: RunnerName,
        of: &crate::settings::RunnerSettings,
        problem: protocol::Problem,
    ) {
        let current = self.runner_settings(&runner).is_none_or(|now| now == *of);
        self.event(if current {
            Event::StartFailed(runner, problem)
        } else {
            Event::StartPutOff(runner)
        });
    }

    /// While they were gathered the runner may have been paused, changed or removed.
    pub(crate) fn start(
        &mut self,
        runner: RunnerName,
        ingredients: &crate::start_run::Ingredients,
    ) {
        let current = self.runner_settings(&runner).as_ref() == Some(&ingredients.settings);
        if !current || !self.core.wants_start(&runner, now()) {
            tracing::info!(%runner, "no longer to be started like this");
            return self.event(Event::StartPutOff(runner));
        }
        self.watched.values().filter(|watched| watched.over).for_each(Watched::reap_keeper);
        let mark = mark(&ingredients.settings);
        let newest = self.watched.keys().next_back().and_then(crate::read_run::planned_at);
        let clean_up = self.task_clean_up(&runner);
        let clean_up = clean_up.as_ref();
        let started = crate::start_run::start(
            &self.runs,
            &runner,
            &mark,
            ingredients,
            clean_up,
            newest,
            now(),
        );
        let (id, folder) = match started {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%runner, error = format!("{error:#}"), "cannot start a run");
                let problem = crate::gather::cannot_start(&format!("{error:#}"), now());
                return self.event(Event::StartFailed(runner, problem));
            }
        };
        let run = RunId::from(id.as_str());
        tracing::info!(%runner, %run, "a run begins");
        self.reserve = true;
        self.watch_run(&run, &folder, 1);
        match crate::read_run::read_run(&folder, &run, 1, &self.boot, &mut BTreeMap::new(), now()) {
            crate::read_run::Found::Run(facts) => self.event(Event::RunStarted(facts)),
            crate::read_run::Found::Stray { .. } | crate::read_run::Found::Gone => {
                let problem = crate::gather::cannot_start("its directory is not readable", now());
                self.event(Event::StartFailed(runner, problem));
            }
        }
        self.touch(run);
    }

    pub(crate) fn probe(&mut self, api_url: Option<String>) {
        // Once a minute is often enough for what is seldom due.
        self.records.write();
        self.see_to_history();
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            let asked = api_url.as_deref().unwrap_or(circleci::API_URL);
            let failure = circleci::answers(asked).await.err();
            to_loop.event(Event::Probed { api_url, failure });
        });
    }
}

fn number_of(task: &protocol::TaskId) -> Option<TaskNumber> {
    task.as_str().rsplit_once('.')?.1.parse().ok()
}
