//! An admin's rights, where steps need them: where they would come from, and whether they can be had.

use ::preinstall::Rights;
use protocol::{ApiError, StartPreinstall};

use crate::api::refusal;
use crate::as_user::soon;

pub(super) fn rights(asked: &StartPreinstall) -> Rights {
    Rights::of(asked.asked_by, rustix::process::geteuid().is_root())
}

/// Whether they can be had, as far as can be told without a question. Blocking.
pub(super) fn may(rights: Rights) -> Result<(), ApiError> {
    let refused = |why: String, hint: &str| Err(refusal::error(409, "no-admin-rights", why, hint));
    match rights {
        Rights::Root => Ok(()),
        Rights::Pkexec => {
            let mut asks = std::process::Command::new("pkexec");
            match crate::as_user::run(asks.arg("--version"), None, soon()) {
                Ok(output) if output.status.success() => Ok(()),
                Ok(_) | Err(_) => refused(
                    "Some steps need an admin, and this system has no pkexec that asks for one."
                        .to_owned(),
                    "Install polkit, or run the plan's commands in a terminal and check again.",
                ),
            }
        }
        Rights::Sudo => {
            let mut tries = std::process::Command::new("sudo");
            tries.args(["-n", "--", "/usr/bin/env", "true"]);
            match crate::as_user::run(&mut tries, None, soon()) {
                Ok(output) if output.status.success() => Ok(()),
                Ok(output) => refused(
                    format!(
                        "Some steps need an admin, and sudo asks for a password: {}",
                        String::from_utf8_lossy(&output.stderr).trim()
                    ),
                    "Use the app, which asks you; or run the commands of `runnerctl preinstall plan` \
                     yourself and check again.",
                ),
                Err(error) => refused(
                    format!("Some steps need an admin, and sudo cannot be started: {error}."),
                    "Run the commands of `runnerctl preinstall plan` as an admin and check again.",
                ),
            }
        }
    }
}
