//! `runnerctl supervisor`: starts, ends or looks at the process that all others ask. Agents and tasks
//! do not depend on it and go on without it.

use std::time::Duration;

use client::{
    Client, ClientError, Started, disable_at_login, enable_at_login, login_state, start_supervisor,
};
use protocol::Health;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{place, words};

/// Start, stop or look at the supervisor
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Start, stop or look at the supervisor.\n\n\
        One supervisor for each user owns the state of every runner and answers this command and \
        the app. Agents and tasks go on while it is stopped, and it finds them again.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Start it where it does not run
    #[command(after_help = "Example:\n  runnerctl supervisor start")]
    Start,
    /// Stop it; agents and tasks go on
    #[command(
        long_about = "Stop it; agents and tasks go on.\n\n\
            The next supervisor finds them again. Where a login service keeps the supervisor, it \
            comes back with the next login, or with `runnerctl supervisor start`.",
        after_help = "Example:\n  runnerctl supervisor stop"
    )]
    Stop,
    /// Start it with every login, and now
    #[command(
        long_about = "Start it with every login, and now.\n\n\
            The system's service manager keeps it from then on (systemd's user manager, launchd) and \
            starts it again after a crash. Agents and tasks do not depend on it. Where there is no \
            service manager nothing changes: the supervisor is started by whoever needs it.",
        after_help = "Example:\n  runnerctl supervisor enable"
    )]
    Enable,
    /// Start it with no login any more; it runs on until it is stopped
    #[command(after_help = "Example:\n  runnerctl supervisor disable")]
    Disable,
    /// Show whether it runs, and which version
    #[command(
        after_help = "Examples:\n  runnerctl supervisor status\n  runnerctl supervisor status --json"
    )]
    Status {
        #[command(flatten)]
        shape: Shape,
    },
}

const EXAMPLES: &str = "\
Examples:
  runnerctl supervisor start
  runnerctl supervisor status --json
  runnerctl supervisor enable
  runnerctl supervisor stop";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.act {
        Act::Start => start().await,
        Act::Stop => stop().await,
        Act::Enable => enable().await,
        Act::Disable => disable().await,
        Act::Status { shape } => status(&shape).await,
    }
}

async fn start() -> Result<(), Failure> {
    let started = start_supervisor(&place::folders()?).await?;
    Ok(Screen::stdout().say(match started {
        Started::Now(health) => format!("The supervisor is started ({}).", about(&health)),
        Started::Already(health) => format!("The supervisor runs already ({}).", about(&health)),
    })?)
}

async fn stop() -> Result<(), Failure> {
    let client = place::client()?;
    let mut screen = Screen::stdout();
    let stopping = match client.stop().await {
        Ok(stopping) => stopping,
        Err(ClientError::NotReachable { .. }) => {
            return Ok(screen.say("The supervisor does not run.")?);
        }
        Err(error @ (ClientError::Refused(_) | ClientError::Broken { .. })) => {
            return Err(error.into());
        }
    };
    let pid = stopping.pid;
    let successor = wait_until_gone(&client, pid).await?;
    screen.say(format!("The supervisor is stopped (pid {pid})."))?;
    if let Some(successor) = successor {
        screen.say(format!(
            "Something has started it again (pid {}), as a login service does.",
            successor.pid
        ))?;
    }
    if !stopping.left_running.is_empty() {
        screen.say(format!("Agents that go on: {}.", words::list(&stopping.left_running)))?;
    }
    Ok(())
}

/// Waits until the supervisor `pid` answers no more; gives the one that answers in its place, if any.
async fn wait_until_gone(client: &Client, pid: u32) -> Result<Option<Health>, Failure> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.health().await {
            Err(ClientError::NotReachable { .. }) => return Ok(None),
            Ok(health) if health.pid != pid => return Ok(Some(health)),
            // It is on its way out.
            Ok(_) | Err(ClientError::Broken { .. } | ClientError::Refused(_)) => {}
        }
        if Instant::now() >= deadline {
            return Err(Failure::failed(
                format!("The supervisor (pid {pid}) still answers after 30 s."),
                "Its log says what it waits for.",
            ));
        }
        sleep(Duration::from_millis(25)).await;
    }
}

async fn enable() -> Result<(), Failure> {
    let state = enable_at_login(&place::folders()?).await?;
    let mut screen = Screen::stdout();
    screen.say(format!("The supervisor starts with every login ({}).", state.file.display()))?;
    Ok(screen.say("To take that back: runnerctl supervisor disable")?)
}

async fn disable() -> Result<(), Failure> {
    disable_at_login(&place::folders()?).await?;
    Ok(Screen::stdout().say("The supervisor starts with no login any more.")?)
}

/// The shape of `status --json`.
#[derive(Serialize)]
struct Status {
    running: bool,
    /// Whether it starts with every login; absent where there is no service manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_login: Option<bool>,
    #[serde(flatten)]
    health: Option<Health>,
}

async fn status(shape: &Shape) -> Result<(), Failure> {
    let answer = place::client()?.health().await;
    let mut screen = Screen::stdout();
    if shape.json && !matches!(answer, Err(ClientError::Broken { .. } | ClientError::Refused(_))) {
        let health = answer.as_ref().ok().cloned();
        let at_login = login_state().await.map(|state| state.enabled);
        screen.json(&Status { running: health.is_some(), at_login, health })?;
    }
    let health = answer?;
    if !shape.json {
        screen.say(format!("The supervisor runs ({}).", about(&health)))?;
        if health.version != env!("CARGO_PKG_VERSION") {
            screen.say(format!("runnerctl is version {}.", env!("CARGO_PKG_VERSION")))?;
        }
    }
    Ok(())
}

fn about(health: &Health) -> String {
    format!("version {}, pid {}", health.version, health.pid)
}
