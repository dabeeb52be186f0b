//! One file a command, each with its arguments, its help and what it does.

pub(crate) mod after_task;
pub(crate) mod agent;
pub(crate) mod cancel_task;
pub(crate) mod class;
pub(crate) mod clean;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod history;
mod log_search;
pub(crate) mod logs;
pub(crate) mod notices;
pub(crate) mod pause;
pub(crate) mod preferences;
pub(crate) mod preinstall;
mod preinstall_lists;
mod preinstall_progress;
mod preinstall_report;
pub(crate) mod presets;
pub(crate) mod remove;
pub(crate) mod resume;
pub(crate) mod setup;
mod setup_progress;
pub(crate) mod status;
pub(crate) mod supervisor;
pub(crate) mod tasks;
pub(crate) mod token;
mod token_at_circleci;
mod token_rotate;
pub(crate) mod workdirs;

use crate::arguments::Command;
use crate::failure::Failure;

pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Setup(args) => setup::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Tasks(args) => tasks::run(args).await,
        Command::History(args) => history::run(args).await,
        Command::Logs(args) => logs::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Pause(args) => pause::run(args).await,
        Command::Resume(args) => resume::run(args).await,
        Command::AfterTask(args) => after_task::run(args).await,
        Command::Notices(args) => notices::run(args).await,
        Command::Preferences(args) => preferences::run(args).await,
        Command::CancelTask(args) => cancel_task::run(args).await,
        Command::Remove(args) => remove::run(args).await,
        Command::Workdirs(args) => workdirs::run(args).await,
        Command::Clean(args) => clean::run(args).await,
        Command::Presets(args) => presets::run(args).await,
        Command::Preinstall(args) => preinstall::run(args).await,
        Command::Token(args) => token::run(args).await,
        Command::Class(args) => class::run(args).await,
        Command::Agent(args) => agent::run(args).await,
        Command::Supervisor(args) => supervisor::run(args).await,
        Command::Config(args) => config::run(args).await,
        Command::Completions(args) => completions::run(&args),
    }
}
