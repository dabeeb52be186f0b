//! Where a runner's own things lie: its working directory, its task agent, its keeper.

use std::path::PathBuf;

use host::Folders;
use protocol::RunnerName;

use crate::settings::RunnerSettings;
use crate::start_run::Places;

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
    }
}
