//! A job user, tried: what runs as it, what it may do, and what its jobs find.

use std::process::Output;
use std::time::Instant;

use doctor::JobUser;
use protocol::Finding;

use crate::as_user::as_user;
use crate::job_user::try_user;

/// A login profile that hangs is waited for until then, and ended.
pub(super) fn look(user: &str, until: Instant) -> Vec<Finding> {
    let usable = try_user(user, until).map(drop).map_err(|it| (it.found, it.way_out));
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
    doctor::job_user(&read)
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
