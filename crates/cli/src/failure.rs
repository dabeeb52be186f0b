//! Why a command did not do what it was asked, in words and as an exit code:
//! 1 failed, 2 usage, 3 the supervisor cannot be reached.

use std::io::ErrorKind;
use std::process::ExitCode;

use client::{ClientError, ExamineError, LoginError, StartError};

use host::FoldersError;
use host::login_service::ServiceError;
use protocol::Problem;

use crate::print::{Screen, Tone};
use crate::when::NoMoment;

#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done.
    Failed {
        what: String,
        hint: String,
    },
    /// The command line asks for what cannot be.
    Usage {
        what: String,
        hint: String,
    },
    NotReachable {
        what: String,
    },
    /// It was done, but what came of it is not well.
    Trouble(Vec<Problem>),
    /// The answer has told it already.
    Told,
    /// The answer could not be written.
    Output(std::io::Error),
}

impl Failure {
    pub(crate) fn failed(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), hint: hint.into() }
    }

    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: hint.into() }
    }

    /// Tells it, and gives the code to exit with.
    pub(crate) fn report(self) -> ExitCode {
        let code = match self {
            Self::Failed { what, hint } => tell(&what, &hint, 1),
            Self::Usage { what, hint } => tell(&what, &hint, 2),
            Self::NotReachable { what } => tell(&what, "Start it: runnerctl supervisor start", 3),
            Self::Trouble(problems) => {
                for Problem { summary, reading, hint, .. } in problems {
                    let reading = reading.map_or_else(String::new, |reading| reading + "\n");
                    tell(&summary, &format!("{reading}{hint}"), 1);
                }
                1
            }
            Self::Told => 1,
            // Whoever read us has read enough, as `head` does.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => 0,
            Self::Output(error) => tell(&format!("The answer cannot be written: {error}."), "", 1),
        };
        ExitCode::from(code)
    }
}

/// What went wrong and what to do now, on standard error.
fn tell(what: &str, hint: &str, code: u8) -> u8 {
    let mut screen = Screen::stderr();
    // Where standard error is gone too, the exit code still tells.
    let _ = screen.line(" ", &[(Tone::Bad, "error:"), (Tone::Plain, what)]);
    if !hint.is_empty() {
        let _ = screen.say(hint);
    }
    code
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let what = format!("{error}.");
        match error {
            ClientError::NotReachable { .. } => Self::NotReachable { what },
            ClientError::Refused(refused) => Self::failed(refused.title, refused.hint),
            ClientError::Broken { .. } => Self::failed(
                what,
                "Look at both versions: runnerctl --version, runnerctl supervisor status",
            ),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let what = error.to_string();
        match error {
            StartError::Spawn { .. } => Self::failed(
                format!("{what}."),
                "Install Runner Tray anew, or name the program in RUNNER_TRAY_SUPERVISOR.",
            ),
            StartError::Ended { .. } | StartError::Silent { .. } => {
                Self::failed(what, "Mend that, then try again: runnerctl supervisor start")
            }
            StartError::Folders(error) => error.into(),
            StartError::Call(error) => error.into(),
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        let what = error.to_string();
        match error {
            LoginError::Service(ServiceError::NoManager(_)) => Self::failed(
                what,
                "Everything works without it; after a restart of this machine: runnerctl supervisor start",
            ),
            LoginError::Service(_) | LoginError::StillThere | LoginError::Silent => {
                Self::failed(what, "Mend that, then try again: runnerctl supervisor enable")
            }
            LoginError::Start(error) => error.into(),
            LoginError::Folders(error) => error.into(),
            LoginError::Call(error) => error.into(),
        }
    }
}

impl From<ExamineError> for Failure {
    fn from(error: ExamineError) -> Self {
        let what = error.to_string();
        let hint = match error {
            ExamineError::Spawn { .. } | ExamineError::Broken { .. } => {
                "Install Runner Tray anew, or name the program in RUNNER_TRAY_SUPERVISOR."
            }
            ExamineError::Endless { .. } => {
                "A disk, a folder over a network or a login hangs here; try again once it answers."
            }
        };
        Self::failed(if what.ends_with('.') { what } else { what + "." }, hint)
    }
}

impl From<FoldersError> for Failure {
    fn from(error: FoldersError) -> Self {
        // These errors name their way out themselves.
        Self::failed(format!("{error}."), "")
    }
}

impl From<NoMoment> for Failure {
    fn from(NoMoment { what, hint }: NoMoment) -> Self {
        Self::usage(what, hint)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}
