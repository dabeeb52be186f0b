//! The task agent's binary: fetched when the runner starts, deleted when it ends unless
//! `cache_task_agent` keeps it. Two runners with one folder delete it for each other, as documented.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::http::{Api, ApiError};
use crate::platform;
use crate::wire::Download;

use super::calls::{CALL_LIMIT, Calls};

pub(super) struct TaskAgent {
    pub(super) path: PathBuf,
    is_kept: bool,
}

/// Why there is no task agent.
pub(super) enum NotFetched {
    Call(ApiError),
    Other(String),
}

impl TaskAgent {
    /// Asks where the binary lies, downloads and checks it. Returns also the server's variant.
    pub(super) fn fetch(
        calls: &Calls,
        folder: &Path,
        is_kept: bool,
    ) -> Result<(Self, String), NotFetched> {
        let (os, arch) = (platform::os(), platform::arch());
        let path = format!("/api/v2/tasks/download?arch={arch}&os={os}&version=");
        let offer: Download =
            calls.get(&path).and_then(|reply| reply.json()).map_err(NotFetched::Call)?;
        let file = folder.join("circleci-agent");
        let is_here = is_kept && fs::read(&file).is_ok_and(|it| sum(&it) == offer.checksum);
        if !is_here {
            // The bucket is another party: it never sees the token.
            let bucket = Api::new(calls.api.base(), CALL_LIMIT).map_err(NotFetched::Call)?;
            let bytes = bucket.get(&offer.url).map_err(NotFetched::Call)?.body;
            if sum(&bytes) != offer.checksum {
                let message = format!("checksum of {} is not {}", offer.url, offer.checksum);
                return Err(NotFetched::Other(message));
            }
            install(&file, &bytes)
                .map_err(|error| NotFetched::Other(format!("{}: {error}", file.display())))?;
        }
        Ok((Self { path: file, is_kept }, offer.variant))
    }

    /// The end of the runner.
    pub(super) fn release(self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Beside and renamed: an older copy may be running.
fn install(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o755).open(&beside)?.write_all(bytes)?;
    fs::rename(&beside, file)
}
