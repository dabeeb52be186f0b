//! Tokens in files: read where there is one, made where there is none. A token must never be an
//! argument of a process or a line on a terminal.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::TokenSource;
use crate::{private_file, random};

/// The token that `source` stands for; `kept` is the file of [`TokenSource::Kept`].
pub(super) fn read_or_make(source: &TokenSource, kept: &Path) -> anyhow::Result<String> {
    let file = match source {
        TokenSource::Given(token) => return Ok(token.clone()),
        TokenSource::InFile(file) => file,
        TokenSource::Kept => kept,
    };
    match fs::read_to_string(file) {
        Ok(text) => {
            let token = text.trim().to_owned();
            ensure!(!token.is_empty(), "{} is empty; remove it for a new token", file.display());
            Ok(token)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => make(file),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn make(file: &Path) -> anyhow::Result<String> {
    let token = random::hex(40)?;
    if let Some(folder) = file.parent() {
        private_file::make_folder(folder)?;
    }
    private_file::replace(file, format!("{token}\n").as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(token)
}

/// Where the state folder keeps the token of `namespace/name`.
pub(crate) fn class_file(state: &Path, class: &str) -> PathBuf {
    state.join("tokens").join(class.replace('/', "_"))
}
