//! What is well and what is not about this machine as a runner. Each check is a pure function from
//! what was read to findings: it reads nothing itself, changes nothing, and never takes what could
//! not be read for well.
//!
//! A reading that failed is an `Err` with the reason in words; it becomes [`Level::Unknown`].

mod clock;
mod disk;
mod files;
mod job_user;
mod machine;
mod network;
mod other_agents;
mod sleep;
mod token;
mod tools;
mod words;

pub use clock::clock;
pub use disk::{Use, Volume, disk, state_folder};
pub use files::{Entry, Kind, Place, Wants, files, settings};
pub use job_user::{JobUser, job_user, no_job_user};
pub use machine::{machine, user};
pub use network::{HostAsked, ProxySetting, network, proxy};
pub use other_agents::{Agent, AgentName, other_agents};
pub use sleep::sleep;
pub use token::{TokenRead, left_token, token};
pub use tools::{TOOLS, ToolsFound, tools};
pub use words::{list, size};

use protocol::{Check, Finding, Level};

fn unknown(check: Check, subject: impl Into<String>, why: &str) -> Finding {
    Finding::new(check, Level::Unknown, subject, format!("not known: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level alone, for tables.
    pub(crate) fn levels(findings: &[Finding]) -> Vec<Level> {
        findings.iter().map(|finding| finding.level).collect()
    }

    fn no<T>() -> Result<T, String> {
        Err("permission denied".to_owned())
    }

    #[test]
    fn what_could_not_be_read_is_never_well() {
        let volume = Volume { at: "/".into(), uses: vec![(Use::Work, "/w".into())], room: no() };
        let place = Place { path: "/s".into(), wants: Wants::Private, found: no() };
        let tools_read = ToolsFound { whose: "you".into(), found: no() };
        let all = [
            disk(&volume),
            state_folder(&volume),
            files(&[place]),
            settings("/settings.toml", no()),
            tools(&tools_read),
            sleep(&host::Sleep::Unknown("permission denied".into())),
            other_agents(no(), &[]),
        ]
        .concat();
        assert!(all.len() >= 7);
        for finding in &all {
            assert!(!matches!(finding.level, Level::Ok | Level::Note), "{finding:?}");
            assert!(finding.reading.contains("permission denied"), "{finding:?}");
        }
    }
}
