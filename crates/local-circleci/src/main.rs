//! `local-circleci`: the server and the commands that speak to it. An offline stand-in for
//! CircleCI; every start says so.

mod commands;

use clap::Parser;

use crate::commands::{Arguments, run};

fn main() -> std::process::ExitCode {
    run(Arguments::parse())
}
