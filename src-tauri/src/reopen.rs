//! A second start of the app on macOS, which the system makes an event of the first one. The one file above the
//! floor that knows of a system: Tauri has the event on macOS alone, and `host` knows nothing of Tauri.

use tauri::RunEvent;

#[cfg(target_os = "macos")]
pub(crate) fn is_second_start(event: &RunEvent) -> bool {
    matches!(event, RunEvent::Reopen { .. })
}

/// Elsewhere the second one hands over by the session's bus, and ends.
#[cfg(not(target_os = "macos"))]
pub(crate) fn is_second_start(_: &RunEvent) -> bool {
    false
}
