//! What can go wrong between the release manifest and an installed agent. Each says what was found;
//! whether time may mend it is asked of it, and never guessed from its words.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustls::CertificateError;

use crate::AddressRefused;

const NO_AUTHORITIES: &str = "this machine has no certificates of authorities to hold it against; \
                              on Linux the package ca-certificates brings them";

/// Why an agent was not installed, or is not to be started.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Address(#[from] AddressRefused),
    #[error(
        "CircleCI publishes no agent for {os} on {arch}, only for Linux and macOS on a 64-bit Intel or ARM processor"
    )]
    UnsupportedMachine { os: &'static str, arch: &'static str },
    /// Its value is not repeated: it may hold a password.
    #[error("{variable} does not hold a proxy's address, like http://proxy.example.com:3128")]
    Proxy { variable: &'static str },
    #[error("{url} could not be fetched: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} brought fewer than {least} bytes in {} s", time.as_secs())]
    Slow { url: String, least: u64, time: Duration },
    #[error("{url} is not trusted: {reason}")]
    Untrusted { url: String, reason: String },
    #[error("{url} answered with HTTP status {status}{}", asked_for(*retry_after))]
    Status { url: String, status: u16, retry_after: Option<Duration> },
    #[error("{url} is larger than the {limit} bytes that are taken")]
    TooLarge { url: String, limit: u64 },
    #[error("{url} is not a release manifest ({reason})")]
    Manifest { url: String, reason: String },
    #[error("{url} offers no \"{name}\" for {platform}; it offers: {offered}")]
    NotOffered { url: String, name: String, platform: String, offered: String },
    #[error("{url} has SHA-256 {found}, but its manifest says {expected}; it was thrown away")]
    WrongHash { url: String, expected: String, found: String },
    #[error("{url} is not an agent's archive: {reason}; it was thrown away")]
    Archive { url: String, reason: String },
    #[error("the agent of {url} does not pass this machine's check ({reason}); it was thrown away")]
    Unsigned { url: String, reason: String },
    #[error("{} is not the file that was installed ({reason})", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} needs {needed} bytes more on its disk{}", path.display(), has_free(*free))]
    NoRoom { path: PathBuf, needed: u64, free: Option<u64> },
    #[error("another installation is writing to {}", path.display())]
    Busy { path: PathBuf },
    #[error("the installation was called off")]
    Cancelled,
    #[error("{doing} {} failed: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl ReleaseError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| {
            let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
            if full.contains(&source.kind()) {
                let path = path.parent().unwrap_or(&path).to_owned();
                return Self::NoRoom { path, needed: 1, free: None };
            }
            Self::Io { doing, path, source }
        }
    }

    pub(crate) fn of_request(url: &str, error: &reqwest::Error) -> Self {
        let url = url.to_owned();
        let builds = error.is_builder();
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(refused) = error.downcast_ref::<AddressRefused>() {
                return refused.clone().into();
            }
            // An io::Error hides the error that it holds from `source`.
            let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let tls = held.and_then(|held| held.downcast_ref()).or(error.downcast_ref());
            match tls {
                Some(rustls::Error::InvalidCertificate(why)) => {
                    return Self::Untrusted { url, reason: why_untrusted(why) };
                }
                // What a verifier says that was given nobody to trust.
                Some(rustls::Error::General(_)) if builds => {
                    let reason = NO_AUTHORITIES.to_owned();
                    return Self::Untrusted { url, reason };
                }
                Some(_) | None => {}
            }
            cause = held.map(|held| held as &(dyn Error + 'static)).or(error.source());
        }
        Self::Unreachable { url, reason: root_cause(error) }
    }

    /// The same again, a while later, may go well: nothing is known to be wrong for good.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Busy { .. } => true,
            Self::Status { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500..=599)
            }
            Self::Address(_)
            | Self::UnsupportedMachine { .. }
            | Self::Proxy { .. }
            | Self::Untrusted { .. }
            | Self::TooLarge { .. }
            | Self::Manifest { .. }
            | Self::NotOffered { .. }
            | Self::WrongHash { .. }
            | Self::Archive { .. }
            | Self::Unsigned { .. }
            | Self::Damaged { .. }
            | Self::NoRoom { .. }
            | Self::Cancelled
            | Self::Io { .. } => false,
        }
    }

    /// What the server asked for (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Status { retry_after, .. } = self { *retry_after } else { None }
    }
}

fn asked_for(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!(" and asks for a wait of {} s", wait.as_secs()))
}

fn has_free(free: Option<u64>) -> String {
    free.map_or_else(|| ", which is full".to_owned(), |free| format!(", which has {free} free"))
}

fn why_untrusted(why: &CertificateError) -> String {
    if matches!(why, CertificateError::UnknownIssuer) {
        "its certificate is signed by nobody whom this machine trusts".to_owned()
    } else if matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
        format!("its certificate has expired, or this machine's clock is wrong ({why})")
    } else if matches!(
        why,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
    ) {
        format!("its certificate is not valid yet, or this machine's clock is wrong ({why})")
    } else if matches!(
        why,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    ) {
        format!("its certificate is for another name ({why})")
    } else {
        format!("its certificate is refused ({why})")
    }
}

/// Why a request came to nothing: what is wrong with the server's certificate, else the innermost cause.
pub(crate) fn cause_in_words(error: &reqwest::Error) -> String {
    if let ReleaseError::Untrusted { reason, .. } = ReleaseError::of_request("", error) {
        return format!("it is not trusted ({reason})");
    }
    root_cause(error)
}

/// The innermost cause: reqwest's own sentence repeats the address and leaves the reason out.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
