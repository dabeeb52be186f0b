//! Stopping at named points, so that tests hit a crash window for certain. Not in release builds.

use std::fs::File;

use host::Folders;

/// With `RUNNER_TRAY_HOLD_AT=<point>` in the environment of a debug build: leaves `held-at-<point>` in
/// the state folder and stops this process until somebody continues it.
pub(crate) fn hold(folders: &Folders, point: &str) {
    if !cfg!(debug_assertions)
        || std::env::var_os("RUNNER_TRAY_HOLD_AT").is_none_or(|at| at != point)
    {
        return;
    }
    let _ = File::create(folders.state.join(format!("held-at-{point}")));
    let own = process::ProcessId::own();
    let _ = own.and_then(|own| process::signal(&own, process::Signal::STOP));
}
