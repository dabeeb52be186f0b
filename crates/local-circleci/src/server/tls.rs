//! The same server by https, on a port of its own that is opened when somebody first asks for it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::{Extension, Json};
use serde::Deserialize;
use tokio::net::TcpListener;

use super::certificates::Certificates;
use super::connection::{Fate, Tls};
use super::refusal::Refusal;
use super::state::Shared;
use crate::control::{Certificate, Https};

/// Marks calls that came by https.
#[derive(Clone, Copy)]
pub(super) struct ByTls;

/// The port and what is shown there.
pub(super) struct Open {
    https: Https,
    certificates: Arc<Certificates>,
}

/// What this server is called by whoever asks; by way of a proxy that may be any name.
pub(super) fn base(shared: &Shared, by_tls: Option<ByTls>, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (by_tls, host) {
        (Some(ByTls), Some(host)) => format!("https://{host}"),
        (_, _) => shared.url.clone(),
    }
}

/// How it is opened, by the first who asks.
#[derive(Deserialize)]
pub(super) struct Opened {
    resumes: bool,
}

pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    Json(opened): Json<Opened>,
) -> Result<Json<Https>, Refusal> {
    let open = shared.tls.get_or_try_init(|| start(&shared, opened.resumes)).await;
    open.map(|open| Json(open.https.clone())).map_err(|error| cannot(&error))
}

#[derive(Deserialize)]
pub(super) struct Shown {
    certificate: Certificate,
}

pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Json(shown): Json<Shown>,
) -> Result<(), Refusal> {
    let open = shared.tls.get_or_try_init(|| start(&shared, false)).await;
    open.map(|open| open.certificates.show(shown.certificate)).map_err(|error| cannot(&error))
}

async fn start(shared: &Arc<Shared>, resumes: bool) -> anyhow::Result<Open> {
    let certificates = Arc::new(Certificates::make()?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("https://localhost:{}", listener.local_addr()?.port());
    let router = super::router(Arc::clone(shared)).layer(Extension(ByTls));
    let listener = Tls::new(listener, certificates.acceptor(resumes)?)?;
    let service = router.into_make_service_with_connect_info::<Fate>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let https = Https { url, authority: certificates.authority().to_owned() };
    Ok(Open { https, certificates })
}

fn cannot(error: &anyhow::Error) -> Refusal {
    Refusal(axum::http::StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
}
