//! Agents that are not ours: those that run, and those installed in CircleCI's own way.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use circleci::{AGENT_PROGRAMS, InstallWay};
use doctor::{Agent, AgentName};
use host::{Account, Folders, Running};
use protocol::Finding;

use super::Runners;

pub(super) fn look(root: &Path, runners: &Runners, folders: &Folders) -> Vec<Finding> {
    let ours: Vec<&str> = runners.keys().map(protocol::RunnerName::as_str).collect();
    let runs = folders.runs().display().to_string();
    let running = host::running(root, &AGENT_PROGRAMS).map_err(|error| error.to_string());
    let home = Account::mine().ok().flatten().map(|account| account.home).unwrap_or_default();
    let ways = circleci::install_ways(std::env::consts::OS, &home);
    let others = running.map(|mut running| {
        running.retain(|agent| !agent.command.contains(&runs));
        let mut agents: Vec<Agent> =
            running.iter().map(|agent| running_one(root, agent, &ways)).collect();
        let idle = ways.iter().filter(|way| !running.iter().any(|agent| is_of(agent, way)));
        agents.extend(idle.filter_map(|way| installed(root, way)));
        agents
    });
    doctor::other_agents(others, &ours)
}

fn running_one(root: &Path, agent: &Running, ways: &[InstallWay]) -> Agent {
    // Never the whole command line: somebody may have put a token there.
    let config = circleci::config_named_in(&agent.command);
    let (name, with) = if let Some(config) = &config {
        (name_in(&below(root, config)), format!(" ({})", config.display()))
    } else {
        let why = "its command line names no configuration";
        (AgentName::Unknown(why.into()), String::new())
    };
    Agent {
        what: format!("pid {}{with}", agent.pid),
        way: ways.iter().find(|way| is_of(agent, way)).map(|way| way.way.to_owned()),
        runs: true,
        name,
    }
}

/// Whether it runs from what that way installs.
fn is_of(agent: &Running, way: &InstallWay) -> bool {
    way.files.iter().any(|file| agent.command.contains(&format!("/{}", file.display())))
}

/// One that is there and does not run.
fn installed(root: &Path, way: &InstallWay) -> Option<Agent> {
    let (file, unreadable) = way.files.iter().find_map(|file| {
        let path = root.join(file);
        match fs::symlink_metadata(&path) {
            Ok(_) => Some((path, None)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) if error.kind() == ErrorKind::NotADirectory => None,
            Err(error) => Some((path, Some(error.to_string()))),
        }
    })?;
    let name = match unreadable {
        Some(why) => AgentName::Unknown(why),
        None => name_in(&root.join(&way.config)),
    };
    Some(Agent {
        what: file.display().to_string(),
        way: Some(way.way.to_owned()),
        runs: false,
        name,
    })
}

fn name_in(config: &Path) -> AgentName {
    /// Larger than any honest configuration.
    const LARGEST: u64 = 1 << 20;
    // Anybody's: a command line may name a pipe or a device.
    let read = run_dir::read_at_most(config, LARGEST)
        .and_then(|bytes| String::from_utf8(bytes).map_err(std::io::Error::other));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => AgentName::None,
        Err(error) => AgentName::Unknown(format!("{}: {error}", config.display())),
        Ok(text) => match circleci::runner_name_in(&text) {
            Ok(Some(name)) => AgentName::Named(name),
            Ok(None) => AgentName::None,
            Err(why) => AgentName::Unknown(format!("{}: {why}", config.display())),
        },
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_configuration_that_is_no_honest_file_is_unknown_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        symlink("/dev/zero", at("device")).unwrap();
        symlink(at("nowhere"), at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        run_dir::write_atomically(&at("large"), &vec![b'#'; 2 << 20]).unwrap();
        run_dir::write_atomically(&at("binary"), &[0xff; 64]).unwrap();
        for name in ["pipe", "device", "link", "folder", "large", "binary"] {
            let AgentName::Unknown(why) = name_in(&at(name)) else { panic!("{name} names one") };
            assert!(why.contains(&at(name).display().to_string()), "{why}");
        }
        assert_eq!(name_in(&at("none")), AgentName::None);
        run_dir::write_atomically(&at("honest"), b"runner:\n  name: mini\n").unwrap();
        assert_eq!(name_in(&at("honest")), AgentName::Named("mini".into()));
    }
}
