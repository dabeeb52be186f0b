//! Calls about tokens: they go in and are never given back.

use axum::extract::State;
use axum::http::StatusCode;
use protocol::{MoveToken, RunnerName, SetToken};

use super::Api;
use super::asked::{Body, Path};
use super::refusal::{self, Refused};
use crate::input::{Input, Registered, Token};
use crate::token;

type Done = Result<StatusCode, Refused>;

pub(crate) async fn set(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Body(SetToken(token)): Body<SetToken>,
) -> Done {
    let _turn = api.tokens.lock().await;
    let known = registered(&api, &name).await?;
    if token::set(&name, &known.token_place(), &api.folders, Token::from(token)).await? {
        api.to_loop.ask(|reply| Input::TokenChanged { name, reply }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn forget(State(api): State<Api>, Path(name): Path<RunnerName>) -> Done {
    let _turn = api.tokens.lock().await;
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    let Some(known) = known else { return forget_left(&api, &name).await };
    forget_all(&api, &name, &known).await?;
    api.to_loop.ask(|reply| Input::TokenChanged { name, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Of a runner that was taken out of the settings by hand.
async fn forget_left(api: &Api, name: &RunnerName) -> Done {
    let left = token::left(&api.folders, [].into_iter());
    let mut of_it = left.into_iter().filter(|(whose, _)| whose == name).peekable();
    if of_it.peek().is_none() {
        return Err(refusal::no_such_runner(name).into());
    }
    for (_, store) in of_it {
        token::forget(name, store, &api.folders).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn move_to(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Body(MoveToken { to }): Body<MoveToken>,
) -> Done {
    let _turn = api.tokens.lock().await;
    let known = registered(&api, &name).await?;
    token::move_to(&name, to, &known, &api.folders, &api.to_loop).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn registered(api: &Api, name: &RunnerName) -> Result<Registered, Refused> {
    let known = api.to_loop.ask(|reply| Input::Registered(name.clone(), reply)).await?;
    known.ok_or_else(|| refusal::no_such_runner(name).into())
}

/// All tokens of this runner, whatever they were given for. Where none is said to be, there may be
/// one since the settings were edited by hand; that it cannot be reached there is no failure.
pub(super) async fn forget_all(
    api: &Api,
    name: &RunnerName,
    known: &Registered,
) -> Result<(), Refused> {
    token::forget(name, known.token_store, &api.folders).await?;
    let other = known.token_store.other();
    match known.token_copy {
        Some(copy) => token::drop_copy(name, copy, &api.folders, &api.to_loop).await?,
        None => {
            if let Err(error) = token::forget(name, other, &api.folders).await {
                tracing::info!(runner = %name, %error, "there may be a token in the other place");
            }
        }
    }
    Ok(())
}
