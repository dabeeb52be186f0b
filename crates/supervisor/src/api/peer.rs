//! Who calls: the owner, and not from within a job. The second is a hand-rail and no boundary; a job
//! of the same user has other ways.

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use protocol::Snapshot;
use tokio::net::UnixListener;

use super::Api;
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
    let known = peer.as_ref().map(|peer| peer.uid);
    if known.is_none_or(|uid| uid != own && uid != 0) {
        return Refused(refusal::another_user()).into_response();
    }
    if request.method() != Method::GET && peer.is_some_and(|peer| is_in_a_job(&api, &peer)) {
        return Refused(refusal::from_a_job()).into_response();
    }
    next.run(request).await
}

fn is_in_a_job(api: &Api, peer: &process::Peer) -> bool {
    let snapshot = api.snapshots.borrow().clone();
    let Ok(snapshot) = serde_json::from_str::<Snapshot>(&snapshot) else { return false };
    let Some(pid) = peer.pid else { return false };
    snapshot
        .runners
        .iter()
        .filter_map(|runner| process::Pid::new(runner.agent_pid?))
        .any(|agent| process::descends_from(pid, agent).unwrap_or(false))
}
