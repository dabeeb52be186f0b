//! One touch of the keychain by a child of this program's own, which is ended when nobody answers it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use host::Folders;
use host::keychain::{Answer, Request, Unavailable, Verb};
use protocol::RunnerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A locked keychain may wait for somebody at the screen for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// `supervisor keychain get | set | forget`.
pub(crate) fn child(verb: &str) -> anyhow::Result<()> {
    let verb = Verb::parse(verb).context("say get, set or forget")?;
    Ok(host::keychain::serve(verb, std::io::stdin().lock(), std::io::stdout().lock())?)
}

pub(super) async fn ask(
    verb: Verb,
    runner: &RunnerName,
    folders: &Folders,
    secret: Option<&SecretString>,
) -> Result<Option<SecretString>, Unavailable> {
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
    let mut child = tokio::process::Command::new(host::this_program()?)
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
