//! macOS's side of the session: `caffeinate`, `pmset`, System Events. Notifications are the app's there.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::awake::Machine;
use crate::notification::{End, Notification};
use crate::power::{Power, from_pmset_batt};

/// `caffeinate`, which ends with us.
pub(crate) struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn power(_: &Path) -> Power {
    let asked = Command::new("/usr/bin/pmset").args(["-g", "batt"]).stdin(Stdio::null()).output();
    asked.map_or(Power::Unknown, |output| from_pmset_batt(&String::from_utf8_lossy(&output.stdout)))
}

/// `-i`: no sleep for idleness; `-w`: no longer than this process lives (`caffeinate(8)`).
pub(crate) fn keep_awake(_: &Path, _: &[&str]) -> Result<Held, String> {
    Command::new("/usr/bin/caffeinate")
        .args(["-i", "-w", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Held)
        .map_err(|error| format!("caffeinate cannot be started: {error}"))
}

pub(crate) fn give_awake() -> io::Result<()> {
    Err(io::Error::other("caffeinate does that here"))
}

pub(crate) fn tell_machine(machine: Machine) -> Result<(), String> {
    let mut command = match machine {
        Machine::Sleep => {
            let mut command = Command::new("/usr/bin/pmset");
            command.arg("sleepnow");
            command
        }
        Machine::Restart => {
            let mut command = Command::new("/usr/bin/osascript");
            command.args(["-e", "tell application \"System Events\" to restart"]);
            command
        }
    };
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

pub(crate) fn show(_: &Notification) -> End {
    End::NotShown("the app shows them on macOS".into())
}
