//! The one state behind all of the server's calls, and the only way to change it: in one turn, with
//! one reading of the clock, saved before the caller hears of it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, OnceCell, watch};

use super::agents::Agents;
use super::classes::Classes;
use super::faults::Faults;
use super::queue::Queue;
use super::releases::Releases;
use super::store::Store;
use super::tls;
use crate::clock;
use crate::control::{Download, OddArchive, OddManifest, UserApi};

/// What the server knows and was told.
pub(super) struct Circle {
    pub(super) classes: Classes,
    pub(super) agents: Agents,
    pub(super) queue: Queue,
    pub(super) personal_token: String,
    pub(super) user_api: UserApi,
    pub(super) held: bool,
    pub(super) variant: String,
    pub(super) faults: Faults,
    pub(super) odd_archive: Option<OddArchive>,
    pub(super) odd_manifest: Option<OddManifest>,
    /// What of the release bucket was asked for.
    pub(super) downloads: Vec<Download>,
    pub(super) current_release: String,
}

pub(super) struct Shared {
    circle: Mutex<Circle>,
    changed: watch::Sender<()>,
    pub(super) store: Store,
    pub(super) releases: Releases,
    /// `http://127.0.0.1:PORT`.
    pub(super) url: String,
    /// What build links start with.
    pub(super) web_url: String,
    /// The way in by https, once somebody has asked for it.
    pub(super) tls: OnceCell<tls::Open>,
}

impl Shared {
    pub(super) fn new(
        circle: Circle,
        store: Store,
        releases: Releases,
        url: String,
        web_url: String,
    ) -> Self {
        let (changed, _) = watch::channel(());
        let tls = OnceCell::new();
        Self { circle: Mutex::new(circle), changed, store, releases, url, web_url, tls }
    }

    pub(super) async fn look<T>(&self, look: impl FnOnce(&Circle) -> T) -> T {
        look(&*self.circle.lock().await)
    }

    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut Circle, Timestamp) -> T) -> T {
        let mut circle = self.circle.lock().await;
        let answer = change(&mut circle, clock::now());
        for record in circle.queue.take_touched() {
            if let Err(error) = self.store.save(&record) {
                crate::stderr::write(format!("local-circleci: {error:#}\n").as_bytes());
            }
        }
        self.changed.send_replace(());
        answer
    }

    /// Waits until `look` finds something, at most `limit` long.
    pub(super) async fn until<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&Circle) -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.changed.subscribe();
        let found = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = self.look(&mut look).await {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten()
    }
}
