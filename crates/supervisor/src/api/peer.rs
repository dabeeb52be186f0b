//! Who calls: the owner, and for changes not from within a job.

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use protocol::ApiError;
use tokio::net::UnixListener;

use super::Api;
use super::origin::{self, Origin};
use super::refusal::{self, Refused};

/// The process at the other end; nothing where the system does not say.
#[derive(Debug, Clone)]
pub(crate) struct Peer(Option<process::Peer>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(process::peer_of(stream.io()).ok())
    }
}

pub(crate) async fn let_in(
    State(api): State<Api>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let own = rustix::process::getuid().as_raw();
    let Some(peer) = peer.filter(|peer| peer.uid == own || peer.uid == 0) else {
        return Refused(refusal::another_user()).into_response();
    };
    if request.method() != Method::GET
        && let Err(refused) = may_change(&api, peer).await
    {
        return Refused(refused).into_response();
    }
    next.run(request).await
}

/// What nobody can tell counts as a job's.
async fn may_change(api: &Api, peer: process::Peer) -> Result<(), ApiError> {
    let runs = api.folders.runs();
    let origin = tokio::task::spawn_blocking(move || origin::of(peer.pid, &runs)).await;
    match origin.unwrap_or(Origin::Unknown("looking for it failed")) {
        Origin::Outside => Ok(()),
        Origin::Job => Err(refusal::from_a_job()),
        Origin::Unknown(why) => Err(refusal::from_nobody_known(why)),
    }
}
