//! One notification on this desktop, shown until somebody answers or closes it. On Linux for a process
//! of its own: what listens for the answer keeps threads that wake. On macOS for the app's, whose main
//! thread hears the answer.

use serde::{Deserialize, Serialize};

use crate::os_session;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub title: String,
    /// Text; where a desktop takes it for markup it is escaped.
    pub body: String,
    /// A key and the words on it, the best first. Left out where the desktop has no buttons.
    pub buttons: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "end", content = "what")]
pub enum End {
    /// The key of a button.
    Chosen(String),
    /// A click on the notification itself.
    Clicked,
    Closed,
    /// Nobody shows notifications here, in the system's words.
    NotShown(String),
}

/// The desktop's file of the app, by which it knows its name and icon.
pub const DESKTOP_ENTRY: &str = "runner-tray";

impl Notification {
    /// Blocks until it is over, which may be never.
    pub fn show(&self) -> End {
        self.show_until(std::future::pending())
    }

    /// The same, until nobody waits for the answer any more: a button that nobody hears goes with its
    /// notification, which is closed then. What has no button stays on the screen.
    pub fn show_until(&self, nobody_waits: impl Future<Output = ()>) -> End {
        os_session::show(self, nobody_waits)
    }

    /// Shows it and waits for nothing, for whoever ends then. On macOS, where only an app that runs may show
    /// any, it does nothing.
    pub fn tell(&self) {
        os_session::tell(self);
    }
}

/// Whether notifications may be shown. Where the system wants its owner asked, this asks, once for
/// ever, and waits for the answer; on Linux nobody is asked.
pub fn may_be_shown() -> Result<bool, String> {
    os_session::may_notify()
}

/// For a desktop that takes bodies for markup (Desktop Notifications Specification, "Markup").
#[cfg(any(target_os = "linux", test))]
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        assert_eq!(
            escaped("<img src=x> & <b>bold</b> &lt;"),
            "&lt;img src=x&gt; &amp; &lt;b&gt;bold&lt;/b&gt; &amp;lt;"
        );
    }
}
