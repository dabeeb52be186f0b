//! `runnerctl config`: where the settings are, what the agent is told, and what to write in a pipeline.

use client::Detail;

use crate::arguments::{Shape, Which};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, place};

/// Show settings, the agent's configuration, or lines for your pipeline
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Print where the settings file is; it may be edited by hand
    #[command(
        after_help = "Examples:\n  runnerctl config path\n  $EDITOR \"$(runnerctl config path)\""
    )]
    Path,
    /// Print the configuration the agent was or would be started with; the token is not in it
    #[command(after_help = "Examples:\n  runnerctl config show\n  runnerctl config show --json")]
    Show {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        shape: Shape,
    },
    /// Print the lines that send a job to a runner, for .circleci/config.yml
    #[command(
        long_about = "Print the lines that send a job to a runner, for .circleci/config.yml.\n\n\
            A pipeline of one job; what matters are `machine: true` and the resource class.",
        after_help = "Example:\n  runnerctl config snippet > .circleci/config.yml"
    )]
    Snippet {
        #[command(flatten)]
        which: Which,
    },
}

const EXAMPLES: &str = "\
Examples:
  runnerctl config snippet > .circleci/config.yml
  runnerctl config show
  runnerctl config path
  $EDITOR \"$(runnerctl config path)\"";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let mut screen = Screen::stdout();
    match args.act {
        Act::Path => screen.say(place::folders()?.settings_file().to_string_lossy())?,
        Act::Show { which, shape } => {
            let client = place::client()?;
            let snapshot = client.snapshot(Detail::Plain).await?;
            let config =
                client.config(&choose::one(&snapshot, which.runner.as_ref())?.name).await?;
            if shape.json {
                screen.json(&config)?;
            } else {
                screen.text(&config.yaml)?;
            }
        }
        Act::Snippet { which } => {
            let snapshot = place::client()?.snapshot(Detail::Plain).await?;
            let runner = choose::one(&snapshot, which.runner.as_ref())?;
            screen.text(&protocol::pipeline(&runner.name, &runner.resource_class))?;
        }
    }
    Ok(())
}
