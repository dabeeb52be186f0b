//! What can be asked of every contender, ours and peers alike. None of them ever gets more than it
//! would in use: each is set up as its own manual says.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use process::ProcessId;

use crate::bell::{Bell, Rung};

pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    fn bell(&self) -> &Bell;

    /// Starts it; it brings its children up by itself. Returns at once.
    fn start(&mut self) -> Result<()>;

    /// All processes it is made of; its children are not among them.
    fn own(&self) -> Result<Vec<ProcessId>>;

    /// Has its only child end and stay away.
    fn off(&mut self, child: &ProcessId) -> Result<()>;

    /// The command that brings the child back.
    fn on(&self) -> Command;

    /// Ends it and its children; nothing of it is left.
    fn stop(&mut self) -> Result<()>;
}

/// A start, and how long it took until the child was up, in ms.
pub(crate) fn timed(contender: &mut dyn Contender) -> Result<(Rung, f64)> {
    let begun = Instant::now();
    contender.start()?;
    let rung = contender.bell().next().with_context(|| contender.name().to_owned())?;
    let time = ms(begun, &rung);
    Ok((rung, time))
}

/// As [`timed`], by the command that brings the child back.
pub(crate) fn timed_on(contender: &mut dyn Contender) -> Result<f64> {
    let mut command = contender.on();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let mut running = command.spawn().with_context(|| contender.name().to_owned())?;
    let rung = contender.bell().next().with_context(|| contender.name().to_owned())?;
    let status = running.wait()?;
    ensure!(status.success(), "{}: {command:?} ended with {status}", contender.name());
    Ok(ms(begun, &rung))
}

pub(crate) fn ms(begun: Instant, rung: &Rung) -> f64 {
    rung.at.duration_since(begun).as_secs_f64() * 1000.0
}

/// Waits until it is dead; the deadline is far beyond what any contender takes.
pub(crate) fn until_dead(process: &ProcessId) {
    trials::until(Duration::from_secs(30), &format!("process {process} ends"), || {
        !trials::is_alive(process)
    });
}
