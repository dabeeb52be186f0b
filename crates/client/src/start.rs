//! Starts a supervisor, by the service manager where that keeps it; it never ends one.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use host::{Folders, FoldersError};
use protocol::Health;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::{Client, ClientError};

/// How long a supervisor may take until its socket answers.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long to look for another one's answer after ours has ended: two may be started at once, and
/// the one that finds the lock taken ends.
const AFTER_EXIT: Duration = Duration::from_secs(2);
/// How long until the service manager is asked whether it has started it; then each time twice as long.
const ASK_FIRST: Duration = Duration::from_millis(250);
/// How long one that was killed may have its socket still, and cut off whoever comes.
const DYING: Duration = Duration::from_secs(2);
/// Between two looks at the socket, which has no event of its own.
const PAUSE: Duration = Duration::from_millis(25);

/// Whether a supervisor had to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    Already(Health),
    Now(Health),
}

impl Started {
    pub fn health(&self) -> &Health {
        match self {
            Self::Already(health) | Self::Now(health) => health,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("The supervisor's program {} cannot be started: {source}", program.display())]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("The supervisor ended as soon as it was started ({status}); its log is in {}.{}",
        logs.display(), said(words))]
    Ended { status: ExitStatus, words: String, logs: PathBuf },
    #[error("The supervisor was started but has not answered at {} for {} s; its log is in {}.",
        socket.display(), DEADLINE.as_secs(), logs.display())]
    Silent { socket: PathBuf, logs: PathBuf },
    #[error(transparent)]
    Folders(#[from] FoldersError),
    #[error(transparent)]
    Call(#[from] ClientError),
}

/// Makes sure that a supervisor answers for these folders, and starts one that outlives this process
/// where none does. It finds the folders as we did, by what it gets of our environment.
pub async fn start_supervisor(folders: &Folders) -> Result<Started, StartError> {
    let socket = folders.socket()?;
    let client = Client::connect(&socket)?;
    if let Some(health) = answers(&client).await? {
        return Ok(Started::Already(health));
    }
    if by_service(&client).await? {
        return Ok(Started::Now(client.health().await?));
    }
    let program = program();
    let words = tempfile::tempfile().ok();
    let mut child =
        spawn(&program, words.as_ref()).map_err(|source| StartError::Spawn { program, source })?;

    let mut deadline = Instant::now() + DEADLINE;
    let mut ended = None;
    loop {
        if let Some(health) = answers(&client).await? {
            return Ok(Started::Now(health));
        }
        if ended.is_none()
            && let Ok(Some(status)) = child.try_wait()
        {
            ended = Some(status);
            deadline = deadline.min(Instant::now() + AFTER_EXIT);
        }
        if Instant::now() >= deadline {
            let logs = folders.logs.clone();
            return Err(match ended {
                Some(status) => StartError::Ended { status, words: last_words(words), logs },
                None => StartError::Silent { socket, logs },
            });
        }
        sleep(PAUSE).await;
    }
}

/// Has the service manager start it, where that keeps this very program; whether it answers then.
async fn by_service(client: &Client) -> Result<bool, ClientError> {
    let begin = || host::login_service::keeps(&program()) && host::login_service::start().is_ok();
    // One that has let its socket go and has not ended yet counts as started: nothing begins then.
    let goes_on = || {
        host::login_service::state().is_ok_and(|state| state.running)
            || host::login_service::start().is_ok()
    };
    if !tokio::task::spawn_blocking(begin).await.unwrap_or(false) {
        return Ok(false);
    }
    let since = Instant::now();
    let mut asks_after = ASK_FIRST;
    while since.elapsed() < DEADLINE {
        if answers(client).await?.is_some() {
            return Ok(true);
        }
        if since.elapsed() > asks_after {
            asks_after *= 2;
            if !tokio::task::spawn_blocking(goes_on).await.unwrap_or(false) {
                return Ok(false);
            }
        }
        sleep(PAUSE).await;
    }
    Ok(false)
}

/// The supervisor's health, or none where nothing listens yet.
pub(crate) async fn answers(client: &Client) -> Result<Option<Health>, ClientError> {
    let since = Instant::now();
    loop {
        match client.health().await {
            Ok(health) => return Ok(Some(health)),
            Err(ClientError::NotReachable { .. }) => return Ok(None),
            Err(ClientError::Broken { .. }) if since.elapsed() < DYING => sleep(PAUSE).await,
            Err(error @ (ClientError::Refused(_) | ClientError::Broken { .. })) => {
                return Err(error);
            }
        }
    }
}

/// `$RUNNER_TRAY_SUPERVISOR`, or the program of this installation: it lies beside ours.
pub(crate) fn program() -> PathBuf {
    const NAME: &str = "runner-tray-supervisor";
    let named: Option<OsString> = std::env::var_os("RUNNER_TRAY_SUPERVISOR");
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        // Its working directory will not be ours.
        return std::path::absolute(&named).unwrap_or(named.into());
    }
    let here = host::this_program().unwrap_or_default();
    // Where it was called by another name; what was removed has only the one it had.
    let here = std::fs::canonicalize(&here).unwrap_or(here);
    here.parent().unwrap_or(Path::new("")).join(NAME)
}

/// Starts it so that neither our end, nor our terminal's, nor our working directory's reaches it.
fn spawn(program: &Path, words: Option<&File>) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.env_clear().envs(crate::environment::of_supervisor());
    command.stderr(match words {
        // What it says before its log is open; a file without a name, so nothing is left behind.
        Some(file) => Stdio::from(file.try_clone()?),
        None => Stdio::null(),
    });
    host::detach(&mut command);
    // Tokio waits for it when it ends, so that no zombie stays with a client that lives long.
    tokio::process::Command::from(command).spawn()
}

/// The end of what it said to its standard error, at most 2,000 bytes.
fn last_words(file: Option<File>) -> String {
    const MOST: u64 = 2000;
    let Some(mut file) = file else { return String::new() };
    let length = file.metadata().map_or(0, |about| about.len());
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(length.saturating_sub(MOST)))
        .and_then(|_| file.take(MOST).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" It said: {words}") }
}
