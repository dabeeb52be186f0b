//! Calls that ask CircleCI's user API, each with the personal token that came with it. The token is
//! neither kept nor logged; every call is a POST, so that none of it is in an address.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::{
    AgentListed, ApiError, Asked, ClassListed, ClassShown, CreateClass, CreateOwnToken,
    CreateToken, DeleteClass, DeleteToken, OfClass, OfNamespace, Rotate, Rotated, Rotation,
    RunnerName, SetToken, TokenCreated, TokenListed,
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::Api;
use super::asked::{Body, Path, Query};
use super::refusal::{self, Refused};
use crate::input::Input;
use crate::new_token;
use crate::rotate::{self, Record, registered};
use crate::rotations::Attending;
use crate::user_calls::{self, told, told_of_change};

type Answer<T> = Result<Json<T>, Refused>;

pub(crate) async fn list_classes(
    State(api): State<Api>,
    Body(asked): Body<Asked<OfNamespace>>,
) -> Answer<Vec<ClassListed>> {
    let (server, ask) = server(&api, asked).await?;
    let namespace = server.namespace(&ask.namespace).await.map_err(told)?;
    Ok(Json(namespace.classes().iter().cloned().map(class).collect()))
}

pub(crate) async fn show_class(
    State(api): State<Api>,
    Body(asked): Body<Asked<OfClass>>,
) -> Answer<ClassShown> {
    let (server, ask) = server(&api, asked).await?;
    let name = &ask.resource_class;
    let namespace = user_calls::namespace_with(&server, name).await?;
    let counts = namespace.counts(name.as_str()).await.map_err(told)?;
    let agents = namespace.agents(name.as_str()).await.map_err(told)?;
    let found = namespace.class(name.as_str()).map_err(told)?;
    Ok(Json(ClassShown {
        class: class(found.clone()),
        waiting: counts.waiting,
        running: counts.running,
        agents: agents
            .into_iter()
            .map(|agent| AgentListed {
                name: agent.name,
                version: agent.version,
                last_connected: agent.last_connected,
                is_busy: agent.is_busy,
            })
            .collect(),
    }))
}

pub(crate) async fn create_class(
    State(api): State<Api>,
    Body(asked): Body<Asked<CreateClass>>,
) -> Answer<ClassListed> {
    let (server, ask) = server(&api, asked).await?;
    let CreateClass { resource_class, description, org_id } = &ask;
    let namespace =
        server.namespace(user_calls::namespace_of(resource_class)).await.map_err(told)?;
    let created =
        namespace.create_class(resource_class.as_str(), description, org_id.as_deref()).await;
    Ok(Json(class(created.map_err(told_of_change)?)))
}

