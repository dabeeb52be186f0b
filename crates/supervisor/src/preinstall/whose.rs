//! By whose eyes tools are looked at: the user that a runner's jobs run as, and the PATH they get.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ::preinstall::{Jobs, Machine, Os, Rights};
use host::{Account, Folders};
use protocol::{ApiError, JobPath, RunnerName};

use super::rights::may;
use crate::api::refusal;
use crate::as_user::{as_user, soon};
use crate::environment::{agent_environment, around, last};
use crate::places::commands;
use crate::supervisor::Supervisor;

/// What the settings say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) runner: Option<RunnerName>,
    pub(super) job_user: Option<String>,
    pub(super) first: Vec<String>,
}

/// What a look needs.
pub(super) struct Eyes {
    pub(super) jobs: Jobs,
    pub(super) machine: Machine,
    /// The owner's environment.
    pub(super) owner: BTreeMap<String, String>,
    pub(super) commands: PathBuf,
}

impl Supervisor {
    /// Of that runner, or where all see the same, of any.
    pub(super) fn whose(&self, runner: Option<&RunnerName>) -> Result<Whose, ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let of = |name: &RunnerName| {
            settings.runners.get(name).map(|runner| Whose {
                runner: Some(name.clone()),
                job_user: runner.job_user.clone(),
                first: runner.path.clone(),
            })
        };
        if let Some(name) = runner {
            return of(name).ok_or_else(|| refusal::no_such_runner(name));
        }
        let mut all = settings.runners.keys().filter_map(of);
        let Some(first) = all.next() else {
            return Ok(Whose { runner: None, job_user: None, first: Vec::new() });
        };
        if all.all(|other| (&other.job_user, &other.first) == (&first.job_user, &first.first)) {
            return Ok(first);
        }
        Err(refusal::bad_request(
            "The jobs of your runners have other users or PATHs, and so other tools.",
            "Say which runner is meant: --runner NAME.",
        ))
    }
}

/// Blocking work off the loop. An error is in words for people.
pub(super) async fn eyes(whose: Whose, folders: &Folders) -> Result<Eyes, String> {
    let folders = folders.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let own = commands(false, &folders);
        let owner = agent_environment(&whose.first, &own);
        let path = owner.get("PATH").map_or("", String::as_str);
        let machine = Machine::this(path, host::tools_are_stubs());
        // Casks' installers alone ask by themselves, where sudo would.
        let sudo = machine.os == Os::Macos && may(Rights::Sudo).is_ok();
        let machine = Machine { sudo, ..machine };
        let commands = commands(whose.job_user.is_some(), &folders);
        let jobs = match &whose.job_user {
            None => of_owner(&whose.first, &folders),
            Some(user) => of_job_user(user, &whose.first, &folders, soon())?,
        };
        Ok(Eyes { jobs: Jobs { runner: whose.runner, ..jobs }, machine, owner, commands })
    });
    looking.await.map_err(|error| error.to_string())?
}

const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 2000 });

/// What fails once may pass: right after a boot what a login asks is not always there yet.
pub(super) async fn again<T, F: Future<Output = Result<T, String>>>(
    mut look: impl FnMut() -> F,
) -> Result<T, String> {
    for _ in 1..TRIES {
        match look().await {
            Ok(seen) => return Ok(seen),
            Err(why) => {
                tracing::warn!(why, "what jobs find cannot be looked at; it is tried again");
            }
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    look().await
}

/// Jobs that run as the owner.
pub(crate) fn of_owner(first: &[String], folders: &Folders) -> Jobs {
    let environment = agent_environment(first, &commands(false, folders));
    let of = |name: &str| environment.get(name).cloned().unwrap_or_default();
    let user = Account::mine().ok().flatten().map_or_else(|| of("USER"), |account| account.user);
    Jobs { runner: None, user, is_job_user: false, home: of("HOME").into(), environment }
}

/// Jobs that run as a user of their own: what its login really sets, with what a task's wrapper puts
/// around it.
pub(crate) fn of_job_user(
    user: &str,
    first: &[String],
    folders: &Folders,
    until: Instant,
) -> Result<Jobs, String> {
    let said = as_user(user, &["/usr/bin/env"], until)
        .map_err(|error| format!("what {user} finds cannot be read: {error}"))?;
    let text = String::from_utf8_lossy(&said.stdout);
    // A login profile may print something before it.
    let of =
        |name: &str| text.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let (Some(home), Some(path), true) = (of("HOME"), of("PATH"), said.status.success()) else {
        let why = String::from_utf8_lossy(&said.stderr).trim().to_owned();
        return Err(format!("commands do not run as {user}: {why}"));
    };
    let path = around(path, first, &last(&commands(true, folders)), home);
    Ok(Jobs {
        runner: None,
        user: user.to_owned(),
        is_job_user: true,
        home: home.into(),
        environment: BTreeMap::from([("PATH".to_owned(), path)]),
    })
}

pub(super) async fn job_path(name: RunnerName, whose: Whose, folders: &Folders) -> JobPath {
    let list = |path: &str| path.split(':').map(str::to_owned).collect::<Vec<_>>();
    let owner = agent_environment(&whose.first, &commands(false, folders));
    let agent = owner.get("PATH").map(|path| list(path)).unwrap_or_default();
    let (first, job_user) = (whose.first.clone(), whose.job_user.clone());
    let (user, found, unreadable) = match eyes(whose, folders).await {
        Ok(eyes) => (eyes.jobs.user.clone(), list(eyes.jobs.path()), None),
        Err(why) => (job_user.unwrap_or_default(), Vec::new(), Some(why + ".")),
    };
    JobPath { runner: name, user, first, agent, found, unreadable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_that_fails_is_tried_again_and_not_for_ever() {
        for (fails, found) in [(0, Ok(1)), (2, Ok(3)), (9, Err("no sudo yet".to_owned()))] {
            let mut looks = 0;
            let seen = again(|| {
                looks += 1;
                let now = looks;
                async move { if now > fails { Ok(now) } else { Err("no sudo yet".to_owned()) } }
            });
            assert_eq!(seen.await, found);
            assert!(looks <= TRIES);
        }
    }
}
