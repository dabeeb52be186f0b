//! `runner-tray-supervisor doctor`: reads what there is to read of this machine, has it judged, and
//! prints what was found. A process of its own, whether a supervisor runs or not: it may wait for a
//! network or a prompt, it sees the environment that agents get, and it changes nothing.

mod agents;
mod files;
mod hosts;
mod tokens;
mod tools;
mod users;
pub(crate) mod volumes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::join_all;
use host::{Account, Folders, Sleep, System};
use protocol::{ApiError, Check, Finding, Findings, Level, RunnerName};
use tokio::io::AsyncReadExt;

use crate::api::refusal;
use crate::as_user::ENDING;
use crate::settings::{RunnerSettings, Settings};

/// What takes longer is not known. Less than the child as a whole is given.
const PATIENCE_SECONDS: u64 = 24;
/// Less than a client waits for an answer.
const WHOLE_PATIENCE: Duration = Duration::from_secs(28);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Ask these addresses in place of CircleCI's
    #[arg(long, value_name = "URL")]
    reach: Vec<String>,
    /// Look for the system's own files below this folder
    #[arg(long, default_value = "/")]
    root: PathBuf,
    /// Tell as not known what takes longer than this
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE_SECONDS)]
    within: u64,
}

pub(crate) type Runners = BTreeMap<RunnerName, RunnerSettings>;

/// Prints the findings as JSON.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Slow things wait beside each other: users, volumes, the network, the keychain.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(examine(arguments));
    println!("{}", serde_json::to_string(&findings)?);
    // A keychain's child may still hang; it ends with its pipe.
    runtime.shutdown_background();
    Ok(())
}

/// The same, by a child of this very program. It comes to its end though nobody waits for it any more:
/// what it has started as another user only it can end.
pub(crate) async fn by_child(reach: &[String]) -> Result<Findings, ApiError> {
    let mut child = host::this_program().map(tokio::process::Command::new);
    if let Ok(child) = &mut child {
        child.arg("doctor").args(reach.iter().flat_map(|address| ["--reach", address]));
    }
    let asking = async { answer_of(child?, tokio::time::sleep(WHOLE_PATIENCE)).await };
    let asked = tokio::spawn(asking).await.map_err(anyhow::Error::from).flatten();
    asked.map_err(|error| refusal::failed(&format!("{error:#}")))
}

/// The findings that the child prints, unless `limit` comes first: then it is ended, and that is the
/// one thing known.
async fn answer_of(
    mut child: tokio::process::Command,
    limit: impl Future<Output = ()>,
) -> anyhow::Result<Findings> {
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = child.spawn().context("starting the doctor")?;
    let mut stdout = child.stdout.take().context("the doctor has a stdout")?;
    let mut text = Vec::new();
    let said = tokio::select! {
        read = stdout.read_to_end(&mut text) => Some(read),
        () = limit => None,
    };
    // Whatever it still does, it has said what it says.
    child.kill().await.context("ending the doctor")?;
    match said {
        None => {
            let reading = "it was not done in time and was ended; nothing it found is known";
            let hung = Finding::new(Check::Supervisor, Level::Unknown, "the doctor", reading);
            Ok(Findings::worst_first(vec![hung]))
        }
        Some(read) => {
            read.context("listening to the doctor")?;
            serde_json::from_slice(&text).context("the doctor gave no answer")
        }
    }
}

