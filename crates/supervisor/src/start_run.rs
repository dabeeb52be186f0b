//! From "this runner should have an agent" to a run directory with a keeper in charge.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::cleanup::work::TaskCleanUp;
use anyhow::{Context, Result};
use circleci::{AgentConfig, GoDuration, InstalledAgent, LogLevel};
use jiff::Timestamp;
use protocol::RunnerName;
use run_dir::{JobPath, Plan, RunDir, RunId, RunsFolder, TokenMark};
use secrecy::ExposeSecret;

use crate::input::Token;
use crate::settings::RunnerSettings;

/// What was fetched for a start, off the loop.
pub(crate) struct Ingredients {
    /// Those that token and places were fetched by.
    pub(crate) settings: RunnerSettings,
    pub(crate) token: Token,
    pub(crate) agent: InstalledAgent,
    pub(crate) places: Places,
}

/// Where one runner's things lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) working_directory: PathBuf,
    pub(crate) task_agent_directory: PathBuf,
    /// The keeper, also as the job user.
    pub(crate) helper: PathBuf,
    /// Commands of our own, at the end of the PATH of jobs.
    pub(crate) commands: PathBuf,
}

const LOG_LIMIT: u64 = 20 << 20;
/// The documented default of `runner.max_run_time`.
const MAX_RUN_TIME: GoDuration = GoDuration::hours(5);

/// The configuration that a run of this runner would have. `run` is the run's directory.
pub(crate) fn config(
    name: &RunnerName,
    settings: &RunnerSettings,
    places: &Places,
    run: &Path,
) -> Result<String> {
    let wrapper = [places.helper.as_path(), Path::new("task"), run, Path::new("--")];
    let command_prefix = wrapper
        .iter()
        .map(|part| part.to_str().map(str::to_owned))
        .collect::<Option<Vec<_>>>()
        .context("a path of Runner Tray is not UTF-8; set RUNNER_TRAY_HOME to one that is")?;
    let config = AgentConfig {
        name: name.to_string(),
        working_directory: places.working_directory.clone(),
        cleanup_working_directory: false,
        command_prefix,
        task_agent_directory: places.task_agent_directory.clone(),
        max_run_time: settings.max_run_time.unwrap_or(MAX_RUN_TIME),
        log_level: LogLevel::Info,
        api_url: settings.api_url().to_owned(),
    };
    Ok(config.to_yaml()?)
}

/// Makes the run and puts a keeper in charge. `newest` is when the newest run there is was planned. An error leaves no keeper and no agent.
pub(crate) fn start(
    runs: &RunsFolder,
    name: &RunnerName,
    mark: &str,
    ingredients: &Ingredients,
    clean_up: Option<&TaskCleanUp>,
    newest: Option<Timestamp>,
    now: Timestamp,
) -> Result<(RunId, RunDir)> {
    let Ingredients { settings, token, agent, places } = ingredients;
    // Names sort by time, also where the clock was set back.
    let id = RunId::new(newest.map_or(now, |newest| now.max(newest + Duration::from_millis(1))));
    let folder = runs.path().join(id.as_str());
    let environment = crate::environment::agent_environment(&settings.path, &places.commands);
    let plan = Plan {
        run: id.clone(),
        runner: name.to_string(),
        resource_class: settings.resource_class.to_string(),
        settings_mark: mark.to_owned(),
        argv: vec![
            path_text(&agent.path)?,
            "machine".into(),
            "--config".into(),
            path_text(&folder.join("config.yaml"))?,
        ],
        cwd: PathBuf::from("/"),
        environment: environment.keys().cloned().collect(),
        agent_version: Some(agent.version.clone()),
        working_directory: places.working_directory.clone(),
        task_agent_directory: places.task_agent_directory.clone(),
        helper: places.helper.clone(),
        job_user: settings.job_user.clone(),
        job_path: match &settings.job_user {
            None => JobPath::default(),
            Some(_) => JobPath {
                first: settings.path.clone(),
                last: crate::environment::last(&places.commands),
            },
        },
        token_mark: Some(TokenMark::of(token.expose_secret())),
        log_limit: settings.log_limit.unwrap_or(LOG_LIMIT),
    };
    let config = config(name, settings, places, &folder)?;
    let (run, lock) = runs.create(&plan, &config)?;
    if let Some(Err(error)) = clean_up.map(|plan| crate::cleanup::write(&run, plan)) {
        // A full disk is no reason to start nothing.
        tracing::warn!(run = %id, %error, "nothing is cleaned up before its tasks");
    }
    crate::keepers::start(&places.helper, &run, lock, &environment, token)?;
    Ok((id, run))
}

fn path_text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).with_context(|| {
        format!("{} is not UTF-8; set RUNNER_TRAY_HOME to one that is", path.display())
    })
}
