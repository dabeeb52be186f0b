//! Why something could not be removed, and the way out.

use std::ffi::CStr;
use std::path::PathBuf;

use process::folder::{Facts, MAKE_MUTABLE, is_immutable, is_mount};
use rustix::io::Errno;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It belongs to another user (user id), or lies in a folder that does.
    NotYours {
        owner: u32,
    },
    /// The rights forbid it, and could not be changed.
    NoPermission,
    /// A mark of the file system forbids it.
    Immutable,
    /// Another file system is mounted there.
    Mounted,
    /// A program runs from it, or the system itself uses it.
    Busy,
    /// No room is left to keep it for an undo.
    NoRoom,
    ReadOnlyVolume,
    /// Something writes there as fast as it is emptied.
    Growing,
    /// More levels than can be entered, and they cannot be moved up.
    TooDeep,
    Other(String),
}

/// One entry that stayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Where it lies now.
    pub path: Place,
    pub why: Why,
    /// What to do about it.
    pub way_out: String,
}

impl Failure {
    pub(crate) fn new(path: Place, why: Why) -> Self {
        let way_out = why.way_out(&path);
        Self { path, why, way_out }
    }

    /// Of what lies at `path`, in which these are mounted; in this order they can be unmounted. None: none is.
    pub(crate) fn mounted(path: Place, mounts: &[&PathBuf]) -> Option<Self> {
        let mounts: Vec<String> = mounts.iter().map(|it| quoted(&Place::from(*it))).collect();
        let way_out = format!(
            "Unmount what is in it, then clean up again: sudo umount -- {}",
            mounts.join(" ")
        );
        (!mounts.is_empty()).then_some(Self { path, why: Why::Mounted, way_out })
    }
}

impl Why {
    /// Of an entry in an open folder that has these facts.
    pub(crate) fn of(
        error: Errno,
        folder: &impl std::os::fd::AsFd,
        above: Option<&Facts>,
        name: &CStr,
    ) -> Self {
        match error {
            Errno::XDEV => Self::Mounted,
            Errno::BUSY if is_mount(folder, name) => Self::Mounted,
            Errno::BUSY | Errno::TXTBSY => Self::Busy,
            Errno::ROFS => Self::ReadOnlyVolume,
            Errno::PERM | Errno::ACCESS => {
                if is_immutable(folder, name) || is_immutable(folder, c".") {
                    return Self::Immutable;
                }
                let (own, entry) =
                    (geteuid().as_raw(), process::folder::facts_at(folder, name).ok());
                let other = |facts: &&Facts| facts.owner != own;
                let foreign = above.filter(other).or(entry.as_ref().filter(other));
                foreign.map_or(Self::NoPermission, |facts| Self::NotYours { owner: facts.owner })
            }
            other => Self::Other(other.to_string()),
        }
    }

    pub(crate) fn way_out(&self, path: &Place) -> String {
        let path = quoted(path);
        match self {
            Self::NotYours { .. } | Self::NoPermission | Self::TooDeep => {
                format!("Remove it as root: sudo rm -rf -- {path}")
            }
            Self::Immutable => {
                format!("Take the mark away, then clean up again: {MAKE_MUTABLE} -- {path}")
            }
            Self::NoRoom => format!("Make room first, or remove it yourself: rm -rf -- {path}"),
            Self::Mounted => format!("Unmount it, then clean up again: sudo umount -- {path}"),
            Self::Busy => format!("End what uses it, then clean up again: lsof -- {path}"),
            Self::ReadOnlyVolume => "Mount the volume for writing, or let it be.".to_owned(),
            Self::Growing => format!("End what writes there, then clean up again: lsof +D {path}"),
            Self::Other(_) => format!("Look at it, then clean up again: ls -la -- {path}"),
        }
    }
}

/// As a shell takes it.
pub fn quoted(path: &Place) -> String {
    let text = path.to_string();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._-+@%=:,".contains(char);
    if path.to_str().is_some_and(|path| path.chars().all(is_plain)) {
        text
    } else if path.to_str() == Some(text.as_str()) {
        format!("'{}'", text.replace('\'', r"'\''"))
    } else {
        // What is no text, or breaks a line, as bash and zsh write it.
        format!("$'{}'", text.replace('\'', r"\'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_mounts_in_one_entry_are_one_failure() {
        let (inner, other) = (PathBuf::from("/w/a/m/in it"), PathBuf::from("/w/a/m"));
        let told = Failure::mounted("/w/a".into(), &[&inner, &other]).unwrap();
        assert_eq!(told.path, Place::from("/w/a"));
        assert!(told.way_out.ends_with("sudo umount -- '/w/a/m/in it' /w/a/m"), "{told:?}");
        assert_eq!(Failure::mounted("/w/a".into(), &[]), None);
    }

    #[test]
    fn what_is_busy_is_called_mounted_only_where_something_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let open = |path: &std::path::Path| std::fs::File::open(path).unwrap();
        let why = |error, folder: &std::path::Path, name| Why::of(error, &open(folder), None, name);
        for error in [Errno::BUSY, Errno::TXTBSY] {
            assert_eq!(why(error, folder.path(), c"in"), Why::Busy);
        }
        assert_eq!(why(Errno::BUSY, std::path::Path::new("/"), c"proc"), Why::Mounted);
        assert!(Why::Busy.way_out(&Place::from("/w/a")).ends_with("lsof -- /w/a"));
    }

    #[test]
    fn a_command_that_is_told_names_the_path_whole() {
        let told = |path: &str| Why::Mounted.way_out(&Place::from(path));
        assert!(told("/w/a").ends_with("sudo umount -- /w/a"));
        assert!(told("/w/it's a").ends_with(r"-- '/w/it'\''s a'"));
        assert!(told("/w/a\nb").ends_with(r"-- $'/w/a\nb'"));
    }
}
