//! runner-tray-keeper: parent of the agent, and wrapper of each task.
//!
//! It must never be the reason that a task ends: the only TERM after the first is the user's
//! confirmed cancel, nothing here sends KILL to an agent, and nothing goes to a process group.
//! What it knows it writes to the run directory; it talks to nobody.

mod adopt;
mod agent;
#[cfg(test)]
mod arbitrary;
mod as_job_user;
mod clean;
mod clean_up;
mod clock;
mod command_line;
mod drains;
mod end_tree;
mod gate;
mod hold;
mod keep;
mod left_overs;
mod link;
mod lock_handed_over;
mod log_bound;
mod mark;
mod note;
mod secrets;
mod signals;
mod task_front;
mod task_guard;
mod wait;
mod wiped;
mod with_path;
mod work_lock;

use std::io::Write;
use std::process::ExitCode;

use command_line::Verb;

fn main() -> ExitCode {
    let verb = match command_line::parse(std::env::args_os().skip(1).collect()) {
        Ok(verb) => verb,
        Err(wrong) => {
            say(format_args!("{wrong}\n\n{}", command_line::USAGE));
            return ExitCode::from(2);
        }
    };
    let done = match verb {
        Verb::Version => {
            println!("runner-tray-keeper {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
        Verb::Agent { run } => Ok(note::kept(&run, || agent::agent(&run))),
        Verb::Adopt { run } => Ok(note::kept(&run, || adopt::adopt(&run))),
        Verb::Task { run, command } => task_front::task(&run, &command),
        Verb::Gate { control, command } => gate::gate(control, &command),
        Verb::AsJobUser => as_job_user::serve(),
        Verb::Clean => clean::serve(),
        Verb::WithPath { first, last, command } => with_path::with_path(&first, &last, &command),
    };
    done.unwrap_or_else(|error| {
        say(format_args!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// The standard error may be a log on a disk that is broken.
fn say(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "runner-tray-keeper: {words}");
}
