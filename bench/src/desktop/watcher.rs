//! The part of a panel that tray icons register with (`StatusNotifierWatcher`); it draws nothing, and
//! tells at once that an icon came.
#![expect(
    clippy::needless_pass_by_value,
    clippy::used_underscore_binding,
    reason = "the interface's macro calls it so"
)]
#![expect(clippy::unused_self, reason = "an interface is as its specification has it")]

use std::sync::mpsc::Sender;
use std::time::Instant;

use zbus::message::Header;

/// An icon that was registered.
#[derive(Clone, Debug)]
pub(crate) struct Icon {
    pub(crate) at: Instant,
    /// Who has it, and its path there.
    pub(crate) owner: String,
    pub(crate) path: String,
}

pub(crate) const NAME: &str = "org.kde.StatusNotifierWatcher";
pub(crate) const PATH: &str = "/StatusNotifierWatcher";

pub(crate) struct Watcher {
    pub(crate) icons: Sender<Icon>,
}

/// <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/>
#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: Header<'_>) {
        let at = Instant::now();
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let (owner, path) = if service.starts_with('/') {
            (sender, service.to_owned())
        } else {
            (service.to_owned(), "/StatusNotifierItem".to_owned())
        };
        // Nobody waits for an icon any more when the bench ends.
        let _ = self.icons.send(Icon { at, owner, path });
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}
