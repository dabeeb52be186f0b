//! The runner's configuration: a YAML file, overruled by the environment, then checked (CircleCI's
//! machine runner 3 configuration reference). It must never be printed: it holds the token.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::go_duration;
use crate::variant::LogFormat;

/// A configuration that a runner can start with.
pub(super) struct Config {
    pub(super) auth_token: String,
    pub(super) api_url: String,
    pub(super) name: String,
    pub(super) command_prefix: Vec<String>,
    pub(super) working_directory: PathBuf,
    pub(super) cleanup_working_directory: bool,
    pub(super) single_task: bool,
    pub(super) max_run_time: Duration,
    /// `None`: never.
    pub(super) idle_timeout: Option<Duration>,
    pub(super) ssh_advertise_addr: Option<String>,
    pub(super) enable_unsafe_retries: bool,
    pub(super) task_agent_directory: PathBuf,
    pub(super) cache_task_agent: bool,
    pub(super) log_level: Level,
    pub(super) log_format: LogFormat,
    /// `None`: standard error alone.
    pub(super) log_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The file as it is written. Unknown keys are passed over; CircleCI says nothing about them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    api: Option<Api>,
    runner: Option<Runner>,
    logging: Option<Logging>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Api {
    auth_token: Option<String>,
    url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Runner {
    name: Option<String>,
    command_prefix: Option<Vec<String>>,
    working_directory: Option<String>,
    cleanup_working_directory: Option<bool>,
    mode: Option<String>,
    max_run_time: Option<String>,
    idle_timeout: Option<String>,
    enable_unsafe_retries: Option<bool>,
    task_agent_directory: Option<String>,
    cache_task_agent: Option<bool>,
    ssh: Option<Ssh>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ssh {
    advertise_addr: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logging {
    level: Option<String>,
    format: Option<String>,
    file: Option<String>,
}

/// Where a value of the environment is asked for: the process's own, or a test's.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads `file`, if one was named, then `environment`, whose values win.
///
/// # Errors
/// The sentence that the runner prints before it exits.
pub(super) fn read(file: Option<&Path>, environment: Environment) -> Result<Config, String> {
    let text = match file {
        Some(path) => fs::read_to_string(path)
            .map_err(|error| format!("open {}: {}", path.display(), as_go_says(&error)))?,
        None => String::new(),
    };
    let file = if text.trim().is_empty() {
        File::default()
    } else {
        serde_saphyr::from_str(&text).map_err(|error| format!("config file: {error}"))?
    };
    checked(file, environment)
}

fn checked(file: File, environment: Environment) -> Result<Config, String> {
    let api = file.api.unwrap_or_default();
    let runner = file.runner.unwrap_or_default();
    let logging = file.logging.unwrap_or_default();
    let text = |name: &str, in_file: Option<String>| {
        let set = environment(&format!("CIRCLECI_RUNNER_{name}")).filter(|value| !value.is_empty());
        set.or(in_file.filter(|value| !value.is_empty()))
    };
    let flag = |name: &str, in_file: Option<bool>| match text(name, None) {
        None => Ok(in_file.unwrap_or(false)),
        Some(value) => as_bool(&value)
            .ok_or_else(|| format!("CIRCLECI_RUNNER_{name}: strconv.ParseBool: parsing {value:?}")),
    };
    let length = |name: &str, in_file: Option<String>| {
        text(name, in_file).map(|value| go_duration::parse(&value)).transpose()
    };

    let auth_token = text("API_AUTH_TOKEN", api.auth_token);
    let name = text("NAME", runner.name);
    let mode = text("MODE", runner.mode).unwrap_or_else(|| "continuous".to_owned());
    let level = text("LOGGING_LEVEL", logging.level).unwrap_or_else(|| "info".to_owned());
    let format = text("LOGGING_FORMAT", logging.format).unwrap_or_else(|| "color".to_owned());
    let working_directory = text("WORK_DIR", runner.working_directory)
        .map_or_else(|| std::env::temp_dir().join("circleci-runner/workdir"), PathBuf::from);
    let home = environment("HOME").unwrap_or_default();

    Ok(Config {
        auth_token: auth_token.ok_or_else(|| failed("API.AuthToken", "required"))?,
        api_url: text("API_URL", api.url).unwrap_or_else(|| "https://runner.circleci.com".into()),
        name: match name {
            None => return Err(failed("Runner.Name", "required")),
            Some(name) if !is_name(&name) => return Err(failed("Runner.Name", "runner_name")),
            Some(name) => name,
        },
        command_prefix: match text("COMMAND_PREFIX", None) {
            Some(listed) => listed.split(',').map(str::to_owned).collect(),
            None => runner.command_prefix.unwrap_or_default(),
        },
        working_directory: if working_directory.is_absolute() {
            working_directory
        } else {
            return Err(failed("Runner.WorkingDirectory", "abs_path"));
        },
        cleanup_working_directory: flag("CLEANUP_WORK_DIR", runner.cleanup_working_directory)?,
        single_task: match &*mode {
            "continuous" => false,
            "single-task" => true,
            _ => return Err(failed("Runner.Mode", "oneof")),
        },
        max_run_time: length("MAX_RUN_TIME", runner.max_run_time)?.unwrap_or(FIVE_HOURS),
        idle_timeout: length("IDLE_TIMEOUT", runner.idle_timeout)?,
        ssh_advertise_addr: text(
            "SSH_ADVERTISE_ADDR",
            runner.ssh.unwrap_or_default().advertise_addr,
        ),
        enable_unsafe_retries: runner.enable_unsafe_retries.unwrap_or(false),
        task_agent_directory: text("TASK_AGENT_DIRECTORY", runner.task_agent_directory)
            .map_or_else(|| PathBuf::from(home).join(".local/libexec/circleci"), PathBuf::from),
        cache_task_agent: flag("CACHE_TASK_AGENT", runner.cache_task_agent)?,
        log_level: match &*level {
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" => Level::Warn,
            "error" => Level::Error,
            _ => return Err(failed("Logging.Level", "oneof")),
        },
        log_format: format.parse().map_err(|()| failed("Logging.Format", "oneof"))?,
        log_file: text("LOGGING_FILE", logging.file).filter(|it| it != "-").map(PathBuf::from),
    })
}

const FIVE_HOURS: Duration = Duration::from_hours(5);

/// In the words of the validator library that CircleCI's licence list names.
fn failed(key: &str, rule: &str) -> String {
    let field = key.rsplit('.').next().unwrap_or(key);
    format!("Key: 'Config.{key}' Error:Field validation for '{field}' failed on the '{rule}' tag")
}

/// Letters, digits and `. ( ) - _`.
fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || ".()-_".contains(c))
}

/// What Go's `strconv.ParseBool` takes.
fn as_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn as_go_says(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        return "no such file or directory".to_owned();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_text(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        crate::replace_private_file(&file, text.as_bytes()).unwrap();
        read(Some(&file), &|_| None)
    }

    #[test]
    fn bombs_are_refused() {
        let lists = |depth: usize| "[".repeat(depth);
        let doubled = |n: u32| format!("a{n}: &a{n} [*a{m}, *a{m}, *a{m}, *a{m}]\n", m = n - 1);
        let aliases = (1..40).map(doubled).collect::<Vec<_>>().concat();
        for bomb in [
            lists(100_000),
            "a: {".repeat(100_000),
            "- ".repeat(100_000),
            format!("a0: &a0 [x, x]\n{aliases}runner: *a39\n"),
            format!("runner: {{ max_run_time: {} }}", "9".repeat(100_000)),
            format!("runner: {{ name: {} }}", "1e9999999"),
            "runner: &r { ssh: *r }".to_owned(),
        ] {
            assert!(of_text(&bomb).is_err(), "{}", &bomb[..40]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_configuration_or_refused(
            text in "\\PC{0,80}|(api|runner|logging|name|mode|[:&*{}\\[\\],!|>\"'# \n-]|[0-9]){0,60}",
        ) {
            let _ = of_text(&text);
        }
    }

    const WHOLE: &str = r#"
api: { auth_token: secret, url: "http://127.0.0.1:1" }
runner:
  name: mac-mini.local_(1)
  command_prefix: ["sudo", "-niHu", "ci", "--"]
  working_directory: /var/w/%s
  cleanup_working_directory: true
  mode: single-task
  max_run_time: 1h30m
  idle_timeout: 50m
  ssh: { advertise_addr: "host:54782" }
  enable_unsafe_retries: true
  task_agent_directory: /opt/agents
  cache_task_agent: true
  a_key_of_tomorrow: 1
logging: { level: debug, format: text, file: /tmp/x.log }
"#;

    fn with(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let file = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        checked(file, &lookup)
    }

    #[test]
    fn every_documented_key_is_read() {
        let config = with(WHOLE, &[]).unwrap();
        assert_eq!(config.auth_token, "secret");
        assert_eq!(config.api_url, "http://127.0.0.1:1");
        assert_eq!(config.name, "mac-mini.local_(1)");
        assert_eq!(config.command_prefix, ["sudo", "-niHu", "ci", "--"]);
        assert_eq!(config.working_directory, Path::new("/var/w/%s"));
        assert!(config.cleanup_working_directory && config.single_task);
        assert_eq!(config.max_run_time, Duration::from_mins(90));
        assert_eq!(config.idle_timeout, Some(Duration::from_mins(50)));
        assert_eq!(config.ssh_advertise_addr.as_deref(), Some("host:54782"));
        assert!(config.enable_unsafe_retries && config.cache_task_agent);
        assert_eq!(config.task_agent_directory, Path::new("/opt/agents"));
        assert_eq!(config.log_level, Level::Debug);
        assert_eq!(config.log_format, LogFormat::Text);
        assert_eq!(config.log_file.as_deref(), Some(Path::new("/tmp/x.log")));
    }

    #[test]
    fn the_documented_defaults_hold() {
        let text = "api: { auth_token: t }\nrunner: { name: n }";
        let config = with(text, &[("HOME", "/home/ci")]).unwrap();
        assert_eq!(config.api_url, "https://runner.circleci.com");
        assert_eq!(config.max_run_time, Duration::from_hours(5));
        assert_eq!(config.idle_timeout, None);
        assert!(!config.cleanup_working_directory && !config.single_task);
        assert!(!config.cache_task_agent && config.command_prefix.is_empty());
        assert_eq!(config.task_agent_directory, Path::new("/home/ci/.local/libexec/circleci"));
        assert_eq!((config.log_level, config.log_format), (Level::Info, LogFormat::Color));
        assert_eq!(config.log_file, None);
    }

    #[test]
    fn the_environment_wins_over_every_key() {
        let config = with(
            WHOLE,
            &[
                ("CIRCLECI_RUNNER_API_AUTH_TOKEN", "other"),
                ("CIRCLECI_RUNNER_API_URL", "http://127.0.0.1:2"),
                ("CIRCLECI_RUNNER_NAME", "other-name"),
                ("CIRCLECI_RUNNER_COMMAND_PREFIX", "/w,--"),
                ("CIRCLECI_RUNNER_WORK_DIR", "/other"),
                ("CIRCLECI_RUNNER_CLEANUP_WORK_DIR", "false"),
                ("CIRCLECI_RUNNER_MODE", "continuous"),
                ("CIRCLECI_RUNNER_MAX_RUN_TIME", "30s"),
                ("CIRCLECI_RUNNER_IDLE_TIMEOUT", "72h"),
                ("CIRCLECI_RUNNER_SSH_ADVERTISE_ADDR", "b:1"),
                ("CIRCLECI_RUNNER_TASK_AGENT_DIRECTORY", "/agents"),
                ("CIRCLECI_RUNNER_CACHE_TASK_AGENT", "0"),
                ("CIRCLECI_RUNNER_LOGGING_LEVEL", "warn"),
                ("CIRCLECI_RUNNER_LOGGING_FORMAT", "json"),
                ("CIRCLECI_RUNNER_LOGGING_FILE", "-"),
            ],
        );
        let config = config.unwrap();
        assert_eq!(config.auth_token, "other");
        assert_eq!(config.api_url, "http://127.0.0.1:2");
        assert_eq!(config.name, "other-name");
        assert_eq!(config.command_prefix, ["/w", "--"]);
        assert_eq!(config.working_directory, Path::new("/other"));
        assert!(!config.cleanup_working_directory && !config.single_task);
        assert_eq!(config.max_run_time, Duration::from_secs(30));
        assert_eq!(config.idle_timeout, Some(Duration::from_hours(72)));
        assert_eq!(config.ssh_advertise_addr.as_deref(), Some("b:1"));
        assert_eq!(config.task_agent_directory, Path::new("/agents"));
        assert!(!config.cache_task_agent);
        assert_eq!((config.log_level, config.log_format), (Level::Warn, LogFormat::Json));
        assert_eq!(config.log_file, None);
    }

    #[test]
    fn what_is_wrong_is_said_in_a_validators_words() {
        let refused = |text: &str, key: &str, rule: &str| {
            assert_eq!(with(text, &[]).err(), Some(failed(key, rule)), "{text}");
        };
        refused("runner: { name: n }", "API.AuthToken", "required");
        refused("api: { auth_token: t }", "Runner.Name", "required");
        let runner = |keys: &str| format!("api: {{ auth_token: t }}\nrunner: {{ {keys} }}");
        for name in ["a b", "a/b", "a:b", "a@b", "a%s"] {
            refused(&runner(&format!("name: '{name}'")), "Runner.Name", "runner_name");
        }
        let relative = runner("name: n, working_directory: w");
        refused(&relative, "Runner.WorkingDirectory", "abs_path");
        refused(&runner("name: n, mode: once"), "Runner.Mode", "oneof");
        assert!(with(&runner("name: n, max_run_time: 5 hours"), &[]).is_err());
        assert!(with(&runner("name: [[RUNNER_NAME]]"), &[]).is_err(), "a template's placeholder");
    }
}
