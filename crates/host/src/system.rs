//! What kind of machine this is, as far as it says so itself. Guesses nothing: what is not said is
//! absent.

use std::path::Path;

use rustix::system::uname;

use crate::os_machine;

/// The machine's own name without its domain, as the system has it; empty where it has none.
pub fn machine_name() -> String {
    let name = uname().nodename().to_string_lossy().into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// As people know it: "Debian GNU/Linux 12 (bookworm)", "macOS 15.1".
    pub name: Option<String>,
    /// "12", "15.1".
    pub version: Option<String>,
    /// `std::env::consts::OS`: "linux", "macos".
    pub os: &'static str,
    /// `std::env::consts::ARCH`: "aarch64" and its like.
    pub arch: &'static str,
    /// These programs are for another processor and run through a translator (Rosetta).
    pub translated: bool,
    /// What says that this is a container.
    pub container: Option<String>,
}

impl System {
    /// Of the system whose files lie below `root`: `/`, or where a test has put them.
    pub fn at(root: &Path) -> Self {
        let (name, version) = os_machine::system_name(root);
        let signs = [".dockerenv", "run/.containerenv", "run/systemd/container"];
        let container = signs.iter().map(|sign| root.join(sign)).find(|sign| sign.exists());
        Self {
            name,
            version,
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            translated: os_machine::is_translated(),
            container: container.map(|sign| sign.display().to_string()),
        }
    }
}
