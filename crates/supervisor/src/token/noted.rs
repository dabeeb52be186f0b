//! Whose token may be in the keychain, which gives no list: an empty file for each, made before a token
//! is put there and gone once it is out. So a token is found again whose runner was taken out of the
//! settings by hand. Names alone, never a token.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use host::Folders;
use protocol::{RunnerName, TokenStore};

fn folder(folders: &Folders) -> PathBuf {
    folders.state.join("in-keychain")
}

/// On disk when this returns.
pub(crate) fn note(folders: &Folders, runner: &RunnerName) -> io::Result<()> {
    let folder = folder(folders);
    let path = folder.join(runner.as_str());
    if path.is_file() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    File::create(path)?.sync_all()?;
    File::open(folder)?.sync_all()
}

pub(super) fn is_out(folders: &Folders, runner: &RunnerName) {
    // Left there it is only looked for once more.
    let _ = fs::remove_file(folder(folders).join(runner.as_str()));
}

/// The tokens that no runner is said to have by `named`: whose, and where each may be.
pub(crate) fn left<'a>(
    folders: &Folders,
    named: impl Iterator<Item = &'a RunnerName>,
) -> Vec<(RunnerName, TokenStore)> {
    let named: BTreeSet<&RunnerName> = named.collect();
    let stores = [(folder(folders), TokenStore::Keychain), (folders.tokens(), TokenStore::File)];
    let all = stores
        .into_iter()
        .flat_map(|(folder, store)| names_in(&folder).into_iter().map(move |name| (name, store)));
    all.filter(|(name, _)| !named.contains(name)).collect()
}

fn names_in(folder: &Path) -> BTreeSet<RunnerName> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_runner_has_is_left_until_it_is_out() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        folders.ensure().unwrap();
        let name = |name: &str| name.parse::<RunnerName>().unwrap();
        let (mini, maxi) = (name("mini"), name("maxi"));
        assert_eq!(left(&folders, [].into_iter()), []);
        for runner in [&mini, &maxi, &mini] {
            note(&folders, runner).unwrap();
        }
        host::token_file::set(&folders, "mini", &secrecy::SecretString::from("x")).unwrap();
        // What a kill leaves of a token that was being written is nobody's.
        File::create(folders.tokens().join("new~")).unwrap();
        assert_eq!(left(&folders, [&mini, &maxi].into_iter()), []);
        assert_eq!(left(&folders, [&mini].into_iter()), [(maxi.clone(), TokenStore::Keychain)]);
        let of_mini = [(mini.clone(), TokenStore::Keychain), (mini.clone(), TokenStore::File)];
        assert_eq!(left(&folders, [&maxi].into_iter()), of_mini);
        is_out(&folders, &mini);
        is_out(&folders, &mini);
        assert_eq!(left(&folders, [&maxi].into_iter()), of_mini[1..]);
    }
}
