//! A blocking HTTP client for one server on the loopback interface; it must never speak to any
//! other address, whatever a configuration says. By https as Go does it: the authorities of
//! `SSL_CERT_FILE`, and for names that are not this machine's the proxy of `HTTPS_PROXY`, which must
//! be on this machine. One connection a call.

use std::io::ErrorKind;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use ureq::Proxy;
use ureq::http::{Method, Request, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::wire::Message;

/// Why a call has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(
        "{0:?} is not on this machine: local-circleci is a stand-in and speaks to loopback only; \
         give the URL that `local-circleci serve` prints"
    )]
    NotLoopback(String),
    /// The server answered with a status of 400 or more.
    #[error("{call}: {message} ({status})")]
    Refused { call: String, status: u16, message: String },
    /// No answer, or only a part of one.
    #[error("{call}: {reason}")]
    Unreachable { call: String, reason: String },
    #[error("{call}: the answer is not what was expected: {source}")]
    Unreadable { call: String, source: serde_json::Error },
}

impl ApiError {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::NotLoopback(_) | Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// An answer below 400.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    call: String,
}

impl Reply {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body)
            .map_err(|source| ApiError::Unreadable { call: self.call.clone(), source })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Calls again, with a pause, as long as the server cannot be reached or is in trouble itself.
pub(crate) fn insist(
    patience: Duration,
    call: impl Fn() -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    let give_up_at = Instant::now() + patience;
    loop {
        let answer = call();
        let may_come =
            answer.as_ref().is_err_and(|it| it.status().is_none_or(|status| status >= 500));
        if !may_come || Instant::now() >= give_up_at {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
}

const PAUSE: Duration = Duration::from_millis(100);

/// A server and how to speak to it.
pub(crate) struct Api {
    agent: ureq::Agent,
    base: String,
    bearer: Option<String>,
    user_agent: String,
}

impl Api {
    /// `base` is a URL without a path; every call gives up after `limit`.
    pub(crate) fn new(base: &str, limit: Duration) -> Result<Self, ApiError> {
        let base = base.trim_end_matches('/').to_owned();
        let way = way_to(&base)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(limit))
            .max_redirects(0)
            .max_idle_connections(0);
        let config = match way {
            Way::Plain => config.proxy(None),
            Way::Tls | Way::ByName => config.proxy(None).tls_config(tls()),
            Way::Proxied(proxy) => config.proxy(Some(proxy)).tls_config(tls()),
        };
        let agent = config.build().into();
        Ok(Self { agent, base, bearer: None, user_agent: "local-circleci".to_owned() })
    }

    #[must_use]
    pub(crate) fn with_bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    #[must_use]
    pub(crate) fn with_user_agent(mut self, name: &str) -> Self {
        name.clone_into(&mut self.user_agent);
        self
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// The whole URL of `path`, which may be one already.
    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Result<Reply, ApiError> {
        self.call(Method::GET, path, "application/octet-stream", Vec::new())
    }

    pub(crate) fn send<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: &T,
    ) -> Result<Reply, ApiError> {
        let body = serde_json::to_vec(body).map_err(|source| ApiError::Unreadable {
            call: format!("{method} {}", self.url(path)),
            source,
        })?;
        self.call(method, path, "application/json", body)
    }

    pub(crate) fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<Reply, ApiError> {
        self.send(Method::POST, path, body)
    }

    /// One call; an answer of 400 or more is an error with the server's `message`.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Reply, ApiError> {
        let url = self.url(path);
        match way_to(&url)? {
            Way::ByName => look_up(&url)?,
            Way::Plain => {}
            // Its own server's way is known; what a server names elsewhere is plainly on this machine.
            Way::Tls | Way::Proxied(_) if url.starts_with(&self.base) => {}
            Way::Tls | Way::Proxied(_) => return Err(ApiError::NotLoopback(url)),
        }
        let call = format!("{method} {url}");
        let unreachable = |error: &ureq::Error| ApiError::Unreachable {
            call: call.clone(),
            reason: as_go_says(error, &url),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header("user-agent", &self.user_agent)
            .header("content-type", content_type);
        if let Some(token) = &self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).map_err(|error| unreachable(&ureq::Error::Http(error)))?;
        let mut response = self.agent.run(request).map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()
            .map_err(|error| unreachable(&error))?;
        if status >= 400 {
            let message = serde_json::from_slice::<Message>(&body)
                .map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |body| body.message);
            return Err(ApiError::Refused { call, status, message });
        }
        Ok(Reply { status, body, call })
    }
}

/// How a server is reached.
enum Way {
    Plain,
    Tls,
    /// The name is nobody's (RFC 2606), and may lead here: that is asked before each call.
    ByName,
    Proxied(Proxy),
}

