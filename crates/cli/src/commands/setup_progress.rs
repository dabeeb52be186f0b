//! What happens after a set-up, told until the runner is ready or something is wrong. Only looks.

use std::time::Duration;

use client::{Client, Detail};
use futures::StreamExt;
use protocol::{Boundary, Install, Problem, Runner, RunnerName, RunnerState, Snapshot};
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::print::Screen;
use crate::words;

pub(crate) struct Watch<'a> {
    pub(crate) name: &'a RunnerName,
    /// What was so before the set-up changed anything: its problems are not the set-up's.
    pub(crate) before: Option<&'a Snapshot>,
    /// Zero: look once.
    pub(crate) wait: Duration,
}

/// Where a runner has come to.
enum Reached {
    Ready(String),
    Trouble(Vec<Problem>),
    NotYet,
}

impl Watch<'_> {
    /// Tells each step until the runner is ready; trouble and a wait that is over are failures.
    pub(crate) async fn follow(self, client: &Client, screen: &mut Screen) -> Result<(), Failure> {
        if self.wait.is_zero() {
            return self.tell_boundary(client, screen).await;
        }
        let deadline = Instant::now() + self.wait;
        let mut events = client.events(Detail::Plain);
        let mut told = Told::default();
        while let Ok(event) = timeout_at(deadline, events.next()).await {
            let Some(snapshot) = event.transpose()? else {
                return Err(Failure::failed(
                    format!("The supervisor ended before {} was ready.", self.name),
                    "What was set up is kept. Start it again: runnerctl supervisor start",
                ));
            };
            let Some(runner) = self.find(&snapshot) else { continue };
            told.tell(screen, runner)?;
            match self.reached(runner) {
                Reached::Ready(words) => return Ok(screen.say(words)?),
                Reached::Trouble(problems) => return Err(Failure::Trouble(problems)),
                Reached::NotYet => {}
            }
        }
        Err(Failure::failed(
            format!(
                "{} is not ready after {}.",
                self.name,
                words::duration(self.wait.try_into().unwrap_or_default())
            ),
            "It goes on by itself; look again: runnerctl status",
        ))
    }

    /// Says what stands between a job and its owner.
    pub(crate) async fn tell_boundary(
        &self,
        client: &Client,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let snapshot = client.snapshot(Detail::Plain).await?;
        if let Some(runner) = self.find(&snapshot) {
            screen.say(meaning(runner))?;
        }
        Ok(())
    }

    fn find<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s Runner> {
        snapshot.runners.iter().find(|runner| runner.name == *self.name)
    }

    fn reached(&self, runner: &Runner) -> Reached {
        let old = self.before.and_then(|before| self.find(before)).map(|runner| &runner.problems);
        let new: Vec<Problem> = runner
            .problems
            .iter()
            .filter(|problem| old.is_none_or(|old| !old.contains(problem)))
            .cloned()
            .collect();
        if !new.is_empty() {
            return Reached::Trouble(new);
        }
        let (name, class) = (&runner.name, &runner.resource_class);
        match runner.state {
            RunnerState::Idle => Reached::Ready(format!(
                "{name} is ready and waits for tasks of {class}. Send it one: runnerctl config snippet"
            )),
            RunnerState::Busy => Reached::Ready(format!("{name} is ready and runs a task.")),
            RunnerState::Draining => Reached::Ready(format!(
                "{name} is set up; it takes up what has changed when its task is over."
            )),
            RunnerState::Paused => Reached::Ready(format!(
                "{name} is set up and paused. To let it claim tasks: runnerctl resume --runner {name}"
            )),
            RunnerState::Problem
            | RunnerState::Offline
            | RunnerState::Unknown
            | RunnerState::Updating => Reached::NotYet,
        }
    }
}

fn meaning(runner: &Runner) -> &str {
    match &runner.boundary {
        Boundary::SameUser { meaning } | Boundary::JobUser { meaning, .. } => meaning,
    }
}

/// What has been said already, so that nothing is said twice.
#[derive(Default)]
struct Told {
    boundary: bool,
    headline: Option<String>,
    /// Quarters of the download.
    quarters: Option<u64>,
}

impl Told {
    fn tell(&mut self, screen: &mut Screen, runner: &Runner) -> std::io::Result<()> {
        if !self.boundary {
            self.boundary = true;
            screen.say(meaning(runner))?;
        }
        if let Some(install) = &runner.install {
            return self.tell_download(screen, install);
        }
        if self.headline.as_ref() != Some(&runner.headline) {
            self.headline = Some(runner.headline.clone());
            screen.say(format!("{}: {}", runner.name, runner.headline))?;
        }
        Ok(())
    }

    /// On a terminal one line that counts; elsewhere a line at each quarter.
    fn tell_download(&mut self, screen: &mut Screen, install: &Install) -> std::io::Result<()> {
        if screen.is_terminal() {
            return screen.passing(&words::download(install));
        }
        let total = install.total.map_or(0, |total| total.0);
        let quarters = (install.received.0 * 4).checked_div(total).unwrap_or_default();
        if self.quarters.is_none_or(|told| quarters > told) {
            self.quarters = Some(quarters);
            screen.say(words::download(install))?;
        }
        Ok(())
    }
}
