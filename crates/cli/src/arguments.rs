//! What may be said on the command line; each command describes its own part beside its code.

use clap::{Args, Parser, Subcommand};
use protocol::{RunnerName, TokenStore};

use crate::commands::{
    after_task, agent, cancel_task, class, clean, completions, config, doctor, history, logs,
    notices, pause, preferences, preinstall, presets, remove, resume, setup, status, supervisor,
    tasks, token, workdirs,
};

/// Lend this machine to CircleCI as a self-hosted runner, and take it back at any time.
#[derive(Debug, Parser)]
#[command(name = "runnerctl", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl setup --resource-class acme/macos --name mac-mini-01 --token-stdin < token.txt
  runnerctl status                        what each runner does, and what is wrong
  runnerctl pause --for 1h                finish the running task, claim no other for an hour
  runnerctl resume

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the supervisor does not answer.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Setup(setup::Args),
    Status(status::Args),
    Tasks(tasks::Args),
    History(history::Args),
    Logs(logs::Args),
    Doctor(doctor::Args),
    Notices(notices::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    AfterTask(after_task::Args),
    CancelTask(cancel_task::Args),
    Remove(remove::Args),
    Workdirs(workdirs::Args),
    Clean(clean::Args),
    Presets(presets::Args),
    Preinstall(preinstall::Args),
    Token(token::Args),
    Class(class::Args),
    Agent(agent::Args),
    Supervisor(supervisor::Args),
    Preferences(preferences::Args),
    Config(config::Args),
    Completions(completions::Args),
}

/// Which runner a command is about.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The runner that is meant; needed only where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) runner: Option<RunnerName>,
}

/// Which runners a command shows.
#[derive(Debug, Args)]
pub(crate) struct Only {
    /// Show this runner alone
    #[arg(long, value_name = "NAME")]
    pub(crate) runner: Option<RunnerName>,
}

/// For whom a command prints.
#[derive(Debug, Args)]
pub(crate) struct Shape {
    /// Print JSON in a stable shape, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a token may be kept.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Store {
    /// The desktop's keychain
    Keychain,
    /// A file that only you can read, for hosts without a keychain
    File,
}

impl From<Store> for TokenStore {
    fn from(store: Store) -> Self {
        match store {
            Store::Keychain => Self::Keychain,
            Store::File => Self::File,
        }
    }
}
