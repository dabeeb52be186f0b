//! The process that cleans up, asked once: the owner's, or through sudo a job user's.

use std::path::PathBuf;
use std::process::Stdio;

use cleanup::work::{Request, Said, VERSION, Work};
use host::Folders;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::watch;

/// More than any answer has. It may come from another user, whose processes may say anything.
const LONGEST: usize = 64 << 20;

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
    let mut stdout = child.stdout.take().ok_or("clean-up has no output")?;
    let (mut lines, mut chunk) = (Lines::default(), vec![0; 64 << 10]);
    let pid = child.id();
    let mut answer = None;
    let mut stopping = false;
    loop {
        tokio::select! {
            read = stdout.read(&mut chunk) => {
                let read = read.unwrap_or(0);
                let bytes = if read == 0 { b"\n" } else { chunk.get(..read).unwrap_or_default() };
                let Some(all) = lines.hear(bytes) else {
                    end(pid);
                    return Err("clean-up said more than anybody reads".to_owned());
                };
                for said in all {
                    if let Said::Advanced { entries, bytes } = said {
                        advanced(entries, bytes);
                    } else {
                        answer = Some(said);
                    }
                }
                if read == 0 {
                    break;
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

/// What was said, a line at a time, and the line that is not at its end.
#[derive(Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// What these bytes bring to its end, without what a login profile may print before it. Nothing
    /// where a line is longer than any answer.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Option<Vec<Said>> {
        let (mut said, mut rest) = (Vec::new(), bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(rest.get(..end).unwrap_or_default());
            said.extend(serde_json::from_slice::<Said>(&self.begun).ok());
            self.begun.clear();
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self.begun.extend_from_slice(rest);
        (self.begun.len() <= LONGEST).then_some(said)
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
