//! A job user, tried: what runs as it, what it may do, and what its jobs find.

use std::process::Output;
use std::time::Instant;

use doctor::{JobUser, TOOLS, ToolsFound};
use protocol::Finding;

use crate::as_user::as_user;
use crate::job_user::try_user;

/// A login profile that hangs is waited for until then, and ended.
pub(super) fn look(user: &str, until: Instant) -> Vec<Finding> {
    let usable = try_user(user, until).map_err(|unusable| (unusable.found, unusable.way_out));
    if usable.is_err() {
        let why = || Err("commands do not run as that user".to_owned());
        let read =
            JobUser { name: user.to_owned(), usable, groups: why(), becomes_root: Ok(false) };
        return doctor::job_user(&read);
    }
    let read = JobUser {
        name: user.to_owned(),
        usable,
        groups: said(user, &["id", "-Gn"], until).map(|text| words(&text)),
        becomes_root: run(user, &["sudo", "-n", "true"], until)
            .map(|output| output.status.success()),
    };
    let tools = ToolsFound {
        whose: user.to_owned(),
        found: tools(user, until),
        are_stubs: host::tools_are_stubs(),
    };
    [doctor::job_user(&read), doctor::tools(&tools)].concat()
}

/// As the user's own login shell finds them. No `$` here: sudo leaves it to that shell.
fn tools(user: &str, until: Instant) -> Result<Vec<String>, String> {
    let asked: Vec<String> = TOOLS.iter().map(|tool| format!("command -v {tool}")).collect();
    let script = format!("{}; true", asked.join("; "));
    let found = said(user, &["/bin/sh", "-c", &script], until)?;
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    Ok(found.lines().map(name).collect())
}

fn said(user: &str, command: &[&str], until: Instant) -> Result<String, String> {
    let output = run(user, command, until)?;
    if !output.status.success() {
        return Err(format!("{}: {}", command.join(" "), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(user: &str, command: &[&str], until: Instant) -> Result<Output, String> {
    as_user(user, command, until).map_err(|error| error.to_string())
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
