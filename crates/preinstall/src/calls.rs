//! What a step runs: a program and its arguments, never a shell's string, and nothing that would wait
//! for an answer.

use std::collections::BTreeMap;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::jobs::{Jobs, PREFIX, as_owner};
use crate::package::Manager;
use crate::plan::{Step, What};

/// Where an admin's rights come from. A password is never asked for here, and never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// They are there.
    Root,
    /// `sudo -n`, which asks nobody.
    Sudo,
    /// The desktop asks.
    Pkexec,
}

impl Rights {
    /// Those of a process that is root are there already.
    pub fn of(asked_by: protocol::PreinstallAskedBy, is_root: bool) -> Self {
        if is_root {
            return Self::Root;
        }
        match asked_by {
            protocol::PreinstallAskedBy::App => Self::Pkexec,
            protocol::PreinstallAskedBy::Cli => Self::Sudo,
        }
    }
}

/// Whose rights a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Admin,
    /// The owner of this machine's Homebrew.
    Owner,
    /// The user that jobs run as.
    Jobs,
}

/// One program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub argv: Vec<String>,
    /// Set over what is there.
    pub environment: Vec<(String, String)>,
    pub(crate) who: Who,
    /// In place of what it is, for people: calls that it makes in its turn.
    for_people: Option<String>,
}

/// So long apt waits by itself for a lock that another took just before it.
const LOCK_SECONDS: u32 = 600;

impl Call {
    /// The calls of a step, in their order; none where Runner Tray does it itself. More than one only
    /// where a manager takes one package at a time, or has two words for what is wanted.
    pub fn of(step: &Step, home: &std::path::Path) -> Vec<Self> {
        match &step.what {
            What::Ours { .. } => Vec::new(),
            What::Refresh => vec![Self::new(Who::Admin, APT, &apt(&["update"]), &[])],
            What::Packages { manager, upgrade } => {
                packages(*manager, *upgrade, &step.names(), &home.join(PREFIX))
            }
        }
    }

    /// All of an admin's step by one question: apt's lists first where `refresh` says so, then all its
    /// packages, and each of them alone where they cannot be had together. It ends with 0 or 1, so that
    /// any other code is of whoever asked. None where the step needs no admin.
    ///
    /// The shell's text is made of our own words; packages are its arguments.
    pub(crate) fn at_once(step: &Step, refresh: bool) -> Option<Self> {
        let What::Packages { manager, upgrade } = &step.what else { return None };
        if !manager.needs_admin() {
            return None;
        }
        let calls = packages(*manager, *upgrade, &[], std::path::Path::new("/"));
        let bare = calls.first()?.clone();
        let install = |names: &str| {
            let calls = calls.iter().map(|call| format!("{} {names}", quoted(&call.argv)));
            calls.collect::<Vec<_>>().join(" && ")
        };
        let lists = if refresh { apt(&["update"]) } else { vec!["true".to_owned()] };
        let text = format!(
            "{}; {} && exit 0; [ $# -gt 1 ] || exit 1; \
             for one do printf '%s\\n' \"{ALONE}$one\"; {}; done; exit 1",
            quoted(&lists),
            install("\"$@\""),
            install("\"$one\"")
        );
        let names = step.names();
        let shell = ["/bin/sh".to_owned(), "-c".to_owned(), text, "packages".to_owned()];
        let as_typed = |argv: Vec<String>| format!("sudo {}", quoted(&argv));
        let typed = calls.iter().map(|call| as_typed([call.argv.clone(), names.clone()].concat()));
        let typed: Vec<String> =
            refresh.then(|| as_typed(lists)).into_iter().chain(typed).collect();
        let for_people = typed.join("\n");
        let argv = shell.into_iter().chain(names).collect();
        Some(Self { argv, for_people: Some(for_people), ..bare })
    }

    fn new(
        who: Who,
        environment: &[(&str, &str)],
        words: &[impl AsRef<str>],
        names: &[String],
    ) -> Self {
        let words = words.iter().map(|word| word.as_ref().to_owned());
        let environment = NO_PROMPTS.iter().chain(environment);
        Self {
            argv: words.chain(names.iter().cloned()).collect(),
            environment: environment.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            who,
            for_people: None,
        }
    }

    /// As one would type it.
    pub fn shown(&self, rights: Rights, jobs: &Jobs) -> String {
        if let Some(text) = &self.for_people {
            return text.clone();
        }
        let front: &[&str] = match self.who {
            Who::Admin if rights != Rights::Root => &["sudo"],
            Who::Jobs if jobs.is_job_user => &["sudo", "-Hu", &jobs.user],
            Who::Admin | Who::Owner | Who::Jobs => &[],
        };
        let front = front.iter().map(|word| (*word).to_owned());
        quoted(&front.chain(self.argv.iter().cloned()).collect::<Vec<_>>())
    }

    /// Ready to be started. `owner` is the owner's environment.
    pub(crate) fn command(
        &self,
        rights: Rights,
        jobs: &Jobs,
        owner: &BTreeMap<String, String>,
    ) -> Command {
        let front: &[&str] = match (self.who, rights) {
            (Who::Jobs, _) => return jobs.command(&self.argv, &self.environment),
            (Who::Owner, _) | (Who::Admin, Rights::Root) => {
                return as_owner(&self.argv, owner, &self.environment);
            }
            (Who::Admin, Rights::Sudo) => &["sudo", "-n", "--", "/usr/bin/env"],
            (Who::Admin, Rights::Pkexec) => &["pkexec", "/usr/bin/env"],
        };
        // Both begin with an environment of their own.
        let set = self.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let front = front.iter().map(|word| (*word).to_owned());
        let argv: Vec<String> = front.chain(set).chain(self.argv.iter().cloned()).collect();
        as_owner(&argv, owner, &[])
    }
}

