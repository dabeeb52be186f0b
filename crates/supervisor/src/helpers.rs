//! The keeper program, copied to a folder of its own: a run uses its own version to its end, though
//! the app is moved or upgraded meanwhile.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

const KEEPER: &str = "runner-tray-keeper";

/// The copy of the keeper that belongs to this version, made if it is not there or not whole.
/// `folder` is the folder of all versions.
pub(crate) fn keeper(folder: &Path) -> Result<PathBuf> {
    let original = beside_this_program()?;
    let bytes = std::fs::read(&original)
        .with_context(|| format!("reading {}; install Runner Tray again", original.display()))?;
    copy_of(&bytes, folder)
}

pub(crate) fn copy_of(bytes: &[u8], folder: &Path) -> Result<PathBuf> {
    let hash = hex::encode(Sha256::digest(bytes));
    let version = format!("{}-{}", env!("CARGO_PKG_VERSION"), &hash[..8]);
    let copy = folder.join(version).join(KEEPER);
    if !is_whole(&copy, &hash) {
        place(&copy, bytes).with_context(|| format!("copying the keeper to {}", copy.display()))?;
    }
    Ok(copy)
}

/// A power cut may keep its bytes and not that they are a program.
fn is_whole(copy: &Path, hash: &str) -> bool {
    let executable = std::fs::metadata(copy).is_ok_and(|it| it.permissions().mode() & 0o111 != 0);
    executable && std::fs::read(copy).is_ok_and(|there| hex::encode(Sha256::digest(there)) == hash)
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
    let this = crate::program::path().context("finding this program")?;
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
}
