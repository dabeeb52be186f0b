//! Calls that change something. Each is idempotent: said twice is said once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::{
    CancelTask, Pause, PauseBy, RunnerName, SetToken, SetUp, SetUpDone, Stopping, TokenStore,
};
use supervisor_core::Wish;

use super::Api;
use super::asked::{Body, Path};
use super::refusal::{self, Refused};
use crate::input::{Input, Registered, Token};
use crate::token;

type Done = Result<StatusCode, Refused>;

pub(crate) async fn set_up(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Body(wish): Body<SetUp>,
) -> Result<Json<SetUpDone>, Refused> {
    let SetUp { spec, token } = wish;
    check(&spec)?;
    if let Some(user) = spec.job_user.clone() {
        crate::job_user::check(user).await?;
    }
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    let there = known.as_ref().map(|known| known.token_store);
    let to = spec.token_store.or(there).unwrap_or_default();
    let mut did = Vec::new();
    let mut new_token = false;
    match token {
        Some(SetToken(token)) => new_token = store(&api, &name, to, Token::from(token)).await?,
        None => did.extend(forget_if_moved(&api, &name, known.as_ref(), &spec).await?),
    }
    did.extend(
        api.to_loop
            .ask(|reply| Input::SetUp { name: name.clone(), spec, new_token, reply })
            .await?,
    );
    if let Some(from) = there.filter(|from| *from != to) {
        token::forget(&name, from, &api.folders).await?;
    }
    let needs_token = token::is_missing(&name, to, &api.folders).await;
    Ok(Json(SetUpDone { did, needs_token }))
}

fn check(spec: &protocol::RunnerSpec) -> Result<(), Refused> {
    for url in [&spec.api_url, &spec.releases_url].into_iter().flatten() {
        circleci::service_address(url)
            .map_err(|error| refusal::bad_request(error.to_string(), "Give an https address."))?;
    }
    let relative = spec
        .working_directory
        .as_deref()
        .filter(|directory| !std::path::Path::new(directory).is_absolute());
    match relative {
        None => Ok(()),
        Some(directory) => Err(refusal::bad_request(
            format!("The working directory {directory} is not an absolute path."),
            "Give the whole path, from / on.",
        )
        .into()),
    }
}

/// True where it is another token than the one that was there.
async fn store(
    api: &Api,
    name: &RunnerName,
    store: TokenStore,
    token: Token,
) -> Result<bool, Refused> {
    if token::is(name, store, &api.folders, &token).await {
        return Ok(false);
    }
    token::set(name, store, &api.folders, token).await?;
    Ok(true)
}

/// A token belongs to the resource class and the servers it was given for.
async fn forget_if_moved(
    api: &Api,
    name: &RunnerName,
    known: Option<&Registered>,
    spec: &protocol::RunnerSpec,
) -> Result<Option<String>, Refused> {
    let Some(known) = known else { return Ok(None) };
    let stays = |wanted: Option<&String>, there: &str| wanted.is_none_or(|wanted| wanted == there);
    if spec.resource_class == known.resource_class
        && stays(spec.api_url.as_ref(), &known.api_url)
        && stays(spec.releases_url.as_ref(), &known.releases_url)
    {
        return Ok(None);
    }
    token::forget(name, known.token_store, &api.folders).await?;
    Ok(Some("The token is forgotten: it was given for another resource class or server.".into()))
}

pub(crate) async fn remove(State(api): State<Api>, Path(name): Path<RunnerName>) -> Done {
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    // First, so that a locked keychain keeps the runner and not the token.
    if let Some(known) = known {
        token::forget(&name, known.token_store, &api.folders).await?;
    }
    api.to_loop.ask(|reply| Input::Remove(name.clone(), reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn set_token(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Body(wish): Body<SetToken>,
) -> Done {
    let SetToken(token) = wish;
    let known = registered(&api, &name).await?;
    if store(&api, &name, known.token_store, Token::from(token)).await? {
        api.to_loop.ask(|reply| Input::TokenChanged { name, reply }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn forget_token(State(api): State<Api>, Path(name): Path<RunnerName>) -> Done {
    let known = registered(&api, &name).await?;
    token::forget(&name, known.token_store, &api.folders).await?;
    api.to_loop.ask(|reply| Input::TokenChanged { name, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn registered(api: &Api, name: &RunnerName) -> Result<Registered, Refused> {
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    known.ok_or_else(|| refusal::no_such_runner(name).into())
}

/// It stands in every snapshot.
const LONGEST_NOTE: usize = 500;

pub(crate) async fn pause(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Body(wish): Body<Pause>,
) -> Done {
    let Pause { until, note } = wish;
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(refusal::bad_request(
            format!("The note is longer than {LONGEST_NOTE} characters."),
            "Say it shorter.",
        )
        .into());
    }
    let wish = Wish::Pause { runner, by: PauseBy::You, until, note, reading: None };
    api.to_loop.ask(|reply| Input::Wish(wish, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn resume(State(api): State<Api>, Path(runner): Path<RunnerName>) -> Done {
    let wish = Wish::Resume { runner, by: PauseBy::You };
    api.to_loop.ask(|reply| Input::Wish(wish, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn cancel(
    State(api): State<Api>,
    Path(runner): Path<RunnerName>,
    Body(wish): Body<CancelTask>,
) -> Done {
    let CancelTask { task } = wish;
    api.to_loop.ask(|reply| Input::Wish(Wish::Cancel { runner, task }, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn want_install(State(api): State<Api>, Path(name): Path<RunnerName>) -> Done {
    api.to_loop.ask(|reply| Input::WantInstall(name, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn stop_install(State(api): State<Api>, Path(name): Path<RunnerName>) -> Done {
    api.to_loop.ask(|reply| Input::StopInstall(name, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn stop(State(api): State<Api>) -> Result<Json<Stopping>, Refused> {
    Ok(Json(api.to_loop.ask(Input::Stop).await?))
}
