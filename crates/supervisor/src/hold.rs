//! Stopping at named points, so that tests hit a crash window for certain. Not in release builds.

use std::fs::File;

use host::Folders;
use tokio::sync::watch;

/// With `RUNNER_TRAY_HOLD_AT=<point>` in the environment of a debug build: leaves `held-at-<point>` in
/// the state folder and stops this process until somebody continues it.
pub(crate) fn hold(folders: &Folders, point: &str) {
    if !is_wanted(folders, point) {
        return;
    }
    let own = process::ProcessId::own();
    let _ = own.and_then(|own| process::signal(&own, process::Signal::STOP));
}

/// The same for one job alone, which goes on once it is told to stop.
pub(crate) async fn hold_until_stopped(
    folders: &Folders,
    point: &str,
    mut stop: watch::Receiver<bool>,
) {
    if is_wanted(folders, point) {
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

fn is_wanted(folders: &Folders, point: &str) -> bool {
    let wanted = std::env::var_os("RUNNER_TRAY_HOLD_AT");
    if !cfg!(debug_assertions) || wanted.is_none_or(|at| at != point) {
        return false;
    }
    let _ = File::create(folders.state.join(format!("held-at-{point}")));
    true
}
