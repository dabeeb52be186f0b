//! A release server, spoken to over https (or plain http on this machine). Hands on nothing whose
//! SHA-256 is not the one that the manifest promised.

use std::{ops::Deref, path::Path, time::Duration};

use reqwest::{Client, Response, redirect};
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncWriteExt, io::BufWriter};
use url::Url;

use crate::{AddressRefused, Manifest, Release, ReleaseError, address, service_address};

/// How far an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bytes of the archive; `total` is unknown where the server does not say.
    Downloading {
        received: u64,
        total: Option<u64>,
    },
    Unpacking,
}

/// A folder on the web that holds `manifest.json`.
#[derive(Debug, Clone)]
pub struct Releases {
    http: Client,
    folder: Url,
    pub(crate) limits: Limits,
}

/// The most that is taken of a server, in bytes. Generous: an archive has about 20 MB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) manifest: u64,
    pub(crate) archive: u64,
    pub(crate) binary: u64,
}

const LIMITS: Limits = Limits { manifest: 4 << 20, archive: 512 << 20, binary: 1 << 30 };
const CONNECT: Duration = Duration::from_secs(15);
/// Between two reads, not for the whole: a slow line may take its time.
const SILENCE: Duration = Duration::from_mins(1);
const REDIRECTS: usize = 5;

impl Releases {
    /// `folder` is an https address, or a plain http one on this machine; nothing is sent yet.
    pub fn at(folder: &str) -> Result<Self, ReleaseError> {
        let mut folder = service_address(folder)?;
        if !folder.path().ends_with('/') {
            folder.set_path(&format!("{}/", folder.path()));
        }
        let client = Client::builder()
            .user_agent(concat!("runner-tray/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // A kept connection may be closing just when it is used again; two requests need none.
            .pool_max_idle_per_host(0)
            .redirect(redirect::Policy::custom(follow_safely));
        // A proxy never stands between this machine and itself.
        let client = if address::is_loopback(&folder) { client.no_proxy() } else { client };
        let http = client
            .build()
            .map_err(|source| ReleaseError::Request { url: folder.to_string(), source })?;
        Ok(Self { http, folder, limits: LIMITS })
    }

    /// What the server offers now.
    pub async fn manifest(&self) -> Result<Manifest, ReleaseError> {
        let url = self.folder.join("manifest.json").map_err(|error| ReleaseError::Manifest {
            url: self.folder.to_string(),
            reason: error.to_string(),
        })?;
        let mut bytes = Vec::new();
        let mut body = Body::get(&self.http, &url, self.limits.manifest).await?;
        while let Some(chunk) = body.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Manifest::parse(&url, &bytes)
    }

    /// Writes the archive to the new file `into` and checks its hash; on an error the file holds
    /// nothing of worth.
    pub(crate) async fn fetch(
        &self,
        release: &Release,
        into: &Path,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), ReleaseError> {
        let mut body = Body::get(&self.http, &release.url, self.limits.archive).await?;
        let writing = || ReleaseError::io("writing", into);
        let mut file = BufWriter::new(File::create_new(into).await.map_err(writing())?);
        let mut hash = Sha256::new();
        progress(body.progress());
        while let Some(chunk) = body.chunk().await? {
            hash.update(&*chunk);
            file.write_all(&chunk).await.map_err(writing())?;
            progress(body.progress());
        }
        file.flush().await.map_err(writing())?;
        let found = hex::encode(hash.finalize());
        if found == release.sha256 {
            return Ok(());
        }
        let expected = release.sha256.clone();
        Err(ReleaseError::WrongHash { url: release.url.to_string(), expected, found })
    }
}

fn follow_safely(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("too many redirects");
    }
    if address::is_safe(attempt.url()) {
        return attempt.follow();
    }
    let address = attempt.url().to_string();
    attempt.error(AddressRefused::NotSafe { address })
}

/// An answer's body, never longer than its limit.
struct Body {
    response: Response,
    url: String,
    received: u64,
    /// As announced; asked of the response later, it would be what is left.
    total: Option<u64>,
    limit: u64,
}

impl Body {
    async fn get(http: &Client, url: &Url, limit: u64) -> Result<Self, ReleaseError> {
        let failed = |source| ReleaseError::Request { url: url.to_string(), source };
        let response = http.get(url.clone()).send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            return Err(ReleaseError::Status { url: url.to_string(), status: status.as_u16() });
        }
        let total = response.content_length();
        if total.is_some_and(|total| total > limit) {
            return Err(ReleaseError::TooLarge { url: url.to_string(), limit });
        }
        Ok(Self { response, url: url.to_string(), received: 0, total, limit })
    }

    async fn chunk(&mut self) -> Result<Option<impl Deref<Target = [u8]> + use<>>, ReleaseError> {
        let chunk = self.response.chunk().await;
        let chunk =
            chunk.map_err(|source| ReleaseError::Request { url: self.url.clone(), source })?;
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.received > self.limit {
            return Err(ReleaseError::TooLarge { url: self.url.clone(), limit: self.limit });
        }
        Ok(chunk)
    }

    fn progress(&self) -> Progress {
        Progress::Downloading { received: self.received, total: self.total }
    }
}
