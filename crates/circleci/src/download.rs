//! A release server, spoken to over https (or plain http on this machine). Hands on nothing whose
//! SHA-256 is not the one that the manifest promised, takes up a broken download where it broke, and
//! can be called off at any moment.

use std::{future::Future, path::Path, time::Duration};

use reqwest::Client;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    Manifest, Patience, Release, ReleaseError, answer::Answer, http, intake::Intake,
    patience::Tries, progress::Report, room, service_address, unpack::UnpackError,
};

/// Says in words why a program must not be started.
pub type Check = fn(&Path) -> Result<(), String>;

/// A folder on the web that holds `manifest.json`.
#[derive(Debug, Clone)]
pub struct Releases {
    http: Client,
    folder: Url,
    limits: Limits,
    patience: Patience,
    cancel: CancellationToken,
    pub(crate) check: Check,
}

/// The most that is taken of a server, in bytes. Generous: an archive has about 20 MB.
#[derive(Debug, Clone, Copy)]
struct Limits {
    manifest: u64,
    archive: u64,
    binary: u64,
}

const LIMITS: Limits = Limits { manifest: 4 << 20, archive: 512 << 20, binary: 1 << 30 };
const CONNECT: Duration = Duration::from_secs(15);
/// How often a download begins anew, where what is here is of no use.
const BEGINNINGS: usize = 4;

/// How far one answer led.
enum Received {
    All,
    /// The server begins anew, while a part is here already.
    Anew,
}

impl Releases {
    /// `folder` is an https address, or a plain http one on this machine; nothing is sent yet.
    pub fn at(folder: &str) -> Result<Self, ReleaseError> {
        let mut folder = service_address(folder)?;
        if !folder.path().ends_with('/') {
            folder.set_path(&format!("{}/", folder.path()));
        }
        Self::of(folder, Patience::default())
    }

    fn of(folder: Url, patience: Patience) -> Result<Self, ReleaseError> {
        let client = http::client()?.connect_timeout(CONNECT).read_timeout(patience.silence);
        let http =
            client.build().map_err(|error| ReleaseError::of_request(folder.as_str(), &error))?;
        let cancel = CancellationToken::new();
        Ok(Self { http, folder, limits: LIMITS, patience, cancel, check: |_| Ok(()) })
    }

    /// Puts up with so much and no more.
    pub fn with_patience(self, patience: Patience) -> Result<Self, ReleaseError> {
        Ok(Self { cancel: self.cancel, check: self.check, ..Self::of(self.folder, patience)? })
    }

    /// Ends with [`ReleaseError::Cancelled`] once this is cancelled.
    #[must_use]
    pub fn called_off_by(self, cancel: CancellationToken) -> Self {
        Self { cancel, ..self }
    }

