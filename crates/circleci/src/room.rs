//! Whether a disk has room for what is to be written, asked before it is. An answer that cannot be
//! had is no reason not to try: the write itself will say.

use std::path::Path;

use crate::ReleaseError;

/// An agent's archive grows about threefold when it is unpacked; what else needs the disk is left some.
const GROWS: u64 = 3;
const SPARE: u64 = 16 << 20;

/// For an archive of `total` bytes, `here` of which are on the disk.
pub(crate) fn for_archive(folder: &Path, here: u64, total: u64) -> Result<(), ReleaseError> {
    for_bytes(folder, total.saturating_sub(here).saturating_add(total.saturating_mul(GROWS)))
}

/// For so many bytes more.
pub(crate) fn for_bytes(folder: &Path, bytes: u64) -> Result<(), ReleaseError> {
    let Some(free) = free(folder) else { return Ok(()) };
    let needed = bytes.saturating_add(SPARE);
    if free >= needed {
        return Ok(());
    }
    Err(ReleaseError::NoRoom { path: folder.to_owned(), needed, free: Some(free) })
}

fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_disk_holds_is_refused_with_what_is_free() {
        let folder = tempfile::tempdir().unwrap();
        for_bytes(folder.path(), 1).unwrap();
        let error = for_archive(folder.path(), 0, u64::MAX / 2).unwrap_err();
        assert!(matches!(error, ReleaseError::NoRoom { free: Some(_), .. }), "{error}");
        assert!(!error.may_pass());
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_reason_not_to_try() {
        for_bytes(Path::new("/nowhere/at/all"), u64::MAX).unwrap();
    }
}
