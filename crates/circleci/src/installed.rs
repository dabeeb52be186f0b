//! The agents on this machine: `agents/<version>/{circleci-runner,release.json}`. Only looks, but for
//! the receipt of one, which learns who else offers it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{AGENT_BINARY, ReleaseError};

/// An agent that can be started once [`verify`] says that it is still what was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledAgent {
    /// The name of its folder below `agents/`.
    pub version: String,
    /// The executable.
    pub path: PathBuf,
    /// Of the archive it came in, as the manifest promised it: 64 lower-case hex digits.
    pub sha256: String,
    /// Of the executable.
    pub binary_sha256: String,
    /// Where the archive lay; that may be another server than the one that offered it.
    pub url: String,
    /// The folders of the manifests that offered it.
    pub offered_by: Vec<String>,
    pub installed_at: Timestamp,
    seal: Option<Seal>,
}

/// What a program's file was like when its bytes were last found right. It changes with every change
/// of the file, whoever makes it; who can forge an agent's can as well forge the receipt it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    device: u64,
    inode: u64,
    /// In bytes.
    size: u64,
    /// Seconds and nanoseconds, of the kernel's making: programs cannot set it.
    changed: (i64, i64),
}

impl Seal {
    fn of(about: &fs::Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }

    /// Of a file whose bytes were just written or read; `None`: it is gone.
    pub fn of_file(path: &Path) -> Option<Self> {
        fs::symlink_metadata(path).ok().as_ref().map(Self::of)
    }
}

/// `release.json`, beside the executable.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) version: String,
    pub(crate) archive_sha256: String,
    pub(crate) binary_sha256: String,
    pub(crate) url: String,
    /// Absent in the oldest receipts, where the archive lay below the manifest's folder.
    #[serde(default)]
    pub(crate) offered_by: Vec<String>,
    pub(crate) installed_at: Timestamp,
    #[serde(default)]
    pub(crate) seal: Option<Seal>,
}

const RECEIPT: &str = "release.json";
/// In bytes; ours have a few hundred.
const LONGEST_RECEIPT: u64 = 1 << 20;

/// The agents below `data/agents`, newest first; folders without a readable receipt are not agents.
pub fn installed(data: &Path) -> Vec<InstalledAgent> {
    let folders = fs::read_dir(data.join("agents")).into_iter().flatten().flatten();
    let mut agents: Vec<_> = folders.filter_map(|entry| read_agent(&entry.path())).collect();
    agents.sort_by(|a, b| (b.installed_at, &b.version).cmp(&(a.installed_at, &a.version)));
    agents
}

/// The newest sound agent that the manifest in the folder `releases_url` once offered; nobody is
/// asked. May read it whole: call it off the event loop.
pub fn at_hand(data: &Path, releases_url: &str) -> Option<InstalledAgent> {
    let offered = |agent: &InstalledAgent| agent.was_offered_by(releases_url);
    installed(data).into_iter().filter(offered).find_map(|mut agent| {
        agent.check().ok()?;
        Some(agent)
    })
}

impl InstalledAgent {
    fn was_offered_by(&self, releases_url: &str) -> bool {
        let folder = releases_url.trim_end_matches('/');
        self.offered_by.iter().any(|by| by.trim_end_matches('/') == folder)
            || self.offered_by.is_empty() && self.url.starts_with(&format!("{folder}/"))
    }

    /// As [`verify`], and seals it anew where its seal was broken.
    pub(crate) fn check(&mut self) -> Result<(), ReleaseError> {
        if let Some(seal) = look(self)? {
            self.seal = Some(seal);
            // Without it the next look reads the file again.
            let _ = self.write_receipt();
        }
        Ok(())
    }

    /// Remembers that this folder's manifest offers it too.
    pub(crate) fn is_offered_by(&mut self, releases_url: &str) -> io::Result<()> {
        if self.was_offered_by(releases_url) {
            return Ok(());
        }
        self.offered_by.push(releases_url.trim_end_matches('/').to_owned());
        self.write_receipt()
    }

