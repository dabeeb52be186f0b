//! The configuration of one agent run, as machine runner 3 reads it. Never holds a token: that goes
//! by the environment variable [`TOKEN_VARIABLE`], which the agent prefers to its file anyway.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{AddressRefused, GoDuration, NameRefused, check_runner_name, service_address};

/// Where the agent claims tasks unless told otherwise (`api.url`'s documented default).
pub const API_URL: &str = "https://runner.circleci.com";

/// The environment variable that carries the resource class token to the agent.
pub const TOKEN_VARIABLE: &str = "CIRCLECI_RUNNER_API_AUTH_TOKEN";

/// What one run of the agent is told. Every key is of the machine runner 3 configuration reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentConfig {
    /// `runner.name`; see [`crate::runner_name_is_valid`].
    pub name: String,
    /// `runner.working_directory`, absolute. `%s` in it means nothing to machine runner 3.
    pub working_directory: PathBuf,
    /// `runner.cleanup_working_directory`: whether the agent removes that directory after a job.
    pub cleanup_working_directory: bool,
    /// `runner.command_prefix`: what is put before the task agent's command; empty = nothing.
    pub command_prefix: Vec<String>,
    /// `runner.task_agent_directory`, absolute, one for each runner: the agent keeps its task agent
    /// there (`cache_task_agent` is always on).
    pub task_agent_directory: PathBuf,
    /// `runner.max_run_time`: the longest a task, or a drain, may take (documented default 5h).
    pub max_run_time: GoDuration,
    /// `logging.level`.
    pub log_level: LogLevel,
    /// `api.url`; [`API_URL`] for CircleCI's cloud.
    pub api_url: String,
}

/// The documented values of `logging.level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// Why a configuration was not written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Name(#[from] NameRefused),
    #[error(transparent)]
    ApiUrl(#[from] AddressRefused),
    #[error("{key} must be an absolute path, but is \"{}\". Give the whole path, from / on.", path.display())]
    NotAbsolute { key: &'static str, path: PathBuf },
    #[error("{key} is \"{}\", which is not UTF-8, and the agent's configuration has no other text. Choose another folder.", path.display())]
    NotUtf8 { key: &'static str, path: PathBuf },
    #[error("max_run_time is 0, which leaves no time for a task. Give one like 5h.")]
    NoTime,
    #[error("the agent's configuration could not be written as YAML: {0}")]
    Yaml(String),
}

impl AgentConfig {
    /// The configuration file's text; mode 0600 all the same, it says where the owner's folders are.
    pub fn to_yaml(&self) -> Result<String, ConfigError> {
        check_runner_name(&self.name)?;
        service_address(&self.api_url)?;
        if self.max_run_time.0.is_zero() {
            return Err(ConfigError::NoTime);
        }
        let file = File {
            api: Api { url: &self.api_url },
            runner: Runner {
                name: &self.name,
                working_directory: absolute("working_directory", &self.working_directory)?,
                cleanup_working_directory: self.cleanup_working_directory,
                command_prefix: &self.command_prefix,
                task_agent_directory: absolute("task_agent_directory", &self.task_agent_directory)?,
                cache_task_agent: true,
                max_run_time: self.max_run_time,
            },
            // `json` is of unknown shape and `color`, the default, is meant for a terminal.
            logging: Logging { level: self.log_level, format: "text" },
        };
        // Every string quoted: YAML 1.1 and 1.2 readers disagree on bare words such as "on" and "1e3".
        let options = serde_saphyr::ser_options! { quote_all: true, prefer_block_scalars: false };
        serde_saphyr::to_string_with_options(&file, options)
            .map_err(|error| ConfigError::Yaml(error.to_string()))
    }
}

fn absolute<'a>(key: &'static str, path: &'a Path) -> Result<&'a str, ConfigError> {
    if !path.is_absolute() {
        return Err(ConfigError::NotAbsolute { key, path: path.to_owned() });
    }
    path.to_str().ok_or_else(|| ConfigError::NotUtf8 { key, path: path.to_owned() })
}

#[derive(Serialize)]
struct File<'a> {
    api: Api<'a>,
    runner: Runner<'a>,
    logging: Logging,
}

#[derive(Serialize)]
struct Api<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct Runner<'a> {
    name: &'a str,
    working_directory: &'a str,
    cleanup_working_directory: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    command_prefix: &'a [String],
    task_agent_directory: &'a str,
    cache_task_agent: bool,
    max_run_time: GoDuration,
}

#[derive(Serialize)]
struct Logging {
    level: LogLevel,
    format: &'static str,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn config() -> AgentConfig {
        AgentConfig {
            name: "mac-mini-01".to_owned(),
            working_directory: "/home/ci/work dir".into(),
            cleanup_working_directory: false,
            command_prefix: ["/opt/keeper", "task", "/runs/r1", "--"].map(str::to_owned).to_vec(),
            task_agent_directory: "/home/ci/task-agent".into(),
            max_run_time: GoDuration::hours(5),
            log_level: LogLevel::Info,
            api_url: API_URL.to_owned(),
        }
    }

    fn read_back(config: &AgentConfig) -> Value {
        serde_saphyr::from_str(&config.to_yaml().unwrap()).unwrap()
    }

    #[test]
    fn every_key_is_one_that_circleci_documents() {
        insta::assert_snapshot!(config().to_yaml().unwrap());
    }

    #[test]
    fn no_prefix_means_no_key() {
        let config = AgentConfig { command_prefix: vec![], ..config() };
        assert_eq!(read_back(&config)["runner"].get("command_prefix"), None);
    }

    #[test]
    fn what_the_agent_would_refuse_or_misread_is_refused_first() {
        let bad = AgentConfig { working_directory: "work".into(), ..config() };
        assert!(matches!(
            bad.to_yaml(),
            Err(ConfigError::NotAbsolute { key: "working_directory", .. })
        ));
        let bad = AgentConfig { name: "mac mini".to_owned(), ..config() };
        assert!(matches!(bad.to_yaml(), Err(ConfigError::Name(_))));
        let bad = AgentConfig { api_url: "http://runner.example.com".to_owned(), ..config() };
        assert!(matches!(bad.to_yaml(), Err(ConfigError::ApiUrl(_))));
        let bad = AgentConfig { max_run_time: GoDuration::hours(0), ..config() };
        assert!(matches!(bad.to_yaml(), Err(ConfigError::NoTime)));
    }

    proptest! {
        #[test]
        fn any_path_and_prefix_survive_writing_and_reading(
            directory in "/\\PC{0,40}",
            prefix in prop::collection::vec("\\PC{0,20}|(?s).{0,20}|yes|~|1e3|\\[\\[X\\]\\]", 0..5),
            cleanup: bool,
        ) {
            let config = AgentConfig {
                working_directory: directory.clone().into(),
                command_prefix: prefix.clone(),
                cleanup_working_directory: cleanup,
                ..config()
            };
            let back = read_back(&config);
            prop_assert_eq!(&back["runner"]["working_directory"], &json!(directory));
            prop_assert_eq!(&back["runner"]["cleanup_working_directory"], &json!(cleanup));
            let read: Value = back["runner"].get("command_prefix").cloned().unwrap_or(json!([]));
            prop_assert_eq!(read, json!(prefix));
        }
    }
}
