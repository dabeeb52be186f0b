//! What a clean-up is about to do, on disk before it does it: where its end is never heard of, that is the
//! receipt it has.

use std::fs;
use std::path::{Path, PathBuf};

use cleanup::is_trash;
use host::Folders;
use jiff::Timestamp;
use protocol::CleanupReceipt;

use super::shown::volume;
use crate::supervisor::Supervisor;

const CUT: &str = "The supervisor ended in the middle of it, so this is what was planned.";

fn file(folders: &Folders) -> PathBuf {
    folders.state.join("clean-up-begun.json")
}

pub(crate) fn save(folders: &Folders, planned: &CleanupReceipt) -> std::io::Result<()> {
    let text = serde_json::to_vec(planned)?;
    run_dir::write_atomically(&file(folders), &text).map_err(std::io::Error::other)
}

pub(super) fn forget(folders: &Folders) {
    if let Err(error) = fs::remove_file(file(folders))
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a clean-up that is over will be told of again");
    }
}

/// None also where it cannot be read: then it is as good as none.
pub(crate) fn read(folders: &Folders) -> Option<CleanupReceipt> {
    serde_json::from_slice(&fs::read(file(folders)).ok()?).ok()
}

impl Supervisor {
    /// One that an earlier supervisor was killed in gets its receipt; what it has set aside can be put back.
    pub(crate) fn take_up_clean_up(&mut self) {
        let Some(planned) = read(&self.folders) else { return };
        let mut roots: Vec<PathBuf> =
            planned.volumes.iter().map(|volume| volume.path.as_str().into()).collect();
        for party in self.parties(None).unwrap_or_default() {
            roots.extend(party.around.runners.into_iter().map(|runner| runner.kept));
        }
        let is_aside = roots.iter().any(|root| may_lie_in(root, planned.at));
        // Its receipt may have come to its place before the kill; where nobody can tell, the next start does.
        let Some(is_there) = self.records.has_cleanup(planned.at) else { return };
        if is_there || self.records.cleanup(&cut(planned, is_aside)).is_some() {
            forget(&self.folders);
        }
    }
}

fn cut(planned: CleanupReceipt, is_aside: bool) -> CleanupReceipt {
    let mut receipt = CleanupReceipt { cut_short: Some(CUT.to_owned()), ..planned };
    if receipt.undo_until.is_some() && !is_aside {
        receipt.undo_until = None;
        for group in &mut receipt.groups {
            if group.set_aside.take().is_some() {
                group.went = 0;
            }
        }
    }
    for of in &mut receipt.volumes {
        of.free_after = volume(&of.path).free_after;
    }
    receipt
}

/// Whether something that was set aside then lies in the folder's trash; a trash of another user's may
/// have it.
fn may_lie_in(folder: &Path, at: Timestamp) -> bool {
    let batch = format!("{:010}-", at.as_second());
    let has_it = |trash: fs::DirEntry| {
        fs::read_dir(trash.path()).map_or(true, |mut batches| {
            batches
                .any(|it| it.is_ok_and(|it| it.file_name().to_string_lossy().starts_with(&batch)))
        })
    };
    match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().filter(|it| is_trash(&it.file_name())).any(has_it),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Bytes, ReceiptGroup, SetAside};

    use super::*;

    fn planned(folder: &Path, at: Timestamp) -> CleanupReceipt {
        CleanupReceipt {
            groups: vec![ReceiptGroup {
                preset: "kept".into(),
                title: "Kept".into(),
                planned: Some(Bytes(7)),
                freed: Bytes(0),
                went: 2,
                stayed: 0,
                set_aside: Some(SetAside { entries: 2, bytes: Bytes(7) }),
                note: None,
            }],
            volumes: vec![volume(&folder.display().to_string())],
            undo_until: Some(at),
            ..crate::cleanup::empty_receipt(at)
        }
    }

    #[test]
    fn what_is_not_in_a_trash_is_not_called_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        let is_aside = || may_lie_in(folder.path(), at);
        assert!(!is_aside());
        let trash = folder.path().join(format!("{}-1000", cleanup::TRASH));
        fs::create_dir_all(trash.join("1790000001-7-0")).unwrap();
        assert!(!is_aside(), "it is of another");
        let nothing = cut(planned(folder.path(), at), is_aside());
        assert_eq!((nothing.undo_until, nothing.groups[0].went), (None, 0));
        assert_eq!(nothing.groups[0].set_aside, None);
        fs::create_dir(trash.join("1790000000-7-0")).unwrap();
        let aside = cut(planned(folder.path(), at), is_aside());
        assert_eq!((aside.undo_until, aside.groups[0].went), (Some(at), 2));
        assert!(aside.cut_short.is_some() && aside.volumes[0].free_after.0 > 0, "{aside:?}");
        assert!(!may_lie_in(Path::new("/not/there"), at));
    }

    #[test]
    fn what_was_begun_is_read_until_it_is_over() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        folders.ensure().unwrap();
        assert_eq!(read(&folders), None);
        let begun = planned(home.path(), Timestamp::UNIX_EPOCH);
        save(&folders, &begun).unwrap();
        assert_eq!(read(&folders), Some(begun));
        forget(&folders);
        assert_eq!(read(&folders), None);
    }
}
