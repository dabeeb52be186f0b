//! Owns the state of every runner on this machine. It starts keepers and reads what they write; it is
//! nobody's parent that matters, so that it may crash, be killed or be replaced at any moment.

mod api;
#[cfg(test)]
mod arbitrary;
mod as_user;
mod awake;
mod boundary;
mod cleanup;
mod cleanup_settings;
mod disks;
mod doctor;
mod downloads;
mod earlier_users;
mod effects;
mod environment;
mod gather;
mod helpers;
mod history;
mod hold;
mod input;
mod install;
mod job_user;
mod keepers;
mod knowing;
mod log_grows;
mod log_search;
mod log_tail;
mod logs;
mod looking;
mod new_token;
mod notices;
mod open;
mod places;
#[cfg(test)]
mod power_cut;
mod preinstall;
mod preinstall_settings;
mod program;
mod read_run;
mod recording;
mod records;
mod rotate;
mod rotations;
mod sampling;
mod settings;
mod shown_log;
mod start_run;
mod supervisor;
mod take;
#[cfg(test)]
mod test_log;
mod token;
mod token_places;
mod usage;
mod user_calls;
mod wake_up;
mod wanted_file;
mod watch;
mod watched;
mod word;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "runner-tray-supervisor", version, about)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Keep the runners of this machine. The default.
    Run,
    /// Touch the keychain once, for the supervisor: the request on stdin, the answer on stdout.
    #[command(hide = true)]
    Keychain { verb: String },
    /// Ask the system to keep the machine awake, and hand over what does, by standard output.
    #[command(hide = true)]
    KeepAwake,
    /// Put the machine to sleep, or start it anew; prints a refusal.
    #[command(hide = true)]
    Machine { act: String },
    /// Show the notification that stands on stdin; prints what came of it.
    #[command(hide = true)]
    Notify,
    /// Look at this machine and print what was found, as JSON.
    #[command(hide = true)]
    Doctor(doctor::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb.unwrap_or(Verb::Run) {
        Verb::Run => open::run(),
        Verb::Keychain { verb } => token::child(&verb),
        Verb::KeepAwake => host::awake::give().map_err(Into::into),
        Verb::Machine { act } => awake::child(&act),
        Verb::Notify => notices::child(),
        Verb::Doctor(arguments) => doctor::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "runner-tray-supervisor: {error:#}");
            ExitCode::FAILURE
        }
    }
}
