//! Tokens: kept in the keychain, by a short-lived child of this program, or in a file where the owner
//! chose that. A token is kept together with what it was given for, and used for nothing else, so that
//! no edit of the settings sends it to another server. It is here for as long as it is handed on, and
//! has no Debug.

mod keychain;
mod moving;
mod noted;
mod told;

use host::keychain::{Unavailable, Verb};
use host::{Folders, token_file};
use protocol::{ApiError, Problem, ProblemCode, RunnerName, TokenStore};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::api::refusal;
use crate::input::Token;
use crate::settings::RunnerSettings;

pub(crate) use keychain::child;
pub(crate) use moving::{COPY_LEFT, drop_copy, move_to, set_elsewhere};
pub(crate) use noted::{left, note};
pub(crate) use told::place_words;

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenFor {
    resource_class: String,
    api_url: String,
    releases_url: String,
}

impl GivenFor {
    pub(crate) fn new(resource_class: &str, api_url: &str, releases_url: &str) -> Self {
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        Self {
            resource_class: resource_class.to_owned(),
            api_url: plain(api_url),
            releases_url: plain(releases_url),
        }
    }
}

/// Where a runner's token lies, and what it must have been given for to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenPlace {
    pub(crate) store: TokenStore,
    pub(crate) given_for: GivenFor,
}

impl TokenPlace {
    pub(crate) fn of(settings: &RunnerSettings) -> Self {
        let class = settings.resource_class.as_str();
        let given_for = GivenFor::new(class, settings.api_url(), settings.releases_url());
        Self { store: settings.token_store, given_for }
    }
}

/// As it lies in its store, in JSON.
#[derive(Serialize, Deserialize)]
struct Kept {
    token: String,
    #[serde(flatten)]
    given_for: GivenFor,
}

/// Why there is no token to be had.
enum Lack {
    Of(Unavailable),
    /// The one that is there was given for something else.
    GivenFor(Option<GivenFor>),
}

pub(crate) async fn get(
    runner: &RunnerName,
    place: &TokenPlace,
    folders: &Folders,
) -> Result<Token, Box<Problem>> {
    let TokenPlace { store, given_for } = place;
    let lack = match read(runner, *store, folders).await {
        Err(unavailable) => Lack::Of(unavailable),
        Ok(text) => match serde_json::from_str::<Kept>(text.expose_secret()) {
            Ok(kept) if kept.given_for == *given_for => return Ok(Token::from(kept.token)),
            Ok(kept) => Lack::GivenFor(Some(kept.given_for)),
            // Nobody says what it was given for.
            Err(_) => Lack::GivenFor(None),
        },
    };
    Err(Box::new(told::failure(&lack, runner, place)))
}

/// Whether it is certain that no token for this is stored.
pub(crate) async fn is_missing(runner: &RunnerName, place: &TokenPlace, folders: &Folders) -> bool {
    let stored = get(runner, place, folders).await;
    stored.is_err_and(|problem| problem.code == ProblemCode::TokenMissing)
}

/// Whether this very token is stored, for this.
pub(crate) async fn is(
    runner: &RunnerName,
    place: &TokenPlace,
    folders: &Folders,
    token: &Token,
) -> bool {
    let stored = get(runner, place, folders).await;
    stored.is_ok_and(|stored| stored.expose_secret() == token.expose_secret())
}

/// Stores the token in place of any other; true where it is another one than was there.
pub(crate) async fn set(
    runner: &RunnerName,
    place: &TokenPlace,
    folders: &Folders,
    token: Token,
) -> Result<bool, ApiError> {
    let kept = kept(&token, &place.given_for)?;
    if is(runner, place, folders, &token).await {
        return Ok(false);
    }
    write(runner, place.store, folders, &kept)
        .await
        .map_err(|unavailable| told::not_stored(&unavailable, runner, place.store))?;
    Ok(true)
}

/// The token as it is to lie in its store.
fn kept(token: &Token, given_for: &GivenFor) -> Result<SecretString, ApiError> {
    let text = token.expose_secret();
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refusal::bad_request(
            "That is no token: it is empty or has spaces or line breaks in it.",
            "Give the token that CircleCI showed when it was created, and nothing else.",
        ));
    }
    let kept = Kept { token: text.to_owned(), given_for: given_for.clone() };
    let kept = serde_json::to_string(&kept).map(SecretString::from);
    kept.map_err(|error| refusal::failed(&error.to_string()))
}

/// Forgets the runner's token, whatever it was given for; what is not there is forgotten.
pub(crate) async fn forget(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
) -> Result<(), ApiError> {
    erase(runner, store, folders)
        .await
        .map_err(|unavailable| told::not_forgotten(&unavailable, runner, store))
}

/// What lies in the store for this runner, as it is.
async fn read(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
) -> Result<SecretString, Unavailable> {
    match store {
        TokenStore::Keychain => {
            keychain::ask(Verb::Get, runner, folders, None).await?.ok_or(Unavailable::Missing)
        }
        TokenStore::File => token_file::get(folders, runner.as_str()),
    }
}

async fn write(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
    text: &SecretString,
) -> Result<(), Unavailable> {
    match store {
        TokenStore::Keychain => {
            let noted = note(folders, runner);
            noted.map_err(|error| Unavailable::Refused(format!("it was not asked: {error}")))?;
            keychain::ask(Verb::Set, runner, folders, Some(text)).await.map(drop)
        }
        TokenStore::File => token_file::set(folders, runner.as_str(), text),
    }
}

async fn erase(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
) -> Result<(), Unavailable> {
    match store {
        TokenStore::Keychain => {
            keychain::ask(Verb::Forget, runner, folders, None).await?;
            noted::is_out(folders, runner);
            Ok(())
        }
        TokenStore::File => token_file::forget(folders, runner.as_str()),
    }
}
