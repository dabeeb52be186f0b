//! Waits for a log to grow or to be cut. It tells that something happened and never what.

use std::path::Path;

use notify::Watcher;
use tokio::sync::mpsc;

pub(crate) struct Grows {
    grown: mpsc::UnboundedReceiver<()>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Grows {
    /// From now on; a file that is not there tells nothing.
    pub(crate) fn new(path: &Path) -> Self {
        let (tell, grown) = mpsc::unbounded_channel();
        let told = move |event: notify::Result<notify::Event>| {
            let changed =
                event.is_ok_and(|event| !matches!(event.kind, notify::EventKind::Access(_)));
            if changed {
                // The one who waits may be gone.
                let _ = tell.send(());
            }
        };
        let watcher = notify::RecommendedWatcher::new(told, notify::Config::default())
            .and_then(|mut watcher| {
                watcher.watch(path, notify::RecursiveMode::NonRecursive).map(|()| watcher)
            })
            .ok();
        Self { grown, _watcher: watcher }
    }

    pub(crate) async fn more(mut self) {
        if self.grown.recv().await.is_none() {
            // Nothing to watch: the caller's own limit decides.
            std::future::pending::<()>().await;
        }
    }
}
