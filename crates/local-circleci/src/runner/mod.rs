//! A stand-in for `circleci-runner machine`: it claims tasks and hands each to a task agent. It does
//! what CircleCI documents of machine runner 3 and must never speak to CircleCI itself.

mod calls;
mod claim_loop;
mod config;
mod launch;
mod noise;
mod signals;
mod spans;
mod task;
mod task_agent;
pub(crate) mod version;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use self::calls::{CALL_LIMIT, Calls, in_go_words, user_agent};
use self::claim_loop::{ClaimLoop, End};
use self::config::Config;
use self::signals::Signals;
use self::spans::{Log, Span, Trace};
use self::task_agent::{NotFetched, TaskAgent};
use crate::http::Api;
use crate::variant::{StartOffline, Variant};
use crate::{clock, stderr};

/// Not CircleCI's: this program again, to put what follows into a session of its own.
const IN_OWN_SESSION: &str = "in-own-session";
const USAGE: &str = "\
Usage: circleci-runner machine --config FILE

This is local-circleci's stand-in for CircleCI's machine runner. It speaks to loopback only.
";

/// The whole program.
pub fn main(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["machine"] => run(None),
        ["machine", "--config" | "-c", file] => run(Some(Path::new(file))),
        ["machine", word] if word.starts_with("--config=") => {
            run(Some(Path::new(word.trim_start_matches("--config="))))
        }
        ["--version"] => {
            stderr::write_to_stdout(format!("{}\n", version::of_this_executable()).as_bytes());
            Ok(0)
        }
        ["--help"] => {
            stderr::write_to_stdout(USAGE.as_bytes());
            Ok(0)
        }
        [IN_OWN_SESSION, program, rest @ ..] => become_in_own_session(program, rest),
        _ => Err(format!("unexpected arguments {words:?}\n{USAGE}")),
    };
    let code = done.unwrap_or_else(|message| {
        stderr::write(format!("circleci-runner: error: {message}\n").as_bytes());
        1
    });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn become_in_own_session(program: &str, rest: &[&str]) -> Result<i32, String> {
    rustix::process::setsid().map_err(|error| format!("setsid: {error}"))?;
    Err(format!("{program}: {}", Command::new(program).args(rest).exec()))
}

fn run(file: Option<&Path>) -> Result<i32, String> {
    let environment = |name: &str| std::env::var(name).ok();
    let config = config::read(file, &environment)?;
    let variant = Variant::of_server_and_environment("").map_err(|error| error.to_string())?;
    let mut signals = Signals::catch(variant.hup_dies).map_err(|error| error.to_string())?;
    let file = config.log_file.as_deref();
    let mut log = Log::open(config.log_level, config.log_format, file, &variant)?;
    let code = work(&config, &variant, &mut signals, &mut log);
    log.close();
    code
}

fn work(
    config: &Config,
    variant: &Variant,
    signals: &mut Signals,
    log: &mut Log,
) -> Result<i32, String> {
    let version = version::of_this_executable();
    let trace = Trace::new();
    Span::start(&trace, "starting agent")
        .with("app.date", clock::seconds(clock::now()))
        .with("app.note", "local-circleci, a stand-in for CircleCI")
        .with("app.version", version.as_str())
        .with("mode", "agent")
        .with("service.name", "circleci-runner")
        .with("service_name", "circleci-runner")
        .write(log);
    let api = Api::new(&config.api_url, CALL_LIMIT).map_err(|error| error.to_string())?;
    let api = api.with_bearer(&config.auth_token).with_user_agent(&user_agent(&version));
    let calls = Calls::new(&api, log, &trace);
    let Some((agent, said)) = fetch(config, variant, signals, &calls)? else {
        return Ok(variant.exit_code_drained);
    };
    let variant = Variant::of_server_and_environment(&said).map_err(|error| error.to_string())?;
    log.obey(&variant);
    signals.obey(&variant);
    if variant.leak_token {
        Span::start(&trace, "leak").with("app.auth_token", config.auth_token.as_str()).write(log);
    }
    noise::gush(&variant);
    if let Some(code) = variant.crash_at_start {
        log.close();
        stderr::write(b"panic: runtime error: a crash that was asked for\n");
        return Ok(code);
    }
    noise::go_on(&variant, log);
    let end = ClaimLoop {
        config,
        variant: &variant,
        api: &api,
        agent: &agent,
        signals,
        log,
        version: &version,
    }
    .run();
    agent.release();
    Ok(match end {
        End::Done => variant.exit_code_drained,
        End::Forced => variant.exit_code_forced,
        End::Refused => 1,
    })
}

/// The task agent, or `None` when a signal came first.
fn fetch(
    config: &Config,
    variant: &Variant,
    signals: &mut Signals,
    calls: &Calls,
) -> Result<Option<(TaskAgent, String)>, String> {
    let folder = &config.task_agent_directory;
    loop {
        signals.look(calls.log);
        if signals.draining_since().is_some() {
            return Ok(None);
        }
        match TaskAgent::fetch(calls, folder, config.cache_task_agent) {
            Ok(fetched) => return Ok(Some(fetched)),
            Err(NotFetched::Other(message)) => return Err(message),
            Err(NotFetched::Call(error)) => {
                let may_come =
                    variant.start_offline == StartOffline::Retry && error.status() != Some(401);
                if !may_come {
                    return Err(format!("task agent download: {}", in_go_words(&error)));
                }
                let _ = signals.wait(Duration::from_millis(200), calls.log);
            }
        }
    }
}
