//! The gate: a process that waits for the word and then becomes the program.
//!
//! So its pid and start time are on disk before the program exists; when the one who would say the
//! word dies first, the gate exits and nothing was run.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode};

use anyhow::Context;
use process::{Pid, ProcessId, Signal, SignalState};
use rustix::fs::Mode;
use serde::{Deserialize, Serialize};

use crate::secrets::LIMIT;
use crate::wiped::{Secret, Wiped};

/// The variable that holds the agent's token; no task gets it.
pub(crate) const TOKEN_VARIABLE: &str = "CIRCLECI_RUNNER_API_AUTH_TOKEN";

/// The word. It travels over a socket, since an environment may hold secrets.
#[derive(Serialize, Deserialize)]
pub(crate) enum Go {
    /// Become the agent: a session of its own with the umask, nice and signals of a login shell,
    /// and exactly this environment. Limits are those of the supervisor, which changes none.
    Agent { environment: Vec<(String, Secret)> },
    /// Become the task agent: as the wrapper was started, without the agent's token, and in a
    /// process group of its own so that a signal to the wrapper's group reaches it once only.
    Task { signals: SignalState, dies_with: Pid },
}

/// A gate that waits.
pub(crate) struct Gate {
    pub(crate) process: ProcessId,
    control: UnixStream,
}

impl Gate {
    /// Starts a gate before `argv`; `set_up` gives it its standard streams and folder.
    pub(crate) fn spawn(
        argv: &[OsString],
        set_up: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let mut command = own_program()?;
        command.arg("gate").arg(theirs.as_raw_fd().to_string()).arg("--").args(argv);
        set_up(&mut command);
        let child = spawn_with(&mut command, &theirs)?;
        Ok(Self { process: ProcessId::of(Pid::of_child(&child))?, control })
    }

    /// Says the word, and returns once the program runs. The error: why it could not be run.
    pub(crate) fn open(mut self, go: &Go) -> anyhow::Result<()> {
        let mut word = Wiped::up_to(2 * LIMIT);
        serde_json::to_writer(&mut word, go)?;
        word.write_all(b"\n")?;
        self.control
            .write_all(word.bytes())
            .context("the gate ended before its program could be run")?;
        drop(word);
        let mut failure = String::new();
        // Its end closes when the program is there.
        self.control.read_to_string(&mut failure)?;
        anyhow::ensure!(failure.is_empty(), "{failure}");
        Ok(())
    }
}

/// This very program, for the processes it is made of.
pub(crate) fn own_program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe().context("the keeper's own program has no path")?))
}

/// Spawns a child that inherits one more descriptor, under the number it has here.
pub(crate) fn spawn_with(command: &mut Command, passed: &UnixStream) -> anyhow::Result<Child> {
    process::keep_over_exec(passed, true)?;
    let child = command.spawn();
    process::keep_over_exec(passed, false)?;
    child.with_context(|| format!("{} cannot be started", command.get_program().display()))
}

/// The verb: waits for the word and becomes `command`.
pub(crate) fn gate(control: i32, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let control = UnixStream::from(process::inherited_fd(control)?);
    // The word may hold the token; the exec gives the program back what this takes from us.
    let _no_core = process::NoCore::from_now_on();
    let mut word = String::new();
    BufReader::new(&control).read_line(&mut word)?;
    if !word.ends_with('\n') {
        return Ok(ExitCode::SUCCESS);
    }
    let (environment, signals) = match serde_json::from_str(&word)? {
        Go::Agent { environment } => {
            as_from_login();
            let pairs = environment
                .into_iter()
                .map(|(name, value)| (name.into(), value.into_text().into()));
            (pairs.collect(), SignalState::default())
        }
        Go::Task { signals, dies_with } => {
            // KILL, since nobody would be left to follow a TERM up.
            if !process::die_with_parent(Signal::KILL, dies_with)? {
                return Ok(ExitCode::SUCCESS);
            }
            rustix::process::setpgid(None, None)?;
            let kept = std::env::vars_os().filter(|(name, _)| name != TOKEN_VARIABLE);
            (kept.collect::<Vec<_>>(), signals)
        }
    };
    let error = process::exec(command, &environment, &signals);
    let program = command.first().map(|program| program.display().to_string());
    let _ = write!(&control, "{} cannot be run: {error}", program.unwrap_or_default());
    // As shells say it.
    Ok(ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }))
}

/// What a service manager may have set otherwise. All of it is best effort.
fn as_from_login() {
    let _ = process::setsid();
    rustix::process::umask(Mode::from_raw_mode(0o022));
    if let Ok(nice) = rustix::process::getpriority_process(None)
        && nice != 0
    {
        let _ = rustix::process::setpriority_process(None, 0);
    }
}
