//! Which runner is meant: the one that was named, or the only one. Never a guess among several.

use protocol::{Runner, RunnerName, Snapshot};

use crate::failure::Failure;
use crate::words;

/// The runner a command is about.
pub(crate) fn one<'a>(
    snapshot: &'a Snapshot,
    name: Option<&RunnerName>,
) -> Result<&'a Runner, Failure> {
    match (name, snapshot.runners.as_slice()) {
        (Some(name), runners) => runners
            .iter()
            .find(|runner| runner.name == *name)
            .ok_or_else(|| no_such(snapshot, name)),
        (None, []) => Err(none()),
        (None, [only]) => Ok(only),
        (None, several) => {
            let names: Vec<&RunnerName> = several.iter().map(|runner| &runner.name).collect();
            Err(Failure::usage(
                format!("There are several runners here: {}.", words::list(&names)),
                "Name the one you mean: --runner NAME",
            ))
        }
    }
}

/// The runners a command shows: the named one, or all.
pub(crate) fn some<'a>(
    snapshot: &'a Snapshot,
    name: Option<&RunnerName>,
) -> Result<Vec<&'a Runner>, Failure> {
    match name {
        Some(_) => one(snapshot, name).map(|runner| vec![runner]),
        None => Ok(snapshot.runners.iter().collect()),
    }
}

fn no_such(snapshot: &Snapshot, name: &RunnerName) -> Failure {
    let names: Vec<&RunnerName> = snapshot.runners.iter().map(|runner| &runner.name).collect();
    let hint = if names.is_empty() {
        SET_ONE_UP.to_owned()
    } else {
        format!("Set up on this machine: {}", words::list(&names))
    };
    Failure::failed(format!("There is no runner named '{name}'."), hint)
}

fn none() -> Failure {
    Failure::failed("No runner is set up yet.", SET_ONE_UP)
}

/// What to do where there is no runner.
pub(crate) const SET_ONE_UP: &str =
    "Set one up: runnerctl setup --resource-class NAMESPACE/NAME --name NAME --token-stdin";
