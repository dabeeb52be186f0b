//! Why there is no token, in the words the user reads, with what to do.

use host::keychain::Unavailable;
use protocol::{ApiError, Problem, ProblemCode, RunnerName, TokenStore};
use supervisor_core::StartFailure;

use super::keychain::PATIENCE;
use super::{GivenFor, Lack, TokenPlace};
use crate::api::refusal;
use crate::supervisor::now;

/// Where a token is kept, in a sentence.
pub(crate) fn place_words(store: TokenStore) -> &'static str {
    match store {
        TokenStore::Keychain => "the keychain",
        TokenStore::File => "a file that only you can read",
    }
}

struct Told {
    code: ProblemCode,
    summary: String,
    reading: Option<String>,
    hint: String,
}

fn told(unavailable: &Unavailable, runner: &RunnerName, store: TokenStore) -> Told {
    let (code, summary, hint) = match (unavailable, store) {
        (Unavailable::Missing, _) => (
            ProblemCode::TokenMissing,
            format!("There is no token of {runner} for this server."),
            set_one(runner),
        ),
        (Unavailable::Locked, _) => (
            ProblemCode::KeychainLocked,
            "The keychain is locked.".into(),
            "Log in to the desktop or unlock the keychain; Runner Tray tries again by itself."
                .into(),
        ),
        (Unavailable::WaitsForYou, _) => (
            ProblemCode::KeychainWaits,
            "The keychain asks something on the screen and nobody has answered.".into(),
            "Answer it; Runner Tray tries again by itself.".into(),
        ),
        (Unavailable::NoService(_), _) => (
            ProblemCode::KeychainAbsent,
            "There is no keychain in this session.".into(),
            format!(
                "Log in to a desktop with a keychain, or choose a file that only you can read: \
                 `runnerctl setup --name {runner} --token-store file --token-stdin ...`."
            ),
        ),
        (Unavailable::Refused(_), TokenStore::Keychain) => (
            ProblemCode::KeychainRefused,
            "The keychain refused.".into(),
            "Its own words say why; mend that, then store the token again.".into(),
        ),
        (Unavailable::Refused(_), TokenStore::File) => (
            ProblemCode::TokenFileUnusable,
            "The file with the token cannot be used.".into(),
            format!(
                "Mend what the reading names, or remove the file and store the token again: \
                 `runnerctl token set --runner {runner}`."
            ),
        ),
    };
    let reading = match unavailable {
        Unavailable::NoService(why) | Unavailable::Refused(why) => Some(why.clone()),
        Unavailable::WaitsForYou => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        Unavailable::Missing | Unavailable::Locked => None,
    };
    Told { code, summary, reading, hint }
}

fn set_one(runner: &RunnerName) -> String {
    format!("Store one with `runnerctl token set --runner {runner}`.")
}

/// Why the runner is not started.
pub(super) fn failure(lack: &Lack, runner: &RunnerName, place: &TokenPlace) -> StartFailure {
    let store = place.store;
    let GivenFor { resource_class, api_url, .. } = &place.given_for;
    let told = match lack {
        Lack::Of(unavailable) => told(unavailable, runner, store),
        Lack::GivenFor(other) => {
            let other = other.as_ref().map_or("something else".to_owned(), |other| {
                format!("{} at {}", other.resource_class, other.api_url)
            });
            Told {
                reading: Some(format!("the one in its place was given for {other}")),
                ..told(&Unavailable::Missing, runner, store)
            }
        }
    };
    let needs_user = told.code == ProblemCode::TokenMissing;
    let wanted = needs_user.then(|| format!("wanted for {resource_class} at {api_url}"));
    let reading = [wanted, told.reading].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let problem = Problem {
        code: told.code,
        summary: told.summary,
        reading: Some(reading).filter(|reading| !reading.is_empty()),
        hint: told.hint,
        details: None,
        since: now(),
    };
    StartFailure { problem, needs_user }
}

pub(super) fn not_stored(
    unavailable: &Unavailable,
    runner: &RunnerName,
    store: TokenStore,
) -> ApiError {
    refused("token-not-stored", "", unavailable, runner, store)
}

pub(super) fn not_forgotten(
    unavailable: &Unavailable,
    runner: &RunnerName,
    store: TokenStore,
) -> ApiError {
    let what = "The token was not taken out of its place. ";
    refused("token-not-forgotten", what, unavailable, runner, store)
}

/// `what` is a sentence and a space, or nothing.
pub(super) fn refused(
    code: &str,
    what: &str,
    unavailable: &Unavailable,
    runner: &RunnerName,
    store: TokenStore,
) -> ApiError {
    let Told { summary, reading, hint, .. } = told(unavailable, runner, store);
    let why = reading.map(|why| format!(" ({why})")).unwrap_or_default();
    refusal::error(409, code, format!("{what}{summary}{why}"), &hint)
}
