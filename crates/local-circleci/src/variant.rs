//! The choices CircleCI does not document, one field each, so that the product can be tried with
//! every answer. Written as `key=value,key=value` in `LOCAL_CIRCLECI_VARIANT` or given to the
//! server, which hands them to runner and task agent.

use std::str::FromStr;
use std::time::Duration;

/// How the stand-in answers where documentation is silent. The default of every field is named in
/// its comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// `log=color|text|json|none`: overrides `logging.format`. Default: obey the configuration.
    pub log: Option<LogFormat>,
    /// `log-delay-ms=N`: how long ended spans are gathered before they are written. Default 200.
    pub log_delay: Duration,
    /// `silent=1`: runner and task agent print nothing at all. Default 0.
    pub silent: bool,
    /// `session=shared|group|own`: where the task agent (or its wrapper) lives. Default shared.
    pub session: Session,
    /// `argv=agent-runner|inner|nested`: how the task agent is called. Default agent-runner.
    pub argv: Argv,
    /// `agent-stderr=inherit|pipe`: how the task agent's log reaches the runner's. Default inherit.
    pub agent_stderr: AgentStderr,
    /// `kill-delay-ms=N`: the "brief period" between TERM and KILL. Default 10000 (the container
    /// runner's sources have 10 s).
    pub kill_delay: Duration,
    /// `exit-code-drained=N`: the runner after a drain, a single task or its idle time. Default 0.
    pub exit_code_drained: i32,
    /// `exit-code-forced=N`: the runner whose drain was cut short. Default 1.
    pub exit_code_forced: i32,
    /// `exit-code-failed-job=N`: the task agent after a failed or cancelled job. Default 1.
    pub exit_code_failed_job: i32,
    /// `task-agent-ignores-term=1`: only KILL ends the task agent. Default 0.
    pub task_agent_ignores_term: bool,
    /// `sleep-before-claim-ms=N`: between the decision to claim and the call, so that a signal can
    /// land there. Default 0.
    pub sleep_before_claim: Duration,
    /// `max-backoff-ms=N`: the longest wait between two claims, for quick tests. Default 5000.
    pub max_backoff: Duration,
    /// `start-offline=exit|retry`: when the task agent cannot be fetched at start. Default exit.
    pub start_offline: StartOffline,
    /// `noise-bytes=N`: the runner writes so many bytes of noise 20 times a second. Default 0.
    pub noise_bytes: usize,
    /// `gush-bytes=N`: the runner writes so many bytes of noise at once, at its start. Default 0.
    pub gush_bytes: usize,
    /// `gush-rate=N`: of those no more than so many bytes a second. Default: as fast as they can be written.
    pub gush_rate: Option<u32>,
    /// `noise=lines|endless|binary|escapes`: what the noise is made of. Default lines.
    pub noise: Noise,
    /// `leak-token=1`: the runner writes its own token into its log. Default 0.
    pub leak_token: bool,
    /// `crash-at-start=N`: the runner says something and exits so at its start. Default: it does not.
    pub crash_at_start: Option<i32>,
    /// `crash-in-task=N`: the runner exits so a moment after its first task began. Default: it does
    /// not.
    pub crash_in_task: Option<i32>,
    /// `ignores-term=1`: a runner that goes on whatever signal asks it to drain. Default 0.
    pub ignores_term: bool,
    /// `hup=drain|die`: SIGHUP drains from 3.1.13 on and killed the agent before. Default drain.
    pub hup_dies: bool,
}

/// The four values of `logging.format` (configuration reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Color,
    Text,
    Json,
    None,
}

/// Session and process group of the process that the runner starts for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// The runner's own session and process group.
    Shared,
    /// The runner's session, a process group of its own (as the container runner's sources do).
    Group,
    /// A session of its own.
    Own,
}

/// How the task agent is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argv {
    /// `_internal agent-runner --verbose --runnerAPIBaseURL=… --allocation=…`, token on stdin.
    AgentRunner,
    /// `_internal inner --innerConfig -`, everything as JSON on stdin.
    Inner,
    /// The first form, which starts the second as its child: two task agents for one task.
    Nested,
}

/// How the task agent's lines come into the runner's standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStderr {
    /// The task agent has the runner's own descriptor.
    Inherit,
    /// Through a pipe that the runner copies; like Go's `Cmd.Wait`, it waits for the pipe's end.
    Pipe,
}

/// What a runner writes that writes too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// Lines of free text.
    Lines,
    /// One line without end.
    Endless,
    /// Bytes of every kind.
    Binary,
    /// What a terminal would obey.
    Escapes,
}

/// What a runner does that cannot fetch its task agent at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOffline {
    Exit,
    Retry,
}

/// What is wrong with a part of a variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariantError {
    /// It is not `known-key=known-value`.
    #[error("the variant {0:?} is unknown; see the table in local-circleci's README")]
    Unknown(String),
    #[error(
        "{0:?} cannot be asked of the server: a runner has begun before it hears of it. Set it in the \
         runner's own environment, LOCAL_CIRCLECI_VARIANT"
    )]
    TooLate(String),
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            log: None,
            log_delay: Duration::from_millis(200),
            silent: false,
            session: Session::Shared,
            argv: Argv::AgentRunner,
            agent_stderr: AgentStderr::Inherit,
            kill_delay: Duration::from_secs(10),
            exit_code_drained: 0,
            exit_code_forced: 1,
            exit_code_failed_job: 1,
            task_agent_ignores_term: false,
            sleep_before_claim: Duration::ZERO,
            max_backoff: Duration::from_secs(5),
            start_offline: StartOffline::Exit,
            noise_bytes: 0,
            gush_bytes: 0,
            gush_rate: None,
            noise: Noise::Lines,
            leak_token: false,
            crash_at_start: None,
            crash_in_task: None,
            ignores_term: false,
            hup_dies: false,
        }
    }
}

