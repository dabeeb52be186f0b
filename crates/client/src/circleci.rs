//! Calls that have the supervisor ask CircleCI's user API; the personal token goes along in the body.

use protocol::{
    Asked, ClassListed, ClassShown, CreateClass, CreateOwnToken, CreateToken, DeleteClass,
    DeleteToken, OfClass, OfNamespace, Rotate, Rotated, Rotation, RunnerName, TokenCreated,
    TokenListed,
};
use reqwest::Method;

use crate::{Client, ClientError};

impl Client {
    /// A namespace's resource classes.
    pub async fn list_classes(
        &self,
        ask: &Asked<OfNamespace>,
    ) -> Result<Vec<ClassListed>, ClientError> {
        self.ask("circleci/classes/list", ask).await
    }

    /// A resource class with its work and its agents.
    pub async fn show_class(&self, ask: &Asked<OfClass>) -> Result<ClassShown, ClientError> {
        self.ask("circleci/classes/show", ask).await
    }

    pub async fn create_class(&self, ask: &Asked<CreateClass>) -> Result<ClassListed, ClientError> {
        self.ask("circleci/classes/create", ask).await
    }

    /// Refused where it has tokens, unless they are to go with it.
    pub async fn delete_class(&self, ask: &Asked<DeleteClass>) -> Result<(), ClientError> {
        self.wish(Method::POST, "circleci/classes/delete", Some(ask)).await
    }

    /// A resource class's tokens, without the tokens themselves.
    pub async fn list_tokens(&self, ask: &Asked<OfClass>) -> Result<Vec<TokenListed>, ClientError> {
        self.ask("circleci/tokens/list", ask).await
    }

    /// The only call that answers with a token, once.
    pub async fn create_token(
        &self,
        ask: &Asked<CreateToken>,
    ) -> Result<TokenCreated, ClientError> {
        self.ask("circleci/tokens/create", ask).await
    }

    /// Refused where a runner of this machine is known to use it, unless that is meant.
    pub async fn delete_token(&self, ask: &Asked<DeleteToken>) -> Result<(), ClientError> {
        self.wish(Method::POST, "circleci/tokens/delete", Some(ask)).await
    }

    /// Creates a token for the runner and stores it as its own.
    pub async fn create_own_token(
        &self,
        runner: &RunnerName,
        ask: &Asked<CreateOwnToken>,
    ) -> Result<TokenListed, ClientError> {
        self.ask(&format!("runners/{runner}/new-token"), ask).await
    }

    /// Begins the rotation of a runner's token, or goes on with the one that was begun.
    pub async fn rotate(
        &self,
        runner: &RunnerName,
        ask: &Asked<Rotate>,
    ) -> Result<Rotated, ClientError> {
        self.ask(&format!("runners/{runner}/rotation"), ask).await
    }

    /// How far the rotation is, none where none was begun. `wait`: while only the runner is waited
    /// for, answer up to 25 s later.
    pub async fn rotation(
        &self,
        runner: &RunnerName,
        wait: bool,
    ) -> Result<Option<Rotation>, ClientError> {
        let query: &[_] = if wait { &[("wait", "1".to_owned())] } else { &[] };
        self.get(&format!("runners/{runner}/rotation"), query).await
    }
}
