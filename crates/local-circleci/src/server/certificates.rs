//! Certificates of every kind, made anew for each server: a good one, and those that nobody may
//! trust. The keys are never written anywhere.

use std::fmt;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::control::Certificate;

/// Names of this machine, and those that only a proxy leads here by.
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", "releases.example", "runner.example"];

/// All that the server may show, and what it shows now.
pub(super) struct Certificates {
    authority: String,
    good: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    stranger: Arc<CertifiedKey>,
    other_name: Arc<CertifiedKey>,
    shown: Mutex<Certificate>,
}

impl Certificates {
    pub(super) fn make() -> anyhow::Result<Self> {
        let (trusted, issuer) = authority("local-circleci")?;
        let (_, stranger) = authority("a stranger")?;
        let names = NAMES.map(str::to_owned).to_vec();
        let mut expired = CertificateParams::new(names.clone())?;
        expired.not_before = date_time_ymd(2019, 1, 1);
        expired.not_after = date_time_ymd(2020, 1, 1);
        Ok(Self {
            authority: trusted,
            good: leaf(&CertificateParams::new(names.clone())?, &issuer)?,
            expired: leaf(&expired, &issuer)?,
            stranger: leaf(&CertificateParams::new(names)?, &stranger)?,
            other_name: leaf(&CertificateParams::new(vec!["other.example".to_owned()])?, &issuer)?,
            shown: Mutex::new(Certificate::Good),
        })
    }

    /// The certificate that a client has to trust, as PEM.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) fn show(&self, certificate: Certificate) {
        *self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = certificate;
    }

    /// A session that goes on is shown no certificate; `resumes`: clients are given the means to it.
    pub(super) fn acceptor(self: &Arc<Self>, resumes: bool) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        if !resumes {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = *self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(Arc::clone(match shown {
            Certificate::Good => &self.good,
            Certificate::Expired => &self.expired,
            Certificate::Stranger => &self.stranger,
            Certificate::OtherName => &self.other_name,
        }))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

fn authority(name: &str) -> anyhow::Result<(String, Issuer<'static, KeyPair>)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn leaf(
    params: &CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
) -> anyhow::Result<Arc<CertifiedKey>> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = aws_lc_rs::sign::any_supported_type(&key).context("a key that was just made")?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}
