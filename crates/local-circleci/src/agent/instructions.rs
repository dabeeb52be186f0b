//! What the runner tells its task agent, as arguments and on standard input. The token is only ever
//! on standard input.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::variant::Argv;

/// Everything a task agent needs to begin.
#[derive(Serialize, Deserialize)]
pub(crate) struct Instructions {
    pub(crate) task_token: String,
    pub(crate) api_url: String,
    pub(crate) allocation: String,
    pub(crate) working_directory: PathBuf,
    /// As Go writes a duration.
    pub(crate) max_run_time: String,
    pub(crate) ssh_advertise_addr: Option<String>,
}

/// The arguments of one of the two forms; names from the container runner's open sources
/// (circleci/runner-init `task/config.go`), `--workDir` from its fake task agent.
pub(crate) fn arguments(instructions: &Instructions, form: Argv) -> Vec<String> {
    match form {
        Argv::AgentRunner | Argv::Nested => {
            let mut words = vec![
                "_internal".to_owned(),
                "agent-runner".to_owned(),
                "--verbose".to_owned(),
                format!("--runnerAPIBaseURL={}", instructions.api_url),
                format!("--allocation={}", instructions.allocation),
                "--disableSpinUpStep".to_owned(),
                "--disableIsolatedSSHDir".to_owned(),
                format!("--maxRunTime={}", instructions.max_run_time),
                format!("--workDir={}", instructions.working_directory.display()),
            ];
            if let Some(addr) = &instructions.ssh_advertise_addr {
                words.push(format!("--sshAdvertiseAddr={addr}"));
            }
            words
        }
        Argv::Inner => ["_internal", "inner", "--innerConfig", "-"].map(str::to_owned).to_vec(),
    }
}

impl Instructions {
    pub(crate) fn as_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("instructions: {error}"))
    }

    /// The other end of [`arguments`]; `said` is all of standard input.
    pub(super) fn read(words: &[String], said: &str) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["_internal", "inner", "--innerConfig", "-"] => {
                serde_json::from_str(said).map_err(|error| format!("inner config: {error}"))
            }
            ["_internal", "agent-runner", flags @ ..] => {
                let value = |name: &str| {
                    let found = flags.iter().find_map(|flag| flag.strip_prefix(name));
                    found.ok_or_else(|| format!("missing flags: {name}"))
                };
                Ok(Self {
                    task_token: said.trim().to_owned(),
                    api_url: value("--runnerAPIBaseURL=")?.to_owned(),
                    allocation: value("--allocation=")?.to_owned(),
                    working_directory: value("--workDir=")?.into(),
                    max_run_time: value("--maxRunTime=")?.to_owned(),
                    ssh_advertise_addr: value("--sshAdvertiseAddr=").ok().map(str::to_owned),
                })
            }
            _ => Err(format!("unexpected arguments {words:?}: the runner starts this program")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions() -> Instructions {
        Instructions {
            task_token: "secret".to_owned(),
            api_url: "http://127.0.0.1:1".to_owned(),
            allocation: "a".to_owned(),
            working_directory: "/w/with space".into(),
            max_run_time: "5h0m0s".to_owned(),
            ssh_advertise_addr: None,
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let sent = instructions();
        for (form, stdin) in
            [(Argv::AgentRunner, "secret".to_owned()), (Argv::Inner, sent.as_json())]
        {
            let read = Instructions::read(&arguments(&sent, form), &stdin).unwrap();
            assert_eq!(read.as_json(), sent.as_json());
        }
    }

    #[test]
    fn the_token_is_never_an_argument() {
        for form in [Argv::AgentRunner, Argv::Inner, Argv::Nested] {
            let words = arguments(&instructions(), form);
            assert!(words.iter().all(|word| !word.contains("secret")), "{words:?}");
        }
    }
}