pub(crate) async fn delete_class(
    State(api): State<Api>,
    Body(asked): Body<Asked<DeleteClass>>,
) -> Result<StatusCode, Refused> {
    let (server, ask) = server(&api, asked).await?;
    let DeleteClass { resource_class, force } = &ask;
    let namespace = user_calls::namespace_with(&server, resource_class).await?;
    namespace.delete_class(resource_class.as_str(), *force).await.map_err(told_of_change)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn list_tokens(
    State(api): State<Api>,
    Body(asked): Body<Asked<OfClass>>,
) -> Answer<Vec<TokenListed>> {
    let (server, ask) = server(&api, asked).await?;
    let class = &ask.resource_class;
    let namespace = user_calls::namespace_with(&server, class).await?;
    let tokens = namespace.tokens(class.as_str()).await.map_err(told)?;
    let mut listed = Vec::new();
    for token in tokens {
        listed.push(listed_with_users(&api, token).await?);
    }
    Ok(Json(listed))
}

pub(crate) async fn create_token(
    State(api): State<Api>,
    Body(asked): Body<Asked<CreateToken>>,
) -> Answer<TokenCreated> {
    let (server, ask) = server(&api, asked).await?;
    let CreateToken { resource_class, nickname } = &ask;
    let namespace = user_calls::namespace_with(&server, resource_class).await?;
    let created = namespace.create_token(resource_class.as_str(), nickname).await;
    let created = created.map_err(told_of_change)?;
    Ok(Json(TokenCreated {
        listed: listed_with_users(&api, created.token).await?,
        token: SetToken(created.secret.expose_secret().to_owned()),
    }))
}

pub(crate) async fn delete_token(
    State(api): State<Api>,
    Body(asked): Body<Asked<DeleteToken>>,
) -> Result<StatusCode, Refused> {
    let (server, ask) = server(&api, asked).await?;
    let DeleteToken { resource_class, id, force } = &ask;
    if let Some(runner) = users_of(&api, id).await?.first().filter(|_| !force) {
        return Err(refusal::error(
            409,
            "token-in-use",
            format!("The token {id} is that of {runner} on this machine, so it is not deleted."),
            &format!(
                "Replace it with `runnerctl token rotate --runner {runner}`, or say --force: {runner} \
                 then claims no more tasks."
            ),
        )
        .into());
    }
    let namespace = user_calls::namespace_with(&server, resource_class).await?;
    // So that an id of another class is told, and nothing deleted by a slip.
    let listed = namespace.tokens(resource_class.as_str()).await.map_err(told)?;
    if !listed.iter().any(|token| token.id == *id) {
        let (id, class) = (id.clone(), resource_class.to_string());
        return Err(told(circleci::UserApiError::NoSuchToken { id, class }).into());
    }
    namespace.delete_token(resource_class.as_str(), id).await.map_err(told_of_change)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The runner's own server is asked, whatever the body names.
pub(crate) async fn create_own_token(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Body(asked): Body<Asked<CreateOwnToken>>,
) -> Answer<TokenListed> {
    let _turn = api.rotating.lock().await;
    let known = registered(&api, &runner).await?;
    if Record::read(&api.folders, &runner).map_err(ApiError::from)?.is_some() {
        return Err(refusal::error(
            409,
            "rotation-begun",
            format!("A rotation of the token of {runner} was begun and is not done."),
            &format!("Let it come to its end first: runnerctl token rotate --runner {runner}"),
        )
        .into());
    }
    let server = user_calls::at(&known.api_url, asked.personal_token)?;
    let namespace = user_calls::namespace_with(&server, &known.resource_class).await?;
    new_token::check_store(&runner, &known, &api.folders).await?;
    let nickname = &asked.ask.nickname;
    let created = new_token::create(&api, &namespace, &known, nickname).await?;
    let listed = created.token.clone();
    {
        // Nobody sets another one while this goes on.
        let _turn = api.tokens.lock().await;
        let now = registered(&api, &runner).await?;
        if now.token_place().given_for != known.token_place().given_for {
            return Err(refusal::error(
                409,
                "token-changed",
                format!("{runner} was set up for something else at the same moment."),
                &format!("The token {} is of no use: delete it.", listed.id),
            )
            .into());
        }
        new_token::store(&api, &runner, &namespace, &now, created).await?;
        let (name, id) = (runner, listed.id.clone());
        api.to_loop.ask(|reply| Input::TokenStored { name, id, reply }).await?;
    }
    Ok(Json(listed_with_users(&api, listed).await?))
}

/// The runner's own server is asked, whatever the body names.
pub(crate) async fn rotate(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Body(asked): Body<Asked<Rotate>>,
) -> Answer<Rotated> {
    Ok(Json(rotate::go_on(&api, &runner, asked.personal_token, &asked.ask).await?))
}

#[derive(Deserialize)]
pub(crate) struct Waiting {
    /// `1`: where the new agent's claim is waited for, wait with it for a while.
    #[serde(default)]
    wait: u8,
}

const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// A proof need not show in the snapshot, so it is looked for while somebody waits.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How far it is; null where none was begun. Asks nobody but this machine.
pub(crate) async fn rotation(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Query(waiting): Query<Waiting>,
) -> Answer<Option<Rotation>> {
    let until = tokio::time::Instant::now() + LONGEST_WAIT;
    let _attending = (waiting.wait == 1).then(|| Attending::begin(&runner, &api.to_loop));
    loop {
        let known = registered(&api, &runner).await?;
        let Some(record) = Record::read(&api.folders, &runner).map_err(ApiError::from)? else {
            return Ok(Json(None));
        };
        let name = runner.clone();
        let proven = api.to_loop.ask(|reply| Input::Proven(name, reply)).await?;
        let step = record.step(&known, proven);
        let may_wait = waiting.wait == 1 && tokio::time::Instant::now() < until;
        if step != protocol::RotationStep::Prove || !may_wait {
            return Ok(Json(Some(record.shown(step))));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn server<T>(api: &Api, asked: Asked<T>) -> Result<(circleci::UserApi, T), Refused> {
    let Asked { personal_token, api_url, ask } = asked;
    let runners = api.to_loop.ask(Input::AllRegistered).await?;
    Ok((user_calls::server(personal_token, api_url.as_deref(), &runners)?, ask))
}

fn class(class: circleci::Class) -> ClassListed {
    ClassListed { id: class.id, resource_class: class.name, description: class.description }
}

async fn listed_with_users(
    api: &Api,
    token: circleci::ListedToken,
) -> Result<TokenListed, Refused> {
    let used_by = users_of(api, &token.id).await?;
    let circleci::ListedToken { id, nickname, created_at } = token;
    Ok(TokenListed { id, nickname, created_at, used_by })
}

/// Runners here whose token it is known to be; ids are CircleCI's, so no two servers share one.
async fn users_of(api: &Api, id: &str) -> Result<Vec<RunnerName>, Refused> {
    let runners = api.to_loop.ask(Input::AllRegistered).await?;
    let users = runners.into_iter().filter(|(_, runner)| runner.token_id.as_deref() == Some(id));
    Ok(users.map(|(name, _)| name).collect())
}
