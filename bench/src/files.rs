//! Files of the bench's own making, in its own folders.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("writing {}", path.display()))
}

/// A copy of a program that is so many bytes long; what is added is never read.
pub(crate) fn padded(program: &Path, copy: &Path, size: u64) -> Result<()> {
    fs::copy(program, copy).with_context(|| format!("copying {}", program.display()))?;
    fs::set_permissions(copy, fs::Permissions::from_mode(0o755))?;
    File::options().write(true).open(copy)?.set_len(size)?;
    Ok(())
}
