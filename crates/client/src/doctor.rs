//! What is well and what is not about this machine: asked of the supervisor, or, where none runs,
//! of its program.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use protocol::{Check, Finding, Findings, Level};

use crate::{Client, ClientError, start};

/// The program comes to its end sooner than this, whatever hangs that it looks at.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the program gave no findings.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    #[error("The supervisor's program {} cannot be started: {source}", program.display())]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("The supervisor's program gave no findings ({status}){}", said(words))]
    Broken { status: ExitStatus, words: String },
    #[error("The supervisor's program {} did not come to its end and was ended", program.display())]
    Endless { program: PathBuf },
}

impl Client {
    /// `reach`: addresses to ask in place of CircleCI's own.
    pub async fn doctor(&self, reach: &[String]) -> Result<Findings, ClientError> {
        let query = (!reach.is_empty()).then(|| ("reach", reach.join(" ")));
        self.get("doctor", query.as_slice()).await
    }
}

/// The same without a supervisor, in the environment that one would be started with. Where `limit`
/// comes first the program is ended.
async fn examine(
    program: PathBuf,
    reach: &[String],
    limit: impl Future<Output = ()>,
) -> Result<Findings, ExamineError> {
    let mut command = tokio::process::Command::new(&program);
    command.env_clear().envs(crate::environment::of_supervisor());
    command.arg("doctor").args(reach.iter().flat_map(|address| ["--reach", address]));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::select! {
        output = command.output() => output,
        () = limit => return Err(ExamineError::Endless { program }),
    };
    let output = output.map_err(|source| ExamineError::Spawn { program, source })?;
    serde_json::from_slice(&output.stdout).map_err(|_| ExamineError::Broken {
        status: output.status,
        words: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// The supervisor's, in whose environment agents run; where it gives none, those of its program. With
/// a finding of the supervisor itself. No client: nobody knows where the supervisor is.
pub async fn findings(client: Option<&Client>, reach: &[String]) -> Result<Findings, ExamineError> {
    let asked = match client {
        Some(client) => client.doctor(reach).await.map_err(|error| why_not(&error)),
        // Why the folders cannot be found is for the program to say.
        None => Err(absent("it cannot be asked")),
    };
    let (found, supervisor) = match asked {
        Ok(found) => {
            let reading = "it runs; this is what it sees";
            (found, Finding::new(Check::Supervisor, Level::Ok, "supervisor", reading))
        }
        Err(supervisor) => {
            (examine(start::program(), reach, tokio::time::sleep(PATIENCE)).await?, supervisor)
        }
    };
    Ok(Findings::worst_first(found.findings.into_iter().chain([supervisor]).collect()))
}

fn why_not(error: &ClientError) -> Finding {
    match error {
        ClientError::NotReachable { socket, why } => {
            absent(&format!("nothing answers at {} ({why})", socket.display()))
        }
        ClientError::Refused(_) | ClientError::Broken { .. } => {
            let reading = format!("it was not asked: {error}");
            Finding::new(Check::Supervisor, Level::Warn, "supervisor", reading)
                .mend("Look at both versions: runnerctl --version, runnerctl supervisor status")
        }
    }
}

fn absent(why: &str) -> Finding {
    let reading = format!("{why}; this is what one would see that was started from here");
    Finding::new(Check::Supervisor, Level::Warn, "supervisor", reading)
        .mend("Start it: runnerctl supervisor start")
}

fn said(words: &str) -> String {
    if words.is_empty() { ".".to_owned() } else { format!(". It said: {words}") }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_program_that_never_ends_is_ended_and_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, begun) = (folder.path().join("program"), folder.path().join("begun"));
        let mut file = std::fs::File::create_new(&program).expect("a new file");
        let script = format!("#!/bin/sh\necho $$ > {}; exec sleep 1000\n", begun.display());
        file.write_all(script.as_bytes()).expect("it can be written");
        file.set_permissions(std::fs::Permissions::from_mode(0o755)).expect("it may be run");
        drop(file);
        // The limit comes once it is certain that it hangs.
        let hangs = async {
            while !std::fs::read_to_string(&begun).is_ok_and(|pid| pid.ends_with('\n')) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let error = examine(program, &[], hangs).await.expect_err("it says nothing");
        assert!(error.to_string().contains("was ended"), "{error}");
        let pid = std::fs::read_to_string(&begun).expect("it has begun");
        let is_over = || {
            let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            status.map_or(true, |status| status.contains(") Z "))
        };
        while !is_over() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
