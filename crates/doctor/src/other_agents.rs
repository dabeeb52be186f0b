//! Agents that are not ours: running, or installed in CircleCI's own way; and whether one of them
//! bears the name of one of ours.

use protocol::{Check, Finding, Level};

use crate::unknown;

/// What an agent is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentName {
    Named(String),
    /// Its configuration sets none.
    None,
    /// Its configuration cannot be read, or is not known.
    Unknown(String),
}

/// An agent that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// "pid 4711 (/etc/agent.yaml)", or the file that tells of it.
    pub what: String,
    /// Which way it was installed, where that is known.
    pub way: Option<String>,
    pub runs: bool,
    pub name: AgentName,
}

/// `ours`: the names of the runners that are set up.
pub fn other_agents(read: Result<Vec<Agent>, String>, ours: &[&str]) -> Vec<Finding> {
    let agents = match read {
        Ok(agents) => agents,
        Err(why) => return vec![unknown(Check::OtherAgents, "running agents", &why)],
    };
    if agents.is_empty() {
        let reading = "no other agent runs or is installed here";
        return vec![Finding::new(Check::OtherAgents, Level::Ok, "this machine", reading)];
    }
    agents.iter().map(|agent| of(agent, ours)).collect()
}

fn of(agent: &Agent, ours: &[&str]) -> Finding {
    let way = agent.way.as_ref().map(|way| format!(", {way}")).unwrap_or_default();
    let state = if agent.runs { "runs" } else { "is installed, and does not run" };
    let finding = |level, name: &str| {
        let reading = format!("an agent that is not ours {state}{way}{name}");
        Finding::new(Check::OtherAgents, level, agent.what.clone(), reading)
    };
    let stop = "Stop and disable it, then remove it (Linux: `sudo systemctl disable --now \
                circleci-runner`; macOS: `launchctl bootout gui/$(id -u)/com.circleci.runner`).";
    match (&agent.name, agent.runs) {
        (AgentName::Named(name), runs) if ours.contains(&name.as_str()) => {
            let said = format!("; it is called {name}, as one of ours is");
            let mend = format!("{stop} Or give ours another name.");
            finding(if runs { Level::Bad } else { Level::Warn }, &said).mend(mend)
        }
        (AgentName::Named(name), true) => {
            finding(Level::Warn, &format!("; it is called {name}")).mend(stop)
        }
        (AgentName::Named(name), false) => {
            finding(Level::Note, &format!("; it is called {name}")).mend(stop)
        }
        (AgentName::None, true) => finding(Level::Warn, "").mend(stop),
        (AgentName::None, false) => finding(Level::Note, "").mend(stop),
        (AgentName::Unknown(why), runs) => {
            let said = format!("; its name is not known: {why}");
            finding(if runs { Level::Warn } else { Level::Unknown }, &said).mend(stop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    fn agent(name: AgentName, runs: bool) -> Vec<Finding> {
        let agent = Agent { what: "pid 7".into(), way: Some("from Homebrew".into()), runs, name };
        other_agents(Ok(vec![agent]), &["mini", "maxi"])
    }

    #[test]
    fn an_agent_of_the_same_name_is_the_worst() {
        let named = |name: &str| AgentName::Named(name.to_owned());
        let hidden = || AgentName::Unknown("permission denied".into());
        for (name, runs, level) in [
            (named("mini"), true, Level::Bad),
            (named("mini"), false, Level::Warn),
            (named("other"), true, Level::Warn),
            (named("other"), false, Level::Note),
            (AgentName::None, true, Level::Warn),
            (AgentName::None, false, Level::Note),
            (hidden(), true, Level::Warn),
            (hidden(), false, Level::Unknown),
        ] {
            let found = agent(name.clone(), runs);
            assert_eq!(levels(&found), [level], "{name:?} {runs}");
            assert!(found[0].mend.is_some() && found[0].reading.contains("Homebrew"), "{found:?}");
        }
        assert_eq!(levels(&other_agents(Ok(vec![]), &["mini"])), [Level::Ok]);
    }
}
