//! `runnerctl completions`: a script that completes these commands in a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::print::Screen;

/// Print a script that completes runnerctl's commands in your shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl completions zsh > ~/.zfunc/_runnerctl
  runnerctl completions bash > ~/.local/share/bash-completion/completions/runnerctl
  runnerctl completions fish > ~/.config/fish/completions/runnerctl.fish";

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "runnerctl", &mut script);
    Ok(Screen::stdout().text(&String::from_utf8_lossy(&script))?)
}
