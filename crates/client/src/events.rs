//! The snapshots as they come; what to do when they stop is the caller's business.

use std::collections::VecDeque;

use futures::TryFutureExt;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use protocol::Snapshot;

use crate::calls::{accepted, url};
use crate::sse::EventReader;
use crate::{Client, ClientError, Detail};

impl Client {
    /// A whole snapshot at once and another after each change. The stream ends when the supervisor
    /// ends, and with an error where the connection breaks; to go on, call again.
    pub fn events(&self, detail: Detail) -> BoxStream<'static, Result<Snapshot, ClientError>> {
        let client = self.clone();
        client.open_events(detail).try_flatten_stream().boxed()
    }

    async fn open_events(
        self,
        detail: Detail,
    ) -> Result<BoxStream<'static, Result<Snapshot, ClientError>>, ClientError> {
        const CALL: &str = "GET /v1/events";
        let broken = {
            let socket = self.socket.clone();
            move |error: reqwest::Error| ClientError::of_request(CALL, &socket, &error)
        };
        let request = self.http.get(url("events", &detail.query()));
        let response = request.send().await.map_err(&broken)?;
        let response = accepted(CALL, &self.socket, response).await?;

        let mut reader = EventReader::default();
        let snapshots = response
            .bytes_stream()
            .map_err(broken)
            .map_ok(move |bytes| {
                reader.push(&bytes);
                let mut whole = VecDeque::new();
                while let Some(event) = reader.next_event() {
                    whole.push_back(snapshot(CALL, &event));
                }
                futures::stream::iter(whole)
            })
            .try_flatten();
        Ok(snapshots.boxed())
    }
}

fn snapshot(call: &str, event: &str) -> Result<Snapshot, ClientError> {
    serde_json::from_str(event).map_err(|error| ClientError::Broken {
        call: call.to_owned(),
        why: format!("a snapshot is not as agreed: {error}"),
    })
}
