//! A desktop session of the bench's own: a display, a session bus, a panel. Ended with this value.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, Result};
use zbus::blocking::{Connection, connection};

use super::menu::Menu;
use super::screen::Screen;
use super::watcher::{self, Icon, Watcher};

/// Longer than the slowest app takes to show its icon.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Session {
    pub(crate) screen: Screen,
    icons: Receiver<Icon>,
    bus: Connection,
    number: String,
    address: String,
    folder: PathBuf,
    _display: trials::Ours,
    _desktop: trials::Desktop,
}

impl Session {
    pub(crate) fn start() -> Result<Self> {
        let desktop = trials::Desktop::without_keychain();
        let desktop =
            desktop.context("dbus and gnome-keyring are missing; ./dev bench app installs them")?;
        let (display, number) = display(desktop.folder())?;
        let (tell, icons) = mpsc::channel();
        let bus = connection::Builder::address(desktop.address())?
            .serve_at(watcher::PATH, Watcher { icons: tell })?
            .name(watcher::NAME)?
            .build()
            .context("playing the panel")?;
        Ok(Self {
            screen: Screen::of(&number)?,
            icons,
            bus,
            address: desktop.address().to_owned(),
            folder: desktop.folder().to_owned(),
            number,
            _display: display,
            _desktop: desktop,
        })
    }

    /// A program that has this session and nothing else around it.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.folder).env("XDG_RUNTIME_DIR", &self.folder);
        command.env("LANG", "C.UTF-8").env("TZ", "UTC").current_dir(&self.folder);
        self.join(&mut command);
        command
    }

    /// Lets a program have this session.
    pub(crate) fn join(&self, command: &mut Command) {
        command.env("DISPLAY", &self.number).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        // No screen reader, and no video memory.
        command.env("NO_AT_BRIDGE", "1").env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        command.env("LIBGL_ALWAYS_SOFTWARE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    }

    /// The icon that comes next.
    pub(crate) fn next_icon(&self) -> Result<Icon> {
        self.icons.recv_timeout(PATIENCE).context("no icon came")
    }

    /// Those that came are of no interest: some libraries register twice.
    pub(crate) fn forget_icons(&self) {
        while self.icons.try_recv().is_ok() {}
    }

    pub(crate) fn menu(&self, icon: &Icon) -> Result<Menu> {
        Menu::of(&self.bus, icon)
    }
}

/// The server chooses a free number itself.
fn display(folder: &Path) -> Result<(trials::Ours, String)> {
    let mut server = Command::new("Xvfb");
    server.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
    server.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    server.env("HOME", folder).current_dir(folder);
    server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = trials::Ours::start(server);
    let stdout = server.child().stdout.take().context("its standard output is a pipe")?;
    let mut number = String::new();
    BufReader::new(stdout).read_line(&mut number).context("Xvfb says its number")?;
    anyhow::ensure!(!number.trim().is_empty(), "Xvfb did not start");
    Ok((server, format!(":{}", number.trim())))
}
