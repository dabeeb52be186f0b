//! Where tokens are, as the settings say it: each step of a move is on disk before the next.

use protocol::{ApiError, RunnerName, TokenStore};
use supervisor_core::Event;

use crate::api::refusal;
use crate::settings::{RunnerSettings, Settings, TokenCopy};
use crate::supervisor::{Supervisor, now};

impl Supervisor {
    /// A copy may be in this place too; none: it is gone.
    pub(crate) fn token_copy(
        &mut self,
        name: &RunnerName,
        store: Option<TokenStore>,
    ) -> Result<(), ApiError> {
        let copy = store.map(|store| TokenCopy { store, since: now() });
        self.change(name, |settings| settings.set_token_copy(name, copy.as_ref()))
    }

    /// The token is in this place from now on, and a copy may be in the one before.
    pub(crate) fn token_is_in(
        &mut self,
        name: &RunnerName,
        store: TokenStore,
    ) -> Result<(), ApiError> {
        let before = self.runner_settings(name).map(|settings| settings.token_store);
        let copy = before.map(|store| TokenCopy { store, since: now() });
        self.change(name, |settings| {
            settings.set_token_store(name, store);
            settings.set_token_copy(name, copy.as_ref());
        })?;
        // What was lacking in the other place may be here.
        self.event(Event::TokenChanged(name.clone()));
        Ok(())
    }

    /// Tokens that an earlier version stored, which made no note of it.
    pub(crate) fn note_tokens(&self) {
        let Ok(settings) = &self.settings else { return };
        let in_keychain = |it: &RunnerSettings| it.token_store == TokenStore::Keychain;
        for (name, _) in settings.runners.iter().filter(|(_, runner)| in_keychain(runner)) {
            if let Err(error) = crate::token::note(&self.folders, name) {
                tracing::warn!(runner = %name, %error, "no note of where its token is");
            }
        }
    }

    /// What an earlier supervisor had begun to move.
    pub(crate) fn drop_token_copies(&self) {
        let Ok(settings) = &self.settings else { return };
        for (name, runner) in &settings.runners {
            let Some(copy) = &runner.token_copy else { continue };
            let (name, store) = (name.clone(), copy.store);
            let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
            tokio::spawn(async move {
                match crate::token::drop_copy(&name, store, &folders, &to_loop).await {
                    Ok(()) => tracing::info!(runner = %name, "a copy of its token is removed"),
                    Err(error) => tracing::warn!(runner = %name, %error, "a copy is left"),
                }
            });
        }
    }

    fn change(
        &mut self,
        name: &RunnerName,
        change: impl FnOnce(&mut Settings),
    ) -> Result<(), ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        if !settings.runners.contains_key(name) {
            return Err(refusal::no_such_runner(name));
        }
        let mut changed = settings.clone();
        change(&mut changed);
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        self.settings_changed();
        Ok(())
    }
}
