//! A desktop's keychain of a trial's own: a session bus that starts nobody by name, and a real
//! gnome-keyring on it. Lives outside the trial's place, as a desktop does.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use process::Signal;
use skipped::skipped;
use tempfile::TempDir;

use crate::{DEADLINE, Ours, until};

/// A desktop's own bus would start a keychain of its own accord.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:runtime=yes</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"#;
const SECRETS: &str = "org.freedesktop.secrets";

/// Says which programs are missing.
#[track_caller]
pub fn has_tools(tools: &[&str]) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |tool: &str| std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file());
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| !is_there(tool)).collect();
    if !missing.is_empty() {
        skipped(&format!("these programs are not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Says so where we are not.
#[track_caller]
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        skipped("only root can do this");
    }
    is_root
}

pub struct Desktop {
    keyring: Option<Ours>,
    _bus: Ours,
    address: String,
    folder: TempDir,
}

impl Desktop {
    /// A session whose keychain is open; nothing, with a printed line, where no such session can be.
    pub fn start() -> Option<Self> {
        let mut desktop = Self::without_keychain()?;
        desktop.unlock();
        Some(desktop)
    }

    /// A session in which nobody offers a keychain.
    pub fn without_keychain() -> Option<Self> {
        if !has_tools(&["dbus-daemon", "dbus-send", "gnome-keyring-daemon"]) {
            return None;
        }
        let mode = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("desktop-").permissions(mode).tempdir();
        let folder = folder.expect("a temporary folder");
        let config = folder.path().join("bus.conf");
        let mut file = File::create(&config).expect("a file in a folder of ours");
        file.write_all(BARE_BUS.as_bytes()).expect("a file in a folder of ours");
        let mut command = in_session("dbus-daemon", folder.path());
        command.arg("--config-file").arg(config).args(["--nofork", "--print-address=1"]);
        command.stdout(Stdio::piped());
        let mut bus = Ours::start(command);
        let stdout = bus.child().stdout.take().expect("its standard output is a pipe");
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address).expect("the bus says where it listens");
        let address = address.trim().to_owned();
        assert!(address.starts_with("unix:"), "the session bus did not start: {address:?}");
        Some(Self { keyring: None, _bus: bus, address, folder })
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where the keychain has its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A keychain that is open; the one that was there before is ended.
    #[track_caller]
    pub fn unlock(&mut self) {
        self.end_keychain();
        let mut command = in_session("gnome-keyring-daemon", self.folder.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).stdin(Stdio::piped());
        command.args(["--unlock", "--components=secrets", "--foreground"]).stdout(Stdio::null());
        let mut keyring = Ours::start(command);
        let stdin = keyring.child().stdin.take();
        let said = stdin.expect("its standard input is a pipe").write_all(b"pass");
        said.expect("it reads its password");
        self.keyring = Some(keyring);
        until(DEADLINE, "the keychain is on the bus", || self.has_keychain());
    }

    /// Locks it; nobody is there to answer a prompt.
    #[track_caller]
    pub fn lock(&self) {
        let login = "array:objpath:/org/freedesktop/secrets/collection/login";
        let method = "org.freedesktop.Secret.Service.Lock";
        let (done, words) = self.send(SECRETS, "/org/freedesktop/secrets", method, login);
        assert!(done, "the keychain was not locked: {words}");
    }

    /// From now on it answers nobody.
    pub fn hang(&self) {
        self.keyring().signal(Signal::STOP);
    }

    /// It answers again, what was asked meanwhile too.
    pub fn go_on(&self) {
        self.keyring().signal(Signal::CONT);
    }

    fn keyring(&self) -> &Ours {
        self.keyring.as_ref().expect("the keychain runs")
    }

    #[track_caller]
    pub fn end_keychain(&mut self) {
        if let Some(keyring) = self.keyring.take() {
            keyring.kill();
            until(DEADLINE, "the keychain is off the bus", || !self.has_keychain());
        }
    }

    fn has_keychain(&self) -> bool {
        let method = "org.freedesktop.DBus.NameHasOwner";
        let name = format!("string:{SECRETS}");
        let (_, words) = self.send("org.freedesktop.DBus", "/org/freedesktop/DBus", method, &name);
        words.contains("boolean true")
    }

    fn send(&self, to: &str, path: &str, method: &str, argument: &str) -> (bool, String) {
        let output = in_session("dbus-send", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .args(["--session", "--print-reply", &format!("--dest={to}"), path, method, argument])
            .output()
            .expect("dbus-send runs");
        let words = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&words).into_owned())
    }
}

fn in_session(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder).stderr(Stdio::null());
    command
}