/// Before the name of a package that is tried by itself.
pub(crate) const ALONE: &str = "One by one: ";

/// For all: words in one language, no colour, nobody is asked.
const NO_PROMPTS: &[(&str, &str)] = &[
    ("LC_ALL", "C.UTF-8"),
    ("NO_COLOR", "1"),
    ("CI", "true"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("SUDO_ASKPASS", "/bin/false"),
    ("SSH_ASKPASS", "/bin/false"),
];
const APT: &[(&str, &str)] = &[
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("NEEDRESTART_MODE", "l"),
    ("UCF_FORCE_CONFFOLD", "1"),
];
const BREW: &[(&str, &str)] = &[
    ("NONINTERACTIVE", "1"),
    ("HOMEBREW_NO_AUTO_UPDATE", "1"),
    ("HOMEBREW_NO_INSTALL_CLEANUP", "1"),
    ("HOMEBREW_NO_ENV_HINTS", "1"),
];
/// Neither what is named nor what depends on it is upgraded.
const BREW_AS_IT_IS: [(&str, &str); 2] =
    [("HOMEBREW_NO_INSTALL_UPGRADE", "1"), ("HOMEBREW_NO_INSTALLED_DEPENDENTS_CHECK", "1")];

fn apt(words: &[&str]) -> Vec<String> {
    let waits = format!("DPkg::Lock::Timeout={LOCK_SECONDS}");
    let all = ["apt-get", "-q", "-o", &waits, "-o", "Acquire::Retries=2"];
    all.iter().chain(words).map(|word| (*word).to_owned()).collect()
}

fn packages(
    manager: Manager,
    upgrade: bool,
    names: &[String],
    prefix: &std::path::Path,
) -> Vec<Call> {
    let (prefix, bin) = (prefix.display().to_string(), prefix.join("bin").display().to_string());
    let (prefix, bin) = (prefix.as_str(), bin.as_str());
    let one = |who, environment: &[(&str, &str)], words: &[&str]| {
        vec![Call::new(who, environment, words, names)]
    };
    let each = |environment: &[(&str, &str)], words: &[&str]| {
        let call =
            |name: &String| Call::new(Who::Jobs, environment, words, std::slice::from_ref(name));
        names.iter().map(call).collect()
    };
    match manager {
        Manager::Apt => {
            let mut words = vec!["install", "-y", "--no-install-recommends", "--no-remove"];
            if !upgrade {
                words.push("--no-upgrade");
            }
            // Names alone, and no patterns of them; changed configuration files stay as they are.
            let options = [
                "APT::Cmd::Pattern-Only=true",
                "Dpkg::Options::=--force-confdef",
                "Dpkg::Options::=--force-confold",
                "Dpkg::Use-Pty=0",
            ];
            words.extend(options.iter().flat_map(|option| ["-o", *option]));
            words.push("--");
            vec![Call::new(Who::Admin, APT, &apt(&words), names)]
        }
        Manager::Dnf => {
            // Its `install` leaves what is there as it is (dnf 5), and its `upgrade` brings nothing that is not.
            let verbs: &[&str] = if upgrade { &["install", "upgrade"] } else { &["install"] };
            let call = |verb: &&str| {
                let words = ["dnf", verb, "-y", "--setopt=install_weak_deps=False"];
                Call::new(Who::Admin, &[], &words, names)
            };
            verbs.iter().map(call).collect()
        }
        Manager::Brew | Manager::Cask => {
            let kind = if manager == Manager::Brew { "--formula" } else { "--cask" };
            let mut environment = BREW.to_vec();
            if !upgrade {
                environment.extend(BREW_AS_IT_IS);
            }
            one(Who::Owner, &environment, &["brew", "install", kind])
        }
        Manager::Npm => one(
            Who::Jobs,
            &[("npm_config_yes", "true"), ("npm_config_update_notifier", "false")],
            &["npm", "install", "--global", "--no-fund", "--no-audit", "--prefix", prefix, "--"],
        ),
        Manager::Pipx => {
            let words: &[&str] = if upgrade {
                &["pipx", "install", "--force", "--"]
            } else {
                &["pipx", "install", "--"]
            };
            each(&[("PIP_NO_INPUT", "1")], words)
        }
        Manager::Pip => {
            let mut words = vec!["python3", "-m", "pip", "install", "--user", "--no-input"];
            words.push("--disable-pip-version-check");
            if upgrade {
                words.push("--upgrade");
            }
            words.push("--");
            one(Who::Jobs, &[], &words)
        }
        Manager::Cargo => one(
            Who::Jobs,
            &[("CARGO_TERM_COLOR", "never")],
            &["cargo", "install", "--locked", "--root", prefix, "--"],
        ),
        Manager::Go => each(&[("GOBIN", bin)], &["go", "install"]),
        Manager::Gem => {
            let mut words =
                vec!["gem", "install", "--no-document", "--user-install", "--bindir", bin];
            if !upgrade {
                words.push("--conservative");
            }
            one(Who::Jobs, &[], &words)
        }
    }
}

/// For people, and safe to paste: what a shell would read otherwise is quoted.
pub fn quoted(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_~".contains(c);
    let word = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            return word.clone();
        }
        let shown: String =
            word.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        format!("'{}'", shown.replace('\'', "'\\''"))
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
