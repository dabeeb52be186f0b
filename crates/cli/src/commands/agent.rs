//! `runnerctl agent`: the versions of CircleCI's agent that are installed here.

use protocol::{AgentRelease, RunnerName};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{place, words};

/// Show which versions of CircleCI's agent are installed
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
}

const EXAMPLES: &str = "\
Examples:
  runnerctl agent list
  runnerctl agent list --json | jq -r '.[].version'";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let Act::List { runner, shape } = args.act;
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
