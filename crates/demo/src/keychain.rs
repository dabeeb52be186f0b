//! Where the demo's token goes: the desktop's keychain where one is open, else a private one that
//! lives as long as the demo, else (no keychain can be had here) a file.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Set in the session that the demo starts for itself: its folder.
const SESSION: &str = "RUNNER_TRAY_DEMO_SESSION";
const UNLOCK: &str = "printf demo | gnome-keyring-daemon --unlock --components=secrets --daemonize \
                      >/dev/null 2>&1; \
                      gdbus wait --session --timeout 10 org.freedesktop.secrets 2>/dev/null; exec \"$0\" \"$@\"";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Keychain {
    Desktop,
    /// A keychain of the demo's own, in this session; the folder goes with it.
    Private(PathBuf),
    /// One can be started: not yet in its session.
    CanBePrivate,
    None,
}

impl Keychain {
    pub(crate) fn find() -> Result<Self> {
        if let Some(folder) = env::var_os(SESSION) {
            return Ok(Self::Private(folder.into()));
        }
        if Self::desktop_is_open()? {
            return Ok(Self::Desktop);
        }
        let can = ["dbus-run-session", "gnome-keyring-daemon"].iter().all(|tool| on_path(tool));
        Ok(if can { Self::CanBePrivate } else { Self::None })
    }

    /// Asked as the supervisor asks: by its own short-lived child. An entry that is missing shows an
    /// open keychain.
    fn desktop_is_open() -> Result<bool> {
        let mut child = Command::new(crate::place::beside("runner-tray-supervisor")?)
            .args(["keychain", "get"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdin = child.stdin.take().context("its stdin")?;
        serde_json::to_writer(stdin, &serde_json::json!({ "account": "demo/asks" }))?;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while child.try_wait()?.is_none() {
            if std::time::Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                return Ok(false);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let answer = child.wait_with_output()?.stdout;
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        Ok(answer.contains("missing") || answer.contains("\"ok\""))
    }

    /// Runs the demo again within a D-Bus session that has a keychain of its own, and says how that
    /// went; nothing where no such session is called for.
    pub(crate) fn go_into_a_session_of_its_own(&self) -> Result<Option<bool>> {
        if *self != Self::CanBePrivate {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("runner-tray-demo-").tempdir()?;
        let status = Command::new("dbus-run-session")
            .args(["--", "bash", "-c", UNLOCK])
            .arg(env::current_exe()?)
            .args(env::args_os().skip(1))
            .env(SESSION, folder.path())
            .env("HOME", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("XDG_DATA_HOME", folder.path().join("data"))
            .status()
            .context("starting a D-Bus session")?;
        Ok(Some(status.success()))
    }

    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Desktop => "your desktop's keychain, and is taken out of it at the end",
            Self::Private(_) | Self::CanBePrivate => {
                "a keychain that was started for this demo, since no open one was found"
            }
            Self::None => "a file only you can read, since no keychain can be had here",
        }
    }

    pub(crate) fn store(&self) -> &'static str {
        match self {
            Self::Desktop | Self::Private(_) | Self::CanBePrivate => "keychain",
            Self::None => "file",
        }
    }
}

fn on_path(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| Path::new(&folder).join(tool).is_file())
}
