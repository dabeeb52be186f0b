//! macOS's side of the desktop: there always is one, with a menu bar.

use std::future::{Ready, ready};
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::TrayPicture;

pub(crate) const TRAY_PICTURE: TrayPicture = TrayPicture::Template;

pub(crate) fn has_display() -> bool {
    true
}

pub(crate) fn calm_web_view() {}

pub(crate) fn display_of_session() -> Vec<(String, String)> {
    Vec::new()
}

pub(crate) fn watch_tray(mut told: impl FnMut(bool)) -> Ready<()> {
    told(true);
    ready(())
}

/// A launch agent of the user's (launchd.plist(5)).
pub(crate) fn autostart_file(dirs: &BaseDirs) -> PathBuf {
    dirs.home_dir().join("Library/LaunchAgents/dev.runner-tray.app.plist")
}

/// The system keeps its own list of what it switched off, which nobody may read.
pub(crate) fn is_autostart_on(_: &str) -> bool {
    true
}

/// In the desktop's session alone, once, and not again when it is quit.
pub(crate) fn autostart(program: &Path, argument: &str) -> String {
    let program = program.display().to_string();
    let program = program.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         <key>Label</key><string>dev.runner-tray.app</string>\n\
         <key>ProgramArguments</key>\n\
         <array><string>{program}</string><string>{argument}</string></array>\n\
         <key>RunAtLoad</key><true/>\n\
         <key>LimitLoadToSessionType</key><string>Aqua</string>\n\
         <key>ProcessType</key><string>Interactive</string>\n\
         </dict>\n</plist>\n"
    )
}
