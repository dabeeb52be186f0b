//! An item: one thing that a job may need, how it is seen, and how it comes onto a machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::machine::{Arch, Machine, Os};
use crate::package::Manager;
use crate::version::{Range, Version, is_pattern};

/// One thing that a job may need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Lower case, digits and `-`; stays the same for ever.
    pub id: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub what_for: String,
    #[serde(default)]
    pub links: Vec<String>,
    /// About so much on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mb: Option<u32>,
    /// Ids of items that come first.
    #[serde(default)]
    pub needs: Vec<String>,
    pub check: Check,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linux: Option<Ways>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos: Option<Ways>,
    /// In place of `linux` there; so the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linux_x86_64: Option<Ways>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linux_aarch64: Option<Ways>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos_x86_64: Option<Ways>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos_aarch64: Option<Ways>,
    /// In place of all of these on a system of that name or release: `ubuntu`, `debian-12`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on: BTreeMap<String, Ways>,
}

/// How it is seen whether an item is there: a command, a plist or paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// A program, looked up in the PATH of jobs, and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// It is enough that the program is there; it is not run.
    #[serde(default)]
    pub only_there: bool,
    /// The text before the version, and `{version}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The exit code by which the command says that it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_exit: Option<i32>,
    /// One of them is there. Whole, or begins with `~/`.
    #[serde(default)]
    pub paths: Vec<String>,
    /// macOS: a value of a property list, in place of a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plist: Option<Plist>,
    /// macOS has a stub in /usr/bin that only offers to install the command line tools.
    #[serde(default)]
    pub mac_stub: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_seconds: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plist {
    /// Whole.
    pub file: String,
    pub key: String,
}

/// How an item comes onto one kind of machine. Of several package managers the first is taken that is
/// there, in the order of [`Manager`]; `human` is what is left where none is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ways {
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub apt: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub dnf: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub brew: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub cask: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub npm: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub pipx: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub pip: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub cargo: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub go: Vec<String>,
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub gem: Vec<String>,
    /// Written by us: `circleci` is the one there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<String>,
    /// What somebody does by hand, in sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human: Option<String>,
    /// What somebody does by hand after a package manager did its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// What installs it (cargo, go and their like) has to be that new, as the item that brings it reads
    /// its version; where it is older or not there yet, `human` is what is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_at_least: Option<String>,
    /// What its cask installs goes where only an admin may write: Homebrew asks for a password by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// Jobs there need no such thing: why. It is in no count and no plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_needed: Option<String>,
    /// There is no such thing there: why. It is in no count and no preset, and nobody is asked to bring it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_here: Option<String>,
    /// It is seen otherwise there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
}

/// What [`Ways::ours`] may be.
pub(crate) const CIRCLECI: &str = "circleci";

/// Longest time that a check may be given.
const LONGEST_CHECK: u32 = 120;

fn one_or_many<'de, D: Deserializer<'de>>(field: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Names::deserialize(field)? {
        Names::One(name) => vec![name],
        Names::Many(names) => names,
    })
}

impl Ways {
    pub fn of(&self, manager: Manager) -> &[String] {
        match manager {
            Manager::Apt => &self.apt,
            Manager::Dnf => &self.dnf,
            Manager::Brew => &self.brew,
            Manager::Cask => &self.cask,
            Manager::Npm => &self.npm,
            Manager::Pipx => &self.pipx,
            Manager::Pip => &self.pip,
            Manager::Cargo => &self.cargo,
            Manager::Go => &self.go,
            Manager::Gem => &self.gem,
        }
    }

    /// The managers that it names, in their order.
    pub fn managers(&self) -> impl Iterator<Item = Manager> + '_ {
        Manager::ALL.into_iter().filter(|manager| !self.of(*manager).is_empty())
    }
}

/// Why an item or a preset cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {field}: {why}")]
pub struct ItemError {
    /// "item node", "preset web".
    pub what: String,
    pub field: String,
    /// What is allowed, or what was found.
    pub why: String,
}

impl ItemError {
    pub(crate) fn new(what: impl Into<String>, field: &str, why: impl Into<String>) -> Self {
        Self { what: what.into(), field: field.to_owned(), why: why.into() }
    }
}

pub(crate) fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !id.is_empty() && id.len() <= 64 && id.chars().all(plain) && !id.starts_with('-')
}

/// A system's name, with its release or not (os-release(5), `ID` and `VERSION_ID`). It gets into a
/// playbook's conditions as it is.
fn is_suite(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    !name.is_empty() && name.chars().all(plain)
}

