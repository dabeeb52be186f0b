//! Why there is no token, in the words the user reads, with what to do.

use host::keychain::Unavailable;
use protocol::{ApiError, Problem, ProblemCode, RunnerName, TokenStore};

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

fn told(unavailable: &Unavailable, runner: &RunnerName, store: TokenStore) -> Problem {
    let code = match (unavailable, store) {
        (Unavailable::Missing, _) => ProblemCode::TokenMissing,
        (Unavailable::Locked, _) => ProblemCode::KeychainLocked,
        (Unavailable::WaitsForYou, _) => ProblemCode::KeychainWaits,
        (Unavailable::NoService(_), _) => ProblemCode::KeychainAbsent,
        (Unavailable::Refused(_), TokenStore::Keychain) => ProblemCode::KeychainRefused,
        (Unavailable::Refused(_), TokenStore::File) => ProblemCode::TokenFileUnusable,
    };
    let reading = match unavailable {
        Unavailable::NoService(why) | Unavailable::Refused(why) => Some(why.clone()),
        Unavailable::WaitsForYou => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        Unavailable::Missing | Unavailable::Locked => None,
    };
    let problem = Problem::of(code, now()).with("NAME", runner.as_str());
    Problem { reading, ..problem }
}

/// Why the runner is not started.
pub(super) fn failure(lack: &Lack, runner: &RunnerName, place: &TokenPlace) -> Problem {
    let store = place.store;
    let GivenFor { resource_class, api_url, .. } = &place.given_for;
    let told = match lack {
        Lack::Of(unavailable) => told(unavailable, runner, store),
        Lack::GivenFor(other) => {
            let other = other.as_ref().map_or("something else".to_owned(), |other| {
                format!("{} at {}", other.resource_class, other.api_url)
            });
            told(&Unavailable::Missing, runner, store)
                .reading(format!("the one in its place was given for {other}"))
        }
    };
    let is_missing = told.code == ProblemCode::TokenMissing;
    let wanted = is_missing.then(|| format!("wanted for {resource_class} at {api_url}"));
    let reading =
        [wanted, told.reading.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let reading = Some(reading).filter(|reading| !reading.is_empty());
    Problem { reading, ..told }
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
    let Problem { summary, reading, hint, .. } = told(unavailable, runner, store);
    let why = reading.map(|why| format!(" ({why})")).unwrap_or_default();
    refusal::error(409, code, format!("{what}{summary}{why}"), &hint)
}
