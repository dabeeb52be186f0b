//! What the settings say, told to the core.

use std::time::Duration;

use protocol::{ApiError, Preferences, PreferencesChange, RunnerName};
use supervisor_core::{Event, RunnerFacts};
use tokio::time::Instant;

use crate::api::refusal;
use crate::input::Input;
use crate::settings::{RunnerSettings, Settings, SettingsError};
use crate::supervisor::{Supervisor, now};

/// An editor that has begun to write the settings has written them by then.
const WRITTEN_BY_THEN: Duration = Duration::from_millis(500);

impl Supervisor {
    pub(crate) fn runner_settings(&self, runner: &RunnerName) -> Option<RunnerSettings> {
        self.settings.as_ref().ok()?.runners.get(runner).cloned()
    }

    /// Tells the core what the settings say now.
    pub(crate) fn settings_changed(&mut self) {
        if let Ok(settings) = &self.settings {
            self.named = settings.runners.keys().cloned().collect();
        }
        let event = match &self.settings {
            Ok(settings) => Event::SettingsRead(
                settings.runners.iter().map(|(name, of)| self.facts(name, of)).collect(),
            ),
            Err(error) => Event::SettingsUnreadable(crate::gather::settings_problem(error, now())),
        };
        self.leave_downloads();
        self.note_what_is_left();
        self.preferences_changed();
        self.event(event);
        // Which step comes next is in the settings, too.
        self.look_at_rotations();
    }

    fn preferences_changed(&mut self) {
        if let Ok(settings) = &self.settings {
            self.event(Event::PreferencesRead(settings.preferences));
        }
    }

    /// Makes the preferences so, on disk first.
    pub(crate) fn prefer(&mut self, change: PreferencesChange) -> Result<Preferences, ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let wanted = change.applied_to(settings.preferences);
        if wanted.keep_awake.battery_floor_percent > 100 {
            return Err(refusal::bad_request(
                "A battery holds at most 100 %.",
                "Give a number from 0 to 100.",
            ));
        }
        if let Some((why, way_out)) = crate::cleanup_settings::refused(wanted.cleanup) {
            return Err(refusal::bad_request(why, way_out));
        }
        let mut changed = settings.clone();
        if changed.set_preferences(wanted) {
            changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
            self.settings = Ok(changed);
            self.preferences_changed();
            self.rewrite_task_clean_ups();
            self.settle();
        }
        Ok(wanted)
    }

    pub(crate) fn read_settings(&mut self) {
        let read = Settings::read(&self.folders.settings_file());
        if self.may_be_half_written(&read) {
            return;
        }
        if let (Ok(read), Ok(known)) = (&read, &self.settings)
            && read.runners == known.runners
        {
            // Comments and keys of others may be new: the next change must not take them away.
            let keeps_otherwise = read.history != known.history;
            let prefers_otherwise = read.preferences != known.preferences;
            // Items are read when somebody asks for them.
            let cleans_otherwise = prefers_otherwise || read.cleanup != known.cleanup;
            self.settings = Ok(read.clone());
            if prefers_otherwise {
                self.preferences_changed();
            }
            if cleans_otherwise {
                self.rewrite_task_clean_ups();
            }
            if keeps_otherwise {
                self.prune_history();
            }
            return;
        }
        tracing::info!("the settings were changed");
        self.settings = read;
        self.settings_changed();
    }

    /// An editor may empty the file, or move it away, before it writes it anew: that a runner is not
    /// in it any more counts once it has been so for a moment.
    fn may_be_half_written(&mut self, read: &Result<Settings, SettingsError>) -> bool {
        let lacks_one = read
            .as_ref()
            .is_ok_and(|read| self.named.iter().any(|name| !read.runners.contains_key(name)));
        if !lacks_one {
            self.lacks_runner_since = None;
            return false;
        }
        let since = *self.lacks_runner_since.get_or_insert_with(|| {
            let to_loop = self.to_loop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(WRITTEN_BY_THEN).await;
                to_loop.send(Input::SettingsTouched);
            });
            Instant::now()
        });
        let waits = since.elapsed() < WRITTEN_BY_THEN;
        if !waits {
            self.lacks_runner_since = None;
        }
        waits
    }

    pub(crate) fn facts(&self, name: &RunnerName, settings: &RunnerSettings) -> RunnerFacts {
        let places = crate::places::of(name, settings, &self.folders);
        RunnerFacts {
            name: name.clone(),
            resource_class: settings.resource_class.clone(),
            working_directory: places.working_directory.display().to_string(),
            boundary: crate::boundary::boundary(settings.job_user.as_deref(), settings.token_store),
            api_url: Some(settings.api_url())
                .filter(|url| *url != circleci::API_URL)
                .map(str::to_owned),
            releases_url: settings.releases_url().to_owned(),
            mark: mark(settings),
            token_store: Some(settings.token_store),
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
    // As a version that knew of no PATH had it: nothing is started anew for that.
    let all = format!("{all:?}").replace(", path: [] }", " }");
    hex::encode(&Sha256::digest(all)[..8])
}