    fn write_receipt(&self) -> io::Result<()> {
        let receipt = Receipt {
            version: self.version.clone(),
            archive_sha256: self.sha256.clone(),
            binary_sha256: self.binary_sha256.clone(),
            url: self.url.clone(),
            offered_by: self.offered_by.clone(),
            installed_at: self.installed_at,
            seal: self.seal,
        };
        receipt.write(self.path.parent().unwrap_or(&self.path))
    }
}

impl Receipt {
    /// Into an agent's folder, in one step.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let new = folder.join(".release.json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&new, folder.join(RECEIPT))
    }
}

pub(crate) fn read_agent(folder: &Path) -> Option<InstalledAgent> {
    let version = folder.file_name()?.to_str().filter(|name| !name.starts_with('.'))?.to_owned();
    let receipt: Receipt =
        serde_json::from_slice(&read_receipt(&folder.join(RECEIPT)).ok()?).ok()?;
    Some(InstalledAgent {
        version,
        path: folder.join(AGENT_BINARY),
        sha256: receipt.archive_sha256,
        binary_sha256: receipt.binary_sha256,
        url: receipt.url,
        offered_by: receipt.offered_by,
        installed_at: receipt.installed_at,
        seal: receipt.seal,
    })
}

/// Who wrote it nobody knows: it may be a pipe, or endless.
fn read_receipt(path: &Path) -> io::Result<Vec<u8>> {
    let no_wait = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(no_wait).open(path)?;
    let mut bytes = Vec::new();
    if file.metadata()?.is_file() {
        file.take(LONGEST_RECEIPT).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// That the executable is still the file that was installed. Where the file was touched since its bytes
/// were last looked at, all of it is read (tens of megabytes): call it off the event loop, before every
/// start.
pub fn verify(agent: &InstalledAgent) -> Result<(), ReleaseError> {
    look(agent).map(drop)
}

/// The seal it gets, where all of it had to be read.
fn look(agent: &InstalledAgent) -> Result<Option<Seal>, ReleaseError> {
    let damaged = |reason: &str| ReleaseError::Damaged {
        path: agent.path.clone(),
        reason: reason.to_owned(),
    };
    let about = fs::symlink_metadata(&agent.path).map_err(|error| damaged(&error.to_string()))?;
    if agent.seal == Some(Seal::of(&about)) {
        return Ok(None);
    }
    if !about.is_file() {
        return Err(damaged("it is not a plain file"));
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(damaged("it is not executable"));
    }
    let found = hash_of(&agent.path).map_err(|error| damaged(&error.to_string()))?;
    if found != agent.binary_sha256 {
        return Err(damaged("its SHA-256 has changed"));
    }
    // As it was before the first byte was read: what came later breaks it.
    Ok(Some(Seal::of(&about)))
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An agent of a few bytes, as an installation leaves it.
    fn installed_in(data: &Path) -> InstalledAgent {
        let folder = data.join("agents/3.1.11");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(AGENT_BINARY);
        let mut file = File::create(&path).unwrap();
        file.write_all(b"#!/bin/sh\n").unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o755)).unwrap();
        let receipt = Receipt {
            version: "3.1.11".into(),
            archive_sha256: "a".repeat(64),
            binary_sha256: hash_of(&path).unwrap(),
            url: "http://127.0.0.1/agent.tar.gz".into(),
            offered_by: vec!["http://127.0.0.1/releases".into()],
            installed_at: Timestamp::UNIX_EPOCH,
            seal: None,
        };
        receipt.write(&folder).unwrap();
        at_hand(data, "http://127.0.0.1/releases/").expect("it is sound")
    }

    #[test]
    fn an_agent_that_was_found_sound_is_read_again_once_its_file_was_touched() {
        let data = tempfile::tempdir().unwrap();
        let agent = installed_in(data.path());
        assert!(look(&agent).unwrap().is_none(), "its seal is whole");
        let known_later = installed(data.path());
        assert_eq!(known_later, std::slice::from_ref(&agent), "and it lies in the receipt");

        let before = fs::metadata(&agent.path).unwrap();
        let mut file = File::options().write(true).open(&agent.path).unwrap();
        file.write_all(b"#!/bin/so").unwrap();
        // Its size and even its times may look as before.
        file.set_modified(before.modified().unwrap()).unwrap();
        assert!(verify(&agent).is_err());
        assert!(at_hand(data.path(), "http://127.0.0.1/releases").is_none());
    }

    #[test]
    fn another_file_of_the_same_bytes_is_read_once_and_sealed_anew() {
        let data = tempfile::tempdir().unwrap();
        let mut agent = installed_in(data.path());
        let copy = agent.path.with_extension("copy");
        fs::copy(&agent.path, &copy).unwrap();
        fs::rename(&copy, &agent.path).unwrap();
        assert!(look(&agent).unwrap().is_some(), "all of it is read");
        agent.check().unwrap();
        assert!(look(&agent).unwrap().is_none());
        assert_eq!(installed(data.path()), [agent]);
    }

    #[test]
    fn a_file_that_may_not_be_started_any_more_is_damaged_whatever_its_seal() {
        let data = tempfile::tempdir().unwrap();
        let agent = installed_in(data.path());
        fs::set_permissions(&agent.path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(verify(&agent).unwrap_err().to_string().contains("not executable"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_a_receipt_or_none_and_no_agent_is_started_by_them(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "\\{\"version\":\"x\",\"archive_sha256\":\"[0-9a-z]{0,9}\",\"binary_sha256\":(\"[0-9a-f]{0,64}\"|7),\"url\":\"http://127.0.0.1/releases\",\"installed_at\":\"1970-01-01T00:00:00Z\"(,\"seal\":(null|\\{\\}|[0-9]{1,22}))?\\}?"
                    .prop_map(String::into_bytes),
            ],
        ) {
            let data = tempfile::tempdir().unwrap();
            let agent = installed_in(data.path());
            let file = agent.path.with_file_name(RECEIPT);
            File::create(file).unwrap().write_all(&bytes).unwrap();
            let _ = installed(data.path());
            prop_assert!(at_hand(data.path(), "http://127.0.0.1/releases").is_none());
        }
    }

    #[test]
    fn nobody_waits_for_a_receipt_that_is_no_file_or_endless() {
        let data = tempfile::tempdir().unwrap();
        let agent = installed_in(data.path());
        let file = agent.path.with_file_name(RECEIPT);
        fs::remove_file(&file).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        assert_eq!(installed(data.path()), []);
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert_eq!(installed(data.path()), []);
    }

    /// What a power cut leaves of a receipt that was being written: it is written beside the one that
    /// is there, and then gets its name.
    #[test]
    fn a_torn_receipt_is_none_and_one_beside_it_is_in_nobodys_way() {
        let data = tempfile::tempdir().unwrap();
        let mut agent = installed_in(data.path());
        let folder = agent.path.parent().unwrap().to_owned();
        let whole = fs::read(folder.join(RECEIPT)).unwrap();
        let put = |name: &str, bytes: &[u8]| {
            File::create(folder.join(name)).unwrap().write_all(bytes).unwrap();
        };
        for cut in (0..whole.len()).step_by(7) {
            let mut zeros = whole.clone();
            zeros[cut..].fill(0);
            for torn in [&whole[..cut], &zeros] {
                put(".release.json.new", torn);
                assert_eq!(installed(data.path()), std::slice::from_ref(&agent), "{cut}");
                // Whatever the disk did with the names: no agent is started by half a receipt.
                put(RECEIPT, torn);
                assert_eq!(installed(data.path()), [], "{cut}");
                assert!(at_hand(data.path(), "http://127.0.0.1/releases").is_none(), "{cut}");
                put(RECEIPT, &whole);
            }
        }
        agent.is_offered_by("http://127.0.0.1/mirror").unwrap();
        assert_eq!(installed(data.path()), [agent]);
        assert!(!folder.join(".release.json.new").exists());
    }
}
