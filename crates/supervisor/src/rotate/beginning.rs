//! How a rotation begins, or is taken up again, or is given up: what is to be replaced is found out
//! and written down before anything is created.

use circleci::{ListedToken, UserApiError};
use jiff::Timestamp;
use protocol::{ApiError, Rotate, Rotated, RotationStep, RunnerName};
use run_dir::RunId;

use super::{Record, Turn};
use crate::api::refusal;
use crate::input::Input;
use crate::supervisor::now;
use crate::user_calls::told;
use crate::{new_token, token};

impl Turn<'_> {
    /// Nothing where the token that was named is replaced already.
    pub(super) async fn begin(&mut self, ask: &Rotate) -> Result<Option<Record>, ApiError> {
        let class = self.known.resource_class.as_str();
        let listed = self.namespace.tokens(class).await.map_err(told)?;
        let Some(old) = self.old_tokens(ask, &listed)? else { return Ok(None) };
        new_token::check_store(self.runner, &self.known, &self.api.folders).await?;
        if !old.is_empty() {
            self.refuse_shared(&old).await?;
        }
        let record = Record::new(&self.known, nickname(self.runner, now()), old, now());
        record.save(&self.api.folders, self.runner)?;
        Ok(Some(record))
    }

    /// The ids to be deleted; nothing where the named one is gone and another is in its place.
    fn old_tokens(
        &self,
        ask: &Rotate,
        listed: &[ListedToken],
    ) -> Result<Option<Vec<String>>, ApiError> {
        if ask.keep_old {
            return Ok(Some(Vec::new()));
        }
        let is_listed = |id: &String| listed.iter().any(|token| token.id == *id);
        let own = self.known.token_id.as_ref();
        match (&ask.old_token, own) {
            (Some(named), _) if is_listed(named) => Ok(Some(vec![named.clone()])),
            (Some(_), Some(own)) if is_listed(own) => Ok(None),
            (Some(named), _) => {
                let (id, class) = (named.clone(), self.known.resource_class.to_string());
                Err(told(UserApiError::NoSuchToken { id, class }))
            }
            // One that somebody deleted needs no deleting.
            (None, Some(own)) => {
                Ok(Some(Some(own.clone()).into_iter().filter(is_listed).collect()))
            }
            (None, None) => Err(self.unknown()),
        }
    }

    /// Another runner of this machine with the same token would be cut off.
    async fn refuse_shared(&self, old: &[String]) -> Result<(), ApiError> {
        let (known, folders) = (&self.known, &self.api.folders);
        let own = token::get(self.runner, &known.token_place(), folders).await.ok();
        for (name, other) in self.api.to_loop.ask(Input::AllRegistered).await? {
            let same_class = other.resource_class == known.resource_class
                && other.api_url == known.api_url
                && name != *self.runner;
            if !same_class {
                continue;
            }
            let named = other.token_id.as_ref().is_some_and(|id| old.contains(id));
            let stored = match &own {
                Some(own) => token::is(&name, &other.token_place(), folders, own).await,
                None => false,
            };
            if named || stored {
                return Err(refusal::error(
                    409,
                    "token-shared",
                    format!("{name} uses the same token as {}, so it is not deleted.", self.runner),
                    &format!(
                        "Give this one a token of its own first, with --keep-old; the rotation of \
                         {name} then deletes the old one."
                    ),
                ));
            }
        }
        Ok(())
    }

    fn unknown(&self) -> ApiError {
        let (runner, class) = (self.runner, &self.known.resource_class);
        refusal::error(
            409,
            "old-token-unknown",
            format!(
                "Which token of {class} {runner} uses is not known: Runner Tray did not create it."
            ),
            &format!(
                "Find it with `runnerctl token list {class}` and say --old-token-id ID, or keep it \
                 with --keep-old. Deleting a token stops every machine that uses it from claiming."
            ),
        )
    }

    /// A rotation that an earlier call began. Where the runner has got another token or another
    /// server meanwhile it is given up, and what it created is deleted.
    pub(super) async fn take_up(&mut self, mut record: Record) -> Result<Record, ApiError> {
        let (runner, folders) = (self.runner, &self.api.folders);
        if record.is_elsewhere(&self.known) {
            Record::remove(folders, runner)?;
            return Err(given_up(
                format!(
                    "A rotation was begun for {} of {}, and {runner} works for another now; it is \
                     given up.",
                    record.resource_class, record.api_url
                ),
                &format!(
                    "A token named {} may be left there: delete it with `runnerctl token delete`.",
                    record.nickname
                ),
            ));
        }
        let created = self.created_by(&record).await?;
        if record.is_void(&self.known) {
            for id in created {
                self.delete_one(&id).await?;
            }
            Record::remove(folders, runner)?;
            return Err(given_up(
                format!(
                    "Another token was set for {runner} since the rotation began; it is given up, and \
                     what it created is deleted."
                ),
                "To replace the present token say it again, with --old-token-id or --keep-old.",
            ));
        }
        self.did.push("Goes on with the rotation that was begun.".into());
        if record.new.as_ref().is_some_and(|new| !created.contains(new)) {
            self.did.push("Its new token was deleted at CircleCI; another one is created.".into());
            record.new = None;
            record.token_number = self.known.token_number;
            record.save(folders, runner)?;
        }
        Ok(record)
    }

    pub(super) fn nothing_to_do(&self) -> Rotated {
        let own = self.known.token_id.clone();
        let sentence = format!(
            "That token is gone and {} uses {}: there is nothing left to do.",
            self.runner,
            own.as_deref().unwrap_or("another")
        );
        let mut record = Record::new(&self.known, String::new(), Vec::new(), now());
        record.new = own;
        Rotated { rotation: record.shown(RotationStep::Done), did: vec![sentence] }
    }
}

fn given_up(title: String, hint: &str) -> ApiError {
    refusal::error(409, "rotation-given-up", title, hint)
}

/// One that no other token has.
fn nickname(runner: &RunnerName, now: Timestamp) -> String {
    format!("{runner}-{}", RunId::new(now).as_str())
}
