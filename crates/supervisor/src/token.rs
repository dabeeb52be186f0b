//! Tokens: out of the keychain by a short-lived child of this program, or out of a file where the
//! owner chose that. A token is here for as long as it is handed on, and has no Debug.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use host::keychain::{Answer, Request, Unavailable, Verb};
use host::{Folders, token_file};
use protocol::{ApiError, Problem, ProblemCode, RunnerName, TokenStore};
use secrecy::{ExposeSecret, SecretString};
use supervisor_core::StartFailure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::refusal;
use crate::input::Token;
use crate::supervisor::now;

/// A locked keychain may wait for somebody at the screen for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// `supervisor keychain get | set | forget`.
pub(crate) fn child(verb: &str) -> anyhow::Result<()> {
    let verb = Verb::parse(verb).context("say get, set or forget")?;
    Ok(host::keychain::serve(verb, std::io::stdin().lock(), std::io::stdout().lock())?)
}

pub(crate) async fn get(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
) -> Result<Token, Box<StartFailure>> {
    let found = match store {
        TokenStore::Keychain => ask(Verb::Get, runner, folders, None).await,
        TokenStore::File => token_file::get(folders, runner.as_str()).map(Some),
    };
    match found {
        Ok(Some(token)) => Ok(token),
        Ok(None) => Err(Box::new(failure(&Unavailable::Missing, runner))),
        Err(unavailable) => Err(Box::new(failure(&unavailable, runner))),
    }
}

/// Whether it is certain that no token is stored.
pub(crate) async fn is_missing(runner: &RunnerName, store: TokenStore, folders: &Folders) -> bool {
    let stored = get(runner, store, folders).await;
    stored.is_err_and(|failure| failure.problem.code == ProblemCode::TokenMissing)
}

/// Whether this very token is stored.
pub(crate) async fn is(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
    token: &Token,
) -> bool {
    let stored = get(runner, store, folders).await;
    stored.is_ok_and(|stored| stored.expose_secret() == token.expose_secret())
}

pub(crate) async fn set(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
    token: Token,
) -> Result<(), ApiError> {
    let text = token.expose_secret();
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refusal::bad_request(
            "That is no token: it is empty or has spaces or line breaks in it.",
            "Give the token that CircleCI showed when it was created, and nothing else.",
        ));
    }
    let done = match store {
        TokenStore::Keychain => ask(Verb::Set, runner, folders, Some(&token)).await,
        TokenStore::File => token_file::set(folders, runner.as_str(), &token).map(|()| None),
    };
    done.map(|_| ()).map_err(|unavailable| not_stored(&unavailable, runner))
}

/// Forgetting what is not there is done.
pub(crate) async fn forget(
    runner: &RunnerName,
    store: TokenStore,
    folders: &Folders,
) -> Result<(), ApiError> {
    let done = match store {
        TokenStore::Keychain => ask(Verb::Forget, runner, folders, None).await,
        TokenStore::File => token_file::forget(folders, runner.as_str()).map(|()| None),
    };
    done.map(|_| ()).map_err(|unavailable| not_stored(&unavailable, runner))
}

/// One touch of the keychain by a child, which is ended when nobody answers it.
async fn ask(
    verb: Verb,
    runner: &RunnerName,
    folders: &Folders,
    secret: Option<&SecretString>,
) -> Result<Option<Token>, Unavailable> {
    let refused = |error: anyhow::Error| Unavailable::Refused(format!("{error:#}"));
    let asking = exchange(verb, folders.keychain_account(runner.as_str()), secret);
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => answer.done.map(|secret| secret.map(SecretString::from)),
        Ok(Err(error)) => Err(refused(error)),
        Err(_) => Err(Unavailable::WaitsForYou),
    }
}

async fn exchange(
    verb: Verb,
    account: String,
    secret: Option<&SecretString>,
) -> anyhow::Result<Answer> {
    let secret = secret.map(|secret| secret.expose_secret().to_owned());
    let request = SecretString::from(serde_json::to_string(&Request { account, secret })?);
    let mut child = tokio::process::Command::new(crate::program::path()?)
        .args(["keychain", verb.as_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ours alone, and of no use once nobody waits for it.
        .kill_on_drop(true)
        .spawn()
        .context("starting the keychain's child")?;
    let mut stdin = child.stdin.take().context("the child has a stdin")?;
    stdin.write_all(request.expose_secret().as_bytes()).await?;
    drop(stdin);
    let mut text = String::new();
    let mut stdout = child.stdout.take().context("the child has a stdout")?;
    stdout.read_to_string(&mut text).await?;
    child.wait().await?;
    serde_json::from_str(&text).context("the keychain's child gave no answer")
}

/// What is wrong, what to do, and whether only the user can end it.
fn told(unavailable: &Unavailable, runner: &RunnerName) -> (ProblemCode, String, String, bool) {
    match unavailable {
        Unavailable::Missing => (
            ProblemCode::TokenMissing,
            format!("There is no token for {runner}."),
            format!("Store one with `runnerctl token set --runner {runner}`."),
            true,
        ),
        Unavailable::Locked => (
            ProblemCode::KeychainLocked,
            "The keychain is locked, so the token cannot be read.".into(),
            "Log in to the desktop or unlock the keychain; Runner Tray tries again by itself."
                .into(),
            false,
        ),
        Unavailable::WaitsForYou => (
            ProblemCode::KeychainWaits,
            "The keychain asks something on the screen and nobody has answered.".into(),
            "Answer it; Runner Tray tries again by itself.".into(),
            false,
        ),
        Unavailable::NoService(_) => (
            ProblemCode::KeychainAbsent,
            "There is no keychain in this session.".into(),
            format!(
                "Log in to a desktop with a keychain, or choose a file that only you can read: \
                 `runnerctl setup --name {runner} --token-store file --token-stdin ...`."
            ),
            false,
        ),
        Unavailable::Refused(_) => (
            ProblemCode::KeychainRefused,
            "The token's store refused.".into(),
            "Its own words say why; mend that, then store the token again.".into(),
            false,
        ),
    }
}

fn reading(unavailable: &Unavailable) -> Option<String> {
    match unavailable {
        Unavailable::NoService(why) | Unavailable::Refused(why) => Some(why.clone()),
        Unavailable::WaitsForYou => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        Unavailable::Missing | Unavailable::Locked => None,
    }
}

fn failure(unavailable: &Unavailable, runner: &RunnerName) -> StartFailure {
    let (code, summary, hint, needs_user) = told(unavailable, runner);
    let reading = reading(unavailable);
    let problem = Problem { code, summary, reading, hint, details: None, since: now() };
    StartFailure { problem, needs_user }
}

fn not_stored(unavailable: &Unavailable, runner: &RunnerName) -> ApiError {
    let (_, summary, hint, _) = told(unavailable, runner);
    let why = reading(unavailable).map(|why| format!(" ({why})")).unwrap_or_default();
    refusal::error(409, "token-not-stored", format!("{summary}{why}"), &hint)
}
