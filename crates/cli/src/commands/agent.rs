//! `runnerctl agent`: the versions of CircleCI's agent that are installed here, and the word on one
//! that is being installed.

use client::Detail;
use protocol::{AgentRelease, Install, Runner, RunnerName};

use crate::arguments::{Shape, Which};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, place, words};

/// Show which versions of CircleCI's agent are installed, install one now, or stop its download
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// List the installed versions and the runners that use them
    #[command(after_help = EXAMPLES)]
    List {
        /// Show what this runner uses alone
        #[arg(long, value_name = "NAME")]
        runner: Option<RunnerName>,
        #[command(flatten)]
        shape: Shape,
    },
    /// Install a runner's agent now, without waiting for the next try
    #[command(after_help = INSTALL_EXAMPLES)]
    Install {
        #[command(flatten)]
        which: Which,
    },
    /// Stop the download of a runner's agent; what came so far is kept
    #[command(after_help = STOP_EXAMPLES)]
    StopInstall {
        #[command(flatten)]
        which: Which,
    },
}

const EXAMPLES: &str = "\
Examples:
  runnerctl agent list
  runnerctl agent list --json | jq -r '.[].version'";

const INSTALL_EXAMPLES: &str = "\
Examples:
  runnerctl agent install
  runnerctl agent install --runner box";

const STOP_EXAMPLES: &str = "\
Examples:
  runnerctl agent stop-install
  runnerctl agent install                 goes on where it was stopped";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.act {
        Act::List { runner, shape } => list(runner, shape).await,
        Act::Install { which } => install(which).await,
        Act::StopInstall { which } => stop_install(which).await,
    }
}

async fn install(which: Which) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let Runner { name, install, agent_version, .. } =
        choose::one(&snapshot, which.runner.as_ref())?;
    let mut screen = Screen::stdout();
    if let Some(version) = agent_version {
        return Ok(screen.say(format!("{name} has its agent, version {version}."))?);
    }
    if let Some(install) = install.as_ref().filter(|install| install.waits.is_none()) {
        return Ok(screen.say(words::download(install))?);
    }
    client.install(name).await?;
    Ok(screen.say(format!("{name}: its agent is being installed; see `runnerctl status`."))?)
}

/// Between two tries there is no download to be seen, and the word counts all the same.
async fn stop_install(which: Which) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let Runner { name, install, agent_version, .. } =
        choose::one(&snapshot, which.runner.as_ref())?;
    let mut screen = Screen::stdout();
    if let Some(version) = agent_version {
        let has = format!("{name} has its agent, version {version}: no download is under way.");
        return Ok(screen.say(has)?);
    }
    client.stop_install(name).await?;
    let kept = match install {
        Some(Install { received, .. }) => format!(", {} are kept", words::size(*received)),
        None => ", and it is not tried again".to_owned(),
    };
    Ok(screen
        .say(format!("{name}: the download is stopped{kept}. To go on: runnerctl agent install"))?)
}

async fn list(runner: Option<RunnerName>, shape: Shape) -> Result<(), Failure> {
    let mut agents = place::client()?.agents().await?;
    agents.retain(|agent| runner.as_ref().is_none_or(|name| agent.used_by.contains(name)));
    let mut screen = Screen::stdout();
    if shape.json {
        return Ok(screen.json(&agents)?);
    }
    if agents.is_empty() {
        return Ok(screen.say("No agent is installed yet; set-up installs the newest one.")?);
    }
    let rows: Vec<_> = agents.iter().map(row).collect();
    Ok(screen.table(&["VERSION", "USED BY", "SHA-256", "PATH"], &rows)?)
}

fn row(agent: &AgentRelease) -> Vec<String> {
    vec![
        agent.version.clone(),
        if agent.used_by.is_empty() { "nobody".to_owned() } else { words::list(&agent.used_by) },
        agent.sha256.chars().take(12).collect(),
        agent.path.clone(),
    ]
}
