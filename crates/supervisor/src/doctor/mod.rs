//! `runner-tray-supervisor doctor`: reads what there is to read of this machine, has it judged, and
//! prints what was found. A process of its own, whether a supervisor runs or not: it may wait for a
//! network or a prompt, it sees the environment that agents get, and it changes nothing.

mod agents;
mod files;
mod hosts;
mod tokens;
mod tools;
mod users;
mod volumes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use doctor::ToolsFound;
use host::{Account, Folders, Sleep, System};
use protocol::{ApiError, Check, Finding, Findings, Level, RunnerName};

use crate::api::refusal;
use crate::settings::{RunnerSettings, Settings};

/// Less than a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(28);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Ask these addresses in place of CircleCI's
    #[arg(long, value_name = "URL")]
    reach: Vec<String>,
    /// Look for the system's own files below this folder
    #[arg(long, default_value = "/")]
    root: PathBuf,
}

type Runners = BTreeMap<RunnerName, RunnerSettings>;

/// Prints the findings as JSON.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Slow things wait beside each other: users, volumes, the network, the keychain.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(examine(arguments));
    println!("{}", serde_json::to_string(&findings)?);
    // A keychain's child or a login shell may still hang.
    runtime.shutdown_background();
    Ok(())
}

/// The same, by a child of this very program.
pub(crate) async fn by_child(reach: &[String]) -> Result<Findings, ApiError> {
    let asking = async {
        let mut child = tokio::process::Command::new(crate::program::path()?);
        child.arg("doctor").args(reach.iter().flat_map(|address| ["--reach", address]));
        child.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let output = child.output().await.context("starting the doctor")?;
        serde_json::from_slice(&output.stdout).context("the doctor gave no answer")
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(findings)) => Ok(findings),
        Ok(Err(error)) => Err(refusal::failed(&format!("{error:#}"))),
        Err(_) => Err(refusal::failed("the doctor was not done in time")),
    }
}

async fn examine(Arguments { reach, root }: Arguments) -> Findings {
    let folders = match Folders::find() {
        Ok(folders) => folders,
        Err(error) => {
            let finding = Finding::new(Check::Files, Level::Bad, "folders", error.to_string());
            return Findings::worst_first(vec![finding, me()]);
        }
    };
    let settings = Settings::read(&folders.settings_file());
    let runners = settings.as_ref().map(|read| read.runners.clone()).unwrap_or_default();
    let read = settings.map(|read| read.runners.len()).map_err(|error| error.to_string());

    let (users, owner) = users_of(&runners);
    let on_this_machine = {
        let (runners, folders) = (runners.clone(), folders.clone());
        tokio::task::spawn_blocking(move || here(&root, &runners, &folders))
    };
    let of_users: Vec<_> = users
        .into_iter()
        .map(|user| tokio::task::spawn_blocking(move || users::look(&user)))
        .collect();
    let (network, tokens) =
        tokio::join!(hosts::ask(&reach, &runners), tokens::look(&runners, &folders));

    let mut findings = doctor::settings(&folders.settings_file().display().to_string(), read);
    findings.push(me());
    findings.extend(network);
    findings.extend(tokens.iter().map(doctor::token));
    findings.extend(owner);
    findings.extend(done(on_this_machine.await, Check::System));
    for user in of_users {
        findings.extend(done(user.await, Check::JobUser));
    }
    Findings::worst_first(findings)
}

/// What needs no waiting.
fn here(root: &Path, runners: &Runners, folders: &Folders) -> Vec<Finding> {
    let volumes = volumes::look(runners, folders);
    let state =
        volumes.iter().find(|volume| volume.uses.iter().any(|(of, _)| *of == doctor::Use::State));
    [
        doctor::machine(&System::at(root), circleci::Platform::this_machine()),
        state.map(doctor::state_folder).unwrap_or_default(),
        volumes.iter().flat_map(doctor::disk).collect(),
        doctor::files(&files::look(runners, folders)),
        // Jobs with a user of their own have that user's PATH.
        if runners.is_empty() || runners.values().any(|runner| runner.job_user.is_none()) {
            let path = crate::environment::agent_environment().remove("PATH").unwrap_or_default();
            doctor::tools(&ToolsFound {
                whose: "you".into(),
                found: Ok(tools::on(&path)),
                are_stubs: host::tools_are_stubs(),
            })
        } else {
            Vec::new()
        },
        doctor::sleep(&Sleep::at(root)),
        agents::look(root, runners, folders),
    ]
    .concat()
}

fn me() -> Finding {
    let uid = rustix::process::geteuid();
    let account = Account::mine().ok().flatten();
    let name = account.map_or_else(|| uid.as_raw().to_string(), |account| account.user);
    let allowed = host::refuse_root().is_ok();
    doctor::user(&name, uid.is_root(), allowed)
}

/// The job users there are, and a word on the runners that have none.
fn users_of(runners: &Runners) -> (Vec<String>, Option<Finding>) {
    let mut users: Vec<String> =
        runners.values().filter_map(|runner| runner.job_user.clone()).collect();
    users.sort();
    users.dedup();
    let without: Vec<&str> = runners
        .iter()
        .filter(|(_, runner)| runner.job_user.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let owner = (!without.is_empty()).then(|| doctor::no_job_user(&without));
    (users, owner)
}

fn done(found: Result<Vec<Finding>, tokio::task::JoinError>, check: Check) -> Vec<Finding> {
    found.unwrap_or_else(|error| {
        vec![Finding::new(check, Level::Unknown, "doctor", format!("not known: {error}"))]
    })
}
