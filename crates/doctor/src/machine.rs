//! The system, its processor, and who runs Runner Tray on it.

use circleci::{Platform, ReleaseError};
use host::System;
use protocol::{Check, Finding, Level};

/// Where CircleCI's support of macOS begins (its runner overview, August 2026).
const OLDEST_MACOS: (u32, u32) = (11, 2);

pub fn machine(system: &System, platform: Result<Platform, ReleaseError>) -> Vec<Finding> {
    let name = system.name.as_deref().unwrap_or("a system that does not say its name");
    let reading = format!("{name} on {}", system.arch);
    let finding = |level| Finding::new(Check::System, level, "system", reading.clone());
    let mut findings = vec![match platform {
        Err(error) => Finding { reading: format!("{reading}: {error}"), ..finding(Level::Bad) }
            .mend("Use another machine for a runner."),
        Ok(_) if system.os == "macos" && is_too_old(system.version.as_deref()) => {
            finding(Level::Bad).mend("Update macOS to 11.2 or newer.")
        }
        Ok(_) if system.name.is_none() => finding(Level::Unknown),
        Ok(_) => finding(Level::Ok),
    }];
    if system.translated {
        let reading = "these programs are for Intel processors and run through Rosetta";
        let finding = Finding::new(Check::System, Level::Warn, "processor", reading);
        findings.push(finding.mend("Install Runner Tray for Apple silicon."));
    }
    if let Some(sign) = &system.container {
        let reading = format!("this is a container ({sign}): nothing starts the supervisor again");
        findings.push(Finding::new(Check::System, Level::Note, "container", reading));
    }
    findings
}

/// A version that cannot be read is not taken for old.
fn is_too_old(version: Option<&str>) -> bool {
    let mut parts = version.unwrap_or_default().split('.').map(str::parse::<u32>);
    let Some(Ok(major)) = parts.next() else { return false };
    let minor = parts.next().and_then(Result::ok).unwrap_or(0);
    (major, minor) < OLDEST_MACOS
}

/// `allowed`: root's owner said that it may be so.
pub fn user(name: &str, is_root: bool, allowed: bool) -> Finding {
    if !is_root {
        return Finding::new(Check::User, Level::Ok, name, "an ordinary user");
    }
    let mend = "Run Runner Tray as an ordinary user.";
    if allowed {
        let reading = format!("root, by {}=1", host::ALLOW_ROOT_VARIABLE);
        return Finding::new(Check::User, Level::Warn, name, reading).mend(mend);
    }
    let reading = "root: the supervisor does not start";
    Finding::new(Check::User, Level::Bad, name, reading).mend(mend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    fn system(os: &'static str, version: &str) -> System {
        System {
            name: Some(format!("{os} {version}")),
            version: Some(version.to_owned()),
            os,
            arch: "x86_64",
            translated: false,
            container: None,
        }
    }

    #[test]
    fn systems_that_circleci_has_agents_for_are_well() {
        for (os, version, level) in [
            ("linux", "12", Level::Ok),
            ("macos", "11.2", Level::Ok),
            ("macos", "26", Level::Ok),
            ("macos", "11.1", Level::Bad),
            ("macos", "10.15.7", Level::Bad),
            ("macos", "whatever", Level::Ok),
        ] {
            let found = machine(&system(os, version), Platform::this_machine());
            assert_eq!(levels(&found), [level], "{os} {version}");
        }
        let refused = ReleaseError::UnsupportedMachine { os: "linux", arch: "riscv64" };
        let found = machine(&system("linux", "12"), Err(refused));
        assert_eq!(levels(&found), [Level::Bad]);
        assert!(found[0].reading.contains("riscv64"), "{found:?}");
    }

    #[test]
    fn a_translator_a_container_and_a_nameless_system_are_told() {
        let odd = System {
            translated: true,
            container: Some("/.dockerenv".into()),
            ..system("linux", "12")
        };
        let found = machine(&odd, Platform::this_machine());
        assert_eq!(levels(&found), [Level::Ok, Level::Warn, Level::Note]);
        let nameless = System { name: None, ..system("linux", "12") };
        assert_eq!(levels(&machine(&nameless, Platform::this_machine())), [Level::Unknown]);
    }

    #[test]
    fn root_is_bad_unless_its_owner_said_so() {
        assert_eq!(user("me", false, false).level, Level::Ok);
        assert_eq!(user("root", true, true).level, Level::Warn);
        assert_eq!(user("root", true, false).level, Level::Bad);
    }
}
