//! What the settings say, told to the core.

use protocol::RunnerName;
use supervisor_core::{Event, RunnerFacts};

use crate::settings::{RunnerSettings, Settings};
use crate::supervisor::{Supervisor, now};

impl Supervisor {
    pub(crate) fn runner_settings(&self, runner: &RunnerName) -> Option<RunnerSettings> {
        self.settings.as_ref().ok()?.runners.get(runner).cloned()
    }

    /// Tells the core what the settings say now.
    pub(crate) fn settings_changed(&mut self) {
        let event = match &self.settings {
            Ok(settings) => Event::SettingsRead(
                settings.runners.iter().map(|(name, of)| self.facts(name, of)).collect(),
            ),
            Err(error) => Event::SettingsUnreadable(crate::gather::settings_problem(error, now())),
        };
        self.leave_downloads();
        self.event(event);
    }

    pub(crate) fn read_settings(&mut self) {
        let read = Settings::read(&self.folders.settings_file());
        if let (Ok(read), Ok(known)) = (&read, &self.settings)
            && read.runners == known.runners
        {
            // Comments and keys of others may be new: the next change must not take them away.
            let keeps_otherwise = read.history != known.history;
            self.settings = Ok(read.clone());
            if keeps_otherwise {
                self.prune_history();
            }
            return;
        }
        tracing::info!("the settings were changed");
        self.settings = read;
        self.settings_changed();
    }

    pub(crate) fn facts(&self, name: &RunnerName, settings: &RunnerSettings) -> RunnerFacts {
        let places = crate::places::of(name, settings, &self.folders);
        RunnerFacts {
            name: name.clone(),
            resource_class: settings.resource_class.clone(),
            working_directory: places.working_directory.display().to_string(),
            boundary: crate::boundary::boundary(settings.job_user.as_deref(), settings.token_store),
            releases_url: settings.releases_url().to_owned(),
            mark: mark(settings),
            token_copy: settings
                .token_copy
                .as_ref()
                .map(|copy| supervisor_core::TokenCopy { store: copy.store, since: copy.since }),
        }
    }
}

/// Names all that an agent is started with, so that a change of it is seen. Where its token lies is
/// nothing to it.
pub(crate) fn mark(settings: &RunnerSettings) -> String {
    use sha2::{Digest, Sha256};
    let token_store = protocol::TokenStore::default();
    let all = RunnerSettings { token_store, token_copy: None, ..settings.clone() };
    let all = format!("{all:?}");
    hex::encode(&Sha256::digest(all)[..8])
}
