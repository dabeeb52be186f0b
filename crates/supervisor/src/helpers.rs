//! The keeper program, copied to a folder of its own: a run uses its own version to its end, though
//! the app is moved or upgraded meanwhile.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use circleci::Seal;
use sha2::{Digest, Sha256};

const KEEPER: &str = "runner-tray-keeper";

/// A copy that was found whole, with what both files were like then.
struct Found {
    original: Option<Seal>,
    copy: PathBuf,
    seal: Option<Seal>,
}

/// By the folder of all versions. Every start and every clean-up asks; megabytes are read again only
/// once one of the files was touched.
static FOUND: Mutex<BTreeMap<PathBuf, Found>> = Mutex::new(BTreeMap::new());

/// The copy of the keeper that belongs to this version, made if it is not there or not whole.
/// `folder` is the folder of all versions. May read and write megabytes.
pub(crate) fn keeper(folder: &Path) -> Result<PathBuf> {
    copy_of_file(&beside_this_program()?, folder)
}

fn copy_of_file(original: &Path, folder: &Path) -> Result<PathBuf> {
    let gone = || format!("reading {}; install Runner Tray again", original.display());
    // A link stays as it is while what it leads to changes.
    let original = &original.canonicalize().with_context(gone)?;
    let seal = Seal::of_file(original);
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = found.get(folder)
        && seal.is_some()
        && known.original == seal
        && known.seal.is_some()
        && known.seal == Seal::of_file(&known.copy)
    {
        return Ok(known.copy.clone());
    }
    let bytes = std::fs::read(original).with_context(gone)?;
    let copy = copy_of(&bytes, folder)?;
    let now = Found { original: seal, seal: Seal::of_file(&copy), copy: copy.clone() };
    found.insert(folder.to_owned(), now);
    Ok(copy)
}

pub(crate) fn copy_of(bytes: &[u8], folder: &Path) -> Result<PathBuf> {
    let hash = hex::encode(Sha256::digest(bytes));
    let version = format!("{}-{}", env!("CARGO_PKG_VERSION"), &hash[..8]);
    let copy = folder.join(version).join(KEEPER);
    if !is_whole(&copy, bytes) {
        place(&copy, bytes).with_context(|| format!("copying the keeper to {}", copy.display()))?;
    }
    Ok(copy)
}

/// A power cut may keep its bytes and not that they are a program.
fn is_whole(copy: &Path, bytes: &[u8]) -> bool {
    let executable = std::fs::metadata(copy).is_ok_and(|it| it.permissions().mode() & 0o111 != 0);
    executable && std::fs::read(copy).is_ok_and(|there| there == bytes)
}

fn place(copy: &Path, bytes: &[u8]) -> Result<()> {
    let folder = copy.parent().context("a path of ours has a folder")?;
    std::fs::create_dir_all(folder)?;
    // Executable before it has its name, and never written to while it runs.
    let new = copy.with_extension("new");
    run_dir::write_atomically(&new, bytes)?;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755))?;
    std::fs::rename(&new, copy)?;
    Ok(())
}

fn beside_this_program() -> Result<PathBuf> {
    let this = host::this_program().context("finding this program")?;
    Ok(this.with_file_name(KEEPER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_executable_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("v/keeper");
        place(&copy, b"#!/bin/sh\nexit 3\n").unwrap();
        place(&copy, b"#!/bin/sh\nexit 4\n").unwrap();
        let status = std::process::Command::new(&copy).status().unwrap();
        assert_eq!(status.code(), Some(4));
    }

    #[test]
    fn a_copy_or_an_original_that_was_touched_is_looked_at_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (original, versions) = (folder.path().join("keeper"), folder.path().join("versions"));
        run_dir::write_atomically(&original, b"first").unwrap();
        let copy = copy_of_file(&original, &versions).unwrap();
        assert_eq!(copy_of_file(&original, &versions).unwrap(), copy);
        run_dir::write_atomically(&copy, b"spoilt").unwrap();
        assert_eq!(copy_of_file(&original, &versions).unwrap(), copy);
        assert_eq!(std::fs::read(&copy).unwrap(), b"first");
        std::fs::remove_file(&copy).unwrap();
        assert_eq!(copy_of_file(&original, &versions).unwrap(), copy);
        assert!(copy.exists());
        run_dir::write_atomically(&original, b"second").unwrap();
        let second = copy_of_file(&original, &versions).unwrap();
        assert_ne!(second, copy);
        assert_eq!(std::fs::read(second).unwrap(), b"second");
        // And where it is a link.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&original, &link).unwrap();
        copy_of_file(&link, &versions).unwrap();
        run_dir::write_atomically(&original, b"third").unwrap();
        let third = copy_of_file(&link, &versions).unwrap();
        assert_eq!(std::fs::read(third).unwrap(), b"third");
    }
}
