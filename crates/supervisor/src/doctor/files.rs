//! Our own folders and files, as they are; nothing is made and nothing mended.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use doctor::{Entry, Kind, Place, Wants};
use host::Folders;

use super::Runners;

pub(super) fn look(runners: &Runners, folders: &Folders) -> Vec<Place> {
    let private = [folders.state.clone(), folders.config.clone(), folders.logs.clone()];
    let tokens = runners.keys().map(|name| folders.tokens().join(name.as_str()));
    let private = private.into_iter().chain([folders.runs(), folders.tokens()]).chain(tokens);
    let ours = [folders.data.clone(), folders.agents(), folders.helpers()];
    let shared = runners.values().any(|runner| runner.job_user.is_some());
    let ours = ours
        .into_iter()
        .chain([folders.settings_file(), folders.wanted_file()])
        .chain(shared.then(|| folders.shared()));
    let place = |wants| {
        move |path: PathBuf| Place {
            found: look_at(&path),
            path: path.display().to_string(),
            wants,
        }
    };
    private.map(place(Wants::Private)).chain(ours.map(place(Wants::OursToChange))).collect()
}

fn look_at(path: &Path) -> Result<Option<Entry>, String> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let kind = match about.file_type() {
        of if of.is_symlink() => Kind::Link,
        of if of.is_dir() => Kind::Folder,
        of if of.is_file() => Kind::File,
        _ => Kind::Other,
    };
    Ok(Some(Entry {
        kind,
        is_ours: about.uid() == rustix::process::geteuid().as_raw(),
        owner: about.uid(),
        mode: about.mode() & 0o777,
    }))
}
