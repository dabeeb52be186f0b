//! The machine as installing knows it: its system, its architecture, its package managers.

use serde::{Deserialize, Serialize};

use crate::jobs::find;
use crate::package::Manager;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Os {
    Linux,
    Macos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arch {
    #[serde(rename = "x86_64")]
    X86,
    #[serde(rename = "aarch64")]
    Arm,
    /// Where an item says nothing of its own about it, what holds for the system is tried.
    #[serde(other, rename = "other")]
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub os: Os,
    pub arch: Arch,
    /// Those whose programs are there.
    pub managers: Vec<Manager>,
    /// macOS without the command line tools: git and others only offer to install themselves.
    #[serde(default)]
    pub stubs: bool,
    /// An admin's rights can be had without a question: what asks for a password by itself finds nobody.
    #[serde(default)]
    pub sudo: bool,
    /// As /etc/os-release names the system, the narrowest first: `debian-12`, `debian`.
    #[serde(default)]
    pub suites: Vec<String>,
}

impl Machine {
    /// This one, whose system's package managers are looked for in `path`.
    pub fn this(path: &str, stubs: bool) -> Self {
        let of_system = Manager::ALL.into_iter().filter(|manager| manager.needs_admin());
        let managers: Vec<Manager> =
            of_system.filter(|manager| find(manager.program(), path).is_some()).collect();
        let os = if std::env::consts::OS == "macos" { Os::Macos } else { Os::Linux };
        let arch = match std::env::consts::ARCH {
            "x86_64" => Arch::X86,
            "aarch64" => Arch::Arm,
            _ => Arch::Other,
        };
        let about = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self { stubs, suites: suites(&about), ..Self::with(os, arch, &managers) }
    }

    /// One of which no more is known.
    pub fn with(os: Os, arch: Arch, managers: &[Manager]) -> Self {
        let (stubs, sudo, suites) = (false, false, Vec::new());
        Self { os, arch, managers: managers.to_vec(), stubs, sudo, suites }
    }

    pub fn has(&self, manager: Manager) -> bool {
        self.managers.contains(&manager)
    }
}

/// Of the text of /etc/os-release (os-release(5)).
fn suites(about: &str) -> Vec<String> {
    let of = |name: &str| {
        let value = about.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim_matches(['"', '\'']).to_lowercase()).filter(|it| !it.is_empty())
    };
    let Some(id) = of("ID") else { return Vec::new() };
    let narrow = of("VERSION_ID").map(|version| format!("{id}-{version}"));
    narrow.into_iter().chain([id]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_its_name_and_its_release() {
        let debian =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n";
        assert_eq!(suites(debian), ["debian-12", "debian"]);
        assert_eq!(
            suites("ID=ubuntu\nVERSION_ID=\"24.04\"\nID_LIKE=debian\n"),
            ["ubuntu-24.04", "ubuntu"]
        );
        assert_eq!(suites("ID=arch\n"), ["arch"]);
        assert_eq!(suites(""), Vec::<String>::new());
    }
}
