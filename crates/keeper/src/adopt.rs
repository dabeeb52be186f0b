//! `agent --adopt RUN_DIR`: watches over an agent that lost its keeper. It can do all that a keeper
//! does except learn the exit code, since it is not the parent.

use std::process::ExitCode;

use process::ExitWatch;
use run_dir::{End, Record, RunDir};

use crate::agent::{be_keeper, over};
use crate::hold::hold;
use crate::keep::{Agent, keep};
use crate::lock_handed_over::lock_handed_over;

pub(crate) fn adopt(run: &RunDir) -> anyhow::Result<ExitCode> {
    let lock = lock_handed_over(run)?;
    match run.exit() {
        Record::Absent | Record::Blank => {}
        Record::Written(_) => return Ok(ExitCode::SUCCESS),
        Record::Unreadable(why) => anyhow::bail!("the run may be over: {why}"),
        Record::Newer(version) => anyhow::bail!("exit.json is of a later release ({version})"),
    }
    let signals = be_keeper(run, true)?;
    hold(run, "lock-taken");
    let end = match run.started() {
        Record::Written(started) => match ExitWatch::of(&started.process)? {
            Some(watch) => keep(run, &signals, &Agent::Adopted(started.process, watch))?,
            None => End::Unknown,
        },
        Record::Absent | Record::Blank => {
            End::NeverStarted("the keeper was killed before it started the agent".to_owned())
        }
        // An agent may run that cannot be found; saying that the run is over would allow another.
        Record::Unreadable(why) => anyhow::bail!("the agent cannot be found: {why}"),
        Record::Newer(version) => anyhow::bail!("started.json is of a later release ({version})"),
    };
    over(run, lock, end)
}
