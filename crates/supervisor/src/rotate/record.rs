//! A rotation on disk: what is known of the tokens before the next step is taken. Ids and nicknames,
//! never a token.

use std::io;
use std::path::{Path, PathBuf};

use host::Folders;
use jiff::Timestamp;
use protocol::{ApiError, ResourceClass, Rotation, RotationStep, RunnerName};
use serde::{Deserialize, Serialize};

use crate::api::refusal;
use crate::input::Registered;

const VERSION: u32 = 1;
/// Larger than this version ever writes it.
const LARGEST: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    pub(crate) begun_at: Timestamp,
    pub(crate) resource_class: ResourceClass,
    pub(crate) api_url: String,
    /// No token but those that this rotation creates has it: what was created and lost is found so.
    pub(crate) nickname: String,
    /// The runner's, when the rotation began. Where it grows without us, somebody else set a token.
    pub(crate) token_number: u64,
    /// To be deleted at the end.
    pub(crate) old: Vec<String>,
    /// Stored where the runner's token is; absent: none is yet, or nobody knows whether it is.
    pub(crate) new: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Record {
    pub(crate) fn new(
        known: &Registered,
        nickname: String,
        old: Vec<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            version: VERSION,
            begun_at: now,
            resource_class: known.resource_class.clone(),
            api_url: known.api_url.clone(),
            nickname,
            token_number: known.token_number,
            old,
            new: None,
        }
    }

    /// Nothing where no rotation was begun.
    pub(crate) fn read(
        folders: &Folders,
        runner: &RunnerName,
    ) -> Result<Option<Self>, UnreadableRecord> {
        let path = path(folders, runner);
        let unreadable = |why: String| UnreadableRecord { path: path.clone(), why };
        let text = match run_dir::read_at_most(&path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let broken = |error: serde_json::Error| unreadable(error.to_string());
        let Version { version } = serde_json::from_slice(&text).map_err(broken)?;
        if version > VERSION {
            return Err(unreadable("a newer Runner Tray wrote it".into()));
        }
        serde_json::from_slice(&text).map(Some).map_err(broken)
    }

    /// On disk when this returns.
    pub(crate) fn save(&self, folders: &Folders, runner: &RunnerName) -> Result<(), ApiError> {
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        run_dir::write_atomically(&path(folders, runner), &text)
            .map_err(|error| refusal::cannot_save(&error.to_string()))
    }

    pub(crate) fn remove(folders: &Folders, runner: &RunnerName) -> Result<(), ApiError> {
        match std::fs::remove_file(path(folders, runner)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(refusal::cannot_save(&error.to_string()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The settings name the new token, so that agents are started with it.
    pub(crate) fn is_swapped(&self, known: &Registered) -> bool {
        self.new.is_some() && self.new == known.token_id
    }

    /// The runner works for another class or server by now.
    pub(crate) fn is_elsewhere(&self, known: &Registered) -> bool {
        self.resource_class != known.resource_class || self.api_url != known.api_url
    }

    /// Another token was stored since, so the new one is not the runner's any more.
    pub(crate) fn is_void(&self, known: &Registered) -> bool {
        !self.is_swapped(known) && known.token_number != self.token_number
    }

    pub(crate) fn step(&self, known: &Registered, proven: bool) -> RotationStep {
        match (&self.new, self.is_swapped(known), proven) {
            (None, _, _) => RotationStep::Create,
            (Some(_), false, _) => RotationStep::Swap,
            (Some(_), true, false) => RotationStep::Prove,
            (Some(_), true, true) => RotationStep::Delete,
        }
    }

    pub(crate) fn shown(&self, step: RotationStep) -> Rotation {
        Rotation {
            begun_at: self.begun_at,
            nickname: self.nickname.clone(),
            old: self.old.clone(),
            new: self.new.clone(),
            step,
        }
    }
}

/// A record that is there and tells nothing.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub(crate) struct UnreadableRecord {
    path: PathBuf,
    why: String,
}

impl From<UnreadableRecord> for ApiError {
    fn from(error: UnreadableRecord) -> Self {
        refusal::error(
            409,
            "rotation-unreadable",
            format!("The rotation that was begun cannot be read: {error}."),
            "Move the file away; then `runnerctl token list` shows the tokens there are.",
        )
    }
}

const PREFIX: &str = "rotation-";

fn path(folders: &Folders, runner: &RunnerName) -> PathBuf {
    folders.state.join(format!("{PREFIX}{runner}.json"))
}

/// Whether a file in the state folder has the name of a record.
pub(crate) fn is_record(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(token_number: u64, token_id: Option<&str>) -> Registered {
        Registered {
            token_store: protocol::TokenStore::File,
            token_copy: None,
            resource_class: "acme/linux".parse().unwrap(),
            api_url: "https://x.example".into(),
            releases_url: String::new(),
            working_directory: "/w".into(),
            token_number,
            token_id: token_id.map(str::to_owned),
        }
    }

    fn record(new: Option<&str>) -> Record {
        let old = vec!["t-1".to_owned()];
        let record = Record::new(&known(3, Some("t-1")), "n".into(), old, Timestamp::UNIX_EPOCH);
        Record { new: new.map(str::to_owned), ..record }
    }

    #[test]
    fn what_comes_next_follows_from_what_is_on_disk() {
        for (record, known, proven, step) in [
            (record(None), known(3, Some("t-1")), true, RotationStep::Create),
            (record(Some("t-2")), known(3, Some("t-1")), true, RotationStep::Swap),
            (record(Some("t-2")), known(4, Some("t-2")), false, RotationStep::Prove),
            (record(Some("t-2")), known(4, Some("t-2")), true, RotationStep::Delete),
        ] {
            assert_eq!(record.step(&known, proven), step);
            assert!(!record.is_void(&known));
        }
    }

    #[test]
    fn a_token_that_somebody_else_set_ends_the_rotation() {
        assert!(record(None).is_void(&known(4, None)));
        assert!(record(Some("t-2")).is_void(&known(4, None)));
        assert!(record(Some("t-2")).is_void(&known(5, None)));
    }

    #[test]
    fn what_was_saved_is_read_back_and_what_is_newer_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        folders.ensure().unwrap();
        let runner: RunnerName = "mini (2)".replace(' ', "").parse().unwrap();
        assert_eq!(Record::read(&folders, &runner).unwrap(), None);
        record(Some("t-2")).save(&folders, &runner).unwrap();
        assert_eq!(Record::read(&folders, &runner).unwrap(), Some(record(Some("t-2"))));
        Record { version: 2, ..record(None) }.save(&folders, &runner).unwrap();
        let newer = Record::read(&folders, &runner).unwrap_err();
        assert!(newer.to_string().contains("newer"), "{newer}");
        run_dir::write_atomically(&path(&folders, &runner), b"{\"version\":1").unwrap();
        let broken = ApiError::from(Record::read(&folders, &runner).unwrap_err());
        assert_eq!(broken.code, "rotation-unreadable");
        Record::remove(&folders, &runner).unwrap();
        Record::remove(&folders, &runner).unwrap();
        assert_eq!(Record::read(&folders, &runner).unwrap(), None);
    }
}