impl Item {
    /// How it comes onto such a machine.
    pub fn ways(&self, machine: &Machine) -> Option<&Ways> {
        let own = match (machine.os, machine.arch) {
            (Os::Linux, Arch::X86) => &self.linux_x86_64,
            (Os::Linux, Arch::Arm) => &self.linux_aarch64,
            (Os::Macos, Arch::X86) => &self.macos_x86_64,
            (Os::Macos, Arch::Arm) => &self.macos_aarch64,
            (Os::Linux | Os::Macos, Arch::Other) => &None,
        };
        let of_suite = machine.suites.iter().find_map(|suite| self.on.get(suite));
        of_suite.or(own.as_ref()).or(match machine.os {
            Os::Linux => self.linux.as_ref(),
            Os::Macos => self.macos.as_ref(),
        })
    }

    /// How it is seen on such a machine.
    pub fn check_on(&self, machine: &Machine) -> &Check {
        self.ways(machine).and_then(|ways| ways.check.as_ref()).unwrap_or(&self.check)
    }

    /// Why jobs on such a machine need no such thing.
    pub fn not_needed(&self, machine: &Machine) -> Option<&str> {
        self.ways(machine)?.not_needed.as_deref()
    }

    /// Why there is no such thing on such a machine.
    pub fn not_here(&self, machine: &Machine) -> Option<&str> {
        self.ways(machine)?.not_here.as_deref()
    }

    /// It is no matter of such a machine: in no list, no count and no preset there.
    pub fn is_spare(&self, machine: &Machine) -> bool {
        self.not_needed(machine).is_some() || self.not_here(machine).is_some()
    }

    /// In megabytes, as disks are sold.
    pub fn size(&self) -> Option<protocol::Bytes> {
        self.size_mb.map(|mb| protocol::Bytes(u64::from(mb) * 1_000_000))
    }

    /// With the names of their fields; those of `on` by theirs alone.
    pub(crate) fn all_ways(&self) -> Vec<(&str, &Ways)> {
        let all = [
            ("linux", &self.linux),
            ("macos", &self.macos),
            ("linux_x86_64", &self.linux_x86_64),
            ("linux_aarch64", &self.linux_aarch64),
            ("macos_x86_64", &self.macos_x86_64),
            ("macos_aarch64", &self.macos_aarch64),
        ];
        let all = all.into_iter().filter_map(|(name, ways)| Some((name, ways.as_ref()?)));
        all.chain(self.on.iter().map(|(name, ways)| (name.as_str(), ways))).collect()
    }

    /// Whether it may be followed at all, wherever it came from.
    pub fn judge(&self) -> Result<(), ItemError> {
        let what = format!("item {}", self.id);
        let refused = |field: &str, why: &str| Err(ItemError::new(&what, field, why));
        if !is_id(&self.id) {
            return refused("id", "1 to 64 lower-case letters, digits and -, no - first");
        }
        let is_link =
            |link: &String| link.starts_with("https://") && !link.contains(char::is_whitespace);
        if !self.links.iter().all(is_link) {
            return refused("links", "addresses that begin with https://");
        }
        self.check.judge(&what, "check")?;
        if !self.on.keys().all(|suite| is_suite(suite)) {
            return refused("on", "a system's name as /etc/os-release has it: a-z, 0-9, . _ and -");
        }
        for (name, ways) in self.all_ways() {
            for manager in ways.managers() {
                let field = format!("{name}.{}", manager.program());
                for package in ways.of(manager) {
                    if let Some(allowed) = manager.refuses(package) {
                        let why =
                            format!("{package:?} is no package's name. Allowed is: {allowed}");
                        return Err(ItemError::new(&what, &field, why));
                    }
                }
            }
            if ways.ours.as_ref().is_some_and(|ours| ours != CIRCLECI) {
                return refused(name, "ours can only be \"circleci\"");
            }
            if ways.with_at_least.as_ref().is_some_and(|least| Version::of(least).is_none()) {
                return refused(name, "with_at_least is numbers with dots between them");
            }
            if let Some(check) = &ways.check {
                check.judge(&what, &format!("{name}.check"))?;
            }
        }
        Ok(())
    }
}

impl Check {
    pub fn range(&self) -> Range {
        let read = |text: &Option<String>| text.as_deref().and_then(Version::of);
        Range { at_least: read(&self.at_least), below: read(&self.below) }
    }

