//! `wanted.json`: what was asked for, replaced in place of a spare so that it works on a full disk.
//! What cannot be read, or is from a newer version, is kept as it is and nothing is written over it.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use protocol::{Problem, ProblemCode};
use run_dir::Spare;
use serde::{Deserialize, Serialize};
use supervisor_core::{StateFile, Wanted};

const VERSION: u32 = 1;
/// Room for some hundred pauses with notes.
const SIZE: usize = 64 << 10;

pub(crate) struct WantedFile {
    path: PathBuf,
    /// False where what is there must be kept.
    may_write: bool,
    /// Absent where there was no room for it yet.
    spare: Option<Spare>,
}

#[derive(Serialize, Deserialize)]
struct OnDisk {
    version: u32,
    #[serde(flatten)]
    wanted: Wanted,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl WantedFile {
    /// Reads what is there, and says what it may be used for.
    pub(crate) fn open(path: &Path, now: Timestamp) -> (Self, StateFile) {
        let file = |may_write| Self { path: path.to_owned(), may_write, spare: None };
        match read(path) {
            Ok(wanted) => {
                let mut file = file(true);
                // What was read holds, though nothing could be written now.
                let prepared =
                    if path.exists() { file.reserve().map(drop) } else { file.save(&wanted) };
                if let Err(error) = prepared {
                    tracing::warn!(%error, "no room to save what is wanted");
                }
                (file, StateFile::Read(wanted))
            }
            Err(Unread::Newer(version)) => {
                (file(false), StateFile::Kept(newer(path, version, now)))
            }
            Err(Unread::Broken(reason)) => {
                (file(false), StateFile::Kept(unreadable(path, &reason, now)))
            }
        }
    }

    pub(crate) fn save(&mut self, wanted: &Wanted) -> io::Result<()> {
        if !self.may_write {
            let why = format!("{} must not be written over", self.path.display());
            return Err(io::Error::other(why));
        }
        let on_disk = OnDisk { version: VERSION, wanted: wanted.clone() };
        let text = serde_json::to_vec_pretty(&on_disk)?;
        self.reserve()?.replace(&text)
    }

    /// The file to write to. Once both are there they change names, which works on a full disk.
    fn reserve(&mut self) -> io::Result<&Spare> {
        let spare = match self.spare.take() {
            Some(spare) => spare,
            None => Spare::reserve(&self.path, SIZE)?,
        };
        Ok(self.spare.insert(spare))
    }
}

enum Unread {
    Newer(u32),
    Broken(String),
}

/// Larger than this version ever writes it; what is larger is not read into memory.
const LARGEST: u64 = 4 << 20;

fn read(path: &Path) -> Result<Wanted, Unread> {
    let text = match run_dir::read_at_most(path, LARGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Wanted::default()),
        Err(error) => return Err(Unread::Broken(error.to_string())),
    };
    let broken = |error: serde_json::Error| Unread::Broken(error.to_string());
    let Version { version } = serde_json::from_slice(&text).map_err(broken)?;
    if version > VERSION {
        return Err(Unread::Newer(version));
    }
    let on_disk: OnDisk = serde_json::from_slice(&text).map_err(broken)?;
    Ok(on_disk.wanted)
}

fn unreadable(path: &Path, reason: &str, now: Timestamp) -> Problem {
    Problem::of(ProblemCode::StateUnreadable, now).reading(format!("{}: {reason}", path.display()))
}

fn newer(path: &Path, version: u32, now: Timestamp) -> Problem {
    let reading = format!("{} has version {version}, this one reads {VERSION}", path.display());
    Problem::of(ProblemCode::StateNewer, now).reading(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_as_it_is(text: &str, code: ProblemCode) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wanted.json");
        run_dir::write_atomically(&path, text.as_bytes()).unwrap();
        let (mut file, state) = WantedFile::open(&path, Timestamp::UNIX_EPOCH);
        let StateFile::Kept(problem) = state else { panic!("{text:?} was believed") };
        assert_eq!(problem.code, code);
        assert!(file.save(&Wanted::default()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_file_cut_short_or_from_a_newer_version_is_never_written_over() {
        kept_as_it_is("{\"version\": 1, \"run", ProblemCode::StateUnreadable);
        kept_as_it_is("", ProblemCode::StateUnreadable);
        kept_as_it_is("\u{0}\u{0}\u{0}", ProblemCode::StateUnreadable);
        kept_as_it_is("{\"version\": 2, \"new\": true}", ProblemCode::StateNewer);
    }

    #[test]
    fn what_is_saved_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wanted.json");
        let (mut file, state) = WantedFile::open(&path, Timestamp::UNIX_EPOCH);
        assert!(matches!(state, StateFile::Read(_)));
        let mut wanted = Wanted::default();
        wanted.runners.insert("mini".parse().unwrap(), supervisor_core::WantedRunner::default());
        file.save(&wanted).unwrap();
        file.save(&wanted).unwrap();
        let (_, state) = WantedFile::open(&path, Timestamp::UNIX_EPOCH);
        let StateFile::Read(read) = state else { panic!("not read back") };
        assert_eq!(read, wanted);
    }
}
