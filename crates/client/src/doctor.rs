//! What is well and what is not about this machine: asked of the supervisor, or, where none runs,
//! of its program.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use protocol::Findings;

use crate::{Client, ClientError, start};

/// Why the program gave no findings.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    #[error("The supervisor's program {} cannot be started: {source}", program.display())]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("The supervisor's program gave no findings ({status}){}", said(words))]
    Broken { status: ExitStatus, words: String },
}

impl Client {
    /// `reach`: addresses to ask in place of CircleCI's own.
    pub async fn doctor(&self, reach: &[String]) -> Result<Findings, ClientError> {
        let query = (!reach.is_empty()).then(|| ("reach", reach.join(" ")));
        self.get("doctor", query.as_slice()).await
    }
}

/// The same without a supervisor, in the environment that one would be started with.
pub async fn examine(reach: &[String]) -> Result<Findings, ExamineError> {
    let program = start::program();
    let mut command = tokio::process::Command::new(&program);
    command.env_clear().envs(crate::environment::of_supervisor());
    command.arg("doctor").args(reach.iter().flat_map(|address| ["--reach", address]));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output =
        command.output().await.map_err(|source| ExamineError::Spawn { program, source })?;
    serde_json::from_slice(&output.stdout).map_err(|_| ExamineError::Broken {
        status: output.status,
        words: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

fn said(words: &str) -> String {
    if words.is_empty() { ".".to_owned() } else { format!(". It said: {words}") }
}
