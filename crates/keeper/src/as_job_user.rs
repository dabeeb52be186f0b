//! `as-job-user`: what must be done to processes of the job user, done as that user through sudo.
//!
//! One JSON plan on the standard input, one JSON receipt on the standard output. It acts only on
//! processes of its own user, whatever the plan says.

use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use process::{Pid, ProcessId, Sent, Signal};
use run_dir::Plan;
use serde::{Deserialize, Serialize};

use crate::end_tree::{Trees, end_trees};
use crate::wait::wait;

/// Longer than ending a tree may take; a login profile that hangs must not hold the guard.
const LIMIT: Duration = Duration::from_secs(15);

/// The user that tasks run as, and the helper it can run.
pub(crate) struct JobUser {
    user: String,
    helper: PathBuf,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    /// End the processes and all their descendants.
    End,
    /// Signal, of each process and its descendants, the topmost that is this user's.
    Signal(i32),
}

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    version: u32,
    act: Act,
    processes: Vec<ProcessId>,
}

/// What was done.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Receipt {
    version: u32,
    /// Processes that were signalled.
    pub(crate) signalled: Vec<ProcessId>,
    /// Processes that should have ended and have not.
    pub(crate) left: Vec<ProcessId>,
}

impl JobUser {
    pub(crate) fn of(plan: &Plan) -> Option<Self> {
        Some(Self { user: plan.job_user.clone()?, helper: plan.helper.clone() })
    }

    pub(crate) fn program(&self) -> &std::path::Path {
        &self.helper
    }

    /// The helper, to be run as the user; its verb is to be added.
    pub(crate) fn helper(&self) -> Command {
        let [sudo, flags, user, end_of_flags] = self.sudo();
        let mut helper = Command::new(sudo);
        helper.args([flags, user, end_of_flags]).arg(&self.helper);
        helper
    }

    /// What stands before a command to run it as the user, in a login environment.
    pub(crate) fn sudo(&self) -> [String; 4] {
        ["sudo", "-niHu", &self.user, "--"].map(str::to_owned)
    }
}

/// Has the job user act; its receipt.
pub(crate) fn ask(
    job_user: &JobUser,
    act: Act,
    processes: Vec<ProcessId>,
) -> anyhow::Result<Receipt> {
    let mut helper = job_user
        .helper()
        .arg("as-job-user")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("sudo cannot be started")?;
    if let Some(mut stdin) = helper.stdin.take() {
        serde_json::to_writer(&mut stdin, &Request { version: 1, act, processes })?;
        stdin.write_all(b"\n")?;
    }
    let stdout = helper.stdout.take().context("the helper has no output")?;
    let said = read_within(stdout, LIMIT).context("the job user's helper")?;
    helper.wait()?;
    // A login profile may print something before it.
    let receipt =
        said.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
    receipt.last().with_context(|| {
        format!("{} did not answer as {}", job_user.helper.display(), job_user.user)
    })
}

fn read_within(mut from: impl Read + AsFd, limit: Duration) -> io::Result<io::Cursor<Vec<u8>>> {
    let deadline = Instant::now() + limit;
    let mut said = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if wait(&[from.as_fd()], Some(left))?.first() != Some(&true) {
            continue;
        }
        match from.read(&mut chunk)? {
            0 => return Ok(io::Cursor::new(said)),
            read => said.extend_from_slice(chunk.get(..read).unwrap_or_default()),
        }
    }
}

/// The verb, as the job user.
pub(crate) fn serve() -> anyhow::Result<ExitCode> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line).context("the plan on the standard input")?;
    let own = topmost_own(&request.processes);
    let mut receipt = Receipt { version: 1, ..Receipt::default() };
    match request.act {
        Act::End => {
            receipt.left = end_trees(&Trees { roots: own.clone(), ..Trees::default() }, None);
            receipt.signalled = own;
        }
        Act::Signal(number) => {
            let signal = Signal::from_named_raw(number).context("not a signal")?;
            receipt.signalled = own;
            let delivered =
                |id: &ProcessId| matches!(process::signal(id, signal), Ok(Sent::Delivered));
            receipt.signalled.retain(delivered);
        }
    }
    println!("{}", serde_json::to_string(&receipt)?);
    Ok(ExitCode::SUCCESS)
}

/// Of each process and its descendants the topmost ones that are this user's.
fn topmost_own(processes: &[ProcessId]) -> Vec<ProcessId> {
    let own = rustix::process::getuid().as_raw();
    let alive = processes.iter().filter(|id| process::alive(id) != process::Liveness::Dead);
    let mut to_look: Vec<Pid> = alive.map(|id| id.pid).collect();
    let mut found: Vec<ProcessId> = Vec::new();
    while let Some(pid) = to_look.pop() {
        if process::owner(pid).is_ok_and(|owner| owner == Some(own)) {
            found.extend(ProcessId::of(pid).ok().filter(|id| !found.contains(id)));
        } else {
            to_look.extend(process::children(pid).unwrap_or_default());
        }
    }
    found
}
