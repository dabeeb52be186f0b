//! Stopping at named points, so that tests hit a crash window for certain. Not in release builds.

use run_dir::RunDir;

/// With `RUNNER_TRAY_HOLD_AT=<point>` in the environment of a debug build: leaves
/// `held-at-<point>` in the run directory and stops this process until somebody continues it.
pub(crate) fn hold(run: &RunDir, point: &str) {
    if !cfg!(debug_assertions)
        || std::env::var_os("RUNNER_TRAY_HOLD_AT").is_none_or(|at| at != point)
    {
        return;
    }
    let _ = std::fs::File::create(run.path().join(format!("held-at-{point}")));
    let own = process::ProcessId::own();
    let _ = own.and_then(|own| process::signal(&own, process::Signal::STOP));
}