    fn judge(&self, what: &str, field: &str) -> Result<(), ItemError> {
        let refused =
            |under: &str, why: &str| Err(ItemError::new(what, &format!("{field}{under}"), why));
        let ways = [!self.command.is_empty(), !self.paths.is_empty(), self.plist.is_some()];
        if ways.into_iter().filter(|is| *is).count() != 1 {
            return refused("", "one of command, paths and plist");
        }
        let odd = |text: &String| {
            text.is_empty() && self.command.first() == Some(text) || text.contains('\0')
        };
        if self.command.iter().any(odd) {
            return refused(".command", "a program and its arguments");
        }
        if self
            .command
            .first()
            .is_some_and(|program| program.starts_with('-') || program.contains('='))
        {
            return refused(".command", "a program's name or whole path first");
        }
        let whole = |path: &String| {
            (path.starts_with('/') || path.starts_with("~/")) && !path.contains('\0')
        };
        if !self.paths.iter().all(whole) {
            return refused(".paths", "whole paths, or ones that begin with ~/");
        }
        let odd = |plist: &Plist| {
            let texts = [&plist.file, &plist.key];
            !plist.file.starts_with('/')
                || plist.key.starts_with('-')
                || texts.into_iter().any(|text| text.contains('\0'))
        };
        if self.plist.as_ref().is_some_and(odd) {
            return refused(".plist", "a whole path and a key");
        }
        if self.version.as_ref().is_some_and(|pattern| !is_pattern(pattern)) {
            return refused(".version", "the text before the version, and {version} once");
        }
        let bounds = [&self.at_least, &self.below];
        if bounds.into_iter().flatten().any(|bound| Version::of(bound).is_none()) {
            return refused("", "at_least and below are numbers with dots between them");
        }
        let is_bound = self.at_least.is_some() || self.below.is_some();
        if is_bound && self.version.is_none() {
            return refused(".version", "a range needs a version to be read");
        }
        if self.within_seconds.is_some_and(|it| !(1..=LONGEST_CHECK).contains(&it)) {
            return refused(".within_seconds", "1 to 120");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> Result<(), String> {
        let item: Item = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        item.judge().map_err(|error| error.to_string())
    }

    #[test]
    fn an_item_that_cannot_be_followed_says_which_field_and_what_is_allowed() {
        for (text, says) in [
            ("id = \"X\"\ncheck = { command = [\"x\"] }", "item X: id: 1 to 64"),
            ("id = \"x\"\ncheck = {}", "item x: check: one of command"),
            ("id = \"x\"\ncheck = { command = [\"x\"], paths = [\"/x\"] }", "one of command"),
            ("id = \"x\"\ncheck = { command = [\"--x\"] }", "a program's name"),
            ("id = \"x\"\ncheck = { command = [\"A=b\"] }", "a program's name"),
            ("id = \"x\"\ncheck = { paths = [\"x\"] }", "check.paths: whole paths"),
            (
                "id = \"x\"\ncheck = { plist = { file = \"/x\", key = \"a\\u0000\" } }",
                "a whole path and a key",
            ),
            ("id = \"x\"\ncheck = { command = [\"x\"], at_least = \"2\" }", "a range needs"),
            ("id = \"x\"\ncheck = { command = [\"x\"], version = \"x\" }", "{version} once"),
            (
                "id = \"x\"\ncheck = { command = [\"x\"], version = \"{version}\", at_least = \"new\" }",
                "numbers",
            ),
            ("id = \"x\"\ncheck = { command = [\"x\"], within_seconds = 0 }", "1 to 120"),
            ("id = \"x\"\nlinks = [\"http://x\"]\ncheck = { command = [\"x\"] }", "https://"),
            (
                "id = \"x\"\nlinux = { apt = \"git-\" }\ncheck = { command = [\"x\"] }",
                "linux.apt-get: \"git-\"",
            ),
            ("id = \"x\"\nlinux = { ours = \"moon\" }\ncheck = { command = [\"x\"] }", "circleci"),
            (
                "id = \"x\"\nlinux = { cargo = \"x\", with_at_least = \"new\" }\ncheck = { command = [\"x\"] }",
                "with_at_least",
            ),
            (
                "id = \"x\"\non.ubuntu = { apt = \"-x\" }\ncheck = { command = [\"x\"] }",
                "ubuntu.apt",
            ),
            (
                "id = \"x\"\non.\"a' or true\" = { apt = \"x\" }\ncheck = { command = [\"x\"] }",
                "item x: on: a system's name",
            ),
            ("id = \"x\"\non.\"\" = {}\ncheck = { command = [\"x\"] }", "item x: on:"),
            (
                "id = \"x\"\nlinux = { apt = \"-x\" }\non.linux = {}\ncheck = { command = [\"x\"] }",
                "linux.apt-get",
            ),
            ("id = \"x\"\nodd = 1\ncheck = { command = [\"x\"] }", "unknown field"),
        ] {
            let error = item(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert_eq!(
            item("id = \"x\"\nlinux = { apt = [\"a\", \"b\"] }\ncheck = { command = [\"x\"] }"),
            Ok(())
        );
    }
}
