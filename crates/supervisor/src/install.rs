//! Has an agent's release at hand: one that is installed and sound, else a download.

use std::path::Path;

use circleci::{CURRENT, InstalledAgent, Progress, ReleaseError, Releases};
use protocol::{Bytes, Problem, ProblemCode, RunnerName};
use supervisor_core::Event;

use crate::input::{Input, Loop};
use crate::settings::RunnerSettings;
use crate::supervisor::now;

/// Reports `AgentReady` or `InstallFailed`, and what comes before it.
pub(crate) async fn install(
    runner: RunnerName,
    settings: &RunnerSettings,
    data: &Path,
    to_loop: &Loop,
) {
    match at_hand(&runner, settings, data, to_loop).await {
        Ok(agent) => {
            let version = agent.version.clone();
            to_loop.send(Input::Installed(runner.clone(), Box::new(agent)));
            to_loop.event(Event::AgentReady { runner, version });
        }
        Err(error) => {
            tracing::warn!(%runner, %error, "the agent is not installed");
            to_loop.event(Event::InstallFailed { runner, problem: problem(&error) });
        }
    }
}

async fn at_hand(
    runner: &RunnerName,
    settings: &RunnerSettings,
    data: &Path,
    to_loop: &Loop,
) -> Result<InstalledAgent, ReleaseError> {
    let releases = settings.releases_url().trim_end_matches('/').to_owned();
    let folder = data.to_owned();
    let there = tokio::task::spawn_blocking(move || {
        let from_there = |agent: &InstalledAgent| agent.url.starts_with(&format!("{releases}/"));
        circleci::installed(&folder)
            .into_iter()
            .find(|agent| from_there(agent) && circleci::verify(agent).is_ok())
    });
    if let Ok(Some(agent)) = there.await {
        return Ok(agent);
    }
    let mut told = 0;
    Releases::at(settings.releases_url())?
        .install(CURRENT, data, now(), |progress| {
            let Progress::Downloading { received, total } = progress else { return };
            // A hundred steps tell as much as every packet.
            if received < told + total.unwrap_or(received) / 100 {
                return;
            }
            told = received;
            to_loop.event(Event::InstallAdvanced {
                runner: runner.clone(),
                version: None,
                received: Bytes(received),
                total: total.map(Bytes),
            });
        })
        .await
}

pub(crate) fn problem(error: &ReleaseError) -> Problem {
    Problem {
        code: ProblemCode::AgentNotInstalled,
        summary: "The agent could not be installed.".into(),
        reading: Some(error.to_string()),
        hint: "Runner Tray tries again by itself, at most every 5 minutes.".into(),
        details: None,
        since: now(),
    }
}
