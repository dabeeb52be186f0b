//! The supervisor as a service that begins with its owner's login: a unit of systemd's user manager, or
//! a `LaunchAgent`. Made from `installers/`, the one source of both. It starts and restarts the supervisor
//! and never owns an agent or a task; ending or removing it ends none.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{HOME_VARIABLE, os_service};

pub const UNIT: &str = "runner-tray-supervisor.service";
pub const LABEL: &str = "dev.runner-tray.supervisor";

const UNIT_SOURCE: &str = include_str!("../../../installers/linux/runner-tray-supervisor.service");
const PLIST_SOURCE: &str =
    include_str!("../../../installers/macos/dev.runner-tray.supervisor.plist");

/// What is so now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// It starts with the next login.
    pub enabled: bool,
    /// It runs now, under the service manager.
    pub running: bool,
    /// Where its description lies, or would.
    pub file: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Everything works without one; the supervisor is then started by whoever needs it.
    #[error("There is no service manager for your session here: {0}.")]
    NoManager(String),
    #[error("{} cannot be written: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{command} failed: {words}.")]
    Refused { command: String, words: String },
}

/// Whether it is on, by the service manager's own word.
pub fn state() -> Result<State, ServiceError> {
    os_service::state()
}

/// Has `supervisor`, our program, start with every login, and now. Whoever runs already must have ended.
pub fn enable(supervisor: &Path) -> Result<State, ServiceError> {
    os_service::enable(supervisor, std::env::var_os(HOME_VARIABLE).as_deref())?;
    state()
}

/// No login starts it any more, and the service ends; agents and tasks go on.
pub fn disable() -> Result<State, ServiceError> {
    os_service::disable()?;
    state()
}

/// Has the service manager start it now; for one that is enabled.
pub fn start() -> Result<(), ServiceError> {
    os_service::start()
}

/// Whether the service that is enabled here starts this very program, for this very home.
pub fn keeps(supervisor: &Path) -> bool {
    let described = os_service::describe(supervisor, std::env::var_os(HOME_VARIABLE).as_deref());
    state().is_ok_and(|state| {
        state.enabled && std::fs::read_to_string(&state.file).is_ok_and(|text| text == described)
    })
}

/// The unit of systemd's user manager, for a program that lies there.
pub fn systemd_unit(supervisor: &Path, home: Option<&OsStr>) -> String {
    let environment = home.map(|home| {
        format!("Environment={}", quoted(&format!("{HOME_VARIABLE}={}", home.display()), "%"))
    });
    UNIT_SOURCE
        .replace("@SUPERVISOR@", &quoted(&supervisor.display().to_string(), "%$"))
        .replace("@ENVIRONMENT@\n", &environment.map_or(String::new(), |line| format!("{line}\n")))
}

/// The `LaunchAgent`.
pub fn launch_agent(supervisor: &Path, home: Option<&OsStr>) -> String {
    let mut environment = String::new();
    if let Some(home) = home {
        let home = xml(&home.display().to_string());
        let _ = write!(environment, "<key>{HOME_VARIABLE}</key><string>{home}</string>");
    }
    PLIST_SOURCE
        .replace("@SUPERVISOR@", &xml(&supervisor.display().to_string()))
        .replace("@ENVIRONMENT@", &environment)
}

/// One word of a unit file; what systemd would fill in is doubled (systemd.service(5), "Command lines").
fn quoted(word: &str, doubled: &str) -> String {
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if doubled.contains(c) => quoted.extend([c, c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Runs a command of the service manager; its words where it fails.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, ServiceError> {
    let command = format!("{program} {}", arguments.join(" "));
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().map_err(|error| {
            ServiceError::NoManager(format!("{program} cannot be started: {error}"))
        })?;
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(words(&output.stdout));
    }
    let words = match (words(&output.stderr), words(&output.stdout)) {
        (words, _) | (_, words) if !words.is_empty() => words,
        _ => output.status.to_string(),
    };
    Err(ServiceError::Refused { command, words: words.trim_end_matches('.').to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_restarts_a_crash_and_ends_no_agent() {
        let unit = systemd_unit(Path::new("/usr/bin/runner-tray-supervisor"), None);
        for line in [
            "ExecStart=\"/usr/bin/runner-tray-supervisor\"",
            "KillMode=process",
            "Restart=on-failure",
            "WantedBy=default.target",
        ] {
            assert!(unit.lines().any(|known| known == line), "{line} is missing from:\n{unit}");
        }
        assert!(!unit.lines().any(|line| !line.starts_with('#') && line.contains('@')), "{unit}");
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        let unit = systemd_unit(Path::new("/a b/$x %h \"q\""), Some(OsStr::new("/h $y %u")));
        assert!(unit.contains("ExecStart=\"/a b/$$x %%h \\\"q\\\"\"\n"), "{unit}");
        assert!(unit.contains("Environment=\"RUNNER_TRAY_HOME=/h $y %%u\"\n"), "{unit}");
    }

    #[test]
    fn a_launch_agent_is_a_property_list_that_restarts_a_crash_and_ends_no_agent() {
        let program = Path::new("/Applications/R & D <1>/runner-tray-supervisor");
        let text = launch_agent(program, Some(OsStr::new("/h")));
        let read = plist::Value::from_reader_xml(text.as_bytes()).unwrap();
        let agent = read.as_dictionary().unwrap();
        assert_eq!(agent["Label"].as_string(), Some(LABEL));
        let arguments = agent["ProgramArguments"].as_array().unwrap();
        assert_eq!(arguments[0].as_string(), Some(program.to_str().unwrap()));
        let keep = agent["KeepAlive"].as_dictionary().unwrap();
        assert_eq!(keep["SuccessfulExit"].as_boolean(), Some(false));
        assert_eq!(agent["ProcessType"].as_string(), Some("Interactive"));
        assert_eq!(agent["AbandonProcessGroup"].as_boolean(), Some(true));
        let environment = agent["EnvironmentVariables"].as_dictionary().unwrap();
        assert_eq!(environment["RUNNER_TRAY_HOME"].as_string(), Some("/h"));
    }
}
