//! One task: start the task agent behind the command prefix, wait, end it when its time is up, and
//! tidy up. TERM and KILL go to the process this runner started, never to a group.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::clock;
use crate::http::{Api, ApiError, insist};
use crate::variant::Variant;
use crate::wire::{Claimed, Fail, StepEnd, StepStart, TaskConfig, Unclaim};

use super::calls::{CALL_LIMIT, Calls, user_agent};
use super::config::Config;
use super::launch::launch;
use super::signals::{Event, Signals};
use super::spans::{Log, Span, Trace};
use super::task_agent::TaskAgent;

/// How long the server may be away at a task's start and end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a task has at hand, all of it the runner's.
pub(super) struct Surroundings<'a> {
    pub(super) config: &'a Config,
    pub(super) variant: &'a Variant,
    pub(super) agent: &'a TaskAgent,
    pub(super) signals: &'a mut Signals,
    pub(super) log: &'a Log,
    pub(super) version: &'a str,
}

/// Why a task was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    SecondSignal,
    DrainTooLong,
    RanTooLong,
}

/// Runs a claimed task to its end. `Some` when the runner itself ended it.
pub(super) fn run(claimed: &Claimed, mut around: Surroundings) -> Option<Cut> {
    let trace = Trace::new();
    let span = Span::start(&trace, "service-work").with("app.loop_name", "claim: ");
    let (cut, done) = attempt(claimed, &mut around, &trace);
    if around.config.cleanup_working_directory {
        let _ = std::fs::remove_dir_all(&around.config.working_directory);
    }
    match done {
        Ok(()) => span.end(around.log),
        Err(message) => {
            give_up(claimed, &around, &trace, cut, &message);
            span.end_with_error(around.log, &message);
        }
    }
    cut
}

fn attempt(
    claimed: &Claimed,
    around: &mut Surroundings,
    trace: &Trace,
) -> (Option<Cut>, Result<(), String>) {
    if let Err(error) = announce(claimed, around, trace) {
        return (None, Err(format!("could not prepare the task: {error}")));
    }
    let mut child = match launch(claimed, around) {
        Ok(child) => child,
        Err(message) => return (None, Err(format!("could not run task: {message}"))),
    };
    let copier = child.stderr.take().map(|mut stderr| {
        let copy = around.log.copier();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut buffer) {
                copy(&buffer[..length]);
            }
        })
    });
    let cut = wait_for_end(&child, around);
    let status = child.wait();
    if let Some(copier) = copier {
        let _ = copier.join();
    }
    (cut, judged(status))
}

fn judged(status: std::io::Result<ExitStatus>) -> Result<(), String> {
    let status = status.map_err(|error| error.to_string())?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(format!("task agent command exited with code {code}")),
        (None, signal) => Err(format!("signal: {}", signal.unwrap_or_default())),
    }
}

/// The calls that a real runner's log shows between the claim and the task agent's first line.
fn announce(claimed: &Claimed, around: &Surroundings, trace: &Trace) -> Result<(), ApiError> {
    let api = task_api(claimed, around)?;
    let calls = Calls::new(&api, around.log, trace);
    insist(PATIENCE, || calls.get("/api/v2/task/config"))?.json::<TaskConfig>()?;
    let step = StepStart {
        step: 0,
        name: "Spin up environment".to_owned(),
        step_type: "spin_up_environment".to_owned(),
    };
    insist(PATIENCE, || calls.post("/api/v2/step/start", &step))?;
    let end = StepEnd { step: 0, exit_code: Some(0), duration_ms: 0 };
    api.post("/api/local/step/end", &end).map(drop)
}

fn task_api(claimed: &Claimed, around: &Surroundings) -> Result<Api, ApiError> {
    let api = Api::new(&around.config.api_url, CALL_LIMIT)?;
    Ok(api.with_bearer(&claimed.task_token).with_user_agent(&user_agent(around.version)))
}

/// Waits for the task agent's end. When the task's or the drain's time is up, or a second signal
/// comes, it gets TERM and, after a brief period, KILL.
fn wait_for_end(child: &Child, around: &mut Surroundings) -> Option<Cut> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    tell_of_end(pid, around.signals.sender());
    crash(around.variant);
    let started = Instant::now();
    let longest = around.config.max_run_time;
    let mut cut: Option<(Cut, Instant)> = None;
    let mut is_killed = false;
    loop {
        let now = Instant::now();
        if cut.is_none() {
            let drain = around.signals.draining_since();
            let why = if around.signals.is_forced() {
                Some(Cut::SecondSignal)
            } else if drain.is_some_and(|since| now >= since + longest) {
                Some(Cut::DrainTooLong)
            } else if now >= started + longest {
                Some(Cut::RanTooLong)
            } else {
                None
            };
            if let Some(why) = why {
                let _ = kill_process(pid, Signal::TERM);
                cut = Some((why, now + around.variant.kill_delay));
            }
        }
        if let (Some((_, kill_at)), false) = (cut, is_killed)
            && now >= kill_at
        {
            let _ = kill_process(pid, Signal::KILL);
            is_killed = true;
        }
        let next = match cut {
            Some((_, kill_at)) if !is_killed => kill_at,
            Some(_) => now + LONG,
            None => started + longest,
        };
        let limit = next.saturating_duration_since(now).max(Duration::from_millis(1));
        if let Some(Event::TaskEnded) = around.signals.wait(limit, around.log) {
            return cut.map(|(why, _)| why);
        }
    }
}

const LONG: Duration = Duration::from_hours(1);
/// What lies between a task's beginning and a crash that was asked for.
const BEFORE_CRASH: Duration = Duration::from_secs(2);

/// Ends this program in its own way, where that is asked for; the task agent goes on.
fn crash(variant: &Variant) {
    let Some(code) = variant.crash_in_task else { return };
    std::thread::spawn(move || {
        std::thread::sleep(BEFORE_CRASH);
        crate::stderr::write(b"panic: runtime error: a crash that was asked for\n");
        std::process::exit(code);
    });
}

/// Says when the process ends, and leaves it unreaped: its pid stays its own until then.
fn tell_of_end(pid: Pid, events: Sender<Event>) {
    std::thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).is_err_and(|it| it == rustix::io::Errno::INTR) {}
        let _ = events.send(Event::TaskEnded);
    });
}

/// Tells the server that the task did not end well: it goes back into the queue where unsafe
/// retries are on and a signal was the reason, and has failed otherwise.
fn give_up(
    claimed: &Claimed,
    around: &Surroundings,
    trace: &Trace,
    cut: Option<Cut>,
    message: &str,
) {
    let is_retried = around.config.enable_unsafe_retries
        && matches!(cut, Some(Cut::SecondSignal | Cut::DrainTooLong));
    if is_retried {
        let Ok(api) = Api::new(&around.config.api_url, CALL_LIMIT) else { return };
        let api = api.with_bearer(&around.config.auth_token);
        let calls = Calls::new(&api, around.log, trace);
        let task_token = claimed.task_token.clone();
        let unclaim = Unclaim { task_id: String::new(), task_token };
        if insist(PATIENCE, || calls.post("/api/v3/runner/unclaim", &unclaim)).is_ok() {
            return;
        }
    }
    let Ok(api) = task_api(claimed, around) else { return };
    let calls = Calls::new(&api, around.log, trace);
    let fail = Fail {
        allocation: claimed.allocation.clone(),
        timestamp: clock::now().as_millisecond(),
        message: STANDARD.encode(message),
    };
    let _ = insist(PATIENCE, || calls.post("/api/v2/task/event/fail", &fail));
}
