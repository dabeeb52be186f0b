//! Root is refused: whatever a job does it would do as root.

use std::env;

use rustix::process::geteuid;

use crate::FoldersError;

/// Set to 1 where that is wanted all the same: demo, tests, containers.
pub const ALLOW_ROOT_VARIABLE: &str = "RUNNER_TRAY_ALLOW_ROOT";

/// Refuses to go on as root unless [`ALLOW_ROOT_VARIABLE`] is 1.
pub fn refuse_root() -> Result<(), FoldersError> {
    let allowed = env::var_os(ALLOW_ROOT_VARIABLE).is_some_and(|value| value == "1");
    refuse(geteuid().is_root(), allowed)
}

fn refuse(is_root: bool, allowed: bool) -> Result<(), FoldersError> {
    if is_root && !allowed { Err(FoldersError::Root) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_without_leave_is_refused() {
        assert!(matches!(refuse(true, false), Err(FoldersError::Root)));
        for (is_root, allowed) in [(true, true), (false, false), (false, true)] {
            assert!(refuse(is_root, allowed).is_ok());
        }
    }
}
