//! `GET /v1/events`: the snapshot at once, then after every change. A slow reader misses snapshots in
//! between and never the last one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use tokio::sync::watch;

use super::Api;
use super::asked::Query;
use crate::input::{Input, Loop};

#[derive(Deserialize)]
pub(crate) struct Detail {
    /// `1`: look at the processes of running tasks while this goes on.
    #[serde(default)]
    pub(crate) usage: u8,
}

/// Counts as somebody who looks, until it is dropped.
struct Looking(Loop);

impl Looking {
    fn new(to_loop: Loop) -> Self {
        to_loop.send(Input::Watchers(1));
        Self(to_loop)
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.send(Input::Watchers(-1));
    }
}

/// Long enough to cost nothing, short enough to notice a reader that is gone.
const KEEP_ALIVE: Duration = Duration::from_mins(5);

pub(crate) async fn events(
    State(api): State<Api>,
    Query(detail): Query<Detail>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let looking = (detail.usage == 1).then(|| Looking::new(api.to_loop.clone()));
    let mut snapshots = api.snapshots.clone();
    snapshots.mark_changed();
    let stream = futures::stream::unfold((snapshots, looking), next);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

type Reader = (watch::Receiver<Arc<str>>, Option<Looking>);

async fn next((mut snapshots, looking): Reader) -> Option<(Result<Event, Infallible>, Reader)> {
    snapshots.changed().await.ok()?;
    let snapshot = snapshots.borrow_and_update().clone();
    Some((Ok(Event::default().data(snapshot)), (snapshots, looking)))
}