async fn examine(Arguments { reach, root, within }: Arguments) -> Findings {
    let within = Duration::from_secs(within);
    let folders = match Folders::find() {
        Ok(folders) => folders,
        Err(error) => {
            let finding = Finding::new(Check::Files, Level::Bad, "folders", error.to_string());
            return Findings::worst_first(vec![finding, me()]);
        }
    };
    let settings = Settings::read(&folders.settings_file());
    let runners = settings.as_ref().map(|read| read.runners.clone()).unwrap_or_default();
    let own = settings.as_ref().map(|read| read.preinstall.clone()).unwrap_or_default();
    let (all, _) = preinstall::Catalogue::with(&own.item, &own.preset);
    let read = settings.map(|read| read.runners.len()).map_err(|error| error.to_string());

    let (users, owner) = users_of(&runners);
    let on_this_machine = {
        let (runners, folders) = (runners.clone(), folders.clone());
        blocking(Check::System, move || here(&root, &runners, &folders))
    };
    // What hangs as another user is ended before the doctor is.
    let until = Instant::now() + within.saturating_sub(ENDING.min(within / 2));
    let of_users = users.into_iter().map(|user| {
        let subject = user.clone();
        let looking = blocking(Check::JobUser, move || users::look(&user, until));
        in_time(within, Check::JobUser, subject, looking)
    });
    let of_tools = tools::seen_by(&runners).into_iter().map(|(user, first)| {
        let subject = format!("jobs that run as {}", user.as_deref().unwrap_or("you"));
        let looking = tools::look(user, first, folders.clone(), until, &all);
        in_time(within, Check::Tools, subject, looking)
    });
    let left = if read.is_ok() { tokens::left(&runners, &folders) } else { Vec::new() };
    let of_tokens = async {
        let read = tokens::look(&runners, &folders).await;
        read.iter().map(doctor::token).chain(left).collect()
    };
    let (network, tokens, on_this_machine, of_users, of_tools) = tokio::join!(
        in_time(within, Check::Network, "hosts".into(), hosts::ask(&reach, &runners)),
        in_time(within, Check::Token, "tokens".into(), of_tokens),
        in_time(within, Check::System, "this machine".into(), on_this_machine),
        join_all(of_users),
        join_all(of_tools),
    );

    let mut findings = doctor::settings(&folders.settings_file().display().to_string(), read);
    findings.push(me());
    findings.extend(owner);
    let of_users = [of_users.concat(), of_tools.concat()].concat();
    findings.extend([network, tokens, on_this_machine, of_users].concat());
    Findings::worst_first(findings)
}

/// Nobody waits for ever: what is not done by then is not known.
async fn in_time(
    within: Duration,
    check: Check,
    subject: String,
    looking: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    tokio::time::timeout(within, looking).await.unwrap_or_else(|_| {
        vec![not_known(check, &subject, &format!("it was not done within {} s", within.as_secs()))]
    })
}

async fn blocking(
    check: Check,
    looking: impl FnOnce() -> Vec<Finding> + Send + 'static,
) -> Vec<Finding> {
    let looked = tokio::task::spawn_blocking(looking).await;
    looked.unwrap_or_else(|error| vec![not_known(check, "doctor", &error.to_string())])
}

fn not_known(check: Check, subject: &str, why: &str) -> Finding {
    Finding::new(check, Level::Unknown, subject, format!("not known: {why}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> tokio::process::Command {
        let mut child = tokio::process::Command::new("/bin/sh");
        child.args(["-c", script]);
        child
    }

    #[tokio::test]
    async fn a_doctor_that_never_ends_is_ended_and_told_as_what_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let begun = folder.path().join("begun");
        let script =
            format!("echo '{{\"findings\":'; echo $$ > {}; exec sleep 1000", begun.display());
        let pid = std::cell::Cell::new(None);
        // The limit comes once it is certain that it hangs.
        let hangs = async {
            while pid.get().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
                pid.set(std::fs::read_to_string(&begun).ok().and_then(|it| it.trim().parse().ok()));
            }
        };
        let Findings { findings } = answer_of(shell(&script), hangs).await.unwrap();
        assert_eq!((findings.len(), findings[0].level), (1, Level::Unknown), "{findings:?}");
        assert!(findings[0].reading.contains("was ended"), "{findings:?}");
        let pid = rustix::process::Pid::from_raw(pid.get().unwrap()).unwrap();
        // It was waited for, so no zombie of that number is left either.
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[tokio::test]
    async fn a_doctor_that_said_all_and_does_not_end_is_believed() {
        let answer = "{\"findings\":[]}";
        let script = format!("echo '{answer}'; exec >&-; exec sleep 1000");
        let found = answer_of(shell(&script), std::future::pending()).await.unwrap();
        assert!(found.findings.is_empty());
    }

    #[tokio::test]
    async fn a_doctor_that_says_nothing_or_nonsense_gave_no_answer() {
        for script in ["exit 1", "echo moon"] {
            let told = answer_of(shell(script), std::future::pending()).await;
            assert!(format!("{:#}", told.unwrap_err()).contains("gave no answer"));
        }
    }

    #[tokio::test]
    async fn what_is_not_done_in_time_is_not_known_and_holds_up_nothing_else() {
        let never = in_time(Duration::ZERO, Check::Token, "tokens".into(), std::future::pending());
        let found = never.await;
        assert_eq!((found[0].check, found[0].level), (Check::Token, Level::Unknown));
        let at_once = in_time(Duration::ZERO, Check::User, "me".into(), async { vec![me()] });
        assert_eq!(at_once.await[0].check, Check::User);
    }
}
