//! Where a runner's own things lie: its working directory, its task agent, its keeper.

use std::path::PathBuf;

use host::Folders;
use protocol::RunnerName;

use crate::settings::RunnerSettings;
use crate::start_run::Places;

/// Where commands of our own are, for jobs that run as the owner or as a user of their own.
pub(crate) fn commands(job_user: bool, folders: &Folders) -> PathBuf {
    if job_user { folders.shared().join(COMMANDS) } else { folders.data.join(COMMANDS) }
}

pub(crate) const COMMANDS: &str = "commands";

/// Every runner has its own, so that one runner's drain never takes another's task agent.
pub(crate) fn of(name: &RunnerName, settings: &RunnerSettings, folders: &Folders) -> Places {
    if settings.job_user.is_some() {
        let chosen = settings.working_directory.as_deref();
        return crate::job_user::places(name, chosen, &folders.shared());
    }
    let own = folders.data.join("runners").join(name.as_str());
    Places {
        working_directory: settings.working_directory.clone().unwrap_or_else(|| own.join("work")),
        task_agent_directory: own.join("task-agent"),
        helper: PathBuf::new(),
        commands: commands(false, folders),
    }
}
