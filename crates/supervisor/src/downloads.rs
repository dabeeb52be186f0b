//! Installations under way: one for each place of releases, however many runners wait for it. One that
//! nobody waits for any more is called off; its result, if one still comes, is nobody's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use circleci::{InstalledAgent, ReleaseError};
use jiff::SignedDuration;
use protocol::{Install, RunnerName};
use supervisor_core::Event;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::input::Input;
use crate::settings::RunnerSettings;
use crate::supervisor::{Supervisor, now};

#[derive(Default)]
pub(crate) struct Downloads {
    under_way: BTreeMap<u64, Download>,
    begun: u64,
    /// Places of releases take turns with the disk.
    turn: Arc<Mutex<()>>,
}

struct Download {
    releases_url: String,
    runners: BTreeSet<RunnerName>,
    cancel: CancellationToken,
}

/// What became of an installation.
pub(crate) type Installed = Result<Box<InstalledAgent>, ReleaseError>;

impl Downloads {
    /// True where it had to be begun, by the number that comes with it.
    fn join(&mut self, runner: RunnerName, releases_url: &str) -> Option<(u64, CancellationToken)> {
        let there = self.under_way.values_mut().find(|it| it.releases_url == releases_url);
        if let Some(there) = there {
            there.runners.insert(runner);
            return None;
        }
        self.begun += 1;
        let cancel = CancellationToken::new();
        let download = Download {
            releases_url: releases_url.to_owned(),
            runners: BTreeSet::from([runner]),
            cancel: cancel.clone(),
        };
        self.under_way.insert(self.begun, download);
        Some((self.begun, cancel))
    }

    /// Those who wait for it; nobody where it was called off.
    fn waiting(&self, number: u64) -> Vec<RunnerName> {
        let download = self.under_way.get(&number);
        download.map_or_else(Vec::new, |it| it.runners.iter().cloned().collect())
    }

    fn end(&mut self, number: u64) -> Vec<RunnerName> {
        let waiting = self.waiting(number);
        self.under_way.remove(&number);
        waiting
    }

    /// Only these wait on; what nobody waits for is called off.
    fn retain(&mut self, stays: impl Fn(&RunnerName, &str) -> bool) {
        self.under_way.retain(|_, download| {
            download.runners.retain(|runner| stays(runner, &download.releases_url));
            if download.runners.is_empty() {
                download.cancel.cancel();
            }
            !download.runners.is_empty()
        });
    }
}

impl Supervisor {
    /// Finds the agent's release on this machine, or downloads it, off the loop.
    pub(crate) fn install(&mut self, runner: RunnerName) {
        let Some(settings) = self.runner_settings(&runner) else {
            let problem = crate::gather::no_settings(now());
            return self.event(Event::InstallFailed { runner, problem, wait: None });
        };
        let releases_url = settings.releases_url().to_owned();
        let Some((number, cancel)) = self.downloads.join(runner, &releases_url) else { return };
        let (data, to_loop) = (self.folders.data.clone(), self.to_loop.clone());
        let turn = self.downloads.turn.clone();
        tokio::spawn(async move {
            let _turn = turn.lock().await;
            let teller = to_loop.clone();
            let tell = move |install| teller.send(Input::InstallAdvanced(number, install));
            let done = crate::install::install(&releases_url, &data, cancel, tell).await;
            to_loop.send(Input::InstallEnded(number, done.map(Box::new)));
        });
    }

    pub(crate) fn install_advanced(&mut self, number: u64, install: &Install) {
        for runner in self.downloads.waiting(number) {
            self.event(Event::InstallAdvanced { runner, install: install.clone() });
        }
    }

    pub(crate) fn install_ended(&mut self, number: u64, done: &Installed) {
        for runner in self.downloads.end(number) {
            match done {
                Ok(agent) => {
                    let version = agent.version.clone();
                    self.agents.insert(runner.clone(), InstalledAgent::clone(agent));
                    self.event(Event::AgentReady { runner, version });
                }
                Err(error) => {
                    tracing::warn!(%runner, %error, "the agent is not installed");
                    let problem = crate::install::problem(error);
                    let wait = error.retry_after().and_then(|it| SignedDuration::try_from(it).ok());
                    self.event(Event::InstallFailed { runner, problem, wait });
                }
            }
        }
        if matches!(done, Err(ReleaseError::Cancelled)) {
            self.forget_what_nobody_wants();
        }
    }

    /// What was downloaded in part is of use only where a runner is left that may go on with it.
    fn forget_what_nobody_wants(&self) {
        let nobody = self.settings.as_ref().is_ok_and(|settings| settings.runners.is_empty());
        if !nobody || !self.downloads.under_way.is_empty() {
            return;
        }
        let (data, turn) = (self.folders.data.clone(), self.downloads.turn.clone());
        tokio::spawn(async move {
            let _turn = turn.lock_owned().await;
            let forgotten = tokio::task::spawn_blocking(move || circleci::forget_downloads(&data));
            if let Ok(Err(error)) = forgotten.await {
                tracing::warn!(%error, "a part of a download is left");
            }
        });
    }

    /// The settings were read: a runner that is gone, or has its releases elsewhere now, waits no more.
    pub(crate) fn leave_downloads(&mut self) {
        let Ok(settings) = &self.settings else { return };
        let place =
            |runner: &RunnerName| settings.runners.get(runner).map(RunnerSettings::releases_url);
        self.downloads.retain(|runner, releases_url| place(runner) == Some(releases_url));
    }

    /// What came so far is kept for when it goes on.
    pub(crate) fn call_off_install(&mut self, runner: &RunnerName) {
        self.downloads.retain(|waiting, _| waiting != runner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> RunnerName {
        name.parse().unwrap()
    }

    #[test]
    fn runners_of_one_place_share_a_download_and_it_ends_with_the_last_of_them() {
        let mut downloads = Downloads::default();
        let (number, cancel) = downloads.join(name("a"), "https://x.example").unwrap();
        assert!(downloads.join(name("b"), "https://x.example").is_none());
        assert_eq!(downloads.waiting(number), [name("a"), name("b")]);
        downloads.retain(|runner, _| *runner != name("a"));
        assert!(!cancel.is_cancelled());
        assert_eq!(downloads.waiting(number), [name("b")]);
        downloads.retain(|_, _| false);
        assert!(cancel.is_cancelled());
        assert_eq!(downloads.end(number), []);
    }

    #[test]
    fn the_result_of_one_that_was_called_off_is_not_that_of_the_next() {
        let mut downloads = Downloads::default();
        let (first, _) = downloads.join(name("a"), "https://x.example").unwrap();
        downloads.retain(|_, _| false);
        let (second, _) = downloads.join(name("a"), "https://x.example").unwrap();
        assert_eq!(downloads.end(first), []);
        assert_eq!(downloads.end(second), [name("a")]);
    }

    #[test]
    fn another_place_is_another_download() {
        let mut downloads = Downloads::default();
        let (first, _) = downloads.join(name("a"), "https://x.example").unwrap();
        let (second, _) = downloads.join(name("b"), "https://y.example").unwrap();
        assert_eq!(
            (downloads.waiting(first), downloads.waiting(second)),
            (vec![name("a")], vec![name("b")])
        );
    }
}
