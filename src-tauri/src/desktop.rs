//! What this desktop session offers: a display, and a place for tray icons. It changes nothing.

use std::time::Duration;

use futures::StreamExt;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

/// Who shows tray icons on Linux:
/// <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/StatusNotifierWatcher/>.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
/// At login the app may be there before the panel is.
const PATIENCE: Duration = Duration::from_secs(5);

/// macOS always has both.
fn is_linux() -> bool {
    std::env::consts::OS == "linux"
}

/// Whether a window could be shown at all; the toolkit itself would end with a back-trace.
pub(crate) fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_linux() || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Whether somebody shows tray icons, or begins to before our patience ends.
pub(crate) async fn shows_tray_icons() -> bool {
    if !is_linux() {
        return true;
    }
    tokio::time::timeout(PATIENCE, watcher_appears()).await.is_ok_and(|result| result.is_ok())
}

/// Returns once the watcher is there.
async fn watcher_appears() -> zbus::Result<()> {
    let bus = DBusProxy::new(&zbus::Connection::session().await?).await?;
    // Listen first, then look: whoever appears in between is not missed.
    let mut changes = bus.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    if bus.name_has_owner(BusName::try_from(WATCHER)?).await? {
        return Ok(());
    }
    while let Some(change) = changes.next().await {
        if change.args()?.new_owner().is_some() {
            return Ok(());
        }
    }
    Err(zbus::Error::Failure("the session bus went away".to_owned()))
}