fn way_to(url: &str) -> Result<Way, ApiError> {
    let refused = || ApiError::NotLoopback(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| refused())?;
    match (uri.scheme_str(), is_here(uri.host().unwrap_or_default())) {
        (Some("http"), true) => Ok(Way::Plain),
        (Some("https"), true) => Ok(Way::Tls),
        (Some("https"), false) => {
            let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            match proxy_for(&uri, set("HTTPS_PROXY"), set("NO_PROXY")) {
                Some(proxy) => Ok(Way::Proxied(proxy)),
                None if uri.host().is_some_and(|host| host.ends_with(".example")) => {
                    Ok(Way::ByName)
                }
                None => Err(refused()),
            }
        }
        (_, _) => Err(refused()),
    }
}

/// Whether the name leads to this machine now.
fn look_up(url: &str) -> Result<(), ApiError> {
    let uri: Uri = url.parse().map_err(|_| ApiError::NotLoopback(url.to_owned()))?;
    let host = uri.host().unwrap_or_default();
    let found = (host, uri.port_u16().unwrap_or(443)).to_socket_addrs();
    let mut found = found.map_err(|_| ApiError::Unreachable {
        call: url.to_owned(),
        reason: format!("dial tcp: lookup {host}: no such host"),
    })?;
    if found.all(|address| address.ip().is_loopback()) {
        Ok(())
    } else {
        Err(ApiError::NotLoopback(url.to_owned()))
    }
}

/// The proxy that leads there, where there is one and it is on this machine.
fn proxy_for(uri: &Uri, https_proxy: Option<String>, no_proxy: Option<String>) -> Option<Proxy> {
    let address: Uri = https_proxy?.parse().ok()?;
    let host = address.host().filter(|host| is_here(host))?;
    let proxy = Proxy::builder(ureq::ProxyProtocol::Http).host(host).port(address.port_u16()?);
    // What a server names on this machine is asked for without it.
    let proxy = proxy.no_proxy("localhost").no_proxy("127.0.0.1");
    let proxy = match no_proxy {
        Some(names) => names.split(',').fold(proxy, |proxy, name| proxy.no_proxy(name.trim())),
        None => proxy,
    };
    let proxy = proxy.resolve_target(false).build().ok()?;
    (!proxy.is_no_proxy(uri)).then_some(proxy)
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Trusts whom `SSL_CERT_FILE` names, and nobody else.
fn tls() -> TlsConfig {
    let file = std::env::var_os("SSL_CERT_FILE").and_then(|file| std::fs::read(file).ok());
    let file = file.unwrap_or_default();
    let authorities = parse_pem(&file).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        Ok(_) | Err(_) => None,
    });
    let authorities: Vec<_> = authorities.collect();
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(&authorities))
        .build()
}

/// Go's words for the commonest failure, because that is what a real runner's log would hold.
fn as_go_says(error: &ureq::Error, url: &str) -> String {
    let authority = url.split('/').nth(2).unwrap_or(url);
    if let ureq::Error::Io(source) = error
        && source.kind() == ErrorKind::ConnectionRefused
    {
        return format!("dial tcp {authority}: connect: connection refused");
    }
    if matches!(error, ureq::Error::Timeout(_)) {
        return "context deadline exceeded".to_owned();
    }
    let words = error.to_string();
    if words.contains("failed to lookup address") {
        let host = authority.split(':').next().unwrap_or_default();
        return format!("dial tcp: lookup {host}: no such host");
    }
    let untrusted = [
        ("UnknownIssuer", "certificate signed by unknown authority"),
        ("Expired", "certificate has expired or is not yet valid"),
        ("NotValidForName", "certificate is valid for other names"),
        ("not valid for name", "certificate is valid for other names"),
        ("expired", "certificate has expired or is not yet valid"),
    ];
    match untrusted.iter().find(|(ours, _)| words.contains(ours)) {
        Some((_, go)) => format!("tls: failed to verify certificate: x509: {go}"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_to_loopback_only() {
        for url in [
            "http://127.0.0.1:80",
            "http://localhost:1",
            "http://[::1]:9/x",
            "https://127.0.0.1",
            "https://localhost:1",
        ] {
            assert!(way_to(url).is_ok(), "{url}");
        }
        for url in [
            "https://runner.circleci.com",
            "http://192.168.0.1",
            "http://localhost.example.com",
            "127.0.0.1:80",
            "",
        ] {
            assert!(way_to(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_a_proxy_on_this_machine_leads_to_other_names() {
        let uri: Uri = "https://runner.example/x".parse().unwrap();
        let leads = |https_proxy: &str, no_proxy: Option<&str>| {
            proxy_for(&uri, Some(https_proxy.to_owned()), no_proxy.map(str::to_owned)).is_some()
        };
        assert!(leads("http://127.0.0.1:3128", None));
        assert!(leads("http://127.0.0.1:3128", Some("other.example")));
        assert!(!leads("http://127.0.0.1:3128", Some("other.example, runner.example")));
        assert!(!leads("http://proxy.example:3128", None));
        assert!(!leads("nonsense", None));
        assert!(proxy_for(&uri, None, None).is_none());
    }
}
