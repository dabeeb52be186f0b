//! What this desktop session offers: a display, and a place for tray icons. It changes nothing.

use crate::os_desktop;

/// How a desktop treats the picture of a tray icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrayPicture {
    /// Its shape counts, black on nothing; the system colours it (macOS).
    Template,
    /// Shown as it is, on a panel whose colour nobody tells (Linux).
    AsItIs,
}

impl TrayPicture {
    pub fn of_this_system() -> Self {
        os_desktop::TRAY_PICTURE
    }
}

/// Whether a window could be shown at all; a toolkit itself would end with a back-trace.
pub fn has_display() -> bool {
    os_desktop::has_display()
}

/// Where this session's display is, as names and values for a program that needs one: for whoever began
/// before the desktop did, as a service that starts at login. Empty where our own environment says it, or
/// where nobody knows. It asks the service manager, and so blocks for a moment.
pub fn display_of_session() -> Vec<(String, String)> {
    if has_display() { Vec::new() } else { os_desktop::display_of_session() }
}

/// Keeps the web view from work that goes on when its window is gone. Call it before the first thread starts.
pub fn calm_web_view() {
    os_desktop::calm_web_view();
}

/// Tells whether somebody shows tray icons, first as it is now and then after whatever may have changed it.
/// Ends where nobody can be asked any more.
pub async fn watch_tray(told: impl FnMut(bool)) {
    os_desktop::watch_tray(told).await;
}
