//! macOS's side of the session: `caffeinate`, `pmset`, System Events, and `UNUserNotificationCenter`, which
//! only an app bundle may use.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

pub(crate) fn may_notify() -> Result<bool, String> {
    notify_rust::request_auth_blocking().map_err(|error| error.to_string())
}

/// "Clear All" in the notification centre tells nobody, so an answer is not waited for for ever.
const PATIENCE: Duration = Duration::from_mins(10);

/// Only an app that runs may show one.
pub(crate) fn tell(_: &Notification) {}

/// Whoever waits for the answer is the app, for as long as it runs.
pub(crate) fn show(notification: &Notification, _: impl Future<Output = ()>) -> End {
    let Notification { title, body, buttons } = notification;
    let mut shown = notify_rust::Notification::new();
    shown.summary(title).body(body).timeout(PATIENCE);
    for (key, words) in buttons {
        shown.action(key, words);
    }
    let handle = match shown.show() {
        Ok(handle) => handle,
        Err(error) => return End::NotShown(error.to_string()),
    };
    let mut end = End::Closed;
    handle.wait_for_action(|action| {
        end = match action {
            "__closed" => End::Closed,
            "default" => End::Clicked,
            key => End::Chosen(key.to_owned()),
        };
    });
    end
}
