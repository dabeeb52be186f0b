//! The command line, one file for the server and one for its clients.

mod ask;
mod fault;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An offline stand-in for CircleCI: release bucket, runner API and task queue on the loopback
/// interface of this machine. It never speaks to CircleCI.
#[derive(Parser)]
#[command(name = "local-circleci", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server until it is ended
    Serve(serve::Serve),
    /// Queues a task and prints its number
    Enqueue(ask::Enqueue),
    /// Lists all tasks
    Tasks(ask::Tasks),
    /// Prints what a task's steps printed
    Output(ask::About),
    /// Waits for a task's end and prints its outcome; exit code 1 unless it succeeded
    Wait(ask::Wait),
    /// Cancels a task: its task agent is told
    Cancel(ask::About),
    /// Makes trouble on request
    Fault(Box<fault::Faults>),
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::Enqueue(enqueue) => enqueue.run(),
        Command::Tasks(tasks) => tasks.run(),
        Command::Output(about) => about.output(),
        Command::Wait(wait) => wait.run(),
        Command::Cancel(about) => about.cancel(),
        Command::Fault(faults) => faults.run(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("local-circleci: {error:#}");
            ExitCode::FAILURE
        }
    }
}
