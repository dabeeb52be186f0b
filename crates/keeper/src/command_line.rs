//! The command line. People have no use for it; `--help` says who calls what.

use std::ffi::{OsStr, OsString};

use run_dir::RunDir;

pub(crate) const USAGE: &str = "\
usage: runner-tray-keeper agent [--adopt] RUN_DIR    started by the supervisor
       runner-tray-keeper task RUN_DIR -- COMMAND    the agent's command_prefix
       runner-tray-keeper as-job-user                started through sudo by a task's guard
       runner-tray-keeper clean                      started by whoever cleans up, through sudo too
       runner-tray-keeper with-path FIRST LAST -- COMMAND
                                                     started through sudo by a task's front
       runner-tray-keeper --version
(gate is started by the keeper itself.)";

pub(crate) enum Verb {
    Version,
    /// Start the agent of a run and stay its parent.
    Agent {
        run: RunDir,
    },
    /// Watch over an agent that lost its keeper.
    Adopt {
        run: RunDir,
    },
    /// Run a task agent.
    Task {
        run: RunDir,
        command: Vec<OsString>,
    },
    /// Wait for the word, then become the command.
    Gate {
        control: i32,
        command: Vec<OsString>,
    },
    /// Signal or end processes of this user; plan on stdin, receipt on stdout.
    AsJobUser,
    /// Become the command, with other folders around the PATH; `-` for none.
    WithPath {
        first: OsString,
        last: OsString,
        command: Vec<OsString>,
    },
    /// Measure, plan or remove files of this user; request on stdin, answer on stdout.
    Clean,
}

pub(crate) fn parse(args: Vec<OsString>) -> Result<Verb, String> {
    let mut args = Args(args.into());
    let verb = args.next("a verb")?;
    match verb.to_str() {
        Some("--version") => Ok(Verb::Version),
        Some("agent") => {
            let first = args.next("RUN_DIR")?;
            if first == "--adopt" {
                Ok(Verb::Adopt { run: run(&args.next("RUN_DIR")?)? })
            } else {
                Ok(Verb::Agent { run: run(&first)? })
            }
        }
        Some("task") => {
            Ok(Verb::Task { run: run(&args.next("RUN_DIR")?)?, command: args.command()? })
        }
        Some("gate") => {
            Ok(Verb::Gate { control: args.number("CONTROL")?, command: args.command()? })
        }
        Some("as-job-user") => Ok(Verb::AsJobUser),
        Some("clean") => Ok(Verb::Clean),
        Some("with-path") => Ok(Verb::WithPath {
            first: args.next("FIRST")?,
            last: args.next("LAST")?,
            command: args.command()?,
        }),
        Some(_) | None => Err(format!("{} is not a verb", verb.display())),
    }
}

fn run(path: &OsStr) -> Result<RunDir, String> {
    let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if path.is_dir() {
        Ok(RunDir::at(path))
    } else {
        Err(format!("{} is not a run directory", path.display()))
    }
}

struct Args(std::collections::VecDeque<OsString>);

impl Args {
    fn next(&mut self, what: &str) -> Result<OsString, String> {
        self.0.pop_front().ok_or_else(|| format!("{what} is missing"))
    }

    fn text(&mut self, what: &str) -> Result<String, String> {
        self.next(what)?.into_string().map_err(|_| format!("{what} is not text"))
    }

    fn number(&mut self, what: &str) -> Result<i32, String> {
        self.text(what)?.parse().map_err(|error| format!("{what}: {error}"))
    }

    /// All that follows `--`; not empty.
    fn command(mut self) -> Result<Vec<OsString>, String> {
        if self.next("-- before the command")? != "--" || self.0.is_empty() {
            return Err("the command must follow after --".to_owned());
        }
        Ok(self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_words_are_a_verb_or_refused(
            verb in prop::sample::select(vec![
                "agent", "--adopt", "task", "gate", "as-job-user", "clean", "--version", "",
            ]),
            words in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>().prop_filter("no argument has it", |b| *b != 0), 0..20),
                    Just(b"--".to_vec()), Just(b"/".to_vec()),
                ],
                0..6,
            ),
        ) {
            let words = words.into_iter().map(OsString::from_vec);
            let _ = parse([OsString::from(verb)].into_iter().chain(words).collect());
        }
    }
}