    /// Installs nothing that this refuses; a hash that is right does not count then.
    #[must_use]
    pub fn checked_by(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// Without the slash at its end.
    pub(crate) fn folder(&self) -> &str {
        self.folder.as_str().trim_end_matches('/')
    }

    /// What the server offers now.
    pub async fn manifest(&self) -> Result<Manifest, ReleaseError> {
        self.manifest_with(&mut Report::to(&mut |_| {})).await
    }

    pub(crate) async fn manifest_with(
        &self,
        report: &mut Report<'_>,
    ) -> Result<Manifest, ReleaseError> {
        let url = self.folder.join("manifest.json").map_err(|error| ReleaseError::Manifest {
            url: self.folder.to_string(),
            reason: error.to_string(),
        })?;
        let mut tries = Tries::new(self.patience);
        loop {
            match self.read(&url).await {
                Ok(bytes) => return Manifest::parse(&url, &bytes),
                Err(error) => self.wait(&mut tries, error, report).await?,
            }
        }
    }

    async fn read(&self, url: &Url) -> Result<Vec<u8>, ReleaseError> {
        let answer = Answer::get(&self.http, url, 0, self.limits.manifest, self.patience);
        let mut answer = self.unless_called_off(answer).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = self.unless_called_off(answer.next()).await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Has the archive unpacked to the new file `binary` and gives that file's SHA-256. `part` holds
    /// what came so far; it is worth nothing once the archive was refused.
    pub(crate) async fn fetch(
        &self,
        release: &Release,
        part: &Path,
        binary: &Path,
        report: &mut Report<'_>,
    ) -> Result<String, ReleaseError> {
        let mut tries = Tries::new(self.patience);
        for _ in 0..BEGINNINGS {
            let intake = Intake::start(part, binary, self.limits.binary);
            let mut intake = intake.map_err(ReleaseError::io("writing", part))?;
            let mut in_pieces = intake.length > 0;
            let received = self
                .receive_all(&mut intake, release, part, &mut tries, &mut in_pieces, report)
                .await;
            let taken = intake.end().await;
            // The disk's own word says more than that no byte was taken.
            let found = taken.sha256.map_err(ReleaseError::io("writing", part))?;
            match received? {
                Received::All if found == release.sha256 => {
                    return taken.binary.map_err(|error| refusal(error, release, binary));
                }
                Received::All if !in_pieces => {
                    let (url, expected) = (release.url.to_string(), release.sha256.clone());
                    return Err(ReleaseError::WrongHash { url, expected, found });
                }
                // Pieces of two archives make none.
                Received::All | Received::Anew => {}
            }
            for file in [part, binary] {
                remove(file).map_err(ReleaseError::io("removing", file))?;
            }
        }
        Err(ReleaseError::Unreachable {
            url: release.url.to_string(),
            reason: format!("it did not come whole in {BEGINNINGS} tries"),
        })
    }

    /// Answer after answer, until all is here or no more is to be hoped for.
    async fn receive_all(
        &self,
        intake: &mut Intake,
        release: &Release,
        part: &Path,
        tries: &mut Tries,
        in_pieces: &mut bool,
        report: &mut Report<'_>,
    ) -> Result<Received, ReleaseError> {
        loop {
            match self.receive(intake, release, part, report).await {
                Ok(received) => return Ok(received),
                Err(error) => {
                    tries.reached(intake.length);
                    self.wait(tries, error, report).await?;
                    *in_pieces |= intake.length > 0;
                }
            }
        }
    }

    /// One answer, from where the part ends.
    async fn receive(
        &self,
        intake: &mut Intake,
        release: &Release,
        part: &Path,
        report: &mut Report<'_>,
    ) -> Result<Received, ReleaseError> {
        let (from, limit) = (intake.length, self.limits.archive);
        let answer = Answer::get(&self.http, &release.url, from, limit, self.patience);
        let mut answer = self.unless_called_off(answer).await?;
        if answer.is_all_here(from) {
            return Ok(Received::All);
        }
        if answer.from != from {
            return Ok(Received::Anew);
        }
        if let Some(total) = answer.total {
            room::for_archive(part.parent().unwrap_or(part), from, total)?;
        }
        report.begins(from, answer.total);
        while let Some(piece) = self.unless_called_off(answer.next()).await? {
            if !intake.take(piece).await {
                return Err(ReleaseError::Cancelled);
            }
            report.received(intake.length);
        }
        Ok(Received::All)
    }

    /// Waits for the next try, where there is to be one.
    async fn wait(
        &self,
        tries: &mut Tries,
        error: ReleaseError,
        report: &mut Report<'_>,
    ) -> Result<(), ReleaseError> {
        let (wait, why) = tries.after(error)?;
        report.waits(why, wait);
        self.unless_called_off(async {
            sleep(wait).await;
            Ok(())
        })
        .await
    }

    async fn unless_called_off<T>(
        &self,
        work: impl Future<Output = Result<T, ReleaseError>>,
    ) -> Result<T, ReleaseError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ReleaseError::Cancelled),
            done = work => done,
        }
    }
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn refusal(error: UnpackError, release: &Release, binary: &Path) -> ReleaseError {
    match error {
        UnpackError::Refused(reason) => {
            ReleaseError::Archive { url: release.url.to_string(), reason }
        }
        UnpackError::NoRoom(error) => error,
        UnpackError::Io(error) => ReleaseError::io("writing", binary)(error),
    }
}
