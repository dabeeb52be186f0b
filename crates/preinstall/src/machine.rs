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
}

impl Machine {
    /// This one, whose system's package managers are looked for in `path`.
    pub fn this(path: &str, stubs: bool) -> Self {
        let of_system = Manager::ALL.into_iter().filter(|manager| manager.needs_admin());
        let managers =
            of_system.filter(|manager| find(manager.program(), path).is_some()).collect();
        let os = if std::env::consts::OS == "macos" { Os::Macos } else { Os::Linux };
        let arch = match std::env::consts::ARCH {
            "x86_64" => Arch::X86,
            "aarch64" => Arch::Arm,
            _ => Arch::Other,
        };
        Self { os, arch, managers, stubs }
    }

    pub fn has(&self, manager: Manager) -> bool {
        self.managers.contains(&manager)
    }
}
