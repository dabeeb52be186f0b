//! runnerctl: everything the app does, from a terminal. It asks the supervisor and shows what it
//! says; it keeps no state, holds no token and decides nothing.

mod arguments;
mod ask;
mod choose;
mod clock;
mod commands;
mod failure;
mod inert;
mod meanwhile;
mod personal;
mod place;
mod print;
mod since;
mod token;
mod when;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::Arguments;
use failure::Failure;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(arguments.command)),
        Err(error) => Err(Failure::failed(format!("runnerctl cannot start: {error}."), "")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// All commands and what they take, for their reference, man pages and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}
