//! The variables that CircleCI documents for a job's steps on a runner. What only some jobs have
//! (tags, pull requests, OIDC tokens) this stand-in's jobs do not have.

use std::collections::BTreeMap;
use std::path::Path;

use super::scratch::Scratch;
use crate::wire::TaskConfig;

/// What is added to the task agent's own environment; the job's own variables first, so that none of
/// them hides one of CircleCI's.
pub(super) fn of_steps(
    config: &TaskConfig,
    working_directory: &Path,
    scratch: &Scratch,
) -> BTreeMap<String, String> {
    let (organisation, repository) =
        config.project.split_once('/').unwrap_or(("", &config.project));
    let directory = working_directory.display().to_string();
    let bash_env = scratch.bash_env().display().to_string();
    let task_data = scratch.task_data().display().to_string();
    let repository_url = format!("https://github.com/{}", config.project);
    let mut variables = config.environment.clone();
    let circleci = [
        ("BASH_ENV", bash_env.clone()),
        ("CI", "true".to_owned()),
        ("CIRCLECI", "true".to_owned()),
        ("CIRCLE_BRANCH", config.branch.clone()),
        ("CIRCLE_BUILD_NUM", config.number.to_string()),
        ("CIRCLE_BUILD_URL", config.build_url.clone()),
        ("CIRCLE_INTERNAL_TASK_DATA", task_data),
        ("CIRCLE_JOB", config.job.clone()),
        ("CIRCLE_NODE_INDEX", "0".to_owned()),
        ("CIRCLE_NODE_TOTAL", "1".to_owned()),
        ("CIRCLE_ORGANIZATION_ID", crate::id_of(organisation)),
        ("CIRCLE_PIPELINE_ID", config.pipeline_id.clone()),
        ("CIRCLE_PROJECT_ID", crate::id_of(&config.project)),
        ("CIRCLE_PROJECT_REPONAME", repository.to_owned()),
        ("CIRCLE_PROJECT_USERNAME", organisation.to_owned()),
        ("CIRCLE_REPOSITORY_URL", repository_url),
        ("CIRCLE_SHA1", config.revision.clone()),
        ("CIRCLE_SHELL_ENV", bash_env),
        ("CIRCLE_USERNAME", organisation.to_owned()),
        ("CIRCLE_WORKFLOW_ID", config.workflow_id.clone()),
        ("CIRCLE_WORKFLOW_JOB_ID", config.job_id.clone()),
        ("CIRCLE_WORKFLOW_WORKSPACE_ID", config.workflow_id.clone()),
        ("CIRCLE_WORKING_DIRECTORY", directory),
    ];
    variables.extend(circleci.map(|(name, value)| (name.to_owned(), value)));
    variables
}
