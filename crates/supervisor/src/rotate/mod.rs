//! A runner's token replaced by a new one, step by step. Every step may be the last one of this
//! process: what the next needs is on disk, and said again it goes on. An old token is deleted only
//! after the server has answered a claim of the agent that has the new one, so no task waits for a
//! token and none is lost for one; what drains, drains as it always does, and a pause stays.

mod beginning;
mod record;

use circleci::{CreatedToken, Namespace, UserApiError};
use protocol::{ApiError, PersonalToken, Rotate, Rotated, RotationStep, RunnerName};

use crate::api::{Api, refusal};
use crate::hold::hold;
use crate::input::{Input, Registered};
use crate::new_token;
use crate::rotations::Attending;
use crate::user_calls::{self, told, told_of_change};

pub(crate) use record::{Record, is_record};

/// Takes all steps that can be taken now. Waits for nobody but the server.
pub(crate) async fn go_on(
    api: &Api,
    runner: &RunnerName,
    personal_token: PersonalToken,
    ask: &Rotate,
) -> Result<Rotated, ApiError> {
    // Two at once would each create a token.
    let _turn = api.rotating.lock().await;
    let _attending = Attending::begin(runner, &api.to_loop);
    let known = registered(api, runner).await?;
    let server = user_calls::at(&known.api_url, personal_token)?;
    let namespace = user_calls::namespace_with(&server, &known.resource_class).await?;
    let mut turn = Turn { api, runner, known, namespace: &namespace, did: Vec::new() };
    let record = match Record::read(&api.folders, runner)? {
        Some(record) => turn.take_up(record).await?,
        None => match turn.begin(ask).await? {
            Some(record) => record,
            None => return Ok(turn.nothing_to_do()),
        },
    };
    turn.steps(record).await.map_err(|mut error| {
        let again = format!("Say it again to go on: runnerctl token rotate --runner {runner}");
        error.hint = format!("{} {again}", error.hint);
        error
    })
}

pub(crate) async fn registered(api: &Api, runner: &RunnerName) -> Result<Registered, ApiError> {
    let known = api.to_loop.ask(|reply| Input::Registered(runner.clone(), reply)).await?;
    known.ok_or_else(|| refusal::no_such_runner(runner))
}

/// One call's share of a rotation.
struct Turn<'a> {
    api: &'a Api,
    runner: &'a RunnerName,
    known: Registered,
    namespace: &'a Namespace<'a>,
    /// What was done, in sentences.
    did: Vec<String>,
}

impl Turn<'_> {
    async fn steps(&mut self, mut record: Record) -> Result<Rotated, ApiError> {
        hold(&self.api.folders, "rotation-begun");
        let created = match record.new {
            None => Some(self.create(&mut record).await?),
            Some(_) => None,
        };
        if !record.is_swapped(&self.known) {
            self.swap(&mut record, created).await?;
        }
        let runner = self.runner.clone();
        if !self.api.to_loop.ask(|reply| Input::Proven(runner, reply)).await? {
            return Ok(self.told(&record, RotationStep::Prove));
        }
        hold(&self.api.folders, "rotation-proven");
        self.delete(&record).await?;
        Record::remove(&self.api.folders, self.runner)?;
        Ok(self.told(&record, RotationStep::Done))
    }

    /// What an earlier try created and did not come to record is not trusted: nobody can tell whether
    /// it was stored. It is deleted at the end, with the old one, as an agent may have it.
    async fn create(&mut self, record: &mut Record) -> Result<CreatedToken, ApiError> {
        let lost = self.created_by(record).await?;
        if !lost.is_empty() {
            record.old.retain(|id| !lost.contains(id));
            record.old.extend(lost);
            record.save(&self.api.folders, self.runner)?;
        }
        new_token::check_store(self.runner, &self.known, &self.api.folders).await?;
        new_token::create(self.api, self.namespace, &self.known, &record.nickname).await
    }

    /// From here on agents are started with the new token; the one that runs drains. Nobody sets
    /// another token while this goes on.
    async fn swap(
        &mut self,
        record: &mut Record,
        created: Option<CreatedToken>,
    ) -> Result<(), ApiError> {
        let _turn = self.api.tokens.lock().await;
        self.known = registered(self.api, self.runner).await?;
        if record.is_void(&self.known) || record.is_elsewhere(&self.known) {
            return Err(refusal::error(
                409,
                "token-changed",
                format!("The token of {} was changed at the same moment.", self.runner),
                "Nothing of it is lost.",
            ));
        }
        if let Some(created) = created {
            let id = created.token.id.clone();
            new_token::store(self.api, self.runner, self.namespace, &self.known, created).await?;
            record.new = Some(id.clone());
            record.save(&self.api.folders, self.runner)?;
            hold(&self.api.folders, "rotation-recorded");
            tracing::info!(runner = %self.runner, id, "a new token is created and stored");
            self.did.push(format!("Created the token {} ({id}) and stored it.", record.nickname));
        }
        let (name, id) = (self.runner.clone(), record.new.clone().unwrap_or_default());
        self.api.to_loop.ask(|reply| Input::TokenStored { name, id, reply }).await?;
        hold(&self.api.folders, "rotation-swapped");
        self.did.push("The agent is replaced by one with it once it has no task.".into());
        Ok(())
    }

    async fn delete(&mut self, record: &Record) -> Result<(), ApiError> {
        let listed = self.tokens().await?;
        if !record.new.as_ref().is_some_and(|new| listed.contains(new)) {
            return Err(refusal::error(
                409,
                "new-token-gone",
                format!(
                    "The new token {} was deleted at CircleCI; the old one stays.",
                    record.nickname
                ),
                "Another one is created next time.",
            ));
        }
        for id in record.old.iter().filter(|id| listed.contains(id)) {
            self.delete_one(id).await?;
            tracing::info!(runner = %self.runner, id, "an old token is deleted");
            self.did.push(format!("Deleted the old token {id}."));
        }
        // A 404 is also how CircleCI refuses, so only the list tells that they are gone.
        let listed = self.tokens().await?;
        if let Some(left) = record.old.iter().find(|id| listed.contains(id)) {
            return Err(refusal::error(
                502,
                "old-token-left",
                format!("CircleCI still lists the old token {left} after its deletion."),
                "Look again in a while.",
            ));
        }
        hold(&self.api.folders, "rotation-deleted");
        Ok(())
    }

    async fn delete_one(&self, id: &str) -> Result<(), ApiError> {
        match self.namespace.delete_token(self.known.resource_class.as_str(), id).await {
            Ok(()) | Err(UserApiError::NoSuchToken { .. }) => Ok(()),
            Err(error) => Err(told_of_change(error)),
        }
    }

    /// The ids of the class's tokens.
    async fn tokens(&self) -> Result<Vec<String>, ApiError> {
        let class = self.known.resource_class.as_str();
        let listed = self.namespace.tokens(class).await.map_err(told)?;
        Ok(listed.into_iter().map(|token| token.id).collect())
    }

    /// The ids of those that this rotation created.
    async fn created_by(&self, record: &Record) -> Result<Vec<String>, ApiError> {
        let class = self.known.resource_class.as_str();
        let listed = self.namespace.tokens(class).await.map_err(told)?;
        let created = listed.into_iter().filter(|token| token.nickname == record.nickname);
        Ok(created.map(|token| token.id).collect())
    }

    fn told(&mut self, record: &Record, step: RotationStep) -> Rotated {
        Rotated { rotation: record.shown(step), did: std::mem::take(&mut self.did) }
    }
}
