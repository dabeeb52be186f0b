//! What each row found, kept below `target/`, so that a report can be put together of rows that were
//! measured one after another. Contenders that are compared are always of one run of one row.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::machine::{commit, now};
use crate::report::Section;

pub(crate) struct Results {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    at: String,
    commit: String,
    section: Section,
}

impl Results {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub(crate) fn keep(&self, row: &str, section: Section) -> Result<Section> {
        let kept = Kept { at: now(), commit: commit(), section };
        files::write(&self.path(row), &serde_json::to_string(&kept)?)?;
        Ok(kept.section)
    }

    /// As it was measured last; it says when. None: it never was.
    pub(crate) fn of(&self, row: &str) -> Result<Option<Section>> {
        let path = self.path(row);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let mut kept: Kept = serde_json::from_str(&text)
            .with_context(|| format!("{} is of another release: remove it", path.display()))?;
        let note = format!("Measured on {}, commit {}.", kept.at, kept.commit);
        kept.section.notes.push(note);
        Ok(Some(kept.section))
    }

    fn path(&self, row: &str) -> PathBuf {
        self.folder.join(row).with_extension("json")
    }
}
