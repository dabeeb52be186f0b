//! `agent RUN_DIR`: starts the agent of a run, stays its parent, and writes down how it ended.

use std::ffi::OsString;
use std::fs::File;
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use process::ProcessId;
use run_dir::{End, Exit, KeeperRecord, Record, RunDir, Started};

use crate::as_job_user::JobUser;
use crate::clock::now;
use crate::gate::{Gate, Go};
use crate::hold::hold;
use crate::keep::{Agent, KEPT_SIGNALS, keep};
use crate::left_overs::clear_run;
use crate::lock_handed_over::lock_handed_over;
use crate::note::note;
use crate::secrets::Secrets;
use crate::signals::Signals;

const STOPPED: &str = "a stop was asked for before the agent was started";

pub(crate) fn agent(run: &RunDir) -> anyhow::Result<ExitCode> {
    let lock = lock_handed_over(run)?;
    let signals = be_keeper(run, false)?;
    hold(run, "lock-taken");
    let end = match start(run, &signals) {
        Ok(agent) => keep(run, &signals, &Agent::Child(agent))?,
        Err(why) => {
            note(run, format_args!("the agent was not started: {why:#}"));
            End::NeverStarted(format!("{why:#}"))
        }
    };
    over(run, lock, end)
}

/// The end of the run, on record. What a lost task left is ended first: its orphans are children of
/// this process, and after it nobody knows whose they were.
pub(crate) fn over(run: &RunDir, lock: File, end: End) -> anyhow::Result<ExitCode> {
    clear_run(run, run.plan().written().as_ref().and_then(JobUser::of).as_ref());
    run.write_exit(&Exit { end, at: now() })?;
    drop(lock);
    Ok(ExitCode::SUCCESS)
}

/// Gets ready for signals, and then says in keeper.json whom to send them to.
pub(crate) fn be_keeper(run: &RunDir, adopted: bool) -> anyhow::Result<Signals> {
    let signals = Signals::listen(&KEPT_SIGNALS)?;
    process::unblock_signals();
    // Fails for one that leads a session or a group already, which is as good.
    let _ = process::setsid();
    process::become_subreaper()?;
    run.write_keeper(&KeeperRecord { process: ProcessId::own()?, adopted, at: now() })?;
    Ok(signals)
}

/// Starts the agent; the error is why there is none. The token is here for no longer than this.
fn start(run: &RunDir, signals: &Signals) -> anyhow::Result<ProcessId> {
    let plan = match run.plan() {
        Record::Written(plan) => plan,
        Record::Absent | Record::Blank => anyhow::bail!("the run has no plan"),
        Record::Unreadable(why) => anyhow::bail!("the plan cannot be read: {why}"),
        Record::Newer(version) => anyhow::bail!("the plan is of a later release ({version})"),
    };
    let _no_core = process::NoCore::from_now_on();
    let secrets = Secrets::read(signals)?.context(STOPPED)?;

    let argv: Vec<OsString> = plan.argv.iter().map(OsString::from).collect();
    let log = run.open_agent_log().context("agent.log cannot be opened")?;
    let log_too = log.try_clone()?;
    let gate = Gate::spawn(&argv, |command| {
        command.current_dir(&plan.cwd).stdin(Stdio::null()).stdout(log).stderr(log_too);
    })
    .with_context(|| format!("in {}", plan.cwd.display()))?;
    let agent = gate.process.clone();
    run.write_started(&Started { process: agent.clone(), at: now() })?;
    hold(run, "started-written");
    // From here on a stop is a drain; before it nothing has begun.
    anyhow::ensure!(!signals.stop_asked(), STOPPED);
    gate.open(&Go::Agent { environment: secrets.into_environment() })?;
    Ok(agent)
}
