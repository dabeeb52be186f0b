//! A stand-in for `circleci-agent`, the program that runs one task's steps: told what to do on its
//! command line and standard input, it reports to the server and logs JSON lines. It must never
//! outlive its task's last report.

mod cancel;
mod instructions;
mod json_lines;
mod report;
mod scratch;
mod steps;
mod variables;

use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

pub(crate) use self::instructions::{Instructions, arguments};

use self::cancel::Cancel;
use self::json_lines::JsonLines;
use self::report::{PATIENCE, Reporter};
use self::scratch::Scratch;
use self::steps::Job;
use crate::control::Outcome;
use crate::http::{Api, insist};
use crate::stderr;
use crate::variant::{Argv, Variant};
use crate::wire::{TaskConfig, Wish};

const CALL_LIMIT: Duration = Duration::from_secs(30);

/// The whole program.
pub fn main(words: &[String]) -> ExitCode {
    let code = run(words).unwrap_or_else(|message| {
        stderr::write(format!("circleci-agent: error: {message}\n").as_bytes());
        1
    });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn run(words: &[String]) -> Result<i32, String> {
    let cancel = Cancel::default();
    listen_to_signals(&cancel)?;
    let mut said = String::new();
    std::io::stdin().read_to_string(&mut said).map_err(|error| format!("stdin: {error}"))?;
    let instructions = Instructions::read(words, &said)?;
    let api = Api::new(&instructions.api_url, CALL_LIMIT).map_err(|error| error.to_string())?;
    let api = Arc::new(api.with_bearer(&instructions.task_token));
    let config = insist(PATIENCE, || api.get("/api/v2/task/config"));
    let config = config.and_then(|reply| reply.json::<TaskConfig>());
    let config = config.map_err(|error| error.to_string())?;
    let variant = Variant::of_server_and_environment(&config.variant);
    let variant = variant.map_err(|error| error.to_string())?;

    if variant.task_agent_ignores_term {
        cancel.ignore_signals();
    }
    let is_outer = words.iter().any(|word| word == "agent-runner");
    if variant.argv == Argv::Nested && is_outer {
        return run_inner(&instructions, &cancel);
    }
    listen_to_server(&cancel, Arc::clone(&api));

    let scratch = Scratch::make(&config.task_id).map_err(|error| format!("scratch: {error}"))?;
    let lines = JsonLines::new(&config, variant.silent);
    let reporter = Reporter::start(api, lines.clone());
    let outcome = Job {
        config: &config,
        instructions: &instructions,
        scratch: &scratch,
        lines: &lines,
        reporter: &reporter,
        cancel: &cancel,
        kill_delay: (variant.kill_delay / 2).min(Duration::from_secs(5)),
    }
    .run();
    reporter.finish(outcome);
    Ok(match outcome {
        Outcome::Success => 0,
        Outcome::Failed | Outcome::Canceled | Outcome::InfrastructureFail => {
            variant.exit_code_failed_job
        }
    })
}

fn listen_to_signals(cancel: &Cancel) -> Result<(), String> {
    let signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]);
    let mut signals = signals.map_err(|error| format!("signals: {error}"))?;
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            cancel.hear_signal();
        }
    });
    Ok(())
}

/// Asks the server again and again whether the user cancelled the task.
fn listen_to_server(cancel: &Cancel, api: Arc<Api>) {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        loop {
            let answer = api.get("/api/local/task/cancel").and_then(|reply| reply.json::<Wish>());
            match answer {
                Ok(Wish { cancel: true }) => return cancel.wish(),
                Ok(Wish { cancel: false }) => {}
                Err(error) if error.status().is_some_and(|status| status < 500) => return,
                Err(_) => std::thread::sleep(Duration::from_millis(500)),
            }
        }
    });
}

/// A second task agent as our child does the work; we pass TERM on and its exit code back.
fn run_inner(instructions: &Instructions, cancel: &Cancel) -> Result<i32, String> {
    let myself = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(&myself);
    command.args(arguments(instructions, Argv::Inner)).stdin(Stdio::piped());
    let mut inner = command.spawn().map_err(|error| format!("{}: {error}", myself.display()))?;
    if let Some(mut stdin) = inner.stdin.take() {
        let _ = stdin.write_all(instructions.as_json().as_bytes());
    }
    cancel.pass_on_to(inner.id());
    let status = inner.wait().map_err(|error| error.to_string())?;
    Ok(status.code().unwrap_or(1))
}
