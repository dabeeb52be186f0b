//! What a start needs from outside: the token out of its store, an agent that is still the one that
//! was installed, the folders. Runs off the loop; each failure becomes a problem with a way out.

use circleci::InstalledAgent;
use host::Folders;
use jiff::Timestamp;
use protocol::{Problem, ProblemCode, RunnerName};

use crate::settings::{RunnerSettings, SettingsError};
use crate::start_run::{Ingredients, Places};
use crate::supervisor::now;
use crate::token::TokenPlace;

/// Why a start came to nothing.
pub(crate) enum Failure {
    Start(Box<Problem>),
    /// The agent is not what was installed: it is to be installed anew.
    Agent(Box<Problem>),
}

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        Self::Start(problem)
    }
}

pub(crate) async fn gather(
    runner: &RunnerName,
    settings: &RunnerSettings,
    agent: Option<InstalledAgent>,
    folders: &Folders,
) -> Result<Ingredients, Failure> {
    let token = crate::token::get(runner, &TokenPlace::of(settings), folders).await?;
    let agent = agent.ok_or_else(|| boxed("no agent is installed"))?;
    let wanted = settings.clone();
    let (name, settings, folders) = (runner.clone(), settings.clone(), folders.clone());
    let prepared = tokio::task::spawn_blocking(move || {
        circleci::verify(&agent)
            .map_err(|error| Failure::Agent(Box::new(crate::install::problem(&error))))?;
        let places = prepare(&name, &settings, &folders)?;
        Ok::<_, Failure>((agent, places))
    });
    let (agent, places) =
        prepared.await.unwrap_or_else(|error| Err(boxed(&error.to_string()).into()))?;
    Ok(Ingredients { settings: wanted, token, agent, places })
}

fn prepare(
    name: &RunnerName,
    settings: &RunnerSettings,
    folders: &Folders,
) -> Result<Places, Box<Problem>> {
    let failed = |error: anyhow::Error| boxed(&format!("{error:#}"));
    if let Some(user) = &settings.job_user {
        let chosen = settings.working_directory.as_deref();
        return crate::job_user::prepare(user, name, chosen, folders)
            .map_err(|unusable| Box::new(job_user_unusable(unusable, now())));
    }
    let mut places = crate::places::of(name, settings, folders);
    places.helper = crate::helpers::keeper(&folders.helpers()).map_err(failed)?;
    for folder in [&places.working_directory, &places.task_agent_directory] {
        std::fs::create_dir_all(folder).map_err(|error| {
            boxed(&format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    Ok(places)
}

pub(crate) fn no_settings(now: Timestamp) -> Problem {
    cannot_start("the settings do not name this runner, or cannot be read", now)
}

fn boxed(why: &str) -> Box<Problem> {
    Box::new(cannot_start(why, now()))
}

pub(crate) fn cannot_start(why: &str, now: Timestamp) -> Problem {
    Problem::of(ProblemCode::CannotStart, now).reading(why)
}

fn job_user_unusable(unusable: crate::job_user::Unusable, now: Timestamp) -> Problem {
    let problem = Problem::of(ProblemCode::JobUserUnusable, now).reading(unusable.found);
    Problem { hint: unusable.way_out, ..problem }
}

pub(crate) fn settings_problem(error: &SettingsError, now: Timestamp) -> Problem {
    Problem::of(ProblemCode::SettingsUnreadable, now).reading(error.to_string())
}
