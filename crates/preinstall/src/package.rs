//! Package managers: their names, their programs, and what may be the name of a package of theirs.

use serde::{Deserialize, Serialize};

use crate::names;

/// Ordered as they are called: those that bring others first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    Apt,
    Dnf,
    Brew,
    Cask,
    Npm,
    Pipx,
    Pip,
    Cargo,
    Go,
    Gem,
}

impl Manager {
    pub const ALL: [Self; 10] = [
        Self::Apt,
        Self::Dnf,
        Self::Brew,
        Self::Cask,
        Self::Npm,
        Self::Pipx,
        Self::Pip,
        Self::Cargo,
        Self::Go,
        Self::Gem,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Brew => "Homebrew",
            Self::Cask => "Homebrew (cask)",
            Self::Npm => "npm",
            Self::Pipx => "pipx",
            Self::Pip => "pip",
            Self::Cargo => "cargo",
            Self::Go => "go",
            Self::Gem => "gem",
        }
    }

    /// Looked up in the PATH.
    pub fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Brew | Self::Cask => "brew",
            Self::Npm => "npm",
            Self::Pipx => "pipx",
            Self::Pip => "python3",
            Self::Cargo => "cargo",
            Self::Go => "go",
            Self::Gem => "gem",
        }
    }

    /// It changes the system and not one user's folders.
    pub fn needs_admin(self) -> bool {
        match self {
            Self::Apt | Self::Dnf => true,
            Self::Brew
            | Self::Cask
            | Self::Npm
            | Self::Pipx
            | Self::Pip
            | Self::Cargo
            | Self::Go
            | Self::Gem => false,
        }
    }

    /// It installs for one user: the one that jobs run as.
    pub fn is_the_users(self) -> bool {
        match self {
            Self::Npm | Self::Pipx | Self::Pip | Self::Cargo | Self::Go | Self::Gem => true,
            Self::Apt | Self::Dnf | Self::Brew | Self::Cask => false,
        }
    }

    /// The item that brings it.
    pub fn brought_by(self) -> Option<&'static str> {
        match self {
            Self::Apt | Self::Dnf => None,
            Self::Brew | Self::Cask => Some("homebrew"),
            Self::Npm => Some("npm"),
            Self::Pipx => Some("pipx"),
            Self::Pip => Some("pip"),
            Self::Cargo => Some("rust"),
            Self::Go => Some("go"),
            Self::Gem => Some("ruby"),
        }
    }

    /// Why this cannot be the name of a package. What passes is nothing but a name: no option, no
    /// address, no path, no word that makes the manager remove or upgrade.
    pub fn refuses(self, name: &str) -> Option<&'static str> {
        match self {
            Self::Apt => names::apt(name),
            Self::Dnf => names::dnf(name),
            Self::Brew | Self::Cask => names::brew(name),
            Self::Npm => names::npm(name),
            Self::Pipx | Self::Pip => names::python(name),
            Self::Cargo => names::cargo(name),
            Self::Go => names::go(name),
            Self::Gem => names::gem(name),
        }
    }
}
