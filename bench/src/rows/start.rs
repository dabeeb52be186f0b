//! From a start to a child that is up: of the whole contender, and of the child by its command.

use std::time::Duration;

use anyhow::Result;

use super::{Times, contenders};
use crate::Bench;
use crate::contender::{timed, timed_on};
use crate::report::{Section, Table};

const ALIVE: Duration = Duration::from_millis(1500);

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(20, 3);
    let folder = tempfile::tempdir()?;
    let mut contenders = contenders(bench, folder.path(), 1)?;
    let quiet = bench.quiet.wait();
    let mut cold = Times::of(&contenders);
    let mut command = Times::of(&contenders);
    for round in 0..rounds {
        // Everybody is first once.
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let contender = contenders[at].as_mut();
            let (rung, ms) = timed(contender)?;
            cold.add(at, ms);
            // A child that ended soon would have to wait.
            trials::nap(ALIVE);
            contender.off(&rung.child)?;
            command.add(at, timed_on(contender)?);
            contender.stop()?;
        }
    }
    let mut table = Table::new(&[
        "",
        "whole, median ms",
        "p95",
        "Runner Tray / it",
        "command, median ms",
        "p95",
        "Runner Tray / it",
    ]);
    for at in 0..contenders.len() {
        table.line([vec![cold.name(at)], cold.cells(at), command.cells(at)].concat());
    }
    let mut bars = cold.bars("start of all");
    bars.extend(command.bars("start by command"));
    Ok(Section {
        title: "From start to agent up".into(),
        how: format!(
            "{rounds} rounds, all contenders by turns. \"Whole\": the contender is not running; its main program is started, until its child\n\
             says that it is up. \"Command\": the child was stopped by command; from the start of the command that brings it back\n\
             (`runnerctl resume`, `sv up`, `supervisorctl start`, `circusctl start`, `pm2 start`) until the child is up. Runner Tray\n\
             checks its agent before each start; the child is as large as an agent, {} MB.",
            super::CHILD_SIZE / 1_000_000
        ),
        table,
        notes: vec![quiet],
        bars,
    })
}
