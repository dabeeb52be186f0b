//! Calls that set runners up and take them away.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::{JobsRunAs, RunnerName, RunnerSpec, SetToken, SetUp, SetUpDone};

use super::Api;
use super::asked::{Body, Path};
use super::refusal::{self, Refused};
use super::tokens::forget_all;
use crate::cleanup::no_tasks_own;
use crate::hold::hold;
use crate::input::{Input, Registered, Token};
use crate::token::{self, GivenFor, TokenPlace};

pub(crate) async fn set_up(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Body(SetUp { mut spec, token }): Body<SetUp>,
) -> Result<Json<SetUpDone>, Refused> {
    check(&spec)?;
    if let Some(JobsRunAs::User(user)) = spec.job_user.clone() {
        crate::job_user::check(user).await?;
    }
    let _turn = api.tokens.lock().await;
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    refuse_what_is_no_tasks(&api, &name, &spec, known.as_ref()).await?;
    let place = token_place(&spec, known.as_ref());
    let to = place.store;
    let elsewhere = known.clone().filter(|known| known.token_store != to);
    let mut did = Vec::new();
    let mut new_token = false;
    let mut moves = false;
    // A token is never anywhere before the settings name whose it is.
    let mut first = None;
    match (token.map(|SetToken(token)| Token::from(token)), known) {
        (Some(token), Some(_)) if elsewhere.is_some() => {
            token::set_elsewhere(&name, &place, &api.folders, &token, &api.to_loop).await?;
            new_token = true;
        }
        (Some(token), Some(_)) => {
            new_token = token::set(&name, &place, &api.folders, token).await?;
        }
        (Some(token), None) => first = Some(token),
        (None, Some(known)) if known.token_place().given_for != place.given_for => {
            forget_all(&api, &name, &known).await?;
            did.push(
                "The token is forgotten: it was given for another resource class or server.".into(),
            );
        }
        (None, _) => moves = elsewhere.is_some(),
    }
    if moves {
        // The settings tell of it step by step.
        spec.token_store = None;
    }
    let set_up = |reply| Input::SetUp { name: name.clone(), spec, new_token, reply };
    did.extend(api.to_loop.ask(set_up).await?);
    if let Some(token) = first {
        hold(&api.folders, "runner-named");
        store_first(&api, &name, &place, token).await?;
        did.push("The token is stored.".into());
    }
    if let Some(known) = elsewhere {
        let copy_is_gone = if moves {
            token::move_to(&name, to, &known, &api.folders, &api.to_loop).await
        } else {
            token::drop_copy(&name, known.token_store, &api.folders, &api.to_loop).await
        };
        match copy_is_gone {
            Err(error) if error.code != token::COPY_LEFT => return Err(error.into()),
            // It is done, but for that; the snapshot says so until it is gone.
            Err(error) => did.push(error.title),
            Ok(()) if moves => {
                did.push(format!("The token is in {} now.", token::place_words(to)));
            }
            Ok(()) => {}
        }
    }
    let needs_token = token::is_missing(&name, &place, &api.folders).await;
    Ok(Json(SetUpDone { did, needs_token }))
}

/// The token of a runner that the settings have named just now; where it cannot be stored, nothing is
/// left of either.
async fn store_first(
    api: &Api,
    name: &RunnerName,
    place: &TokenPlace,
    token: Token,
) -> Result<(), Refused> {
    if let Err(refused) = token::set(name, place, &api.folders, token).await {
        if let Err(error) = api.to_loop.ask(|reply| Input::Remove(name.clone(), reply)).await {
            tracing::warn!(runner = %name, %error, "a runner without a token is left");
        }
        return Err(refused.into());
    }
    hold(&api.folders, "first-token-stored");
    api.to_loop.ask(|reply| Input::TokenChanged { name: name.clone(), reply }).await?;
    Ok(())
}

/// Of the runner as it is to be; what `spec` leaves out stays as it is.
fn token_place(spec: &RunnerSpec, known: Option<&Registered>) -> TokenPlace {
    let api_url = spec.api_url.as_deref().or(known.map(|known| known.api_url.as_str()));
    let releases_url =
        spec.releases_url.as_deref().or(known.map(|known| known.releases_url.as_str()));
    let given_for = GivenFor::new(
        spec.resource_class.as_str(),
        api_url.unwrap_or(circleci::API_URL),
        releases_url.unwrap_or(circleci::RELEASES_URL),
    );
    let store = spec.token_store.or(known.map(|known| known.token_store)).unwrap_or_default();
    TokenPlace { store, given_for }
}

fn check(spec: &RunnerSpec) -> Result<(), Refused> {
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

/// A new working directory holds nothing that no task of the runner made.
async fn refuse_what_is_no_tasks(
    api: &Api,
    name: &RunnerName,
    spec: &RunnerSpec,
    known: Option<&Registered>,
) -> Result<(), Refused> {
    let Some(directory) = spec.working_directory.as_deref().map(PathBuf::from) else {
        return Ok(());
    };
    if known.is_some_and(|known| known.working_directory == directory) {
        return Ok(());
    }
    let instead = directory.join(name.as_str());
    let (of, folders) = (name.clone(), api.folders.clone());
    let looked = tokio::task::spawn_blocking(move || no_tasks_own(&of, &directory, &folders));
    let Ok(Some(found)) = looked.await else { return Ok(()) };
    Err(refusal::error(
        409,
        "working-directory-not-empty",
        format!("{} holds files, and no task of {name} made them.", found.display()),
        &format!(
            "Tasks have their directory to themselves, and clean-up takes what they leave. Name a folder \
             that is empty or not there yet, such as {}.",
            instead.display()
        ),
    )
    .into())
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
) -> Result<StatusCode, Refused> {
    let _turn = api.tokens.lock().await;
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    // First, so that a locked keychain keeps the runner and not the token.
    if let Some(known) = known {
        forget_all(&api, &name, &known).await?;
    }
    api.to_loop.ask(|reply| Input::Remove(name.clone(), reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}
