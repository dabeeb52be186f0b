//! The release bucket: a manifest, one tarball a version with the single file `circleci-runner`,
//! and the task agent's binary. Made from the executables beside the server.

use std::fs;
use std::future::{Ready, ready};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use super::state::Shared;
use super::tls::{self, ByTls};
use super::{odd_archives, odd_manifests, ranges};
use crate::control::{Download, OddArchive};
use crate::platform;
use crate::runner::version;

/// The version the task agent's download is offered as.
pub(super) const TASK_AGENT: &str = "1.0.0-local";

const MANIFEST: &str = "/releases/manifest.json";

/// Something to download: its path on this server, its bytes and their sum.
pub(super) struct Offer {
    pub(super) path: String,
    pub(super) sha256: String,
    bytes: Bytes,
}

impl Offer {
    fn new(path: String, bytes: Vec<u8>) -> Self {
        Self { path, sha256: hex::encode(Sha256::digest(&bytes)), bytes: bytes.into() }
    }
}

/// Everything in the bucket, for this machine's platform only.
pub(super) struct Releases {
    versions: Vec<String>,
    runner: Vec<u8>,
    task_agent: Offer,
    /// One for each version; packed when somebody asks, because most tests never do.
    packed: OnceLock<Vec<Offer>>,
}

impl Releases {
    /// Reads both executables.
    pub(super) fn open(
        runner: &Path,
        task_agent: &Path,
        versions: &[String],
    ) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            fs::read(path).with_context(|| {
                format!("cannot read {}; run: cargo build -p local-circleci", path.display())
            })
        };
        for version in versions {
            version::check(version)?;
        }
        let (os, arch) = (platform::os(), platform::arch());
        let path = format!("/releases/task-agent/{TASK_AGENT}/{os}/{arch}/circleci-agent");
        Ok(Self {
            versions: versions.to_vec(),
            runner: read(runner)?,
            task_agent: Offer::new(path, read(task_agent)?),
            packed: OnceLock::new(),
        })
    }

    pub(super) fn has(&self, release: &str) -> bool {
        self.versions.iter().any(|version| version == release)
    }

    pub(super) fn task_agent(&self, os: &str, arch: &str) -> Option<&Offer> {
        (os == platform::os() && arch == platform::arch()).then_some(&self.task_agent)
    }

    fn runners(&self) -> impl Iterator<Item = (&str, &Offer)> {
        let packed = self.packed.get_or_init(|| {
            let offers = self.versions.iter().map(|version| {
                let (os, arch) = (platform::os(), platform::arch());
                let path = format!("/releases/{version}/circleci-runner_{os}_{arch}.tar.gz");
                Offer::new(path, tarball(&version::stamped(&self.runner, version)))
            });
            offers.collect()
        });
        self.versions.iter().map(String::as_str).zip(packed)
    }

    fn runner(&self, release: &str) -> Option<&Offer> {
        self.runners().find(|(version, _)| *version == release).map(|(_, offer)| offer)
    }

    /// `.releases.<name>.<os>.<arch>.{url,sha256}` for every version and for `current`. The sums are
    /// those of the archives that are sent.
    fn manifest(&self, base: &str, current: &str, odd: Option<OddArchive>) -> Value {
        let odd = odd.map(|odd| hex::encode(Sha256::digest(odd_archives::bytes(odd))));
        let mut releases = Map::new();
        let current = self.runner(current).map(|offer| ("current", offer));
        for (name, offer) in self.runners().chain(current) {
            let url = format!("{base}{}", offer.path);
            let sha256 = odd.as_ref().unwrap_or(&offer.sha256);
            let offer = json!({ "url": url, "sha256": sha256 });
            let on_platform = json!({ platform::os(): { platform::arch(): offer } });
            releases.insert(name.to_owned(), on_platform);
        }
        json!({ "releases": releases })
    }
}

/// A tar.gz with the one executable file `circleci-runner`; the same bytes give the same tarball.
fn tarball(runner: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(runner.len() as u64);
    header.set_mode(0o755);
    header.set_mtime(0);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let packed = tar
        .append_data(&mut header, "circleci-runner", runner)
        .and_then(|()| tar.into_inner())
        .and_then(GzEncoder::finish);
    packed.unwrap_or_else(|error| unreachable!("packing in memory: {error}"))
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(MANIFEST, get(manifest))
        .route("/releases/{release}/{file}", get(runner_tarball))
        .route("/releases/task-agent/{version}/{os}/{arch}/circleci-agent", get(task_agent))
}

async fn manifest(
    State(shared): State<Arc<Shared>>,
    by_tls: Option<Extension<ByTls>>,
    headers: HeaderMap,
) -> Response {
    let (current, odd, archive) = shared
        .change(|circle, _| {
            circle.downloads.push(Download { path: MANIFEST.to_owned(), from: 0 });
            (circle.current_release.clone(), circle.odd_manifest, circle.odd_archive)
        })
        .await;
    let base = tls::base(&shared, by_tls.map(|Extension(by_tls)| by_tls), &headers);
    let manifest = shared.releases.manifest(&base, &current, archive);
    let body = match odd {
        None => manifest.to_string().into_bytes(),
        Some(odd) => odd_manifests::body(odd, manifest),
    };
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn runner_tarball(
    State(shared): State<Arc<Shared>>,
    UrlPath((release, file)): UrlPath<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (current, odd) =
        shared.look(|circle| (circle.current_release.clone(), circle.odd_archive)).await;
    let release = if release == "current" { current } else { release };
    let offer = shared.releases.runner(&release);
    let offer = offer.filter(|offer| offer.path.ends_with(&format!("/{file}")));
    let offer = offer.ok_or_else(|| Refusal::not_found(&format!("{release}/{file}")))?;
    let from = ranges::from(&headers);
    let asked = Download { path: offer.path.clone(), from: from.unwrap_or_default() };
    shared.change(|circle, _| circle.downloads.push(asked)).await;
    let bytes = match odd {
        None => offer.bytes.clone(),
        Some(odd) => odd_archives::bytes(odd).into(),
    };
    Ok(ranges::answer(bytes, from))
}

fn task_agent(State(shared): State<Arc<Shared>>) -> Ready<Bytes> {
    ready(shared.releases.task_agent.bytes.clone())
}
