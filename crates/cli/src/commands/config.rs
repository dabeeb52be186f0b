//! `runnerctl config`: where the settings are, what the agent is told, and what to write in a pipeline.

use client::Detail;

use crate::arguments::{Shape, Which};
use crate::failure::Failure;
use crate::print::{Screen, Tone};
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
    /// Show where a runner's jobs find programs, or put folders first
    #[command(
        long_about = "Show where a runner's jobs find programs, or put folders first.\n\n\
            What is found is what jobs really get: of a user of their own, as its login has it. The agent \
            is started anew with another PATH once it has no task.",
        after_help = "Examples:\n  runnerctl config job-path\n  runnerctl config job-path --first /opt/node/bin --first '~/bin'\n  runnerctl config job-path --usual"
    )]
    JobPath {
        /// Put this folder first; may be said again, and takes the place of all said before
        #[arg(long, value_name = "FOLDER")]
        first: Vec<String>,
        /// Put no folder first
        #[arg(long, conflicts_with = "first")]
        usual: bool,
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
  runnerctl config job-path
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
        Act::JobPath { first, usual, which, shape } => {
            let client = place::client()?;
            let snapshot = client.snapshot(Detail::Plain).await?;
            let name = &choose::one(&snapshot, which.runner.as_ref())?.name;
            if usual || !first.is_empty() {
                client.set_job_path(name, first).await?;
            }
            let path = client.job_path(name).await?;
            if shape.json {
                return Ok(screen.json(&path)?);
            }
            let list = |folders: &[String]| match folders {
                [] => "none".to_owned(),
                folders => folders.join("\n"),
            };
            screen.say(format!("Jobs of {name} run as {}.", path.user))?;
            screen.field("put first", Tone::Plain, &list(&path.first))?;
            screen.field("agent", Tone::Plain, &list(&path.agent))?;
            match &path.unreadable {
                Some(why) => screen.field("jobs find", Tone::Warning, why)?,
                None => screen.field("jobs find", Tone::Plain, &list(&path.found))?,
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
