//! `runnerctl token rotate`: has the supervisor take its steps, and waits with it for the new agent.
//! It may be ended at any moment; said again, it goes on.

use std::time::Duration;

use client::{Client, ClientError, Detail};
use jiff::SignedDuration;
use protocol::{Asked, OfClass, Rotate, Rotated, RotationStep, Runner, RunnerName};
use tokio::time::Instant;

use crate::arguments::Which;
use crate::commands::token_at_circleci;
use crate::failure::Failure;
use crate::personal::{PersonalOnly, about_personal_tokens};
use crate::print::Screen;
use crate::{choose, words};

/// Replace a runner's token by a new one, and delete the old one
#[derive(Debug, clap::Args)]
#[command(
    long_about = concat!(
        "Replace a runner's token by a new one, and delete the old one.\n\n\
         A token is created and stored, the agent finishes its task and is replaced by one that has \
         it, and once CircleCI has answered the new agent's claim the old token is deleted. No task \
         is lost, and a pause stays: while the runner is paused, the old token stays too.\n\n\
         Ended at any moment, the command goes on where it was when it is said again. Afterwards \
         exactly one of the tokens it knew of is valid, and it is stored.\n\n\
         Which token is the old one is known where it was created with `runnerctl token create` or \
         by an earlier rotation; otherwise name it, or keep it. Deleting it stops every other \
         machine that uses it.",
        about_personal_tokens!()
    ),
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// The id of the token the runner has now, as `runnerctl token list` shows it
    #[arg(long, value_name = "ID", conflicts_with = "keep_old")]
    old_token_id: Option<String>,
    /// Leave the old token valid, for other machines that use it
    #[arg(long)]
    keep_old: bool,
    /// How long to wait for the new agent [default: as long as it takes]
    #[arg(long, value_name = "DURATION", value_parser = wait)]
    wait: Option<Duration>,
    #[command(flatten)]
    personal: PersonalOnly,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl token rotate
  runnerctl token rotate --runner mac-mini-01 --personal-token-stdin < personal-token.txt
  runnerctl token rotate --old-token-id 9f0c1c1e-5f5b-4a0e-8a4b-0d8f2b1c3d4e
  runnerctl token rotate --keep-old --wait 0s       do what can be done now; say it again later";

fn wait(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "write a number with its unit, for example 90s or 5m".to_owned())
}

pub(crate) async fn run(args: Args, client: &Client, screen: &mut Screen) -> Result<(), Failure> {
    let Args { which, old_token_id, keep_old, wait, personal } = args;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let runner = choose::one(&snapshot, which.runner.as_ref())?.clone();
    let personal_token = personal.read().await?;
    let rotate = Rotate { old_token: old_token_id, keep_old };
    let ask = Asked { personal_token, api_url: None, ask: rotate };
    let until = wait.map(|wait| Instant::now() + wait);
    let mut last_said = String::new();
    loop {
        let Rotated { rotation, did } = match client.rotate(&runner.name, &ask).await {
            Ok(rotated) => rotated,
            Err(error) => return Err(refused(error, client, &runner, &ask, screen).await),
        };
        for sentence in &did {
            screen.say(sentence)?;
        }
        if rotation.step == RotationStep::Done {
            return Ok(screen.say(format!("{} works with the new token.", runner.name))?);
        }
        while client.rotation(&runner.name, false).await?.map(|rotation| rotation.step)
            == Some(RotationStep::Prove)
        {
            say_what_is_waited_for(client, &runner.name, &mut last_said, screen).await?;
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err(not_done(&runner.name));
            }
            // The supervisor answers when there is news, or a while later.
            let news = client.rotation(&runner.name, true);
            match left {
                None => drop(news.await?),
                Some(left) => drop(tokio::time::timeout(left, news).await),
            }
        }
    }
}

/// Once for each state that the wait goes through.
async fn say_what_is_waited_for(
    client: &Client,
    name: &RunnerName,
    last_said: &mut String,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let snapshot = client.snapshot(Detail::Plain).await?;
    let runner = choose::one(&snapshot, Some(name))?;
    let said = if runner.pause_reasons.is_empty() {
        let now = runner.headline.trim_end_matches('.');
        format!("Waiting until the new agent's first claim is answered. Now: {now}.")
    } else {
        let holders: Vec<_> =
            runner.pause_reasons.iter().map(|reason| words::pause_by(reason.by)).collect();
        format!(
            "{name} is paused by {}: the old token stays valid until the new agent has claimed. This \
             waits; it may be ended, and said again when the pause is over.",
            words::list(&holders)
        )
    };
    if said != *last_said {
        screen.say(&said)?;
        *last_said = said;
    }
    Ok(())
}

/// Where the old token is not known, the ones there are help to find it.
async fn refused(
    error: ClientError,
    client: &Client,
    runner: &Runner,
    ask: &Asked<Rotate>,
    screen: &mut Screen,
) -> Failure {
    let is_unknown =
        matches!(&error, ClientError::Refused(refused) if refused.code == "old-token-unknown");
    if is_unknown {
        let of_class = Asked {
            personal_token: ask.personal_token.clone(),
            api_url: None,
            ask: OfClass { resource_class: runner.resource_class.clone() },
        };
        if let Ok(tokens) = client.list_tokens(&of_class).await {
            // The refusal counts, whatever becomes of this.
            let _ = token_at_circleci::table(&tokens, screen);
        }
    }
    error.into()
}

fn not_done(name: &RunnerName) -> Failure {
    Failure::failed(
        format!("The new agent of {name} has had no claim answered yet, so the old token stays."),
        format!("Nothing is lost. Go on later: runnerctl token rotate --runner {name}"),
    )
}
