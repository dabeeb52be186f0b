//! A token moves from one store to the other: written there, read back, and only then taken out of
//! the first. Before a second copy can be there the settings say so, and they say so until it is gone;
//! whoever is killed in between leaves the token where the settings say that it is.

use host::Folders;
use host::keychain::Unavailable;
use protocol::{ApiError, RunnerName, TokenStore};
use secrecy::{ExposeSecret, SecretString};

use super::{TokenPlace, erase, read, told, write};
use crate::hold::hold;
use crate::input::{Input, Loop, Registered, Token};

/// Said again it goes on with what was begun.
pub(crate) async fn move_to(
    runner: &RunnerName,
    to: TokenStore,
    known: &Registered,
    folders: &Folders,
    to_loop: &Loop,
) -> Result<(), ApiError> {
    if let Some(copy) = known.token_copy {
        drop_copy(runner, copy, folders, to_loop).await?;
    }
    let from = known.token_store;
    if from == to {
        return Ok(());
    }
    match read(runner, from, folders).await {
        Ok(text) => copy(runner, to, &text, folders, to_loop).await?,
        // Its place alone is another.
        Err(Unavailable::Missing) => {}
        Err(why) => return Err(told::refused("token-not-moved", STAYS, &why, runner, from)),
    }
    hold(folders, "token-copied");
    to_loop.ask(|reply| Input::TokenIsIn(runner.clone(), to, reply)).await?;
    hold(folders, "token-place-changed");
    drop_copy(runner, from, folders, to_loop).await
}

/// A new token, in another store than the one before it, which is still there afterwards.
pub(crate) async fn set_elsewhere(
    runner: &RunnerName,
    place: &TokenPlace,
    folders: &Folders,
    token: &Token,
    to_loop: &Loop,
) -> Result<(), ApiError> {
    let text = super::kept(token, &place.given_for)?;
    write_second(runner, place.store, &text, folders, to_loop)
        .await?
        .map_err(|why| told::not_stored(&why, runner, place.store))
}

/// Writes what was read, and reads it back.
async fn copy(
    runner: &RunnerName,
    to: TokenStore,
    text: &SecretString,
    folders: &Folders,
    to_loop: &Loop,
) -> Result<(), ApiError> {
    let there = match write_second(runner, to, text, folders, to_loop).await? {
        Ok(()) => read(runner, to, folders).await,
        Err(why) => Err(why),
    };
    there
        .and_then(|there| same(there.expose_secret(), text.expose_secret()))
        .map_err(|why| told::refused("token-not-moved", STAYS, &why, runner, to))
}

/// Writes to the store that is not the token's, and has the settings say so before.
async fn write_second(
    runner: &RunnerName,
    to: TokenStore,
    text: &SecretString,
    folders: &Folders,
    to_loop: &Loop,
) -> Result<Result<(), Unavailable>, ApiError> {
    note_copy(runner, Some(to), to_loop).await?;
    hold(folders, "token-copy-noted");
    let written = write(runner, to, folders, text).await;
    let nothing_is_there = match &written {
        Err(Unavailable::Missing | Unavailable::Locked | Unavailable::NoService(_)) => true,
        Err(Unavailable::Refused(_)) => erase(runner, to, folders).await.is_ok(),
        // It is there; or somebody may answer yet.
        Ok(()) | Err(Unavailable::WaitsForYou) => false,
    };
    if nothing_is_there {
        note_copy(runner, None, to_loop).await?;
    }
    Ok(written)
}

/// The code of a refusal that left all done but this.
pub(crate) const COPY_LEFT: &str = "token-copy-left";
const STAYS: &str = "The token was not moved; it is used from where it was. ";

fn same(there: &str, written: &str) -> Result<(), Unavailable> {
    if there == written {
        return Ok(());
    }
    Err(Unavailable::Refused("what was read back is not what was written".into()))
}

/// Takes the copy out of the place that is not the token's.
pub(crate) async fn drop_copy(
    runner: &RunnerName,
    copy: TokenStore,
    folders: &Folders,
    to_loop: &Loop,
) -> Result<(), ApiError> {
    if let Err(why) = erase(runner, copy, folders).await {
        let what = format!("A copy of the token may be left in {}. ", told::place_words(copy));
        return Err(told::refused(COPY_LEFT, &what, &why, runner, copy));
    }
    hold(folders, "token-copy-removed");
    note_copy(runner, None, to_loop).await
}

async fn note_copy(
    runner: &RunnerName,
    copy: Option<TokenStore>,
    to_loop: &Loop,
) -> Result<(), ApiError> {
    to_loop.ask(|reply| Input::TokenCopy(runner.clone(), copy, reply)).await
}
