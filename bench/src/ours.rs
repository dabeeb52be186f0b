//! Runner Tray as a contender: a supervisor, and a keeper for each of a number of runners whose agent
//! is the child that all contenders keep. It is set up through its own API, before the clock runs.

use std::process::Command;

use anyhow::{Context, Result};
use process::{ProcessId, Signal};
use protocol::{RunnerSpec, TokenStore};
use trials::{Api, Place};

use crate::bell::Bell;
use crate::contender::{Contender, until_dead};
use crate::release_server::ReleaseServer;

pub(crate) struct Ours {
    supervisor: Option<trials::Ours>,
    pub(crate) api: Api,
    bell: Bell,
    /// Last, so that what the others leave is seen.
    pub(crate) place: Place,
}

/// The first runner's name; the others count on.
pub(crate) const FIRST: &str = "r1";

impl Ours {
    /// So many runners, set up, with their agent installed; nothing runs yet.
    pub(crate) fn new(server: &ReleaseServer, runners: usize) -> Result<Self> {
        let place = Place::new();
        place.folders().ensure()?;
        // The agents' HOME in a trial's place.
        let bell = Bell::hang(&place.path("owner"))?;
        let api = Api::of(&place);
        let mut ours = Self { supervisor: None, api, bell, place };
        ours.start()?;
        ours.until_it_answers();
        for number in 1..=runners {
            let spec = RunnerSpec {
                resource_class: "bench/linux".parse()?,
                working_directory: None,
                api_url: Some(server.url().to_owned()),
                releases_url: Some(server.releases_url()),
                job_user: None,
                token_store: TokenStore::File.into(),
            };
            ours.api.set_up_as(&format!("r{number}"), spec, Some("no-such-token"))?;
            ours.bell.next().context("a runner that was set up gets its agent")?;
        }
        ours.stop()?;
        Ok(ours)
    }

    pub(crate) fn until_it_answers(&self) {
        trials::until(trials::DEADLINE, "the supervisor answers", || self.api.health().is_ok());
    }

    pub(crate) fn supervisor(&self) -> Result<ProcessId> {
        Ok(self.supervisor.as_ref().context("no supervisor runs")?.id().clone())
    }

    pub(crate) fn keepers(&self) -> Result<Vec<ProcessId>> {
        let runs = self.place.runs();
        Ok(runs.list()?.iter().filter_map(|run| trials::keeper(&runs.run(run))).collect())
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "Runner Tray"
    }

    fn bell(&self) -> &Bell {
        &self.bell
    }

    fn start(&mut self) -> Result<()> {
        self.supervisor = Some(trials::Ours::start(self.place.command("runner-tray-supervisor")));
        Ok(())
    }

    fn own(&self) -> Result<Vec<ProcessId>> {
        let mut own = vec![self.supervisor()?];
        own.extend(self.keepers()?);
        Ok(own)
    }

    fn off(&mut self, child: &ProcessId) -> Result<()> {
        self.api.pause(FIRST)?;
        until_dead(child);
        Ok(())
    }

    fn on(&self) -> Command {
        let mut command = self.place.command("runnerctl");
        command.args(["resume", "--runner", FIRST]);
        command
    }

    /// The supervisor alone leaves agents running; a keeper that hears a TERM has its agent drain.
    fn stop(&mut self) -> Result<()> {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.signal(Signal::TERM);
            supervisor.ended("the supervisor");
        }
        let keepers = self.keepers()?;
        for keeper in &keepers {
            process::signal(keeper, Signal::TERM)?;
        }
        keepers.iter().for_each(until_dead);
        Ok(())
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("Runner Tray was not ended: {error:#}");
        }
    }
}
