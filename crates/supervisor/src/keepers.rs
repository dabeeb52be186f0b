//! Puts keepers in charge and tells them what is wanted. Waits for none of them: what becomes of a
//! run is read from its directory.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use jiff::Timestamp;
use process::{Liveness, Signal};
use run_dir::{
    Cancel, CancelOutcome, CancelSent, DrainLost, KeeperLock, Record, RunDir, TaskNumber,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::collections::BTreeMap;

/// What reaches the keeper on its standard input and is written nowhere.
#[derive(Serialize)]
struct Secrets<'a> {
    environment: &'a BTreeMap<String, String>,
    token: &'a str,
}

/// Starts a keeper that starts the agent.
pub(crate) fn start(
    helper: &Path,
    run: &RunDir,
    lock: KeeperLock,
    environment: &BTreeMap<String, String>,
    token: &SecretString,
) -> Result<()> {
    let secrets = Secrets { environment, token: token.expose_secret() };
    let secrets = SecretString::from(serde_json::to_string(&secrets)?);
    spawn(helper, run, lock, &["agent"], Some(secrets))
}

/// Starts a keeper for an agent that has lost its own.
pub(crate) fn adopt(helper: &Path, run: &RunDir) -> Result<()> {
    let lock = run.take_lock()?.context("somebody holds the keeper's lock")?;
    spawn(helper, run, lock, &["agent", "--adopt"], None)
}

fn spawn(
    helper: &Path,
    run: &RunDir,
    lock: KeeperLock,
    verb: &[&str],
    secrets: Option<SecretString>,
) -> Result<()> {
    let (reader, mut writer) = std::io::pipe()?;
    let mut command = tokio::process::Command::new(helper);
    command
        .args(verb)
        .arg(run.path())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(reader))
        .stdout(Stdio::from(lock))
        .stderr(Stdio::from(run.open_keeper_log()?));
    #[cfg(debug_assertions)]
    if let Some(point) = std::env::var_os("RUNNER_TRAY_HOLD_AT") {
        command.env("RUNNER_TRAY_HOLD_AT", point);
    }
    // Never killed on drop; once dropped it is reaped when it ends.
    command.spawn().with_context(|| format!("starting {}", helper.display()))?;
    // Our copies of lock and pipe close here, so that the keeper's are the only ones.
    drop(command);
    if let Some(secrets) = secrets {
        // More than a pipe takes at once would wait for the keeper, and one that is stopped for ever.
        std::thread::Builder::new().spawn(move || {
            // A keeper that died has no use for it.
            let _ = writer.write_all(secrets.expose_secret().as_bytes());
        })?;
    }
    Ok(())
}

/// Tells the keeper to drain. Said again it changes nothing.
pub(crate) fn drain(run: &RunDir) -> Result<()> {
    signal(run, Signal::TERM)
}

/// Records the proof that the drain signal was lost, then has the keeper look.
pub(crate) fn drain_again(run: &RunDir, tasks: Vec<TaskNumber>, at: Timestamp) -> Result<()> {
    run.write_drain_lost(&DrainLost { tasks, at })?;
    signal(run, Signal::USR1)
}

/// Records the user's word, then has the keeper look.
pub(crate) fn cancel(run: &RunDir, task: TaskNumber, at: Timestamp) -> Result<()> {
    run.write_cancel(&Cancel { task, by: "the owner".into(), at })?;
    let Record::Written(agent) = run.started() else { return signal(run, Signal::USR1) };
    match process::alive(&agent.process) {
        Liveness::Alive | Liveness::Unknown => signal(run, Signal::USR1),
        Liveness::Dead => end_without_agent(run, task, at),
    }
}

/// A task that outlived its agent: its wrapper gets the TERM that the agent would send it.
fn end_without_agent(run: &RunDir, task: TaskNumber, at: Timestamp) -> Result<()> {
    let Record::Written(started) = run.task(task).started() else {
        anyhow::bail!("the task has not said who it is");
    };
    process::signal(&started.front, Signal::TERM).context("signalling the task")?;
    run.write_cancel_sent(&CancelSent { task, outcome: CancelOutcome::Sent, at })?;
    Ok(())
}

/// Only ever the very process that holds this run's lock.
fn signal(run: &RunDir, signal: Signal) -> Result<()> {
    let Record::Written(keeper) = run.keeper() else {
        anyhow::bail!("the keeper has not said who it is");
    };
    anyhow::ensure!(run.lock_held()?, "the keeper is gone");
    anyhow::ensure!(process::alive(&keeper.process) != Liveness::Dead, "the keeper is gone");
    process::signal(&keeper.process, signal).context("signalling the keeper")?;
    Ok(())
}
