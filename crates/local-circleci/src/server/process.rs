//! The server as a process of its own, for tests that kill it or start it anew. It ends when the
//! process that started it does: its standard input is a pipe that nobody writes to.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use super::{ServerOptions, TokenSource, tokens};
use crate::control::Control;

/// A running `local-circleci serve`; dropping it kills it.
pub struct ServerProcess {
    child: Child,
    url: String,
}

impl ServerProcess {
    /// Starts `binary serve …` (see [`sibling`]) and returns once it listens.
    pub fn start(binary: &Path, options: &ServerOptions) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.arg("serve").arg("--stop-at-eof").arg("--addr").arg(options.addr.to_string());
        if let Some(state) = &options.state {
            command.arg("--state").arg(state);
        }
        for (class, source) in &options.resource_classes {
            command.arg("--resource-class").arg(match source {
                TokenSource::Kept => class.clone(),
                TokenSource::InFile(file) => format!("{class}=@{}", file.display()),
                TokenSource::Given(token) => given(options, class, token)?,
            });
        }
        match &options.personal_token {
            TokenSource::Kept => {}
            TokenSource::InFile(file) => {
                command.arg("--personal-token-file").arg(file);
            }
            TokenSource::Given(_) => bail!("give the process a personal token in a file"),
        }
        for release in &options.releases {
            command.arg("--release").arg(release);
        }
        command.arg("--web-url").arg(options.web_url.as_deref().unwrap_or("self"));
        command.arg("--variant").arg(&options.variant);
        if let Some(binaries) = &options.binaries {
            command.arg("--binaries").arg(binaries);
        }
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let Some(url) = line.split_whitespace().last().filter(|word| word.starts_with("http://"))
        else {
            let _ = child.kill();
            let status = child.wait()?;
            bail!("local-circleci serve did not start ({status}): {line:?}");
        };
        let url = url.to_owned();
        Ok(Self { child, url })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens on: start the next one there to have it at the same URL.
    pub fn addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.url.trim_start_matches("http://").parse()?)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn control(&self) -> Control {
        Control::new(&self.url).unwrap_or_else(|error| unreachable!("its URL: {error}"))
    }

    /// Kills the server (SIGKILL) and waits for its end.
    pub fn kill(mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A given token goes into the state folder's file for it, never into the arguments.
fn given(options: &ServerOptions, class: &str, token: &str) -> anyhow::Result<String> {
    let state = options.state.as_deref().context("a given token needs a state folder")?;
    let file = tokens::class_file(state, class);
    if let Some(folder) = file.parent() {
        crate::private_file::make_folder(folder)?;
    }
    crate::private_file::replace(&file, token.as_bytes())?;
    Ok(format!("{class}=@{}", file.display()))
}

/// An executable of this workspace: beside the running one, or one folder above it, where tests
/// find `target/debug`. Other crates' tests need `cargo build -p local-circleci` first.
pub fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let folders = running.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join(name));
    candidates.find(|path| path.is_file()).with_context(|| {
        format!("no {name} beside {}; run: cargo build -p local-circleci", running.display())
    })
}

/// The folder that holds `circleci-runner`.
pub(super) fn binaries_folder() -> anyhow::Result<PathBuf> {
    Ok(sibling("circleci-runner")?.with_file_name(""))
}