impl Variant {
    /// The environment variable that runner and task agent read.
    pub const ENVIRONMENT: &str = "LOCAL_CIRCLECI_VARIANT";

    /// A shorter way to say `max-backoff-ms`.
    pub const MAX_BACKOFF: &str = "LOCAL_CIRCLECI_MAX_BACKOFF_MS";

    /// What the server says, overruled by this process's environment.
    pub(crate) fn of_server_and_environment(server: &str) -> Result<Self, VariantError> {
        let mut variant = Self::default();
        variant.apply(server)?;
        if let Ok(milliseconds) = std::env::var(Self::MAX_BACKOFF) {
            variant.apply(&format!("max-backoff-ms={milliseconds}"))?;
        }
        variant.apply(&std::env::var(Self::ENVIRONMENT).unwrap_or_default())?;
        Ok(variant)
    }

    /// What a server may hand on; a runner hears of it once it has fetched its task agent.
    pub fn of_server(text: &str) -> Result<Self, VariantError> {
        let variant = text.parse()?;
        let too_late = |part: &&str| {
            let key = part.split('=').next().unwrap_or_default().trim();
            matches!(key, "hup" | "start-offline")
        };
        match text.split(',').find(too_late) {
            Some(part) => Err(VariantError::TooLate(part.trim().to_owned())),
            None => Ok(variant),
        }
    }

    /// Sets the fields that `text` names and leaves the others.
    pub fn apply(&mut self, text: &str) -> Result<(), VariantError> {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            self.set(part).ok_or_else(|| VariantError::Unknown(part.to_owned()))?;
        }
        Ok(())
    }

    fn set(&mut self, part: &str) -> Option<()> {
        let (key, value) = part.split_once('=')?;
        match key.trim() {
            "log" => self.log = Some(value.parse().ok()?),
            "log-delay-ms" => self.log_delay = milliseconds(value)?,
            "silent" => self.silent = yes_or_no(value)?,
            "session" => {
                self.session = match value {
                    "shared" => Session::Shared,
                    "group" => Session::Group,
                    "own" => Session::Own,
                    _ => return None,
                }
            }
            "argv" => {
                self.argv = match value {
                    "agent-runner" => Argv::AgentRunner,
                    "inner" => Argv::Inner,
                    "nested" => Argv::Nested,
                    _ => return None,
                }
            }
            "agent-stderr" => {
                self.agent_stderr = match value {
                    "inherit" => AgentStderr::Inherit,
                    "pipe" => AgentStderr::Pipe,
                    _ => return None,
                }
            }
            "kill-delay-ms" => self.kill_delay = milliseconds(value)?,
            "exit-code-drained" => self.exit_code_drained = value.parse().ok()?,
            "exit-code-forced" => self.exit_code_forced = value.parse().ok()?,
            "exit-code-failed-job" => self.exit_code_failed_job = value.parse().ok()?,
            "task-agent-ignores-term" => self.task_agent_ignores_term = yes_or_no(value)?,
            "sleep-before-claim-ms" => self.sleep_before_claim = milliseconds(value)?,
            "max-backoff-ms" => self.max_backoff = milliseconds(value)?,
            "start-offline" => {
                self.start_offline = match value {
                    "exit" => StartOffline::Exit,
                    "retry" => StartOffline::Retry,
                    _ => return None,
                }
            }
            "noise-bytes" => self.noise_bytes = value.parse().ok()?,
            "gush-bytes" => self.gush_bytes = value.parse().ok()?,
            "gush-rate" => self.gush_rate = Some(value.parse().ok().filter(|rate| *rate > 0)?),
            "noise" => {
                self.noise = match value {
                    "lines" => Noise::Lines,
                    "endless" => Noise::Endless,
                    "binary" => Noise::Binary,
                    "escapes" => Noise::Escapes,
                    _ => return None,
                }
            }
            "leak-token" => self.leak_token = yes_or_no(value)?,
            "crash-at-start" => self.crash_at_start = Some(value.parse().ok()?),
            "crash-in-task" => self.crash_in_task = Some(value.parse().ok()?),
            "ignores-term" => self.ignores_term = yes_or_no(value)?,
            "hup" => {
                self.hup_dies = match value {
                    "drain" => false,
                    "die" => true,
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(())
    }
}

impl FromStr for Variant {
    type Err = VariantError;

    fn from_str(text: &str) -> Result<Self, VariantError> {
        let mut variant = Self::default();
        variant.apply(text)?;
        Ok(variant)
    }
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "color" => Ok(Self::Color),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_words_overrule_earlier_ones_and_the_rest_stays() {
        let variant: Variant = "session=own, kill-delay-ms=50,session=group".parse().unwrap();
        assert_eq!(variant.session, Session::Group);
        assert_eq!(variant.kill_delay, Duration::from_millis(50));
        assert_eq!(variant.argv, Argv::AgentRunner);
    }

    #[test]
    fn an_unknown_word_is_refused_by_name() {
        assert_eq!(
            "argv=odd".parse::<Variant>(),
            Err(VariantError::Unknown("argv=odd".to_owned()))
        );
        assert_eq!("colour".parse::<Variant>(), Err(VariantError::Unknown("colour".to_owned())));
    }
}
