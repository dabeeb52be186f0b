//! What happens after a set-up, told until the runner is ready or something is wrong. Only looks.

use std::time::Duration;

use client::{Client, Detail};
use futures::StreamExt;
use protocol::{
    Boundary, Install, Problem, ProblemCode, Runner, RunnerName, RunnerState, Snapshot,
};
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::print::Screen;
use crate::{clock, words};

/// An agent whose token is refused is idle first: it takes CircleCI's answer to end it.
const SETTLES_IN: Duration = Duration::from_secs(2);

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
    /// It is, if nothing happens in this time.
    ReadyIn(Duration, String),
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
        // What to say if nothing else happens until then.
        let mut ready: Option<(Instant, String)> = None;
        loop {
            let until = ready.as_ref().map_or(deadline, |(at, _)| deadline.min(*at));
            let Ok(event) = timeout_at(until, events.next()).await else { break };
            let Some(snapshot) = event.transpose()? else {
                return Err(Failure::failed(
                    format!("The supervisor ended before {} was ready.", self.name),
                    "What was set up is kept. Start it again: runnerctl supervisor start",
                ));
            };
            let Some(runner) = self.find(&snapshot) else { continue };
            told.tell(screen, runner)?;
            ready = match self.reached(runner) {
                Reached::Ready(words) => return Ok(screen.say(words)?),
                Reached::Trouble(problems) => return Err(Failure::Trouble(problems)),
                // Other news do not make it wait longer.
                Reached::ReadyIn(rest, words) => {
                    Some(ready.unwrap_or_else(|| (Instant::now() + rest, words)))
                }
                Reached::NotYet => None,
            };
        }
        if let Some((_, words)) = ready {
            return Ok(screen.say(words)?);
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
            // Of a task before, and nothing that a set-up could mend.
            .filter(|problem| problem.code != ProblemCode::TaskLost)
            .cloned()
            .collect();
        if !new.is_empty() {
            return Reached::Trouble(new);
        }
        let (name, class) = (&runner.name, &runner.resource_class);
        match runner.state {
            RunnerState::Idle => {
                let words = format!(
                    "{name} is ready and waits for tasks of {class}. Send it one: runnerctl config snippet"
                );
                let idle_for = clock::now().timestamp().duration_since(runner.state_since);
                match SETTLES_IN.checked_sub(idle_for.try_into().unwrap_or_default()) {
                    None | Some(Duration::ZERO) => Reached::Ready(words),
                    Some(rest) => Reached::ReadyIn(rest, words),
                }
            }
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
        Boundary::Unknown => words::UNKNOWN_BOUNDARY,
    }
}

/// What has been said already, so that nothing is said twice.
#[derive(Default)]
struct Told {
    boundary: bool,
    headline: Option<String>,
    download: Option<(u64, String)>,
    /// Why the download last stood still.
    waits: Option<String>,
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
        if let Some(waits) = &install.waits {
            if self.waits.replace(waits.why.clone()).as_ref() != Some(&waits.why) {
                screen.say(words::download(install))?;
            }
            return Ok(());
        }
        if screen.is_terminal() {
            return screen.passing(&words::download(install));
        }
        let total = install.total.map_or(0, |total| total.0);
        let quarters = (install.received.0 * 4).checked_div(total).unwrap_or_default();
        let words = words::download(install);
        let is_news = |(told, said): &(u64, String)| quarters > *told && words != *said;
        if self.download.as_ref().is_none_or(is_news) {
            screen.say(&words)?;
            self.download = Some((quarters, words));
        }
        Ok(())
    }
}
