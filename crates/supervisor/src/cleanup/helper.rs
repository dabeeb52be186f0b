//! The process that cleans up, asked once: the owner's, or through sudo a job user's.

use std::path::PathBuf;
use std::process::Stdio;

use cleanup::work::{Request, Said, VERSION, Work};
use host::Folders;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::sync::watch;

/// Asks and tells how far it gets. Whoever sends `true` by `stop` ends it; what was not begun is left
/// whole. An error is in words for people.
pub(crate) async fn ask(
    folders: &Folders,
    user: Option<&str>,
    work: Work,
    mut stop: watch::Receiver<bool>,
    mut advanced: impl FnMut(u64, u64),
) -> Result<Said, String> {
    let mut command = command(folders, user).await?;
    let mut child = command
        .arg("clean")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| format!("clean-up could not be started: {error}"))?;
    let request = Request { version: VERSION, within_seconds: None, work };
    let mut line = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
    line.push(b'\n');
    let mut stdin = child.stdin.take().ok_or("clean-up has no input")?;
    // One that ended already says why by its end.
    let _ = stdin.write_all(&line).await;
    drop(stdin);
    let stdout = child.stdout.take().ok_or("clean-up has no output")?;
    let mut lines = BufReader::new(stdout).lines();
    let pid = child.id();
    let mut answer = None;
    let mut stopping = false;
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { break };
                match serde_json::from_str::<Said>(&line) {
                    Ok(Said::Advanced { entries, bytes }) => advanced(entries, bytes),
                    Ok(said) => answer = Some(said),
                    // A login profile may print something before it.
                    Err(_) => {}
                }
            }
            changed = stop.changed(), if !stopping => {
                if changed.is_err() || *stop.borrow() {
                    stopping = true;
                    // It ends by itself then: between two files.
                    end(pid);
                }
            }
        }
    }
    let status = child.wait().await;
    match answer {
        Some(Said::Failed { why }) => Err(why),
        Some(said) => Ok(said),
        None => Err(match status {
            Ok(status) => format!("clean-up broke off: {status}"),
            Err(error) => format!("clean-up broke off: {error}"),
        }),
    }
}

/// sudo passes a TERM on to what it runs.
fn end(pid: Option<u32>) {
    let id = pid.and_then(process::Pid::new).and_then(|pid| process::ProcessId::of(pid).ok());
    if let Some(id) = id {
        let _ = process::signal(&id, process::Signal::TERM);
    }
}

async fn command(folders: &Folders, user: Option<&str>) -> Result<Command, String> {
    let place = match user {
        None => folders.helpers(),
        Some(_) => folders.shared().join("helpers"),
    };
    let helper = tokio::task::spawn_blocking(move || crate::helpers::keeper(&place)).await;
    let helper: PathBuf = helper
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("clean-up could not be started: {error:#}"))?;
    Ok(match user {
        None => Command::new(helper),
        Some(user) => {
            let mut command = Command::new("sudo");
            command.args(["-niHu", user, "--"]).arg(helper);
            command
        }
    })
}
