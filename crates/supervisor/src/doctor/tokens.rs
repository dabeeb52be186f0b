//! Whether each runner's token can be had; before any set-up, whether there is a keychain for one.

use doctor::TokenRead;
use futures::future::join_all;
use host::Folders;
use protocol::{Finding, Problem, RunnerName, TokenStore};

use super::Runners;
use crate::token::{self, GivenFor, TokenPlace};

pub(super) async fn look(runners: &Runners, folders: &Folders) -> Vec<TokenRead> {
    if runners.is_empty() {
        return vec![keychain(folders).await];
    }
    join_all(runners.iter().map(|(name, settings)| async move {
        let place = TokenPlace::of(settings);
        TokenRead {
            runner: Some(name.clone()),
            store: token::place_words(place.store).to_owned(),
            problem: problem(name, &place, folders).await,
        }
    }))
    .await
}

/// Tokens whose runners the settings do not name any more.
pub(super) fn left(runners: &Runners, folders: &Folders) -> Vec<Finding> {
    let left = token::left(folders, runners.keys());
    left.iter().map(|(name, store)| doctor::left_token(name, token::place_words(*store))).collect()
}

/// Asks it for a token that nobody stores.
async fn keychain(folders: &Folders) -> TokenRead {
    let store = TokenStore::Keychain;
    let place = TokenPlace { store, given_for: GivenFor::new("", "", "") };
    let problem = match "doctor".parse::<RunnerName>() {
        Ok(name) => problem(&name, &place, folders).await,
        Err(_) => None,
    };
    // No runner is meant, so none is named.
    let problem = problem.map(|Problem { code, reading, since, .. }| Problem {
        reading,
        ..Problem::of(code, since).with("--name NAME ", "")
    });
    TokenRead { runner: None, store: token::place_words(store).to_owned(), problem }
}

async fn problem(name: &RunnerName, place: &TokenPlace, folders: &Folders) -> Option<Problem> {
    token::get(name, place, folders).await.err().map(|problem| *problem)
}
